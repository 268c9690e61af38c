"""Intentions of people about runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.actions import changes
from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.core import runs
from engine.core.runs import Event, Status

if TYPE_CHECKING:
    from engine.catalog.tables import Run


def approve(desk: Desk, run_id: int, reason: str = "") -> Run:
    """Says yes to a plan that waits for approval. Raises NotFound, or Conflict when the run waits for none."""
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        runs.allow(Status(run.status), Event.APPROVE)
        return tx.move(run_id, Event.APPROVE, approved_by=desk.user, approval_reason=reason)


def discard(desk: Desk, run_id: int, reason: str = "") -> Run:
    """Says no to a run that has not begun to apply. Raises NotFound, or Conflict when it is too late."""
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        runs.allow(Status(run.status), Event.DISCARD)
        message = f"Discarded by {desk.user}" + (f": {reason}" if reason else ".")
        return tx.move(run_id, Event.DISCARD, message=message)


def retry(desk: Desk, run_id: int, consent: Consent) -> list[int]:
    """Records a new run, with a new plan, for what an ended run wanted; its id in a list.

    Raises NotFound, Conflict while it has not ended, Busy.
    """
    with desk.catalog.write() as tx:
        return [changes.retry(tx, desk, tx.run(run_id), consent)]
