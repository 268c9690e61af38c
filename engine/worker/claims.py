"""The only place where this process takes runs: a turn is decided and taken in one transaction of the one writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.core import scheduling
from engine.core.runs import TABLE, Event, Status
from engine.core.scheduling import Obstacle, Taker
from engine.core.workers import State
from engine.errors import LandformError

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.worker.leases import Lease


@dataclass(frozen=True)
class Limits:
    """What holds for the runs of every environment."""

    max_runs: int = 0
    """Runs executed side by side at most, in all; 0 means any number."""
    plan_ttl_s: float = 0
    """How long a plan is good where the environment has no rule about it; 0 means for ever."""
    retries: int = 0
    """How many fresh runs may follow a run that approved itself and failed for a reason that passes."""


@dataclass(frozen=True)
class Claims:
    """Takes runs of one catalog for one worker; safe to use from several threads."""

    catalog: Catalog
    lease: Lease
    limits: Limits
    _unheard: dict[int, int] = field(default_factory=dict)
    """Run -> fence of claims that may have been kept, though the answer was lost: nobody else would ever take these."""
    _further: dict[int, int] = field(default_factory=dict)
    """Run -> fence of what again() gave, while the run is being carried out."""

    def one(self, run_id: int) -> tuple[Run, bool]:
        """The run, and whether it is ours from now on; another thread of this process may have it already.

        A plan that is no longer good is discarded. Raises NotFound.
        """
        with self.catalog.read() as tx:
            run = tx.run(run_id)
        if Status(run.status) not in TABLE[Event.CLAIM]:
            return run, False
        worker_id = self.lease.worker_id()
        with self.catalog.write() as tx:
            run = tx.run(run_id)
            if not self._is_its_turn(tx, run, worker_id):
                return self._unless_void(tx, run), False
            return self._taken(tx, run, worker_id)

    def next(self) -> Run | None:
        """The run whose turn it is, ours from now on; None when there is none for this worker, or while its lease is
        over: what it took then, it would have to stop at once.
        """
        if self.lease.state is State.DRAINING:
            return None
        worker_id = self.lease.worker_id()
        if not self.lease.holds():
            return None
        with self.catalog.read() as tx:
            if self._unheard and (run := self._recalled(tx, worker_id)) is not None:
                return run
            # a look costs nobody anything; the one writer is asked only when there is something to take
            seen = self._next(tx, worker_id)
        return self._written(seen, worker_id) if seen else None

    def _written(self, seen: Run, worker_id: int) -> Run | None:
        taken: Run | None = None
        try:
            with self.catalog.write() as tx:
                while tx.worker_state(worker_id) is State.ACTIVE and (run := self._still(tx, seen, worker_id)):
                    taken, is_ours = self._taken(tx, run, worker_id)
                    if is_ours:
                        return taken
            return None
        except LandformError:
            if taken is not None and taken.id is not None:
                self._unheard[taken.id] = taken.fence
            raise

    def _still(self, tx: Tx, seen: Run, worker_id: int) -> Run | None:
        """The run whose turn it was a moment ago, if it still is; else the one whose turn it is now."""
        run = tx.run(seen.id) if seen.id else None
        return run if run and self._is_its_turn(tx, run, worker_id) else self._next(tx, worker_id)

    def _is_its_turn(self, tx: Tx, run: Run, worker_id: int) -> bool:
        line = tx.line_around(run, self.limits.max_runs)
        entry = line.by_id.get(run.id or 0)
        return entry is not None and scheduling.may_take(line, entry, self._taker(worker_id))

    def _recalled(self, tx: Tx, worker_id: int) -> Run | None:
        """A run that is ours since a claim whose answer was lost; None when there is none."""
        for run in tx.runs_of_worker(worker_id):
            # whoever takes it out has it: several threads may look
            if run.fence == self._unheard.get(run.id or 0) and self._unheard.pop(run.id or 0, None) is not None:
                return run
        return None

    def again(self, tx: Tx, run: Run) -> Run:
        """The approved run as ours in the transaction that approved it, so that nobody else takes over what has been
        begun here; as it is, while its environment is being changed.
        """
        # it has been within all limits until now, and only one writes
        if tx.is_environment_changing(run):
            return run
        claimed = self._claimed(tx, run, self.lease.worker_id())
        self._further[claimed.id or 0] = claimed.fence
        return claimed

    def went_further(self, run: Run) -> bool:
        """Whether the run, as it is now, is what again() gave, and nobody else's."""
        return run.status == Status.APPLYING and run.fence == self._further.get(run.id or 0)

    def rest(self, run_id: int) -> None:
        """Nobody here carries out the run any more."""
        self._further.pop(run_id, None)

    def obstacles(self, run_id: int) -> tuple[Obstacle, ...]:
        """Why this process cannot take the run now; () when it can."""
        with self.catalog.read() as tx:
            line = tx.line(self.limits.max_runs)
        entry = line.by_id.get(run_id)
        return scheduling.obstacles(line, run_id) if entry is None else scheduling.refusals(line, entry, self._taker(0))

    def _next(self, tx: Tx, worker_id: int) -> Run | None:
        found = scheduling.next_run(tx.line(self.limits.max_runs), self._taker(worker_id))
        return tx.run(found.run_id) if found else None

    def _taken(self, tx: Tx, run: Run, worker_id: int) -> tuple[Run, bool]:
        run = self._unless_void(tx, run)
        if Status(run.status) not in TABLE[Event.CLAIM]:
            return run, False
        return self._claimed(tx, run, worker_id), True

    def _unless_void(self, tx: Tx, run: Run) -> Run:
        """The run, discarded when its plan is no longer good."""
        if run.status != Status.APPROVED or run.id is None:
            return run
        return tx.discard_expired(run.id, self.limits.plan_ttl_s) or run

    def _claimed(self, tx: Tx, run: Run, worker_id: int) -> Run:
        assert run.id is not None
        # an earlier claim of it was not kept, or it could not be claimed now
        self._unheard.pop(run.id, None)
        who: dict[str, Any] = {"worker_id": worker_id, "executor": dict(self.lease.card.identity)}
        return tx.move(run.id, Event.CLAIM, fence=run.fence, **who)

    def _taker(self, worker_id: int) -> Taker:
        """This process; whoever asks has seen to a free slot."""
        return Taker(worker_id, self.lease.card.labels)
