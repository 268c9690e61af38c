"""What people decide about runs that go on too long, are lost with their worker, or ended nobody knows how."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from engine.actions import changes
from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.core import runs
from engine.core.plans import AutoApprove
from engine.core.runs import Event, Status
from engine.core.workers import ALIVE
from engine.errors import Busy, Conflict, Refused
from engine.external.process import is_alive

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.core.evidence import Evidence


def cancel(desk: Desk, run_id: int, *, force: bool = False, note: str = "") -> Run:
    """The run, cancelled if nobody works on it; else with the wish that its worker stops it, with `force` at once.

    `note` is what else there is to say of it.

    A run that is cancelled already stays so. Raises NotFound, Conflict when it has ended otherwise, OutcomeUnknown when
    it was interrupted, Refused while it is too early for `force`.
    """
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        status = Status(run.status)
        if status is Status.CANCELLED:
            return run
        if status is Status.INTERRUPTED:
            raise changes.interrupted(run)
        if status in runs.EXECUTING:
            if force:
                _refuse_too_early(run, tx.now(), desk.settings.cool_off_s)
            return tx.request_cancel(run_id, desk.user, force=force)
        runs.allow(status, Event.CANCEL)
        message = f"Cancelled by {desk.user}. {note}".rstrip()
        return tx.move(run_id, Event.CANCEL, cancel_requested_at=tx.now(), cancelled_by=desk.user, message=message)


def _refuse_too_early(run: Run, now: datetime, cool_off_s: float) -> None:
    """Raises Refused before Terraform has had its time to stop by itself."""
    if run.cancel_requested_at is None:
        raise Refused(
            f"Nobody has asked run {run.id} to stop yet: killed in mid-apply, it leaves what nobody can know.",
            hint=f"Ask first: landform run cancel {run.id}",
        )
    left_s = math.ceil(cool_off_s - (now - run.cancel_requested_at).total_seconds())
    if left_s > 0:
        raise Refused(
            f"Run {run.id} was asked to stop {cool_off_s - left_s:g} s ago and may still do so: "
            f"it can be killed in {left_s} s.",
            hint=f"Then: landform run cancel {run.id} --force",
        )


def give_up(desk: Desk, run_id: int) -> Run:
    """Takes a run from a worker that is gone for certain, as whoever asks knows: a lost plan is queued again, a lost
    apply ends interrupted.

    Raises NotFound, Conflict when nobody works on the run, Busy when its worker is seen to live.
    """
    with desk.catalog.write() as tx:
        run = _maybe_lost(tx, run_id)
        worker = run.executor or {}
        message = f"{desk.user} gave up on process {worker.get('pid')} of host {worker.get('host')}."
        return tx.move(run_id, Event.LOSE, message=message)


def expect_lost(desk: Desk, run_id: int) -> None:
    """Raises as give_up() would, before anybody is asked whether the run's worker is gone."""
    with desk.catalog.read() as tx:
        _maybe_lost(tx, run_id)


def _maybe_lost(tx: Tx, run_id: int) -> Run:
    """A run that somebody is said to work on, and nobody is seen to."""
    run = tx.run(run_id)
    if Status(run.status) not in runs.EXECUTING:
        hint = runs.what_to_do(run_id, Status(run.status))
        raise Conflict(f"Run {run_id} is not lost: it is {run.status}.", hint=hint)
    _refuse_living(tx, run)
    return run


def _refuse_living(tx: Tx, run: Run) -> None:
    """Raises Busy when whoever works on the run is seen to live: by its process, or by its lease."""
    who = run.executor or {}
    worker = tx.worker(run.worker_id) if run.worker_id else None
    if is_alive(who):
        seen = f"process {who.get('pid')} on this machine works on it"
    elif worker is not None and worker.state in ALIVE and not tx.is_worker_expired(worker):
        seen = f"worker {worker.id} on host {who.get('host')}, which works on it, has been heard of just now"
    else:
        return
    raise Busy(
        f"Run {run.id} is not lost: {seen}.",
        hint=f"Follow it: landform run logs -f {run.id}. Or stop it: landform run cancel {run.id}",
    )


def mark_failed(desk: Desk, run_id: int, reason: str) -> Run:
    """The interrupted run, failed: what it was to do is not done. Its instance is free. Raises NotFound, Conflict."""
    with desk.catalog.write() as tx:
        return _failed(tx, run_id, f"Marked as failed by {desk.user}: {reason}")


def retry(desk: Desk, run_id: int, consent: Consent) -> list[int]:
    """Records a new run, with a new plan, for what an interrupted one wanted, and that one as failed; its id in a list.

    Raises NotFound, Conflict when the run is not interrupted or can no longer be tried, Busy when others wait in line.
    """
    return desk.once(consent.asked, lambda tx: [_retried(tx, desk, run_id, consent)])


def by_itself(desk: Desk, run_id: int, evidence: Evidence) -> list[int]:
    """As retry(), where the rules of the environment let an interrupted run recover without a person; [] otherwise.

    The new run may approve its own plan at most as far as the evidence lets it. What was interrupted twice in a row is
    left to people.
    """
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        if not is_automatic(tx, run):
            return []
        consent = Consent(evidence.policy(AutoApprove(run.auto_approve)), f"Recovers run {run_id}.")
        # who asked for the first one asks for this one: a crash must not turn its requester into somebody else
        as_requester = replace(desk, settings=replace(desk.settings, user=run.requested_by))
        return [_retried(tx, as_requester, run_id, consent)]


def is_automatic(tx: Tx, run: Run) -> bool:
    """Whether the run is interrupted and may be recovered without a person; never when somebody wanted it stopped."""
    if run.status != Status.INTERRUPTED or run.cancel_requested_at or not tx.rules_of(run).auto_recover:
        return False
    return run.retry_of is None or tx.run(run.retry_of).evidence is None


def _retried(tx: Tx, desk: Desk, run_id: int, consent: Consent) -> int:
    run = _failed(tx, run_id, "")
    new_id = changes.retry(tx, desk, run, consent)
    run.message = _lines(run.message, f"Retried as run {new_id}.")
    tx.save(run)
    return new_id


def _failed(tx: Tx, run_id: int, verdict: str) -> Run:
    """The interrupted run, failed, with how it was interrupted and what was decided as its message."""
    run = tx.run(run_id)
    runs.allow(Status(run.status), Event.MARK_FAILED)
    return tx.move(run_id, Event.MARK_FAILED, message=_lines(run.message, verdict))


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))
