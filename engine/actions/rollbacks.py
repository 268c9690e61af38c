"""Intentions of people about going back: an instance gets the version and the inputs of an earlier deploy again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.actions import changes, components, instances
from engine.actions.changes import Change, Consent
from engine.actions.desk import Desk, Target, refuse_withdrawn, target_of
from engine.actions.refusals import refuse_losing_outputs, refuse_unfit_environment, refuse_unready
from engine.core import wiring
from engine.core.address import Address, Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation, Status
from engine.core.updates import UpdateKind
from engine.errors import Conflict, NotFound

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx


def rollback(desk: Desk, address: Address, to: int | None, consent: Consent) -> list[int]:
    """Records a run that brings what has the address back to the version and inputs of run `to`; its id in a list.

    None goes back to the last deploy that was of another version, of other inputs or attached elsewhere; where a change
    has ended half-way since, to what is deployed. Raises as change(), and Busy.
    """

    def act(tx: Tx) -> list[int]:
        instance = tx.instance(address)
        wanted = _another(tx, instance) if to is None else tx.run(to)
        found = change(tx, instance, wanted)
        why = " ".join(filter(None, (f"Back to run {wanted.id} ({wanted.template}).", consent.reason)))
        return [changes.submit(tx, desk, instance, found, replace(consent, reason=why))]

    return desk.once(consent.asked, act)


def change(tx: Tx, instance: Instance, run: Run | None) -> Change:
    """The change that brings the instance back to what a run of it has deployed, of whatever version.

    None goes back to the deploy before the one that is live, same or not; where a change has ended half-way since, to
    the live one. Raises Conflict when there is nothing to go back to, or when what was deployed then may not be now.
    """
    wanted = run or _before(tx, instance)
    _refuse_unlike(instance, wanted)
    _refuse_live(tx, instance, wanted)
    target = _target(tx, instance, wanted)
    _REFUSALS[Kind(instance.kind)](tx, instance, target, wanted)
    kind = _kind(target_of(tx, instance), target)
    return Change(Operation.DEPLOY, target, wanted.inputs, kind, attached_id=wanted.attached_id)


def _before(tx: Tx, instance: Instance) -> Run:
    """The deploy before the one that is live; the live one where that is not what is there any more."""
    live = _live(tx, instance)
    if _is_half_changed(tx, instance):
        return live
    earlier = next((run for run in tx.deploys_of(instance) if (run.id or 0) < (live.id or 0)), None)
    if earlier is None:
        raise _nothing(instance, f"run {live.id} is its first deploy")
    return earlier


def _another(tx: Tx, instance: Instance) -> Run:
    """As _before(), past the deploys of the same."""
    live = _live(tx, instance)
    if _is_half_changed(tx, instance):
        return live
    for run in tx.deploys_of(instance):
        if (run.id or 0) < (live.id or 0) and _content(run) != _content(live):
            return run
    raise _nothing(instance, f"no earlier deploy differs from run {live.id}")


def _content(run: Run) -> tuple[object, ...]:
    return run.version_id, run.inputs, run.attached_id


def _live(tx: Tx, instance: Instance) -> Run:
    if instance.deployed_run_id is None:
        raise _nothing(instance, "it has never been deployed")
    return tx.run(instance.deployed_run_id)


def _is_half_changed(tx: Tx, instance: Instance) -> bool:
    """Whether a run began to change what is live, and nobody can say that it went well."""
    applied = tx.applied_runs(instance.id or 0)
    since = (status for run_id, status in applied.items() if run_id > (instance.deployed_run_id or 0))
    return any(status is not Status.SUCCEEDED for status in since)


def _nothing(instance: Instance, why: str) -> Conflict:
    return Conflict(f"There is nothing that {instance.address} could go back to: {why}.", hint=_history(instance))


def _history(instance: Instance) -> str:
    return f"See what it was: landform instance history {instance.address}"


def _refuse_unlike(instance: Instance, run: Run) -> None:
    """Raises Conflict when the run says nothing about what the instance could be."""
    doing = f"{instance.address} cannot go back to run {run.id}"
    if run.address != instance.address:
        raise Conflict(f"{doing}: that is a run of {run.address}.", hint=_history(instance))
    if run.instance_id != instance.id:
        raise Conflict(f"{doing}: that made an instance that has been deleted since.", hint=_history(instance))
    if run.operation != Operation.DEPLOY or run.status != Status.SUCCEEDED:
        raise Conflict(f"{doing}: it is a {run.operation} that is {run.status}.", hint=_history(instance))


def _refuse_live(tx: Tx, instance: Instance, run: Run) -> None:
    if run.id != instance.deployed_run_id or _is_half_changed(tx, instance):
        return
    raise Conflict(
        f"{instance.address} cannot go back to run {run.id}: that is what is deployed now.",
        hint=f"{_history(instance)}. To deploy it again: {_again(instance)}",
    )


def _again(instance: Instance) -> str:
    noun, name = _NOUNS[Kind(instance.kind)], instance.address.partition("/")[2]
    return f"landform {noun} update {name}" + ("" if noun == "component" else " --kind current-version")


_NOUNS = {
    Kind.ENVIRONMENT: "env",
    Kind.SERVICE_INSTANCE: "instance",
    Kind.PIPELINE: "pipeline",
    Kind.COMPONENT: "component",
}


def _target(tx: Tx, instance: Instance, run: Run) -> Target:
    """The version that the run has deployed, when something may still be deployed with it. Raises Conflict, Refused."""
    try:
        version = tx.version_by_id(run.version_id)
    except NotFound:
        raise Conflict(f"{run.template} of run {run.id} has been deleted: there is no way back to it.") from None
    target = Target(tx.template_by_id(version.template_id), version)
    refuse_withdrawn(tx, target, instance)
    return target


def _refuse_environment(tx: Tx, environment: Instance, target: Target, run: Run) -> None:
    # what it gave then is what it will give, whatever its code can tell
    offered = wiring.declared(target.facts) if run.outputs is None else run.outputs.keys()
    if offered is not None:
        refuse_losing_outputs(tx, environment, target, offered)


def _refuse_instance(tx: Tx, instance: Instance, target: Target, run: Run) -> None:
    environment = instances.environment_of(tx, instance)
    refuse_unready(tx, environment)
    refuse_unfit_environment(target, target_of(tx, environment), environment, PartName.INSTANCE)


def _refuse_nothing(tx: Tx, pipeline: Instance, target: Target, run: Run) -> None:
    """A pipeline is given whatever its service has."""


def _refuse_component(tx: Tx, component: Instance, target: Target, run: Run) -> None:
    environment = instances.environment_of(tx, component)
    refuse_unready(tx, environment)
    components.refuse_unfit(tx, target, environment, _attached(tx, component, run))


def _attached(tx: Tx, component: Instance, run: Run) -> Instance | None:
    """What the component is attached to once it has gone back to the run. Raises Conflict when it cannot be."""
    if run.attached_id is None:
        return None
    try:
        instance = tx.instance_by_id(run.attached_id)
    except NotFound:
        raise Conflict(
            f"{component.address} cannot go back to run {run.id}: the instance that it was attached to is gone.",
            hint=_history(component),
        ) from None
    components.refuse_unattachable(tx, instance, component)
    return instance


_REFUSALS = {
    Kind.ENVIRONMENT: _refuse_environment,
    Kind.SERVICE_INSTANCE: _refuse_instance,
    Kind.PIPELINE: _refuse_nothing,
    Kind.COMPONENT: _refuse_component,
}


def _kind(before: Target, after: Target) -> UpdateKind:
    """How far the version moves, either way: the runs of an instance say so."""
    if before.version.id == after.version.id:
        return UpdateKind.CURRENT_VERSION
    is_same_major = before.version.major == after.version.major
    return UpdateKind.MINOR_VERSION if is_same_major else UpdateKind.MAJOR_VERSION
