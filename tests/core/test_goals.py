"""What may be waited for in a run."""

from __future__ import annotations

import pytest

from engine.core.goals import Goal, is_asked_for, is_reached
from engine.core.runs import Status

ENDED = {Status.SUCCEEDED, Status.FAILED, Status.DISCARDED, Status.CANCELLED, Status.INTERRUPTED}


@pytest.mark.parametrize(
    ("goal", "reached"),
    [
        (Goal.REST, ENDED | {Status.PLANNED, Status.PROPOSED}),
        (Goal.PLANNED, ENDED | {Status.PROPOSED, Status.PLANNED, Status.APPROVED, Status.APPLYING}),
        (Goal.ENDED, ENDED),
    ],
)
def test_a_goal_is_reached_in_these_statuses(goal: Goal, reached: set[Status]) -> None:
    assert {status for status in Status if is_reached(status, goal)} == reached


def test_only_a_plan_that_was_waited_for_is_no_news_of_an_error() -> None:
    assert {status for status in Status if is_asked_for(status, Goal.PLANNED)} == {
        Status.PLANNED,
        Status.APPROVED,
        Status.APPLYING,
        Status.SUCCEEDED,
    }
    assert not any(is_asked_for(status, goal) for status in Status for goal in (Goal.REST, Goal.ENDED))
