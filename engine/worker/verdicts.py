"""Records that an interrupted run succeeded after all, as somebody says: what it made is now what there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.runs import Event, Operation
from engine.worker import records
from engine.worker.work import load

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.worker.phases import Phases


@dataclass(frozen=True)
class Said:
    """What somebody says, and who."""

    by: str
    reason: str


def succeeded(catalog: Catalog, phases: Phases, run_id: int, said: Said) -> Run:
    """The run, succeeded; its outputs are read from its state, and an instance that it destroyed is gone.

    Raises NotFound, Conflict when it is not interrupted, ExternalFailure when the state cannot be read, or still knows
    resources of what was to be destroyed.
    """
    with catalog.read() as tx:
        run = tx.run(run_id)
        work = load(tx, run)
    destroys = work.operation is Operation.DESTROY
    outputs = None
    if destroys:
        phases.require_nothing_left(work)
    else:
        outputs = phases.outputs(work)
    message = "\n".join(filter(None, (run.message, f"Marked as succeeded by {said.by}: {said.reason}")))
    with catalog.write() as tx:
        run = tx.move(run_id, Event.MARK_SUCCEEDED, outputs=outputs, message=message)
        (records.destroyed if destroys else records.deployed)(tx, run)
    if destroys:
        phases.forget(work.address)
    return run
