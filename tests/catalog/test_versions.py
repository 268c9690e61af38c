"""Promises about versions: numbers that never come back, and a recommendation that is always true (roadmap #79)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.catalog.places import url_of
from engine.catalog.reads import Reads
from engine.catalog.tables import Version
from engine.catalog.versions import number_of
from engine.core.address import Kind
from engine.core.lifecycle import Verb
from engine.core.runs import Status
from engine.core.versions import Number, parse_ref
from engine.errors import Conflict, Invalid, NotFound
from tests.catalog.world import NOW, World, at_once, opened


def test_versions_are_numbered_by_major_and_minor(world: World) -> None:
    template = world.template()

    numbers = [str(number_of(world.version(template, major))) for major in (None, 1, None, 1, 2)]

    assert numbers == ["1.0", "1.1", "2.0", "1.2", "2.1"]


def test_a_major_that_does_not_exist_is_refused(world: World) -> None:
    template = world.template()

    with pytest.raises(Invalid) as refused:
        world.version(template, 1)

    assert refused.value.message == "Major version 1 does not exist (there are: none)."


def test_versions_that_are_registered_at_once_get_different_numbers(world: World) -> None:
    template = world.template()
    world.version(template)

    answers = at_once(lambda: world.version(template, 1))

    assert sorted(number_of(version) for version in answers if isinstance(version, Version)) == [
        Number(1, minor) for minor in range(1, 9)
    ]
    assert world.recommended() == Number(1, 8)


def test_the_number_of_a_removed_version_does_not_come_back(world: World) -> None:
    template = world.template()
    world.version(template)
    draft = world.version(template, 1, publish=False)
    with world.catalog.write() as tx:
        tx.remove_version(draft)

    assert str(number_of(world.version(template, 1))) == "1.2"


def test_the_number_of_a_removed_major_does_not_come_back(world: World) -> None:
    template = world.template()
    only = world.version(template)
    with world.catalog.write() as tx:
        tx.remove_version(only)

    assert str(number_of(world.version(template))) == "2.0"


def test_the_recommended_version_is_the_highest_published(world: World) -> None:
    template = world.template()

    nothing = world.recommended()
    world.version(template)
    world.version(template)
    of_two = world.recommended()
    world.version(template, 1)
    world.version(template, publish=False)

    assert nothing is None
    assert of_two == Number(2, 0)
    assert world.recommended() == Number(2, 0)


def test_a_recommendation_does_not_point_at_a_version_that_was_removed(world: World) -> None:
    template = world.template()
    version = world.version(template)
    with world.catalog.write() as tx:
        tx.remove_version(version)

    assert world.recommended() is None
    world.version(template)
    assert world.recommended() == Number(2, 0)


def test_publishing_says_when_and_is_for_drafts_only(world: World) -> None:
    template = world.template()
    published = world.version(template)
    failed = world.version(template, 1, failed=True)

    with pytest.raises(Conflict) as twice, world.catalog.write() as tx:
        tx.publish(published)
    with pytest.raises(Conflict) as broken, world.catalog.write() as tx:
        tx.publish(failed)

    assert published.published_at == NOW
    assert twice.value.message == "web@1.0 is published already."
    assert broken.value.message == "web@1.1 failed its registration and cannot be published."
    assert broken.value.hint == "See why: landform template show web@1.1"


def test_a_version_is_found_by_number_or_by_recommendation(world: World) -> None:
    template = world.template()
    first, second = world.version(template), world.version(template, 1, publish=False)

    with world.catalog.read() as tx:
        fresh = tx.find_template(parse_ref("web"))
        found = [tx.find_version(fresh, number) for number in (None, Number(1, 0), Number(1, 1))]
        published = tx.published(fresh)
        by_id = tx.version_by_id(second.id or 0)

    assert [version.id for version in found] == [first.id, first.id, second.id]
    assert published == (Number(1, 0),)
    assert by_id == second


def test_a_major_version_stands_for_its_recommended_minor(world: World) -> None:
    template = world.template()
    first = world.version(template)
    second, _, _ = world.version(template, 1), world.version(template, 1, publish=False), world.version(template)

    with world.catalog.read() as tx:
        found = tx.find_version(tx.find_template(parse_ref("web")), None, 1)

    assert (found.id, found.id != first.id) == (second.id, True)


@pytest.mark.parametrize(
    ("major", "message", "hint"),
    [
        (2, "No version of web@2 is published.", "Publish one: landform template publish web@2.0"),
        (
            3,
            "No version of web@3 is published.",
            "Register one, then publish it: landform template register web PATH --major 3",
        ),
        (
            4,
            "web has no major version 4.",
            "It has 1.0, 2.0, 3.0. See them: landform template versions web",
        ),
    ],
)
def test_a_major_version_without_a_published_one_is_not_found(
    world: World, url: str, major: int, message: str, hint: str
) -> None:
    template = world.template()
    world.version(template)
    world.version(template, publish=False)
    world.version(template, failed=True)

    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        tx.find_version(template, None, major)
    with pytest.raises(NotFound) as listed:
        Reads(url).version(f"web@{major}")

    assert (refused.value.message, refused.value.hint) == (message, hint)
    assert (listed.value.message, listed.value.hint) == (message, hint)


def test_a_major_version_whose_versions_have_gone_goes_on_with_its_numbers(world: World) -> None:
    template = world.template()
    world.version(template)
    gone = world.version(template)
    world.version(template)
    with world.catalog.write() as tx:
        tx.remove_version(gone)

    with world.catalog.write() as tx:
        again = tx.register_version(template, 2, status="draft")

    assert (again.major, again.minor) == (2, 1)


def test_a_number_that_a_template_does_not_have_is_not_found_and_those_it_has_are_named(world: World) -> None:
    template = world.template()
    world.version(template)
    world.version(template)

    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        tx.find_version(template, Number(1, 9))

    assert refused.value.message == "web has no version 1.9."
    assert refused.value.hint == "It has 1.0, 2.0. See them: landform template versions web"


def test_where_nothing_is_published_the_hint_says_how(world: World) -> None:
    template = world.template()
    with pytest.raises(NotFound) as empty, world.catalog.read() as tx:
        tx.find_version(template, None)
    world.version(template, publish=False)

    with pytest.raises(NotFound) as draft, world.catalog.read() as tx:
        tx.find_version(template, None)

    assert empty.value.message == draft.value.message == "No version of web is published."
    assert empty.value.hint == "Register one, then publish it: landform template register web PATH"
    assert draft.value.hint == "Publish one: landform template publish web@1.0"


def test_a_version_in_use_stays_and_its_users_are_named(world: World) -> None:
    template = world.template()
    version = world.version(template)
    world.version(template, 1)
    prod = world.environment()
    world.instance(version, prod, "service/orders/prod")
    world.instance(version, prod, "service/billing/prod")

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_version(version)

    assert refused.value.message == "web@1.0 is in use by service/billing/prod, service/orders/prod."


def test_a_version_that_a_run_is_on_its_way_to_stays(world: World) -> None:
    template = world.template()
    old, new = world.version(template), world.version(template, 1)
    world.version(template, 1)
    instance = world.instance(old, world.environment())
    with world.catalog.write() as tx:
        tx.add_run(instance, operation="deploy", version_id=new.id, template="web@1.1", requested_by="ana")

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_version(new)

    assert refused.value.message == "web@1.1 is in use by service/orders/prod."


def test_a_version_that_a_run_has_only_tried_can_be_removed(world: World) -> None:
    template = world.template()
    old, new = world.version(template), world.version(template, 1)
    world.version(template, 1)
    instance = world.instance(old, world.environment())
    instance.version_id = new.id or 0
    world.run(instance, Status.FAILED)

    with world.catalog.write() as tx:
        tx.remove_version(new)

    with world.catalog.read() as tx:
        assert [str(number_of(version)) for version in tx.versions(template)] == ["1.0", "1.2"]


@pytest.mark.parametrize(
    ("majors", "doomed", "message"),
    [
        (
            (None, 1),
            1,
            "web@1.1 is the recommended minor version of major version 1 while there are others: 1.0.",
        ),
        (
            (None, 1, None),
            1,
            "web@1.1 is the recommended minor version of major version 1 while there are others: 1.0.",
        ),
        ((None, None), 1, "web@2.0 is the recommended version while there are others: 1.0."),
    ],
)
def test_a_recommended_version_stays_while_it_has_siblings(
    world: World, majors: tuple[int | None, ...], doomed: int, message: str
) -> None:
    template = world.template()
    versions = [world.version(template, major) for major in majors]

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_version(versions[doomed])

    assert refused.value.message == message


def test_the_last_minor_of_an_older_major_can_be_removed(world: World) -> None:
    template = world.template()
    first = world.version(template)
    world.version(template)

    with world.catalog.write() as tx:
        tx.remove_version(first)

    assert world.recommended() == Number(2, 0)


class Numbers(RuleBasedStateMachine):
    """Any story of registering, publishing and removing."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(opened(url_of(Path(self.folder.name) / "catalog.db")))
        self.template = self.world.template()
        self.given: list[Number] = []
        self.living: dict[Number, Version] = {}
        self.published: set[Number] = set()

    def teardown(self) -> None:
        self.world.catalog.close()
        self.folder.cleanup()

    @rule(major=st.sampled_from([None, 1, 2]))
    def register(self, major: int | None) -> None:
        try:
            version = self.world.version(self.template, major, publish=False)
        except Invalid:
            assert major not in {number.major for number in self.living}
            return
        number = number_of(version)
        assert number not in self.given
        self.given.append(number)
        self.living[number] = version

    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        drafts = sorted(self.living.keys() - self.published)
        if drafts:
            number = data.draw(st.sampled_from(drafts))
            with self.world.catalog.write() as tx:
                tx.publish(self.living[number])
            self.published.add(number)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if not self.living:
            return
        number = data.draw(st.sampled_from(sorted(self.living)))
        others = self.living.keys() - {number}
        siblings = {other for other in others if other.major == number.major}
        is_best = number in self.published and number == max(self.published)
        in_major = {other for other in self.published if other.major == number.major}
        is_best_minor = number in in_major and number == max(in_major)
        try:
            with self.world.catalog.write() as tx:
                tx.remove_version(self.living[number])
        except Conflict:
            assert (is_best and others) or (is_best_minor and siblings)
            return
        assert not (is_best and others)
        assert not (is_best_minor and siblings)
        del self.living[number]
        self.published.discard(number)

    @invariant()
    def recommends_the_highest_published(self) -> None:
        assert self.world.recommended() == max(self.published, default=None)

    @invariant()
    def keeps_what_lives(self) -> None:
        with self.world.catalog.read() as tx:
            found = tx.versions(self.template)
        assert [number_of(version) for version in found] == sorted(self.living)


