"""What is asked of an instance whatever kind it is: each kind says itself what an update comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.actions import components, environments, instances, pipelines
from engine.actions.refusals import refuse_unready
from engine.core.address import Kind

if TYPE_CHECKING:
    from engine.actions.changes import Change, Update
    from engine.actions.line import Standing
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx

_CHANGES = {
    Kind.ENVIRONMENT: environments.change,
    Kind.SERVICE_INSTANCE: instances.change,
    Kind.PIPELINE: pipelines.change,
    Kind.COMPONENT: components.change,
}


def change(tx: Tx, instance: Instance, wish: Update, standing: Standing | None = None) -> Change:
    """What an update comes to, from where the instance stands: as it is deployed, unless that is given.

    Raises as the update of that kind, but never Busy.
    """
    return _CHANGES[Kind(instance.kind)](tx, instance, wish, standing)


def ready_change(tx: Tx, instance: Instance, wish: Update) -> Change:
    """As change(), for a run that is to begin: raises Conflict while its environment is not deployed, too."""
    if instance.environment_id is not None:
        refuse_unready(tx, tx.instance_by_id(instance.environment_id))
    return change(tx, instance, wish)
