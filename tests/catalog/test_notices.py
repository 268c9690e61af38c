"""Events: told with the change that made them true, and delivered in order, once where nobody dies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.catalog.catalog import Catalog
from engine.catalog.reads import Reads
from engine.core.arns import Owner
from engine.core.notices import Letter, Subject
from engine.core.runs import Event, Status
from engine.core.targets import Audience, Target, To
from engine.core.versions import TemplateRef
from engine.errors import Conflict, NotFound
from tests.catalog.world import World, at_once, now

OWNER = Owner("123456789012", "eu-west-1")
INSTANCES = frozenset({Subject.INSTANCE})
LEASE = timedelta(minutes=2)


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    """One whose changes `team` hears of, as far as they are about service instances, and `log` all."""
    targets = (Target("team", To.FILE, kinds=INSTANCES), Target("log", To.FILE))
    found = Catalog(url, now, Audience(OWNER, targets))
    yield found
    found.close()


def heard(world: World, target: str) -> list[Letter]:
    """What a target gets, in the order in which it gets it."""
    found: list[Letter] = []
    with world.catalog.write() as tx:
        while letter := tx.next_letter({target}, LEASE):
            tx.letter_arrived(letter)
            found.append(letter)
    return found


def statuses(world: World) -> list[tuple[object, object]]:
    """Status and previous status, of all that was told of service instances."""
    return [(letter.detail["status"], letter.detail.get("previousStatus")) for letter in heard(world, "team")]


def add_templates(world: World, *names: str) -> None:
    """All of them or none."""
    with world.catalog.write() as tx:
        for name in names:
            tx.add_template("service", name)


def deployed(world: World) -> None:
    """Nobody has to hear of how it came to be."""
    version = world.version(world.template())
    world.run(world.instance(version, world.environment()), Status.SUCCEEDED)
    heard(world, "team")
    heard(world, "log")


def test_templates_are_told_of_from_the_first_version_to_the_last(world: World) -> None:
    template = world.template()
    version = world.version(template)
    with world.catalog.write() as tx:
        tx.remove_version(version)
        tx.remove_template(tx.find_template(TemplateRef("web")))

    told = [
        (letter.resource.partition("template/")[2], letter.detail["status"], letter.detail.get("previousStatus"))
        for letter in heard(world, "log")
    ]

    assert told == [
        ("web", "DRAFT", None),
        ("web:1.0", "DRAFT", None),
        ("web:1.0", "PUBLISHED", "DRAFT"),
        ("web", "PUBLISHED", "DRAFT"),
        ("web:1.0", "DELETED", "PUBLISHED"),
        ("web", "DRAFT", "PUBLISHED"),
        ("web", "DELETED", "DRAFT"),
    ]


def test_a_life_is_told_in_protons_words(world: World) -> None:
    version = world.version(world.template())
    instance = world.instance(version, world.environment())
    world.run(instance, Status.FAILED)
    world.run(instance, Status.SUCCEEDED)
    with world.catalog.write() as tx:
        run = tx.add_run(instance, operation="destroy", version_id=version.id, template="web@1.0", requested_by="ana")
        assert run.id is not None
        tx.move(run.id, Event.CLAIM)
        tx.move(run.id, Event.FIND_NOTHING)
        tx.remove_instance(tx.instance_by_id(run.instance_id))

    assert statuses(world) == [
        ("IN_PROGRESS", None),
        ("FAILED", "IN_PROGRESS"),
        ("IN_PROGRESS", "FAILED"),
        ("SUCCEEDED", "IN_PROGRESS"),
        ("DELETE_IN_PROGRESS", "SUCCEEDED"),
        ("DELETED", "DELETE_IN_PROGRESS"),
    ]


def test_a_run_in_line_is_told_of_when_it_has_the_instance(world: World) -> None:
    instance = world.instance(world.version(world.template()), world.environment())
    first = world.run(instance, Status.PLANNED)
    waiting, cancelled = world.run(instance), world.run(instance)
    world.move(cancelled, Event.CANCEL)
    world.move(first, Event.DISCARD)
    world.move(waiting, Event.CLAIM)
    assert waiting.id is not None
    with world.catalog.write() as tx:
        tx.request_cancel(waiting.id, "ana")
        tx.request_cancel(waiting.id, "ana", force=True)
    world.move(waiting, Event.CANCEL)

    assert statuses(world) == [
        ("IN_PROGRESS", None),
        ("CANCELLED", "IN_PROGRESS"),
        ("IN_PROGRESS", "CANCELLED"),
        ("CANCELLING", "IN_PROGRESS"),
        ("CANCELLED", "CANCELLING"),
    ]


def test_every_status_of_a_run_is_told_and_nothing_that_it_deploys(world: World) -> None:
    deployed(world)
    instance = world.instance(world.version(world.template("api")), world.environment("dev"), "service/api/dev")
    heard(world, "log")
    run = world.run(instance)
    world.move(run, Event.CLAIM)
    world.move(run, Event.FAIL, message="password hunter2 is wrong", summary={"token": "hunter2"})

    told = [letter for letter in heard(world, "log") if letter.kind == "Landform Run Status Change"]

    assert [letter.detail["status"] for letter in told] == ["queued", "planning", "failed"]
    assert [letter for letter in told if "hunter2" in str(letter)] == []


def test_what_is_not_kept_is_not_told(world: World) -> None:
    deployed(world)

    with pytest.raises(Conflict):
        add_templates(world, "api", "web")

    assert heard(world, "log") == []


def test_nothing_is_written_where_nobody_hears(url: str) -> None:
    silent = World(Catalog(url, now))
    deployed(silent)

    with silent.catalog.read() as tx:
        assert tx.has_due_letter({"team", "log"}) is False
    silent.catalog.close()


def test_a_letter_is_its_takers_alone_until_the_lease_is_over(world: World) -> None:
    world.template()

    def take() -> Letter | None:
        with world.catalog.write() as tx:
            return tx.next_letter({"log"}, LEASE)

    taken = [letter for letter in at_once(take, 4) if letter is not None]

    assert [letter.attempts for letter in taken if isinstance(letter, Letter)] == [1]


def test_a_letter_that_nobody_said_anything_of_is_due_again_with_the_same_id(world: World) -> None:
    world.template()
    with world.catalog.write() as tx:
        first = tx.next_letter({"log"}, timedelta(0))
    with world.catalog.write() as tx:
        second = tx.next_letter({"log"}, LEASE)
    assert first is not None
    assert second is not None

    with world.catalog.write() as tx:
        # whoever had it first comes back late
        tx.letter_failed(first, "too late", None)
        tx.letter_arrived(second)
    with (
        world.catalog.write() as tx,
        pytest.raises(Conflict, match=r"^Event 1 has arrived at log: there is nothing to send\.$"),
    ):
        tx.send_again([1])

    assert (second.uid, second.attempts) == (first.uid, 2)


def test_what_is_about_one_thing_keeps_its_order(world: World) -> None:
    world.version(world.template())
    world.template("api")
    with world.catalog.write() as tx:
        first = tx.next_letter({"log"}, LEASE)
        assert first is not None
        tx.letter_failed(first, "not now", timedelta(minutes=1))

    told = [(letter.resource.partition("/")[2], letter.detail["status"]) for letter in heard(world, "log")]

    # that web is published waits for its being there
    assert told == [("web:1.0", "DRAFT"), ("web:1.0", "PUBLISHED"), ("api", "DRAFT")]


def test_the_dead_are_sent_again_when_somebody_says_so(world: World) -> None:
    world.template()
    with world.catalog.write() as tx:
        letter = tx.next_letter({"log"}, LEASE)
        assert letter is not None
        tx.letter_failed(letter, "no such bus", None)
        assert tx.next_letter({"log"}, LEASE) is None
        dead = list(tx.dead_letters())
        tx.send_again(dead)

    [again] = heard(world, "log")

    assert dead == [letter.number]
    assert (again.uid, again.attempts) == (letter.uid, 1)
    with world.catalog.write() as tx, pytest.raises(NotFound, match=r"^There is no event 99\.$"):
        tx.send_again([99])


def test_what_was_told_long_ago_is_forgotten(world: World) -> None:
    world.template("old")
    world.execute("UPDATE notice SET created_at = '2026-04-04 03:02:01.000000+00:00'")
    world.template("new")
    with world.catalog.write() as tx:
        tx.forget_letters()

    assert [letter.detail["name"] for letter in heard(world, "log")] == ["new"]


def test_a_list_says_where_each_stands(world: World, url: str) -> None:
    add_templates(world, "web", "api")
    with world.catalog.write() as tx:
        letter = tx.next_letter({"log"}, LEASE)
        assert letter is not None
        tx.letter_failed(letter, "no such bus", None)
    reads = Reads(url)

    rows = reads.events()

    assert [(row["id"], row["status"], row["state"], row["message"]) for row in rows] == [
        (2, "DRAFT", "waiting", ""),
        (1, "DRAFT", "dead", "no such bus"),
    ]
    assert reads.events("dead", "log") == [reads.event(1)] == reads.events(before=2, limit=1)
    assert reads.events(target="team") == []
