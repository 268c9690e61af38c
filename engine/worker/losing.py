"""What becomes of a run whose worker is gone, or gives it back: the one place that decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.runs import Event, Status
from engine.core.workers import PLANS_MAX

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx


def lose(tx: Tx, run: Run, message: str, *, fence: int | None = None) -> Run:
    """The run that nobody works on any more: a plan is queued again, as it changed nothing, but fails when it has cost
    several workers already; an apply is interrupted, as it may have done anything.

    `fence` is that of a worker that gives back its own run; None for whoever has proven that the worker is gone.
    Raises Conflict when the run has moved on.
    """
    assert run.id is not None
    if run.status == Status.PLANNING and run.attempt >= PLANS_MAX:
        message = f"{message} That was the last of {PLANS_MAX} tries to plan."
        return tx.move(run.id, Event.FAIL, fence=fence, message=message)
    return tx.move(run.id, Event.LOSE, fence=fence, message=message)
