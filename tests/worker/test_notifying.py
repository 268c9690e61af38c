"""Who delivers events: at least once, whoever dies, and without keeping anybody waiting."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.core.arns import Owner
from engine.core.notices import MOST_ATTEMPTS, Letter, Rejected
from engine.core.targets import Audience, Target, To
from engine.errors import ExternalFailure
from engine.worker.notifying import LEASE, Chance, Delivered, Notifier

AUDIENCE = Audience(Owner("123456789012", "eu-west-1"), (Target("log", To.FILE), Target("team", To.FILE)))


class Killed(BaseException):
    """The process died."""


@dataclass
class Post:
    """Carries letters, as it is told to; its clock stands still until it is wound."""

    now: datetime = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
    failures: dict[str, BaseException] = field(default_factory=dict)
    """Target -> what happens to whatever is sent there."""
    carried: list[tuple[str, str, object]] = field(default_factory=list)
    """Target, id and name, of what was sent, whether or not it arrived."""

    def clock(self) -> datetime:
        return self.now

    def send(self, target: Target, letter: Letter) -> None:
        self.carried.append((target.name, letter.uid, letter.detail["name"]))
        if target.name in self.failures:
            raise self.failures[target.name]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def catalog(post: Post, blank: Path, tmp_path: Path) -> Iterator[Catalog]:
    found = Catalog(places.url_of(Path(shutil.copy(blank, tmp_path / "catalog.db"))), post.clock, AUDIENCE)
    yield found
    found.close()


@pytest.fixture
def notifier(post: Post, catalog: Catalog) -> Notifier:
    return Notifier(catalog, AUDIENCE, post.send, Chance(lambda: 0, lambda: 0))


def add(catalog: Catalog, *names: str) -> None:
    """Templates, which both targets are to hear of."""
    with catalog.write() as tx:
        for name in names:
            tx.add_template("service", name)


def dead(catalog: Catalog) -> list[int]:
    with catalog.read() as tx:
        return list(tx.dead_letters())


def test_everybody_hears_of_everything_once(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web", "api")

    assert notifier.deliver() == Delivered(delivered=4)
    assert notifier.deliver() == Delivered()
    assert [(target, name) for target, _, name in post.carried] == [
        ("log", "web"),
        ("team", "web"),
        ("log", "api"),
        ("team", "api"),
    ]


def test_who_dies_before_sending_leaves_it_to_the_next(notifier: Notifier, post: Post) -> None:
    # the process that told of it is gone, and this one knows the catalog alone
    add(notifier.catalog, "web")
    notifier.catalog.close()

    assert notifier.deliver() == Delivered(delivered=2)


def test_who_dies_while_sending_has_it_sent_again_with_the_same_id(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web")
    post.failures["log"] = Killed()
    with pytest.raises(Killed):
        notifier.deliver()
    post.failures.clear()

    too_early = notifier.deliver()
    post.now += LEASE
    in_time = notifier.deliver()

    assert (too_early, in_time) == (Delivered(delivered=1), Delivered(delivered=1))
    [first, _, again] = post.carried
    assert again == first


def test_a_target_that_fails_holds_up_no_other(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web", "api")
    post.failures["log"] = ExternalFailure("The disk is full.")

    assert notifier.deliver() == Delivered(delivered=2, failed=1)
    assert [target for target, _, _ in post.carried] == ["log", "team", "team"]


def test_a_failure_is_tried_again_after_a_pause_that_grows(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web")
    post.failures = {"log": ExternalFailure("Not now."), "team": ExternalFailure("Not now.")}

    came_to = [notifier.deliver()]
    for pause_s in (9, 1, 19, 1):
        post.now += timedelta(seconds=pause_s)
        came_to.append(notifier.deliver())

    assert [each.failed for each in came_to] == [2, 0, 2, 0, 2]


def test_a_letter_dies_of_too_many_failures(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web")
    post.failures["log"] = ExternalFailure("Not now.")
    for _ in range(MOST_ATTEMPTS):
        notifier.deliver()
        post.now += timedelta(hours=1)

    assert dead(notifier.catalog) == [1]
    assert len(post.carried) == MOST_ATTEMPTS + 1


def test_what_a_receiver_will_never_take_is_dead_at_once(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web", "api")
    post.failures["log"] = Rejected("hooks.example.com answers 410.")

    assert notifier.deliver() == Delivered(delivered=2, dead=2)
    assert dead(notifier.catalog) == [1, 3]


def test_time_that_is_up_leaves_the_rest_to_others(notifier: Notifier, post: Post) -> None:
    add(notifier.catalog, "web")
    ticks = iter((0.0, 1.0, 6.0))
    notifier.chance = Chance(lambda: 0, lambda: next(ticks))

    assert notifier.deliver(5) == Delivered(delivered=1)


def test_who_has_something_else_to_do_does_not_fail_of_an_outage(
    notifier: Notifier, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier.catalog.close()
    (tmp_path / "catalog.db").write_bytes(b"something else" * 1000)

    notifier.deliver_quietly(5)

    assert [message.partition(":")[0] for message in caplog.messages] == ["events cannot be delivered for now"]


def test_events_are_delivered_beside_what_goes_on(catalog: Catalog) -> None:
    arrived = threading.Event()
    notifier = Notifier(catalog, AUDIENCE, lambda _target, _letter: arrived.set(), Chance(lambda: 0, lambda: 0))

    with notifier.alongside():
        add(catalog, "web")
        assert arrived.wait(10)
