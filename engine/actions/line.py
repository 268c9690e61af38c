"""The line of an instance: who is in the way of a new run, what it supersedes, and what it builds on behind others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions.desk import Target, target_of
from engine.actions.refusals import held
from engine.core import runs
from engine.core.address import Kind
from engine.core.runs import Operation, Status
from engine.errors import Busy, Conflict

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx

_POINTLESS = {
    Status.PLANNED: "Supersedes run {}, whose plan was waiting for approval.",
    Status.QUEUED: "Supersedes run {}, which had not begun.",
}
"""What gives way to a newer run, and what that one says. Nobody works on these, and nobody has said yes to them."""


@dataclass(frozen=True)
class Standing:
    """What a change starts from."""

    instance: Instance
    target: Target
    inputs: Mapping[str, object]
    attached_id: int | None = None
    """As catalog.tables.Instance.attached_id."""


def standing(tx: Tx, instance: Instance, *, queue: bool) -> Standing:
    """What the instance is when a new run begins: as it is deployed or, in line, as the run before will have made it.

    Behind others a change builds on the last of them and not on what is deployed, which that one is about to change:
    otherwise `port=81`, then `--queue title=x`, would end with the old port. Should the run before fail or be discarded
    after all, the queued one still carries both: what was asked for when it was recorded does not shrink afterwards.
    """
    line = tx.line_of(instance) if queue else []
    if not line:
        return Standing(instance, target_of(tx, instance), instance.inputs, instance.attached_id)
    _refuse_behind_destroy(instance, line[-1])
    last = line[-1]
    target = Target(tx.template_by_id(instance.template_id), tx.version_by_id(last.version_id))
    return Standing(instance, target, last.inputs, last.attached_id)


def refuse_held(tx: Tx, instances: Iterable[Instance], doing: str = "", *, queue: bool) -> None:
    """Raises when a new run of one of the instances would have to wait, and was not asked to; `doing` says for what.

    Busy while somebody works on a run, one has been approved, or several are in line; OutcomeUnknown while nobody knows
    what one did; Conflict where it would wait behind a destroy.
    """
    lines = [(instance, line) for instance in instances if (line := tx.line_of(instance))]
    if queue:
        for instance, line in lines:
            _refuse_behind_destroy(instance, line[-1])
        return
    blocked = [(instance.address, line[0]) for instance, line in lines if _gives_way(line) is None]
    if not blocked:
        return
    error = held(blocked, doing)
    if isinstance(error, Busy) and all(line[-1].operation != Operation.DESTROY for _, line in lines):
        error.hint += ". Or wait in line behind it: --queue"
    raise error


def before(tx: Tx, instance: Instance) -> set[int]:
    """The runs that must have succeeded before the instance can be deployed: none, but for the pipeline of a service
    those which make its instances, or destroy some.
    """
    if instance.kind != Kind.PIPELINE or instance.service_id is None:
        return set()
    siblings = tx.instances_of(tx.service_by_id(instance.service_id), Kind.SERVICE_INSTANCE)
    lines = [(sibling, line) for sibling in siblings if (line := tx.line_of(sibling))]
    return {line[-1].id or 0 for sibling, line in lines if _comes_or_goes(sibling, line)}


def _comes_or_goes(instance: Instance, line: list[Run]) -> bool:
    return instance.deployed_run_id is None or any(run.operation == Operation.DESTROY for run in line)


def superseded(tx: Tx, instance: Instance, *, queue: bool) -> Run | None:
    """The run that a new run of the instance makes pointless; None without one, or when it is to wait in line."""
    return None if queue else _gives_way(tx.line_of(instance))


def superseding(older: Run) -> str:
    """What the newer run says about the one it supersedes."""
    return _POINTLESS[Status(older.status)].format(older.id)


def _gives_way(line: list[Run]) -> Run | None:
    """The only run in line, when it gives way to a newer one: several are there because somebody asked them to wait."""
    return line[0] if len(line) == 1 and Status(line[0].status) in _POINTLESS else None


def _refuse_behind_destroy(instance: Instance, last: Run) -> None:
    if last.operation == Operation.DESTROY:
        raise Conflict(
            f"{instance.address} is to be destroyed by run {last.id} ({last.status}): nothing can wait behind it.",
            hint=runs.what_to_do(last.id, Status(last.status)),
        )
