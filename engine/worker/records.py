"""What the end of a run means for its instance and for those that read its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.core import wiring

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx


def deployed(tx: Tx, run: Run) -> None:
    """The instance is now what the run wanted; whoever read an output that changed is stale."""
    instance = tx.instance_by_id(run.instance_id)
    instance.version_id = run.version_id
    instance.inputs = run.inputs
    instance.outputs = run.outputs
    instance.upstream = run.upstream
    instance.deployed_run_id = run.id
    tx.save(instance)
    _judge(tx, instance)
    # only an environment is lived in
    for reader in tx.instances_in(instance) if instance.environment_id is None else ():
        _judge(tx, reader)


def destroyed(tx: Tx, run: Run) -> None:
    """The instance is gone, and so is its service when it was the last one."""
    instance = tx.instance_by_id(run.instance_id)
    service_id = instance.service_id
    tx.remove_instance(instance)
    if service_id is not None:
        service = tx.service_by_id(service_id)
        if not tx.instances_of(service):
            tx.remove_service(service)


def fingerprints(outputs: Mapping[str, Mapping[str, object]] | None) -> dict[str, str]:
    """Output name -> fingerprint of its value, of outputs as catalog.tables.Instance has them."""
    return {name: str(output["fingerprint"]) for name, output in (outputs or {}).items()}


def _judge(tx: Tx, reader: Instance) -> None:
    """Says whether what the instance read when it was deployed is still so."""
    if reader.environment_id is None:
        return
    environment = tx.instance_by_id(reader.environment_id)
    stale = wiring.changed(reader.upstream, {environment.address: fingerprints(environment.outputs)})
    if stale != reader.stale:
        reader.stale = stale
        reader.is_stale = bool(stale)
        tx.save(reader)
