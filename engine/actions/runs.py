"""Intentions of people about runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.actions import changes
from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.core import runs
from engine.core.runs import Event, Status
from engine.errors import Busy, Conflict, OutcomeUnknown
from engine.external.process import is_alive

if TYPE_CHECKING:
    from engine.catalog.tables import Run


def approve(desk: Desk, run_ids: Sequence[int], reason: str = "") -> None:
    """Says yes to plans that wait for approval: to all of them, or to none.

    Raises NotFound, or Conflict when one of the runs waits for none.
    """
    with desk.catalog.write() as tx:
        for run_id in dict.fromkeys(run_ids):
            runs.allow(Status(tx.run(run_id).status), Event.APPROVE)
            tx.move(run_id, Event.APPROVE, approved_by=desk.user, approval_reason=reason)


def refuse_ended(desk: Desk, run_ids: Sequence[int]) -> None:
    """Raises Conflict when one of the runs has ended, OutcomeUnknown when nobody can tell how, NotFound."""
    with desk.catalog.read() as tx:
        for run in map(tx.run, run_ids):
            if run.status == Status.INTERRUPTED:
                raise OutcomeUnknown(
                    f"Run {run.id} was interrupted: what it did is not known.",
                    hint=f"Plan again from what is there now: landform run retry {run.id}",
                )
            if runs.is_terminal(Status(run.status)):
                raise Conflict(
                    f"Run {run.id} has ended: it is {run.status}.",
                    hint=f"Start a new one: landform run retry {run.id}",
                )


def discard(desk: Desk, run_id: int, reason: str = "") -> Run:
    """Says no to a run that has not begun to apply. Raises NotFound, or Conflict when it is too late."""
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        runs.allow(Status(run.status), Event.DISCARD)
        message = f"Discarded by {desk.user}" + (f": {reason}" if reason else ".")
        return tx.move(run_id, Event.DISCARD, message=message)


def recover(desk: Desk, run_id: int) -> Run:
    """Takes a run from a worker that is gone for certain, as whoever asks knows: a lost plan is queued again, a lost
    apply ends interrupted.

    Raises NotFound, Conflict when nobody works on the run, Busy when its worker is seen to live.
    """
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        runs.after(Status(run.status), Event.LOSE)
        worker = run.executor or {}
        if is_alive(worker):
            raise Busy(
                f"Run {run_id} is not lost: process {worker.get('pid')} on this machine works on it.",
                hint=f"Follow it: landform run show {run_id}",
            )
        message = f"{desk.user} gave up on process {worker.get('pid')} of host {worker.get('host')}."
        return tx.move(run_id, Event.LOSE, message=message)


def retry(desk: Desk, run_id: int, consent: Consent) -> list[int]:
    """Records a new run, with a new plan, for what an ended run wanted; its id in a list.

    Raises NotFound, Conflict while it has not ended, Busy.
    """
    with desk.catalog.write() as tx:
        return [changes.retry(tx, desk, tx.run(run_id), consent)]