Numbers.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
TestNumbers = Numbers.TestCase


def changed(world: World, version: Version, verb: Verb, why: str = "") -> Version:
    with world.catalog.write() as tx:
        return tx.change_version(version, verb, why)


def test_what_is_deprecated_yanked_or_below_the_minimum_is_not_recommended(world: World, url: str) -> None:
    template = world.template()
    versions = [world.version(template, major) for major in (None, 1, 1, 1)]

    seen = [world.recommended()]
    changed(world, versions[3], Verb.YANK, "It loses data.")
    seen.append(world.recommended())
    changed(world, versions[2], Verb.DEPRECATE, "It is slow.")
    seen.append(world.recommended())
    with world.catalog.write() as tx:
        tx.set_minimum(template, 1, 2)
    seen.append(world.recommended())
    with pytest.raises(NotFound) as none, world.catalog.read() as tx:
        tx.find_version(tx.find_template(parse_ref("web")), None)
    with pytest.raises(NotFound) as nothing_to_show:
        Reads(url).version("web@1")
    changed(world, versions[2], Verb.UNDEPRECATE)
    seen.append(world.recommended())
    with world.catalog.write() as tx:
        tx.set_minimum(template, 1, None)
        changed_back = tx.change_version(versions[3], Verb.UNYANK)
    seen.append(world.recommended())

    numbers = [str(number) if number else None for number in seen]
    assert numbers == ["1.3", "1.2", "1.1", None, "1.2", "1.3"]
    assert none.value.message == "Every published version of web is below the lowest that may be used."
    assert nothing_to_show.value.message == "Every published version of web@1 is below the lowest that may be used."
    assert (changed_back.status, changed_back.message) == ("published", "")


