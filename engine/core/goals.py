"""What somebody may wait for in a run, and whether it has come to pass."""

from __future__ import annotations

from enum import StrEnum

from engine.core.runs import EXECUTING, Status, is_terminal, waiting_on


class Goal(StrEnum):
    """What is waited for; an interrupted run ends every wait, as nothing happens to it without a person."""

    REST = "rest"
    """It has ended, or waits for a person."""
    PLANNED = "planned"
    """There is a plan, or there will be none."""
    STOPPED = "stopped"
    """Nobody works on it."""
    ENDED = "ended"


_BEFORE_A_PLAN = (Status.QUEUED, Status.PLANNING)
_BY_PEOPLE = ("approval", "pull request", "decision")


def is_reached(status: Status, goal: Goal) -> bool:
    """Whether a run of this status is where it was to get to."""
    if is_terminal(status) or status is Status.INTERRUPTED:
        return True
    if goal is Goal.STOPPED:
        return status not in EXECUTING
    if goal is Goal.PLANNED:
        return status not in _BEFORE_A_PLAN
    return goal is Goal.REST and waiting_on(status) in _BY_PEOPLE


def is_asked_for(status: Status, goal: Goal) -> bool:
    """Whether the status is what the goal names, so that nobody needs to be told of it as of an error."""
    return goal is Goal.PLANNED and status in (Status.PLANNED, Status.APPROVED, Status.APPLYING, Status.SUCCEEDED)
