"""Facts about runs. Every change of a status goes through `move`, which the database decides."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlmodel import SQLModel, col, select

from engine.catalog import missing
from engine.catalog.records import Records
from engine.catalog.tables import Instance, Run
from engine.core.address import Address
from engine.core.runs import ACTIVE, EXECUTING, TERMINAL, Event, Status, after, what_to_do
from engine.errors import Busy, Conflict

_ACTIVE = [status.value for status in sorted(ACTIVE)]
_EXECUTING = [status.value for status in sorted(EXECUTING)]
# as tables, not as classes: a change of a run is on the way of everything, and costs half as much without the session
_RUN, _INSTANCE = SQLModel.metadata.tables["run"], SQLModel.metadata.tables["instance"]
_AS_READ = update(_RUN).where(
    _RUN.c.id == bindparam("read_id"),
    _RUN.c.status == bindparam("read_status"),
    _RUN.c.fence == bindparam("read_fence"),
)
_ENVIRONMENTS_HOLDER = (
    select(_RUN.c.id)
    .join(_INSTANCE, _INSTANCE.c.environment_id == _RUN.c.instance_id)
    .where(_INSTANCE.c.id == bindparam("of"), _RUN.c.status.in_(_ACTIVE))
)
_FOLLOW = (
    update(_INSTANCE)
    .where(_INSTANCE.c.id == bindparam("of"))
    .values(last_run_id=bindparam("run_id"), last_status=bindparam("status"))
)


class Runs(Records):
    """The part of a transaction that speaks of runs."""

    def add_run(self, instance: Instance, **fields: Any) -> Run:
        """A queued run for the instance; `fields` are columns of it: `operation`, `version_id`, `template` and
        `requested_by` at least.

        Raises Busy when another run holds the instance.
        """
        known = {"status": Status.QUEUED.value, "created_at": self._now(), "instance_id": instance.id}
        run = Run(**{**known, **fields}, address=instance.address)
        self._insert(run, lambda: self._busy(instance))
        self._follow(run)
        return run

    def run(self, run_id: int) -> Run:
        """The run of that number. Raises NotFound."""
        found = self._session.get(Run, run_id)
        if found is None:
            raise missing.no_run(run_id)
        return found

    def active_run(self, instance: Instance) -> Run | None:
        """The run that holds the instance, or is the first in line for it; None when it is free."""
        return next(iter(self.line_of(instance)), None)

    def line_of(self, instance: Instance) -> list[Run]:
        """The runs that have not ended, in the order in which they have the instance: who holds it, then who waits."""
        query = select(Run).where(Run.instance_id == instance.id, col(Run.status).in_(_ACTIVE))
        return list(self._session.exec(query.order_by(col(Run.id))))

    def is_environment_held(self, instance_id: int) -> bool:
        """Whether a run holds the environment that the instance lives in; False when it lives in none."""
        return self._session.execute(_ENVIRONMENTS_HOLDER, {"of": instance_id}).first() is not None

    def busy_instances(self, addresses: Collection[Address | str]) -> dict[str, Run]:
        """Address -> the run that holds it, for those of `addresses` that are held; in order."""
        wanted = [str(address) for address in addresses]
        query = select(Run).where(col(Run.address).in_(wanted), col(Run.status).in_(_ACTIVE))
        return {run.address: run for run in self._session.exec(query.order_by(col(Run.address)))}

    def runs_of(self, address: Address | str, limit: int) -> list[Run]:
        """The newest runs of an address, newest first, those of an instance that has gone included."""
        query = select(Run).where(Run.address == str(address)).order_by(col(Run.id).desc())
        return list(self._session.exec(query.limit(limit)))

    def applied_runs(self, instance_id: int) -> dict[int, Status]:
        """Number -> status of the runs of an instance that began to apply, in order."""
        query = select(col(Run.id), Run.status).where(Run.instance_id == instance_id, col(Run.applied_at).is_not(None))
        return {run_id: Status(status) for run_id, status in self._session.exec(query.order_by(col(Run.id))) if run_id}

    def executing(self) -> list[Run]:
        """The runs that somebody works on, oldest first."""
        query = select(Run).where(col(Run.status).in_(_EXECUTING)).order_by(col(Run.id))
        return list(self._session.exec(query))

    def move(self, run_id: int, event: Event, *, fence: int | None = None, **facts: Any) -> Run:
        """The run after `event`; `facts` are columns that become known with it.

        A worker gives the `fence` of its claim; None is for events that do not come from the claim's holder.
        Raises NotFound, or Conflict when the run's status knows no such event or another worker has claimed it since.
        """
        run = self.run(run_id)
        _refuse_other_fence(run, fence)
        status = after(Status(run.status), event)
        if not self._changed(run, {**facts, **_consequences(run, event, status, self._now())}):
            # only where transactions overlap: somebody else was faster
            self._session.refresh(run)
            _refuse_other_fence(run, fence)
            after(Status(run.status), event)
            raise _taken_over(run)
        self._follow(run)
        return run

    def note(self, run_id: int, *, fence: int, **facts: Any) -> Run:
        """The run with columns replaced by the worker that holds it; without `facts`, only the proof that it does.

        Raises NotFound, or Conflict when it has ended or another worker has claimed it since.
        """
        run = self.run(run_id)
        _refuse_other_fence(run, fence)
        if Status(run.status) not in EXECUTING or not self._changed(run, facts or {"fence": fence}):
            raise Conflict(f"Run {run.id} is {run.status}: nobody works on it any more.")
        return run

    def request_cancel(self, run_id: int) -> Run:
        """The run with the wish that its worker stops it; an earlier wish stays as it is.

        Raises NotFound, or Conflict when nobody works on it.
        """
        run = self.run(run_id)
        after(Status(run.status), Event.CANCEL)
        if run.cancel_requested_at is None:
            self._changed(run, {"cancel_requested_at": self._now()})
        return run

    def _changed(self, run: Run, values: dict[str, Any]) -> bool:
        """Whether the run was still as it was read, and so has been changed, here too."""
        as_read = {"read_id": run.id, "read_status": run.status, "read_fence": run.fence}
        result = self._session.execute(_AS_READ.values(**values), as_read)
        assert isinstance(result, CursorResult)
        if result.rowcount != 1:
            return False
        for column, value in values.items():
            set_committed_value(run, column, value)
        return True

    def _follow(self, run: Run) -> None:
        """Keeps what the instance says about its last run in step, here too when its row has been read.

        A discarded run has done nothing: the one before it goes on saying how the instance is.
        """
        run = self._effective(run) if run.status == Status.DISCARDED else run
        self._session.execute(_FOLLOW, {"of": run.instance_id, "run_id": run.id, "status": run.status})
        instance = self._session.identity_map.get(identity_key(Instance, run.instance_id))
        if instance is not None:
            set_committed_value(instance, "last_run_id", run.id)
            set_committed_value(instance, "last_status", run.status)

    def _effective(self, run: Run) -> Run:
        """The newest run of the same instance that was not discarded; `run` itself when all were."""
        query = select(Run).where(Run.instance_id == run.instance_id, Run.status != Status.DISCARDED.value)
        return self._session.exec(query.order_by(col(Run.id).desc()).limit(1)).first() or run

    def _busy(self, instance: Instance) -> Busy | None:
        holder = self.active_run(instance)
        if holder is None:
            return None
        return Busy(
            f"{instance.address} is held by run {holder.id} ({holder.status}).",
            hint=what_to_do(holder.id, Status(holder.status)),
        )


def _consequences(run: Run, event: Event, status: Status, now: datetime) -> dict[str, Any]:
    """The columns that follow from a move by themselves."""
    values: dict[str, Any] = {"status": status.value}
    if event is Event.CLAIM:
        values["fence"] = run.fence + 1
        values["attempt"] = run.attempt + (status is Status.PLANNING)
    if status not in EXECUTING and status is not Status.INTERRUPTED:
        values |= {"executor": None, "worker_id": None}
    times = {
        "planned_at": run.status == Status.PLANNING and event in (Event.ASK, Event.APPROVE, Event.FIND_NOTHING),
        "approved_at": event is Event.APPROVE,
        "applied_at": status is Status.APPLYING,
        "ended_at": status in TERMINAL,
    }
    return values | {column: now for column, happened in times.items() if happened}


def _refuse_other_fence(run: Run, fence: int | None) -> None:
    if fence is not None and fence != run.fence:
        raise _taken_over(run)


def _taken_over(run: Run) -> Conflict:
    return Conflict(f"Run {run.id} has been taken over by another worker.", hint=f"See it: landform run show {run.id}")
