"""What the end of a run means for its instance and for those that read its outputs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from engine.core.address import Kind
from engine.worker import upstreams

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx


def deployed(tx: Tx, run: Run) -> None:
    """The instance is now what the run wanted; whoever read an output that changed is stale."""
    instance = tx.instance_by_id(run.instance_id)
    before = instance.attached_id
    instance.version_id = run.version_id
    instance.inputs = run.inputs
    instance.outputs = run.outputs
    instance.upstream = run.upstream
    instance.attached_id = run.attached_id
    instance.deployed_run_id = run.id
    if instance.hibernated_at is not None and instance.expires_at is None and instance.ttl_s:
        # the time that it got when somebody asked to wake it was over before it was awake
        instance.expires_at = tx.now() + timedelta(seconds=instance.ttl_s)
    instance.hibernated_at = None
    tx.forget_drift(instance)
    tx.save(instance)
    upstreams.judge(tx, instance)
    left = [tx.instance_by_id(before)] if before not in (None, run.attached_id) else []
    for reader in [*tx.readers_of(instance), *left]:
        upstreams.judge(tx, reader)


def destroyed(tx: Tx, run: Run) -> None:
    """The instance is gone, and so is its service when it was the last one; one that hibernates stays, with its version
    and inputs.
    """
    instance = tx.instance_by_id(run.instance_id)
    if run.hibernates:
        _fall_asleep(tx, instance)
        return
    attached_id = instance.attached_id if instance.deployed_run_id is not None else None
    _remove(tx, instance)
    if attached_id is not None and (attached := tx.instance_by_id(attached_id)).hibernated_at is not None:
        # it was destroyed before, and stayed for the component alone, which is planned with its name and inputs
        _remove(tx, attached)


def _remove(tx: Tx, instance: Instance) -> None:
    """Takes the instance away, and what it was the last of."""
    service_id = instance.service_id
    tx.remove_instance(instance)
    if instance.kind == Kind.COMPONENT:
        tx.forget_template(instance.template_id)
    if service_id is not None:
        service = tx.service_by_id(service_id)
        if not tx.instances_of(service):
            tx.remove_service(service)


def _fall_asleep(tx: Tx, instance: Instance) -> None:
    """What is left of an instance without infrastructure is what it was before its first deploy."""
    instance.hibernated_at = tx.now()
    instance.deployed_run_id = instance.outputs = None
    instance.upstream, instance.stale, instance.is_stale = {}, [], False
    instance.expires_at = instance.expiry_told_at = None
    tx.forget_drift(instance)
    tx.save(instance)
