"""Facts about workers: who is there, who has been heard of when, who was given up, and what they are to obey."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, and_, bindparam, delete, exists, select, update
from sqlmodel import col
from sqlmodel import select as rows

from engine.catalog.metadata import TABLES
from engine.catalog.records import Records
from engine.catalog.tables import Run
from engine.catalog.worker_tables import Worker
from engine.core import workers
from engine.core.runs import EXECUTING
from engine.core.workers import ALIVE, State
from engine.errors import Conflict, NotFound

KEPT = timedelta(days=1)
"""How long it is remembered that a worker was there."""
_RUN, _WORKER = (TABLES[name] for name in ("run", "worker"))
_ALIVE = [state.value for state in sorted(ALIVE)]
_EXECUTING = [status.value for status in sorted(EXECUTING)]
_ITS_OWN = and_(_RUN.c.worker_id == bindparam("of"), _RUN.c.status.in_(_EXECUTING))
_WISHES = select(_RUN.c.id, _RUN.c.force_requested_at).where(_ITS_OWN, _RUN.c.cancel_requested_at.is_not(None))
_STATE = select(_WORKER.c.state).where(_WORKER.c.id == bindparam("of"))
_BEAT = update(_WORKER).where(_WORKER.c.id == bindparam("of"), _WORKER.c.state.in_(_ALIVE))
_GIVE_UP = _BEAT.where(_WORKER.c.beat_at == bindparam("seen"))
_FORGET = delete(_WORKER).where(
    _WORKER.c.ended_at < bindparam("before"),
    # those that were lost are counted, and they are few
    _WORKER.c.state != State.LOST.value,
    ~exists(select(_RUN.c.id).where(_RUN.c.worker_id == _WORKER.c.id)),
)


class Workers(Records):
    """The part of a transaction that speaks of workers."""

    def add_worker(self, **fields: Any) -> Worker:
        """A worker that has just begun; `fields` are columns of it: `name`, `kind`, `identity`, `labels`, `capacity`,
        `lease_s` and `version`. Those that are long gone are forgotten meanwhile.
        """
        now = self._now()
        self._session.execute(_FORGET, {"before": now - KEPT})
        worker = Worker(state=State.ACTIVE.value, started_at=now, beat_at=now, **fields)
        self._session.add(worker)
        self._session.flush()
        return worker

    def worker(self, worker_id: int) -> Worker:
        """The worker of that number. Raises NotFound."""
        found = self._session.get(Worker, worker_id)
        if found is None:
            raise NotFound(f"There is no worker {worker_id}.", hint="See them all: landform worker list")
        return found

    def living_workers(self) -> list[Worker]:
        """The workers that nobody has given up and that have not ended, by number."""
        query = rows(Worker).where(col(Worker.state).in_(_ALIVE))
        return list(self._session.exec(query.order_by(col(Worker.id))))

    def beat(self, worker_id: int) -> State:
        """Where the worker stands; heard of just now, if it is not given up. One that is forgotten counts as lost."""
        self._session.execute(_BEAT.values(beat_at=self._now()), {"of": worker_id})
        return self.worker_state(worker_id)

    def worker_state(self, worker_id: int) -> State:
        """Where the worker stands; lost, when it is forgotten."""
        found = self._session.execute(_STATE, {"of": worker_id}).scalar_one_or_none()
        return State(found) if found else State.LOST

    def drain_worker(self, worker_id: int) -> Worker:
        """The worker, which from now on finishes what it has and takes nothing new.

        Raises NotFound, or Conflict when it is gone.
        """
        worker = self.worker(worker_id)
        if worker.state not in _ALIVE:
            raise Conflict(f"Worker {worker_id} is {worker.state}: there is nothing to drain.")
        return self._put(worker, State.DRAINING)

    def end_worker(self, worker_id: int) -> None:
        """Notes that the worker said goodbye; nothing when it was given up before."""
        worker = self._session.get(Worker, worker_id)
        if worker is not None and worker.state in _ALIVE:
            self._put(worker, State.ENDED, ended_at=self._now())

    def give_up_worker(self, worker_id: int, beat_at: datetime) -> bool:
        """Whether the worker is lost from now on: not when it has been heard of since `beat_at`, or is gone anyway."""
        # beats do not wait for the one writer, so a look beforehand may be outdated
        asked = {"of": worker_id, "seen": beat_at}
        result = self._session.execute(_GIVE_UP.values(state=State.LOST.value, ended_at=self._now()), asked)
        assert isinstance(result, CursorResult)
        self.ring()
        return result.rowcount == 1

    def is_worker_expired(self, worker: Worker) -> bool:
        """Whether the worker must have stopped itself by now, as it has not been heard of for so long."""
        return workers.is_expired(worker.beat_at, timedelta(seconds=worker.lease_s), self._now())

    def runs_of_worker(self, worker_id: int) -> list[Run]:
        """The runs that the worker works on, by number."""
        query = rows(Run).where(col(Run.worker_id) == worker_id, col(Run.status).in_(_EXECUTING))
        return list(self._session.exec(query.order_by(col(Run.id))))

    def unregistered_runs(self) -> list[Run]:
        """The runs that somebody works on who is no registered worker, by number."""
        query = rows(Run).where(col(Run.worker_id).is_(None), col(Run.status).in_(_EXECUTING))
        return list(self._session.exec(query.order_by(col(Run.id))))

    def wishes(self, worker_id: int) -> dict[int, bool]:
        """Number of a run of the worker that somebody wants stopped -> whether at once."""
        found = self._session.execute(_WISHES, {"of": worker_id})
        return {run_id: forced is not None for run_id, forced in found}

    def _put(self, worker: Worker, state: State, **facts: Any) -> Worker:
        for column, value in {"state": state.value, **facts}.items():
            setattr(worker, column, value)
        self._session.add(worker)
        self._session.flush()
        self.ring()
        return worker
