"""The moments between two effects of a run, by name: where tests stop the process, and nothing happens otherwise."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Point(StrEnum):
    """A moment of a run; the effect that its name tells of has just happened, the next one has not."""

    CLAIMED_TO_PLAN = "claimed to plan"
    WORKSPACE_WRITTEN = "workspace written"
    PLAN_STARTED = "plan started"
    PLAN_MADE = "plan made"
    PLAN_KEPT = "plan kept"
    PROPOSAL_NOTED = "proposal noted"
    BRANCH_PUSHED = "branch pushed"
    PULL_REQUEST_OPENED = "pull request opened"
    PLAN_RECORDED = "plan recorded"
    CLAIMED_TO_APPLY = "claimed to apply"
    APPLY_STARTED = "apply started"
    RESOURCE_DONE = "resource done"
    APPLY_ENDED = "apply ended"
    STATE_HARVESTED = "state harvested"
    OUTCOME_RECORDED = "outcome recorded"
    WORKSPACE_FORGOTTEN = "workspace forgotten"


Trigger = Callable[[Point], None]


def nothing(_point: Point) -> None:
    """What happens at each moment, usually."""
