"""Executes a run: claims it, walks through its phases, and decides every ending in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.core import address, approvals, guards
from engine.core.plans import AutoApprove
from engine.core.runs import Event, Operation, Status
from engine.errors import (
    Busy,
    Cancelled,
    Conflict,
    LandformError,
    NotFound,
    OutcomeUnknown,
    Stale,
    Transient,
    Unreachable,
)
from engine.tracing import NOTHING, Tracer
from engine.worker import gates, records, retries, telling
from engine.worker.claims import Claims
from engine.worker.following import Watch
from engine.worker.losing import lose
from engine.worker.phases import Phases, Planned
from engine.worker.proposing import Proposing
from engine.worker.triggers import Point, Trigger, nothing
from engine.worker.work import Work, load

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.core.scheduling import Obstacle
    from engine.external.process import Stop
    from engine.worker.terms import RunStop

logger = logging.getLogger(__name__)
SELF_APPROVED = "auto-approve"
"""Recorded as the approver of a plan that approved itself."""
_UNASKED = "Nobody asked for that: its worker could not renew its lease in time."
_HAS_A_PLAN = frozenset({Status.PLANNED, Status.APPROVED, Status.APPLYING})
_REFUSALS = (Conflict, NotFound, Busy)
"""What the catalog says no to, as opposed to a catalog that cannot be reached or written."""


@dataclass(frozen=True)
class Executor:
    """Executes runs of one catalog on this machine; safe to use from several threads."""

    claims: Claims
    phases: Phases
    trigger: Trigger = nothing
    tracer: Tracer = NOTHING
    proposing: Proposing | None = None
    """What asks others to carry runs out; None where none is to be."""

    @property
    def catalog(self) -> Catalog:
        """Where the runs come from."""
        return self.claims.catalog

    def execute(self, run_id: int, stop: Stop, watch: Watch) -> Run:
        """Works on the run until it has ended or waits for somebody; the run as it is then.

        A run that another worker holds, that waits for approval or whose turn it is not is left alone. It is stopped by
        `stop`, and by the wish that somebody leaves with it in the catalog. Raises Conflict when this process was given
        up meanwhile, LandformError when the catalog cannot be used; the run is given back then.
        """
        run, is_ours = self.claims.one(run_id)
        return self.carry_out(run, stop, watch) if is_ours else run

    def take(self) -> Run | None:
        """The run whose turn it is, claimed for this worker, to be handed to carry_out(); None when there is none."""
        return self.claims.next()

    def carry_out(self, run: Run, stop: Stop, watch: Watch) -> Run:
        """As execute(), for a run that is claimed."""
        assert run.id is not None
        with telling.about(run, self.tracer) as tell, self.claims.lease.holding(run.id, stop) as own:
            try:
                ended = self._walk(run, own, watch)
                tell(ended.status)
                return ended
            except BaseException:
                # while this process lives nobody else would take it
                self.claims.lease.abandon(run.id)
                raise
            finally:
                self.claims.rest(run.id)

    def obstacles(self, run_id: int) -> tuple[Obstacle, ...]:
        """Why this process cannot take the run now; () when it can."""
        return self.claims.obstacles(run_id)

    def retry_of(self, run_id: int) -> int | None:
        """The number of the run that tries again what an ended one wanted; None when none does. Raises NotFound."""
        with self.catalog.read() as tx:
            retry = tx.retried_by(tx.run(run_id))
            return retry.id if retry else None

    def plan_text(self, run_id: int) -> str:
        """A run's plan in Terraform's words for people. Raises NotFound, ExternalFailure."""
        with self.catalog.read() as tx:
            return self.phases.plan_text(load(tx, tx.run(run_id)))

    def _walk(self, run: Run, stop: RunStop, watch: Watch) -> Run:
        if run.status == Status.PLANNING:
            self.trigger(Point.CLAIMED_TO_PLAN)
            run = self._plan(run, stop, watch)
            self.trigger(Point.PLAN_RECORDED if run.status in _HAS_A_PLAN else Point.OUTCOME_RECORDED)
        if run.status == Status.APPLYING:
            self.trigger(Point.CLAIMED_TO_APPLY)
            run = self._apply(run, stop, watch)
            self.trigger(Point.OUTCOME_RECORDED)
        if run.status == Status.SUCCEEDED and run.operation == Operation.DESTROY:
            self._forget(run)
            self.trigger(Point.WORKSPACE_FORGOTTEN)
        return run

    def _plan(self, run: Run, stop: RunStop, watch: Watch) -> Run:
        try:
            work = self._load(run)
            # what has no code needs nobody's Terraform
            is_others = work.proposed_in is not None and work.part is not None
            write = self._others_plan(run, work, stop, watch) if is_others else self._own_plan(run, work, stop, watch)
        except Exception as error:
            return self._end(run, error, stop)
        return self._recorded(run, stop, write)

    def _own_plan(self, run: Run, work: Work, stop: RunStop, watch: Watch) -> Callable[[], Run]:
        """Plans; what is to be recorded of it."""
        planned = self.phases.plan(work, stop, watch)
        outputs = {} if planned.has_changes else self._outputs(work)
        facts: dict[str, Any] = {
            "summary": planned.summary.to_json(),
            "refusals": [refusal.to_json() for refusal in planned.refusals],
            "fingerprint": dict(planned.fingerprint),
            "upstream": {address: dict(outputs) for address, outputs in planned.upstream.items()},
            # not what an earlier attempt died of; what was said when the run was recorded stays
            "message": run.message if run.attempt == 1 else "",
        }
        if not planned.has_changes:
            return lambda: self._succeeded(work, Event.FIND_NOTHING, facts | outputs)
        return lambda: self._planned(work, planned, facts)

    def _others_plan(self, run: Run, work: Work, stop: RunStop, watch: Watch) -> Callable[[], Run]:
        """Asks others to carry the run out; what is to be recorded of it."""
        proposing = self.proposing
        assert proposing is not None
        watch("proposing", None)
        proposed = proposing.propose(run, work, stop)
        if proposed is None:
            return lambda: self._succeeded(work, Event.FIND_NOTHING, {})

        def write() -> Run:
            with self.catalog.write() as tx:
                return tx.move(work.run_id, Event.PROPOSE, fence=work.fence, **proposed.facts())

        return lambda: proposing.proposals.obeyed(write())

    def _planned(self, work: Work, planned: Planned, facts: dict[str, Any]) -> Run:
        summary, refused = planned.summary, guards.why_it_waits(planned.refusals)
        with self.catalog.write() as tx:
            run = tx.run(work.run_id)
            if run.cancel_requested_at is not None:
                # else it would wait for approval, and be stopped as soon as it had that
                message = "It was cancelled before its plan could be looked at."
                return tx.move(work.run_id, Event.CANCEL, fence=work.fence, **facts | {"message": message})
            if refusal := gates.refusal(tx, run, summary):
                return tx.move(work.run_id, Event.FAIL, fence=work.fence, **facts | {"message": refusal})
            policy, rules = AutoApprove(run.auto_approve), tx.rules_of(run)
            barred = tx.withdrawn(run) or refused
            if barred or not approvals.may_approve_itself(summary, policy, rules):
                why = barred or approvals.why_it_waits(summary, policy, rules)
                return tx.move(work.run_id, Event.ASK, fence=work.fence, **facts | {"message": why or facts["message"]})
            run = tx.move(work.run_id, Event.APPROVE, fence=work.fence, approved_by=SELF_APPROVED, **facts)
            return self.claims.again(tx, run)

    def _apply(self, run: Run, stop: RunStop, watch: Watch) -> Run:
        try:
            work = self._load(run)
            self.phases.apply(work, stop, watch)
            outputs = self._outputs_made(work)
        except Exception as error:
            return self._end(run, error, stop)
        return self._recorded(run, stop, lambda: self._succeeded(work, Event.SUCCEED, outputs))

    def _outputs(self, work: Work) -> dict[str, Any]:
        return {} if work.operation is Operation.DESTROY else {"outputs": self.phases.outputs(work)}

    def _outputs_made(self, work: Work) -> dict[str, Any]:
        """As _outputs(), of an apply that went well. When they cannot be read it has not failed, and is not complete
        either: raises OutcomeUnknown.
        """
        try:
            return self._outputs(work)
        except LandformError as error:
            text = f"terraform apply went well, but its outputs could not be read: {error.message}"
            raise OutcomeUnknown(text) from error

    def _succeeded(self, work: Work, event: Event, facts: dict[str, Any]) -> Run:
        """Records the run and what it means for its instance and those that read from it, all or nothing."""
        with self.catalog.write() as tx:
            run = tx.move(work.run_id, event, fence=work.fence, **facts)
            record = records.destroyed if work.operation is Operation.DESTROY else records.deployed
            record(tx, run)
            return run

    def _recorded(self, run: Run, stop: RunStop, write: Callable[[], Run]) -> Run:
        """What `write` records; the run as it ends when the catalog says no to that.

        When the catalog cannot be written at all, it is not ended here: nothing untrue is to be recorded later on.
        """
        try:
            return self._written(run, stop, write)
        except _REFUSALS as error:
            return self._end(run, error, stop)

    def _written(self, run: Run, stop: RunStop, write: Callable[[], Run]) -> Run:
        """What `write` records, tried again for as long as the catalog cannot be written and nobody insists."""
        is_unheard = False
        while True:
            try:
                return write()
            except _REFUSALS:
                # what was written before may have been kept, though the answer was lost
                if is_unheard and (kept := self._kept(run)) is not None:
                    return kept
                raise
            except LandformError as error:
                is_unheard = True
                logger.warning("the end of a run cannot be recorded yet: %s", error.message)
                if not stop.recovers():
                    raise

    def _kept(self, run: Run) -> Run | None:
        """The run as it is now, when it has moved on and nobody else works on it; None otherwise."""
        assert run.id is not None
        with self.catalog.read() as tx:
            now = tx.run(run.id)
        is_ours = (now.fence == run.fence and now.status != run.status) or self.claims.went_further(now)
        return now if is_ours else None

    def _end(self, run: Run, error: Exception, stop: RunStop) -> Run:
        """The one place that decides how a run ends which did not succeed."""
        event = _ending(Status(run.status), error, is_asked=stop.is_asked)
        message = _message(error, is_asked=stop.is_asked)
        if not isinstance(error, LandformError):
            logger.exception("a run met an unexpected error", extra={"run": run.id, "address": run.address})

        def write() -> Run:
            with self.catalog.write() as tx:
                if stop.is_asked and run.id is not None:
                    # a wish from here counts as one that came by the catalog: nobody goes on with the run by itself
                    tx.request_cancel(run.id)
                return self._ended(tx, run, event, message, error)

        return self._written(run, stop, write)

    def _ended(self, tx: Tx, run: Run, event: Event, message: str, error: Exception) -> Run:
        assert run.id is not None
        if event is Event.LOSE:
            return lose(tx, run, message, fence=run.fence)
        if event is Event.FAIL and run.status == Status.APPLYING and isinstance(error, Transient):
            if run.approved_by == SELF_APPROVED:
                return retries.follow(tx, run, message, self.claims.limits.retries)
            message = retries.advised(run, message)
        return tx.move(run.id, event, fence=run.fence, message=message)

    def _forget(self, run: Run) -> None:
        """Removes the workspace of what is no more. It succeeded whatever comes of this: the rest can go later."""
        try:
            self.phases.forget(address.parse(run.address))
        except LandformError as error:
            logger.warning("a workspace could not be removed: %s", error.message, extra={"address": run.address})

    def _load(self, run: Run) -> Work:
        with self.catalog.read() as tx:
            work = load(tx, run)
        # once: what a plan is made with and what it is bound to must be the same, whoever changes a file meanwhile
        return self.phases.ready(work)


def _message(error: Exception, *, is_asked: bool) -> str:
    if not isinstance(error, LandformError):
        return f"{type(error).__name__} in Landform itself."
    why = _UNASKED if isinstance(error, Cancelled) and not is_asked else ""
    # a run keeps no hint of its own, and what to do next must not be lost
    return "\n".join(filter(None, (str(error), why, error.hint)))


def _ending(status: Status, error: Exception, *, is_asked: bool) -> Event:
    if isinstance(error, Cancelled):
        if is_asked:
            return Event.CANCEL
        # nobody asked: the lease was over, and Terraform was asked to stop and did
        return Event.LOSE if status is Status.PLANNING else Event.FAIL
    if isinstance(error, Stale):
        return Event.DISCARD
    if status is Status.PLANNING and isinstance(error, Unreachable):
        # it has changed nothing, and is not to blame
        return Event.LOSE
    if status is Status.APPLYING and (isinstance(error, OutcomeUnknown) or not isinstance(error, LandformError)):
        # killed, or our own failure in mid-apply: nobody can tell what Terraform did
        return Event.LOSE
    return Event.FAIL
