"""What the next turn depends on, read at once for core.scheduling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from engine.catalog.metadata import TABLES
from engine.catalog.records import Records
from engine.catalog.tables import Approval, Instance, Run
from engine.catalog.worker_tables import Worker
from engine.core import rules
from engine.core.address import Kind
from engine.core.runs import ACTIVE, EXECUTING, Operation, Status
from engine.core.scheduling import Entry, Snapshot, Taker
from engine.core.workers import ALIVE, State
from engine.core.workers import Kind as WorkerKind

_TABLES = (Run, Instance, Worker, Approval)
_RUN, _INSTANCE, _WORKER, _APPROVAL = (TABLES[row.__name__.lower()] for row in _TABLES)
_IS_ACTIVE = _RUN.c.status.in_([status.value for status in sorted(ACTIVE)])
_IS_ALIVE = _WORKER.c.state.in_([state.value for state in sorted(ALIVE)])
_OPERATIONS = {operation.value: operation for operation in Operation}
_STATUSES = {status.value: status for status in Status}
# as tables: a line of hundreds is read at every turn
_ENTRIES = (
    select(
        _RUN.c.id,
        _RUN.c.instance_id,
        _RUN.c.environment_id,
        _RUN.c.operation,
        _RUN.c.status,
        _RUN.c.priority,
        _RUN.c.worker_id,
        func.coalesce(_INSTANCE.c.diverged, ""),
        _RUN.c.after_run_ids,
    )
    .outerjoin(_INSTANCE, _INSTANCE.c.id == _RUN.c.instance_id)
    .where(_IS_ACTIVE)
    .order_by(_RUN.c.id)
)
_ENVIRONMENTS = select(_INSTANCE.c.id, _INSTANCE.c.name, _INSTANCE.c.rules).where(
    _INSTANCE.c.kind == Kind.ENVIRONMENT.value, _INSTANCE.c.id.in_(select(_RUN.c.environment_id).where(_IS_ACTIVE))
)
# what the turn of one run depends on, so that a claim need not read a line of hundreds
_AROUND = _ENTRIES.where(
    or_(
        _RUN.c.instance_id.in_(bindparam("instances", expanding=True)),
        _RUN.c.id.in_(bindparam("runs", expanding=True)),
        _RUN.c.status.in_([status.value for status in sorted(EXECUTING)]),
    )
)
_ENVIRONMENT = select(_INSTANCE.c.id, _INSTANCE.c.name, _INSTANCE.c.rules).where(
    _INSTANCE.c.id == bindparam("environment"), _INSTANCE.c.kind == Kind.ENVIRONMENT.value
)
_CREW = select(_WORKER.c.id, _WORKER.c.labels, _WORKER.c.capacity, _WORKER.c.state).where(
    _IS_ALIVE, _WORKER.c.kind == WorkerKind.SERVICE.value
)
_APPROVALS = (
    select(_APPROVAL.c.run_id, func.count())
    .join(_RUN, _RUN.c.id == _APPROVAL.c.run_id)
    .where(_RUN.c.status == Status.PLANNED.value)
    .group_by(_APPROVAL.c.run_id)
)


class Line(Records):
    """The part of a transaction that speaks of whose turn it is."""

    def line(self, max_runs: int) -> Snapshot:
        """Every run that has not ended, and the rules for them; without workers. `max_runs` as in Snapshot."""
        return _snapshot(self._session.execute(_ENVIRONMENTS), self._session.execute(_ENTRIES), max_runs)

    def line_around(self, run: Run, max_runs: int) -> Snapshot:
        """As line(), with no more than what it takes to tell whether it is the run's turn."""
        instances = [number for number in (run.instance_id, run.environment_id) if number is not None]
        around = {"instances": instances, "runs": [run.id, *run.after_run_ids]}
        environments = self._session.execute(_ENVIRONMENT, {"environment": run.environment_id})
        return _snapshot(environments, self._session.execute(_AROUND, around), max_runs)

    def whole_line(self, max_runs: int) -> Snapshot:
        """As line(), with the approvals so far and the workers that take whatever comes: for explanations."""
        line = self.line(max_runs)
        approvals = {row[0]: row[1] for row in self._session.execute(_APPROVALS)}
        entries = tuple(replace(entry, approvals=approvals.get(entry.run_id, 0)) for entry in line.entries)
        busy = Counter(entry.worker_id for entry in entries if entry.status in EXECUTING)
        crew = tuple(
            Taker(number, tuple(labels), capacity - busy[number], state == State.DRAINING)
            for number, labels, capacity, state in self._session.execute(_CREW.order_by(_WORKER.c.id))
        )
        return replace(line, entries=entries, workers=crew)


def _snapshot(environments: Iterable[Sequence[Any]], entries: Iterable[Sequence[Any]], max_runs: int) -> Snapshot:
    found = list(environments)
    return Snapshot(
        tuple(map(_entry, entries)),
        {number: rules.from_json(stored) for number, _, stored in found},
        {number: name for number, name, _ in found},
        max_runs=max_runs,
    )


def _entry(row: Sequence[Any]) -> Entry:
    run_id, instance_id, environment_id, operation, status, priority, worker_id, diverged, after = row
    where = (run_id, instance_id, environment_id)
    rest = {"worker_id": worker_id, "diverged": diverged, "after": tuple(after)}
    return Entry(*where, _OPERATIONS[operation], _STATUSES[status], priority, **rest)
