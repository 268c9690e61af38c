"""What whoever waits for a run can expect: that it goes on by itself, or that a person has to move first."""

from __future__ import annotations

import pytest

from engine.core.rules import Rules
from engine.core.runs import Operation, Status
from engine.core.scheduling import Entry, Obstacle, Snapshot, Taker, Why
from engine.core.turns import is_hopeless, stuck, waits_for

PROD, BLUE = 1, 2


def run(run_id: int, status: Status = Status.QUEUED, instance: int = BLUE, diverged: str = "") -> Entry:
    return Entry(run_id, instance, PROD, Operation.DEPLOY, status, diverged=diverged)


def seen(*entries: Entry, rules: Rules | None = None, workers: tuple[Taker, ...] = (), most: int = 0) -> Snapshot:
    return Snapshot(entries, {PROD: rules or Rules()}, {PROD: "prod"}, workers, most)


def test_a_run_that_could_be_taken_or_has_ended_is_not_stuck() -> None:
    assert stuck(seen(run(3)), 3) is None
    assert stuck(seen(), 3) is None


@pytest.mark.parametrize("status", [Status.PLANNING, Status.APPLYING, Status.APPROVED])
def test_behind_a_run_that_goes_on_one_goes_on_too(status: Status) -> None:
    assert stuck(seen(run(3, status), run(4)), 4) is None


@pytest.mark.parametrize("status", [Status.PLANNED, Status.INTERRUPTED])
def test_behind_a_run_that_a_person_must_decide_about_one_is_stuck(status: Status) -> None:
    assert stuck(seen(run(3, status), run(4)), 4) == Obstacle(Why.BEHIND, f"behind run 3, which is {status}", 3)


def test_a_plan_is_up_to_people() -> None:
    assert stuck(seen(run(3, Status.PLANNED)), 3) == Obstacle(Why.APPROVAL, "waits for approval (0 of 1)")


def test_a_frozen_instance_is_up_to_people() -> None:
    assert stuck(seen(run(3, diverged="no state")), 3) == Obstacle(Why.DIVERGED, "its instance is frozen: no state")


def test_what_waits_for_its_environment_is_stuck_when_that_is() -> None:
    waiting = seen(run(3, Status.PLANNED, PROD), run(4))
    working = seen(run(3, Status.APPLYING, PROD), run(4))

    assert stuck(waiting, 4) == Obstacle(Why.ENVIRONMENT, "environment prod is being changed by run 3", 3)
    assert stuck(working, 4) is None


def test_two_steps_behind_one_is_stuck_all_the_same() -> None:
    line = seen(run(3, Status.PLANNED, PROD), run(4), run(5))

    assert stuck(line, 5) == Obstacle(Why.BEHIND, "behind run 4, which is queued", 4)


def test_a_limit_is_no_reason_to_give_up() -> None:
    assert stuck(seen(run(3, Status.APPLYING, 9), run(4), most=1), 4) is None


def test_what_a_run_waits_for_is_told_in_words() -> None:
    assert waits_for(seen(run(3, Status.APPLYING), run(4)), 4) == "behind run 3, which is applying"
    assert waits_for(seen(run(4)), 4) == "it needs a worker"
    assert waits_for(seen(run(4), rules=Rules(labels=("eu", "prod"))), 4) == "it needs a worker with labels eu,prod"
    assert waits_for(seen(), 4) == ""


def test_there_is_hope_as_long_as_one_worker_has_the_labels() -> None:
    lacking = [Obstacle(Why.LABELS, "worker 0 lacks labels eu")]
    labelled = Rules(labels=("eu",))

    assert is_hopeless(seen(run(3), rules=labelled, workers=(Taker(7, ("us",)),)), 3, lacking)
    assert not is_hopeless(seen(run(3), rules=labelled, workers=(Taker(7, ("eu",)),)), 3, lacking)
    assert not is_hopeless(seen(run(3)), 3, [])
