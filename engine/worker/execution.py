"""Executes a run: claims it, walks through its phases, and decides every ending in one place."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core import address, plans, runs
from engine.core.plans import AutoApprove
from engine.core.runs import Event, Operation, Status
from engine.errors import Cancelled, Conflict, LandformError, OutcomeUnknown, Stale
from engine.worker import records
from engine.worker.following import Watch
from engine.worker.phases import Phases, Planned
from engine.worker.work import Work, load

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.external.process import Stop

logger = logging.getLogger(__name__)
SELF_APPROVED = "auto-approve"
"""Recorded as the approver of a plan that approved itself."""


@dataclass(frozen=True)
class Executor:
    """Executes runs of one catalog on this machine; safe to use from several threads."""

    catalog: Catalog
    phases: Phases
    identity: Mapping[str, object]
    """Of this process, as external.process.identity() has it: recorded with every claim."""

    def execute(self, run_id: int, stop: Stop, watch: Watch) -> Run:
        """Works on the run until it has ended or waits for somebody; the run as it is then.

        A run that another worker holds, that waits for approval, or whose environment is being changed is left alone.
        """
        run, ours = self._claim(run_id)
        if ours and run.status == Status.PLANNING:
            run = self._plan(run, stop, watch)
        if ours and run.status == Status.APPLYING:
            run = self._apply(run, stop, watch)
        if ours and run.status == Status.SUCCEEDED and run.operation == Operation.DESTROY:
            self._forget(run)
        return run

    def plan_text(self, run_id: int) -> str:
        """A run's plan in Terraform's words for people. Raises NotFound, ExternalFailure."""
        with self.catalog.read() as tx:
            return self.phases.plan_text(load(tx, tx.run(run_id)))

    def _claim(self, run_id: int) -> tuple[Run, bool]:
        """The run, and whether it is ours from now on; another thread of this process may have it already."""
        with self.catalog.write() as tx:
            run = tx.run(run_id)
            if Status(run.status) not in runs.TABLE[Event.CLAIM]:
                return run, False
            fence = run.fence
            claimed = self._claimed(tx, run)
            return claimed, claimed.fence != fence

    def _claimed(self, tx: Tx, run: Run) -> Run:
        """The run as ours; as it was, while its environment is being changed."""
        assert run.id is not None
        if records.is_environment_changing(tx, run):
            return run
        return tx.move(run.id, Event.CLAIM, fence=run.fence, executor=dict(self.identity))

    def _plan(self, run: Run, stop: Stop, watch: Watch) -> Run:
        try:
            work = self._load(run)
            return self._after_plan(work, run, self.phases.plan(work, stop, watch))
        except Exception as error:
            return self._end(run, error)

    def _after_plan(self, work: Work, run: Run, planned: Planned) -> Run:
        facts: dict[str, Any] = {
            "summary": planned.summary.to_json(),
            "fingerprint": dict(planned.fingerprint),
            "upstream": {address: dict(outputs) for address, outputs in planned.upstream.items()},
            # what an earlier attempt died of
            "message": "",
        }
        if not planned.has_changes:
            return self._succeed(work, Event.FIND_NOTHING, facts)
        approves_itself = plans.approves_itself(planned.summary, AutoApprove(run.auto_approve))
        with self.catalog.write() as tx:
            if not approves_itself:
                return tx.move(work.run_id, Event.ASK, fence=work.fence, **facts)
            # claimed at once: nobody else shall take over what has been begun here
            return self._claimed(
                tx, tx.move(work.run_id, Event.APPROVE, fence=work.fence, approved_by=SELF_APPROVED, **facts)
            )

    def _apply(self, run: Run, stop: Stop, watch: Watch) -> Run:
        try:
            work = self._load(run)
            self.phases.apply(work, stop, watch)
            return self._succeed(work, Event.SUCCEED, {})
        except Exception as error:
            return self._end(run, error)

    def _succeed(self, work: Work, event: Event, facts: dict[str, Any]) -> Run:
        """Records the run and what it means for its instance and those that read from it, all or nothing."""
        if work.operation is Operation.DESTROY:
            with self.catalog.write() as tx:
                run = tx.move(work.run_id, event, fence=work.fence, **facts)
                records.destroyed(tx, run)
                return run
        outputs = self.phases.outputs(work)
        with self.catalog.write() as tx:
            run = tx.move(work.run_id, event, fence=work.fence, outputs=outputs, **facts)
            records.deployed(tx, run)
            return run

    def _end(self, run: Run, error: Exception) -> Run:
        """The one place that decides how a run ends which did not succeed."""
        event = _ending(Status(run.status), error)
        message = f"{type(error).__name__} in Landform itself."
        if isinstance(error, LandformError):
            # a run keeps no hint of its own, and what to do next must not be lost
            message = "\n".join(filter(None, (str(error), error.hint)))
        if not isinstance(error, LandformError):
            logger.exception("a run met an unexpected error", extra={"run": run.id, "address": run.address})
        assert run.id is not None
        with self.catalog.write() as tx:
            return tx.move(run.id, event, fence=run.fence, message=message)

    def _forget(self, run: Run) -> None:
        """Removes the workspace of what is no more. It succeeded whatever comes of this: the rest can go later."""
        try:
            self.phases.forget(address.parse(run.address))
        except LandformError as error:
            logger.warning("a workspace could not be removed: %s", error.message, extra={"address": run.address})

    def _load(self, run: Run) -> Work:
        with self.catalog.read() as tx:
            return load(tx, run)


def _ending(status: Status, error: Exception) -> Event:
    if isinstance(error, Cancelled):
        return Event.CANCEL
    if isinstance(error, Stale):
        return Event.DISCARD
    if status is Status.APPLYING and (isinstance(error, OutcomeUnknown) or not isinstance(error, LandformError)):
        # killed, or our own failure in mid-apply: nobody can tell what Terraform did
        return Event.LOSE
    return Event.FAIL


def reap(catalog: Catalog, phases: Phases) -> list[Run]:
    """Tells the truth about runs whose worker on this machine is gone: a lost plan is queued again, a lost apply ends
    interrupted. The runs it moved. A run whose Terraform still works is left alone.
    """
    with catalog.read() as tx:
        lost = [run for run in tx.executing() if phases.is_lost(run)]
    return [moved for run in lost if (moved := _lose(catalog, run)) is not None]


def _lose(catalog: Catalog, run: Run) -> Run | None:
    assert run.id is not None
    worker = f"process {run.executor['pid']}" if run.executor else "its worker"
    did = "applying" if run.status == Status.APPLYING else "planning"
    try:
        with catalog.write() as tx:
            return tx.move(run.id, Event.LOSE, fence=run.fence, message=f"{worker} died while {did}.")
    except Conflict:
        # another process saw it first
        return None
