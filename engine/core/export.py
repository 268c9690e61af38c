"""What is told about a run outside of Landform: the facts that a summary, a test report and a plan are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.core.guards import Refusal
from engine.core.plans import DESTRUCTIVE, Action, Change, Summary
from engine.core.runs import Operation, Status

PLAN_FILE = "plan.json"
SUMMARY_FILE = "summary.md"
REPORT_FILE = "junit.xml"
RUN_FILE = "run.json"
MARK = "landform-run"
"""Stands near the beginning of each file of ours, so that nobody else's is taken for one."""
MARKED_BYTES = 400
"""How near."""


class Outcome(StrEnum):
    """What an apply came to for one resource."""

    DONE = "done"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    """It was begun, and nothing more was heard of it."""


@dataclass(frozen=True)
class Story:
    """One run, as those are told who have no access to the catalog. Nothing in it is secret."""

    run_id: int
    address: str
    operation: Operation
    template: str
    status: Status
    message: str = ""
    requested_by: str = ""
    reason: str = ""
    approved_by: str = ""
    summary: Summary | None = None
    """None before there is a plan."""
    has_applied: bool = False
    """Whether an apply was begun."""
    apply_s: float | None = None
    """How long the apply took; None when it did not end, or when there was none."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    """Resource address -> what the apply came to there; what it did not get to is not in it."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Name -> text of the outputs afterwards, sensitive ones masked; {} when there are none yet."""
    refusals: tuple[Refusal, ...] = ()
    """Which guards the plan breaks."""
    exceptions: tuple[str, ...] = ()
    """The rules of guards that somebody has let it break."""
    next_commands: tuple[str, ...] = ()
    """What can be typed about the run now."""

    @property
    def title(self) -> str:
        """The run in words, without what somebody else has named."""
        return f"{self.operation.value} run {self.run_id}"

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the plan would do, what is destroyed or replaced first."""
        found = self.summary.changes if self.summary else ()
        return tuple(sorted(found, key=lambda change: _ORDER[change.action]))


def marked(text: str) -> bool:
    """Whether the beginning of a file says that it is one of ours."""
    return MARK in text


_ORDER = {Action.DELETE: 0, Action.REPLACE: 1} | {
    action: 2 for action in Action if action not in DESTRUCTIVE and action is not Action.READ
}
_ORDER[Action.READ] = 3
