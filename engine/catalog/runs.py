"""Facts about runs. Every change of a status goes through `move`, which the database decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, String, and_, bindparam, cast, exists, or_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlmodel import col, select

from engine.catalog import missing
from engine.catalog.metadata import TABLES
from engine.catalog.notices import Notices
from engine.catalog.tables import Instance, Run
from engine.core.address import Address, Kind
from engine.core.runs import ACTIVE, EXECUTING, HOLDING, TERMINAL, Event, Operation, Status, after, what_to_do
from engine.core.workers import State
from engine.errors import Busy, Conflict

_ACTIVE = [status.value for status in sorted(ACTIVE)]
_EXECUTING = [status.value for status in sorted(EXECUTING)]
# as tables, not as classes: a change of a run is on the way of everything, and costs half as much without the session
_RUN, _INSTANCE, _WORKER = (TABLES[name] for name in ("run", "instance", "worker"))
_IS_LOST = select(_WORKER.c.id).where(_WORKER.c.id == bindparam("of"), _WORKER.c.state == State.LOST.value)
_AS_READ = update(_RUN).where(
    _RUN.c.id == bindparam("read_id"),
    _RUN.c.status == bindparam("read_status"),
    _RUN.c.fence == bindparam("read_fence"),
    ~exists(_IS_LOST),
)
_LINE = select(_RUN.c.id, _RUN.c.status).where(_RUN.c.instance_id == bindparam("of"), _RUN.c.status.in_(_ACTIVE))
# queued is false for the holder, and false comes first
_FIRST = _LINE.order_by(_RUN.c.status == Status.QUEUED.value, _RUN.c.id).limit(1)
_CHANGERS = _LINE.where(or_(_RUN.c.status != Status.QUEUED.value, _RUN.c.id < bindparam("before"))).limit(1)
# what was cancelled before its apply began has done as little as what was discarded
_EFFECTIVE = (
    select(_RUN.c.id, _RUN.c.status)
    .where(
        _RUN.c.instance_id == bindparam("of"),
        or_(
            _RUN.c.status.not_in([Status.DISCARDED.value, Status.CANCELLED.value]),
            and_(_RUN.c.status == Status.CANCELLED.value, _RUN.c.applied_at.is_not(None)),
        ),
    )
    .order_by(_RUN.c.id.desc())
    .limit(1)
)
_WHOLE_LINE = select(Run).where(Run.instance_id == bindparam("of"), col(Run.status).in_(_ACTIVE)).order_by(col(Run.id))
_APPLIED = (
    select(_RUN.c.id, _RUN.c.status)
    .where(_RUN.c.instance_id == bindparam("of"), _RUN.c.applied_at.is_not(None))
    .order_by(_RUN.c.id)
)
_WAITING = select(_RUN.c.id, _RUN.c.after_run_ids).where(
    _RUN.c.status == Status.QUEUED.value, cast(_RUN.c.after_run_ids, String) != "[]"
)
_FOLLOW = (
    update(_INSTANCE)
    .where(_INSTANCE.c.id == bindparam("of"))
    .values(last_run_id=bindparam("run_id"), last_status=bindparam("status"))
)


class Runs(Notices):
    """The part of a transaction that speaks of runs."""

    def add_run(self, instance: Instance, **fields: Any) -> Run:
        """A queued run for the instance, last in its line; `fields` are columns of it: `operation`, `version_id`,
        `template` and `requested_by` at least.
        """
        known = {"status": Status.QUEUED.value, "created_at": self._now(), "instance_id": instance.id}
        where = {"address": instance.address, "environment_id": instance.environment_id or instance.id}
        run = Run(**{**known, **where, **fields})
        self._session.add(run)
        self._session.flush()
        self._follow(run)
        self.tell_new(run)
        self.ring()
        return run

    def run(self, run_id: int) -> Run:
        """The run of that number. Raises NotFound."""
        found = self._by_id(Run, run_id)
        if found is None:
            raise missing.no_run(run_id)
        return found

    def active_run(self, instance: Instance) -> Run | None:
        """The run that holds the instance, or is the first in line for it; None when it is free."""
        return next(iter(self.line_of(instance)), None)

    def line_of(self, instance: Instance) -> list[Run]:
        """The runs that have not ended, in the order in which they have the instance: who holds it, then who waits."""
        line = self._session.execute(_WHOLE_LINE, {"of": instance.id}).scalars()
        return sorted(line, key=lambda run: run.status == Status.QUEUED)

    def is_environment_changing(self, run: Run) -> bool:
        """Whether the outputs that the run reads are in flux: a run has its environment, or was in line for it before.

        What goes needs no outputs that will last.
        """
        if run.operation == Operation.DESTROY or run.environment_id in (None, run.instance_id):
            return False
        return self._session.execute(_CHANGERS, {"of": run.environment_id, "before": run.id}).first() is not None

    def runs_of(self, address: Address | str, limit: int) -> list[Run]:
        """The newest runs of an address, newest first, those of an instance that has gone included."""
        query = select(Run).where(Run.address == str(address)).order_by(col(Run.id).desc())
        return list(self._session.exec(query.limit(limit)))

    def applied_runs(self, instance_id: int) -> dict[int, Status]:
        """Number -> status of the runs of an instance that began to apply, in order."""
        return {run_id: Status(status) for run_id, status in self._session.execute(_APPLIED, {"of": instance_id})}

    def retried_by(self, run: Run) -> Run | None:
        """The newest run that tries the same again; None when none does."""
        later = (col(Run.instance_id) == run.instance_id, col(Run.id) > run.id, Run.retry_of == run.id)
        return self._session.exec(select(Run).where(*later).order_by(col(Run.id).desc()).limit(1)).first()

    def executing(self) -> list[Run]:
        """The runs that somebody works on, oldest first."""
        query = select(Run).where(col(Run.status).in_(_EXECUTING)).order_by(col(Run.id))
        return list(self._session.exec(query))

    def proposed(self) -> list[Run]:
        """The runs that others were asked to carry out and that have not ended, oldest first."""
        query = select(Run).where(Run.status == Status.PROPOSED.value).order_by(col(Run.id))
        return list(self._session.exec(query))

    def interrupted(self) -> list[Run]:
        """The runs of which nobody knows what they did, oldest first."""
        query = select(Run).where(Run.status == Status.INTERRUPTED.value).order_by(col(Run.id))
        return list(self._session.exec(query))

    def move(self, run_id: int, event: Event, *, fence: int | None = None, **facts: Any) -> Run:
        """The run after `event`; `facts` are columns that become known with it.

        A worker gives the `fence` of its claim; None is for events that do not come from the claim's holder. Whoever
        claims gives its identity as `executor` and, when it is registered, its `worker_id`.
        Raises NotFound, Busy for a claim while another run has the instance, or Conflict when the run's status knows no
        such event, another worker has claimed it since, or its worker was given up.
        """
        run = self.run(run_id)
        before = self.before(run)
        _refuse_others(run, fence)
        status = after(Status(run.status), event)
        if event is Event.CLAIM and Status(run.status) not in HOLDING:
            self._refuse_out_of_turn(run)
        worker_id = None if fence is None else facts.get("worker_id") or run.worker_id
        if not self._changed(run, {**facts, **_consequences(run, event, status, self._now())}, worker_id):
            # its worker was given up or, where transactions overlap, somebody else was faster
            self._session.refresh(run)
            self._refuse_lost(run, worker_id)
            after(Status(run.status), event)
            raise _taken_over(run)
        self._follow(run)
        self.tell_change(before, run)
        if status in TERMINAL:
            self._tell_what_comes_after(run)
        if event is not Event.CLAIM:
            self.ring()
        return run

    def note(self, run_id: int, *, fence: int, **facts: Any) -> Run:
        """The run with columns replaced by the worker that holds it; without `facts`, only the proof that it does.

        Raises NotFound, or Conflict when it has ended, another worker has claimed it since, or its worker was given up.
        """
        run = self.run(run_id)
        _refuse_others(run, fence)
        if Status(run.status) not in EXECUTING or not self._changed(run, facts or {"fence": fence}, run.worker_id):
            self._refuse_lost(run, run.worker_id)
            raise Conflict(f"Run {run.id} is {run.status}: nobody works on it any more.")
        return run

    def request_cancel(self, run_id: int, by: str = "", *, force: bool = False) -> Run:
        """The run with the wish that its worker stops it, `force`: at once. An earlier wish stays as it is.

        Raises NotFound, or Conflict when nobody works on it.
        """
        run = self.run(run_id)
        after(Status(run.status), Event.CANCEL)
        if Status(run.status) not in EXECUTING:
            raise Conflict(f"Run {run.id} is {run.status}: nobody works on it.")
        wishes: dict[str, Any] = {}
        if run.cancel_requested_at is None:
            wishes |= {"cancel_requested_at": self._now(), "cancelled_by": by}
        if force and run.force_requested_at is None:
            wishes["force_requested_at"] = self._now()
        if wishes:
            before = self.before(run)
            self._changed(run, wishes)
            self.tell_change(before, run)
            self.ring()
        return run

    def _changed(self, run: Run, values: dict[str, Any], worker_id: int | None = None) -> bool:
        """Whether the run was still as it was read, and so has been changed, here too; not when the worker who wants
        that was given up.
        """
        as_read = {"read_id": run.id, "read_status": run.status, "read_fence": run.fence, "of": worker_id}
        # as parameters: to put values into the statement makes it a new one, which costs four times as much
        result = self._session.execute(_AS_READ, {**values, **as_read})
        assert isinstance(result, CursorResult)
        if result.rowcount != 1:
            return False
        for column, value in values.items():
            set_committed_value(run, column, value)
        return True

    def _refuse_lost(self, run: Run, worker_id: int | None) -> None:
        """Raises Conflict when that worker, who wanted to change the run, was given up."""
        if worker_id and self._session.execute(_IS_LOST, {"of": worker_id}).first():
            raise _taken_over(run)

    def _refuse_out_of_turn(self, run: Run) -> None:
        """Raises Busy when another run holds the instance, or is in line before this one."""
        holder_id, status = self._session.execute(_FIRST, {"of": run.instance_id}).one()
        if holder_id != run.id:
            message = f"{run.address} is held by run {holder_id} ({status})."
            raise Busy(message, hint=what_to_do(holder_id, Status(status)))

    def _tell_what_comes_after(self, run: Run) -> None:
        """Runs that were to begin once this one has succeeded wait for it no longer, but for the one that tries the
        same again, or has superseded it; where none does, they are discarded. A pipeline's fails, as that is what comes
        of it, unless somebody has thought better of destroying an instance.
        """
        waiting = self._session.execute(_WAITING).all()
        for later in [self.run(run_id) for run_id, before in waiting if run.id in before]:
            assert later.id is not None
            again = self.retried_by(run) or self._superseding(run)
            if run.status != Status.SUCCEEDED and again is None:
                message = f"Called off: run {run.id}{_of(run, later)}, which had to come before it, is {run.status}."
                self.move(later.id, Event.CALL_OFF if _fails_with(later, run) else Event.DISCARD, message=message)
                continue
            others = [run_id for run_id in later.after_run_ids if run_id != run.id]
            self._changed(later, {"after_run_ids": [*others, again.id] if again else others})

    def _superseding(self, run: Run) -> Run | None:
        """The run that has superseded this one and does the same with its instance, deploy or destroy."""
        newer = self.run(run.superseded_by) if run.superseded_by is not None else None
        return newer if newer is not None and newer.operation == run.operation else None

    def _follow(self, run: Run) -> None:
        """Keeps what the instance says about its last run in step, here too when its row has been read."""
        run_id, status = (run.id, run.status) if Status(run.status) in HOLDING else self._last(run)
        self._session.execute(_FOLLOW, {"of": run.instance_id, "run_id": run_id, "status": status})
        instance = self._session.identity_map.get(identity_key(Instance, run.instance_id))
        if instance is not None:
            set_committed_value(instance, "last_run_id", run_id)
            set_committed_value(instance, "last_status", status)

    def _last(self, run: Run) -> tuple[int | None, str]:
        """Number and status of the run that has the instance of this one; else of the newest that was not called off
        before it did anything; of this one when all were.
        """
        for statement in (_FIRST, _EFFECTIVE):
            found = self._session.execute(statement, {"of": run.instance_id}).first()
            if found is not None:
                return found.id, found.status
        return run.id, run.status


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


def _fails_with(later: Run, run: Run) -> bool:
    """Whether a run that waited for another one, which did not succeed, has failed with it."""
    is_kept = run.operation == Operation.DESTROY and run.status == Status.DISCARDED
    return later.address.startswith(f"{Kind.PIPELINE.value}/") and not is_kept


def _of(run: Run, later: Run) -> str:
    """Which instance another one waited for, where that was not itself."""
    return "" if run.address == later.address else f" of {run.address}"


def _refuse_others(run: Run, fence: int | None) -> None:
    """Raises Conflict when the run is not that of the worker with this fence."""
    if fence is not None and fence != run.fence:
        raise _taken_over(run)


def _taken_over(run: Run) -> Conflict:
    return Conflict(f"Run {run.id} has been taken over by another worker.", hint=f"See it: landform run show {run.id}")