def test_lists_know_the_newest_version_that_may_be_used(world: World, url: str) -> None:
    template = world.template()
    versions = [world.version(template, major) for major in (None, 1, 1)]
    world.instance(versions[0], world.environment())
    changed(world, versions[2], Verb.YANK, "No.")

    [row] = Reads(url).service_instances()
    shown = Reads(url).version("web@1")
    with world.catalog.write() as tx:
        tx.set_minimum(template, 1, 2)
    [left] = Reads(url).service_instances()
    [known] = Reads(url).templates()[1:]

    assert (row["newest"], row["recommended"], row["version_status"]) == ("1.1", "1.1", "published")
    assert (shown["version"], shown["recommended_minor"]) == ("1.1", True)
    assert (left["newest"], left["recommended"]) == (None, None)
    assert (known["name"], known["minimums"], known["requires_tests"]) == ("web", {"1": 2}, False)


def test_a_run_of_a_deprecated_version_warns_and_one_that_leads_to_a_yanked_one_is_withdrawn(
    world: World, url: str
) -> None:
    template = world.template()
    versions = [world.version(template, major) for major in (None, 1)]
    run = world.run(world.instance(versions[0], world.environment()))

    before = Reads(url).run(run.id or 0)["warnings"]
    changed(world, versions[0], Verb.DEPRECATE, "It is slow.")
    deprecated = Reads(url).run(run.id or 0)["warnings"]
    changed(world, versions[0], Verb.YANK, "It loses data.")
    with world.catalog.read() as tx:
        why, led = tx.withdrawn(run), [found.id for found in tx.runs_to(template)]

    assert (before, deprecated) == ([], ["web@1.0 is deprecated: It is slow. Use web@1.1."])
    assert Reads(url).run(run.id or 0)["warnings"] == []
    assert why == "web@1.0 was yanked: It loses data. Nothing new may use it."
    assert led == [run.id]


def test_below_a_new_minimum_a_plan_for_what_is_there_is_withdrawn_too_but_for_pipelines(world: World) -> None:
    template = world.template()
    versions = [world.version(template, major) for major in (None, 1)]
    instance = world.instance(versions[0], world.environment())
    run = world.run(instance)
    with world.catalog.write() as tx:
        instance.deployed_run_id = run.id
        tx.save(instance)

    with world.catalog.write() as tx:
        before = tx.withdrawn(run)
        tx.set_minimum(template, 1, 1)
        after = tx.withdrawn(run)
        instance.kind = Kind.PIPELINE.value
        tx.save(instance)
        of_a_pipeline = tx.withdrawn(run)

    assert (before, of_a_pipeline) == ("", "")
    assert after == "web@1.0 is below 1.1, the lowest minor version of its major version that may be used."
