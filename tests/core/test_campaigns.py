"""The rules of campaigns: their waves, what comes next, and when they stop."""

from __future__ import annotations

import json

import pytest

from engine.core.campaigns import (
    TABLE,
    Action,
    Event,
    Health,
    Kind,
    Manner,
    Move,
    Place,
    Progress,
    Status,
    Step,
    StepStatus,
    Wish,
    after,
    manner_from_json,
    next_actions,
    next_move,
    waves,
    wish_from_json,
)
from engine.core.plans import AutoApprove, Shape
from engine.core.updates import UpdateKind
from engine.errors import Conflict

PENDING, RUNNING, CHECKING = StepStatus.PENDING, StepStatus.RUNNING, StepStatus.CHECKING
DONE, FAILED = StepStatus.SUCCEEDED, StepStatus.FAILED
DEV = [Place(f"service/{name}/dev", 1, 2) for name in "cab"]
PROD = [Place("service/a/prod", 2, 2), Place("environment/prod", 2, 0)]


def steps(*statuses: StepStatus, wave: int = 0) -> list[Step]:
    return [Step(number, wave, status) for number, status in enumerate(statuses, start=1)]


def test_waves_go_from_the_lowest_rank_and_level_to_the_highest_in_batches_after_the_canary() -> None:
    assert waves([*PROD, *DEV], Manner(canary=1, batch=2)) == (
        ("service/a/dev",),
        ("service/b/dev", "service/c/dev"),
        ("environment/prod",),
        ("service/a/prod",),
    )


def test_backwards_the_last_comes_first() -> None:
    assert waves([*PROD, DEV[0]], Manner(), reverse=True) == (
        ("service/a/prod",),
        ("environment/prod",),
        ("service/c/dev",),
    )


def test_a_canary_as_large_as_its_group_leaves_no_empty_wave() -> None:
    assert waves(DEV, Manner(canary=3)) == (("service/a/dev", "service/b/dev", "service/c/dev"),)


@pytest.mark.parametrize(
    ("found", "progress", "manner", "move"),
    [
        (steps(PENDING, PENDING), Progress(), Manner(concurrency=1), Move(Kind.BEGIN, (1,))),
        (steps(RUNNING, CHECKING, PENDING), Progress(), Manner(concurrency=3), Move(Kind.BEGIN, (3,))),
        (steps(RUNNING, PENDING), Progress(), Manner(concurrency=1), Move(Kind.WAIT)),
        (steps(DONE, FAILED), Progress(), Manner(), Move(Kind.END, (), "1 step failed.", Status.FAILED)),
        (steps(DONE, DONE), Progress(), Manner(), Move(Kind.END, status=Status.SUCCEEDED)),
        (
            steps(FAILED, RUNNING, PENDING),
            Progress(),
            Manner(max_failures=1),
            Move(Kind.HALT, message="1 step failed, and 1 halts it."),
        ),
        (steps(FAILED, PENDING), Progress(), Manner(max_failures=2), Move(Kind.BEGIN, (2,))),
        (steps(FAILED, PENDING), Progress(forgiven=1), Manner(max_failures=1), Move(Kind.BEGIN, (2,))),
        (steps(PENDING, wave=1), Progress(0), Manner(), Move(Kind.OPEN)),
        (steps(PENDING, wave=1), Progress(0), Manner(pause_s=60), Move(Kind.REST, message="Wave 1 is done.")),
        (
            steps(PENDING, wave=1),
            Progress(0),
            Manner(approve_waves=True),
            Move(Kind.PAUSE, message="Wave 1 is done: wave 2 waits for somebody to say yes."),
        ),
        ([Step(1, 0, PENDING, closed="prod: frozen")], Progress(), Manner(), Move(Kind.WAIT, message="prod: frozen")),
        (
            [Step(1, 0, PENDING, closed="prod: frozen"), Step(2, 0, PENDING)],
            Progress(),
            Manner(concurrency=1),
            Move(Kind.BEGIN, (2,)),
        ),
        (
            [Step(1, 0, RUNNING, is_stuck=True), Step(2, 0, PENDING)],
            Progress(),
            Manner(),
            Move(Kind.HALT, message="1 step failed, and 1 halts it."),
        ),
    ],
)
def test_what_comes_next(found: list[Step], progress: Progress, manner: Manner, move: Move) -> None:
    assert next_move(found, progress, manner) == move


def test_a_wish_and_a_manner_survive_the_catalog() -> None:
    wish = Wish(Action.ROLLBACK, ("outdated",), UpdateKind.MINOR_VERSION, "1.4", {"service/a/dev": 3})
    manner = Manner(
        1, 2, 3, 4, True, 5, (Shape.ADD,), AutoApprove.ALL, Health(("curl", "-f"), "http://{host}/", timeout_s=9)
    )

    assert wish_from_json(json.loads(json.dumps(wish.to_json()))) == wish
    assert manner_from_json(json.loads(json.dumps(manner.to_json()))) == manner


@pytest.mark.parametrize("status", Status)
def test_every_verb_that_a_status_offers_is_an_edge_of_the_table(status: Status) -> None:
    verbs = set(next_actions(status)) - {"rollback"}

    assert verbs <= {event.value for event in Event if status in TABLE[event]}


def test_what_cannot_happen_says_what_can() -> None:
    with pytest.raises(Conflict, match="Cannot pause a campaign that is halted") as caught:
        after(Status.HALTED, Event.PAUSE)

    assert caught.value.hint == "What can be done now: resume, retry, abort, rollback."
