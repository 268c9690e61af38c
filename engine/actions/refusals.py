"""What an intention may not do to what is there: each refusal names who is in the way and what to type next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.actions.desk import Target, in_words, target_of
from engine.core import runs, shapes, wiring
from engine.core.address import Kind
from engine.core.bundle import PART_OF, PartName
from engine.core.runs import Operation
from engine.core.versions import TemplateKind
from engine.errors import Busy, Conflict, LandformError, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx

_HALF_DONE = (runs.Status.FAILED, runs.Status.CANCELLED, runs.Status.INTERRUPTED)


def refuse_miswired(tx: Tx, instance: Instance, target: Target, inputs: Mapping[str, object]) -> None:
    """Raises Conflict when what is to be deployed reads an output that is not there, or takes one away that others
    read: the last door before a run is recorded, whoever asks for it.
    """
    kind = Kind(instance.kind)
    if kind is Kind.ENVIRONMENT:
        refuse_losing_outputs(tx, instance, target, offered_by(target, inputs))
    elif kind is Kind.PIPELINE:
        _refuse_unfit_pipeline(tx, instance, target)
    elif instance.environment_id is not None:
        environment = tx.instance_by_id(instance.environment_id)
        refuse_unfit_environment(target, target_of(tx, environment), environment, PART_OF[kind])


def refuse_unfit_environment(target: Target, environment: Target, instance: Instance, part: PartName) -> None:
    """Raises Conflict when a service version may not or cannot run in an environment; `instance` is the environment,
    deployed already or not.
    """
    refuse_incompatible(target, environment, instance)
    offered = instance.outputs if instance.outputs is not None else offered_by(environment, instance.inputs)
    if offered is not None:
        refuse_missing_outputs(target, part, offered, f"{instance.name} ({environment.label})")


def offered_by(environment: Target, inputs: Mapping[str, object]) -> Collection[str] | None:
    """The outputs that an environment of a version with those inputs will have; None where nobody can tell before."""
    facts = environment.facts
    filled = shapes.filled(environment.schema.type, inputs) if facts.customer_managed else ()
    return wiring.offered(facts, filled)


def _refuse_unfit_pipeline(tx: Tx, pipeline: Instance, target: Target) -> None:
    """Raises Conflict when an environment that an instance of the service lives in lacks an output that the version of
    its pipeline reads, or will by a run under way: a pipeline does not wait for those.
    """
    part = target.facts.part(PartName.PIPELINE)
    if part is None or not wiring.needs(part) or pipeline.service_id is None:
        return
    siblings = tx.instances_of(tx.service_by_id(pipeline.service_id), Kind.SERVICE_INSTANCE)
    for environment_id in sorted({each.environment_id for each in siblings if each.environment_id is not None}):
        environment = tx.instance_by_id(environment_id)
        for offered, label in _offers(tx, environment):
            refuse_missing_outputs(target, PartName.PIPELINE, offered, f"{environment.name} ({label})")


def _offers(tx: Tx, environment: Instance) -> Iterator[tuple[Collection[str], str]]:
    """The outputs that the environment has, and those that it will have by runs under way, with what makes them so."""
    own = target_of(tx, environment)
    yield environment.outputs or {}, own.label
    for run in tx.line_of(environment):
        coming = Target(own.template, tx.version_by_id(run.version_id))
        offered = offered_by(coming, run.inputs) if run.operation == Operation.DEPLOY else None
        if offered is not None:
            yield offered, f"{coming.label}, by run {run.id}"


def refuse_incompatible(target: Target, environment: Target, instance: Instance) -> None:
    """Raises Conflict when a service version may not run in environments of that version; `instance` is one of them.

    What a component needs is for its outputs to say.
    """
    wanted = f"{environment.template.name}:{environment.version.major}"
    if target.template.kind != TemplateKind.COMPONENT and wanted not in target.version.compatible:
        raise Conflict(
            f"{target.label} does not run in environments of {wanted}, as {instance.name} is.",
            hint=f"It runs in: {', '.join(target.version.compatible) or 'none'}.",
        )


def refuse_missing_outputs(target: Target, name: PartName, offered: Collection[str], environment: str) -> None:
    """Raises Conflict when the environment lacks an output that the part reads, naming each and where it is read."""
    part = target.facts.part(name)
    reads = wiring.missing(part, offered) if part else ()
    if part and reads:
        raise Conflict(
            f"Environment {environment} has no output that {target.label} needs:\n"
            + "\n".join(f"  {read.path} (read in {wiring.place(part, read)})" for read in reads),
            hint="Update the environment to a version that has it, or choose another one.",
        )


def refuse_busy(tx: Tx, instances: Iterable[Instance], doing: str) -> None:
    """Raises Busy when one of the instances has a run under way, OutcomeUnknown when nobody knows what that did.

    `doing` says what had to be refused.
    """
    found = [(instance.address, run) for instance in instances if (run := tx.active_run(instance))]
    if found:
        raise held(found, doing)


def refuse_busy_partner(tx: Tx, instance: Instance, attached_id: int | None) -> None:
    """Raises Busy while the component that is attached to a service instance, or is to be, has a run under way; or the
    service instance that a component is attached to, or is to be.
    """
    is_service = instance.kind == Kind.SERVICE_INSTANCE
    component = (tx.component_of(instance) or tx.component_to_be(instance)) if is_service else None
    ids = {instance.attached_id, attached_id} - {None} if instance.kind == Kind.COMPONENT else set()
    partners = [*filter(None, [component]), *(tx.instance_by_id(number) for number in ids if number is not None)]
    refuse_busy(tx, partners, f"{instance.address} cannot be changed")


def refuse_attached_component(
    tx: Tx, instances: Iterable[Instance], doing: str, but_for: Instance | None = None
) -> None:
    """Raises Conflict when a component is attached to one of the instances, or a run is about to attach one."""
    for instance in instances:
        component = tx.component_of(instance) or tx.component_to_be(instance)
        if component is not None and component.id != (but_for.id if but_for else None):
            raise Conflict(
                f"{doing}: component {component.name} is attached to {instance.address.partition('/')[2]}.",
                hint=f"Detach it first: landform component update {component.name} --detach",
            )


def held(found: Sequence[tuple[str, Run]], doing: str = "") -> LandformError:
    """For what runs hold, as (address, run): Busy, or OutcomeUnknown when nobody knows what one of them did."""
    text = ", ".join(f"{address} is held by run {run.id} ({run.status})" for address, run in found) + "."
    lost = [run for _, run in found if run.status == runs.Status.INTERRUPTED]
    [run, *_] = [*lost, *(run for _, run in found)]
    kind = OutcomeUnknown if lost else Busy
    hint = runs.what_to_do(run.id, runs.Status(run.status))
    return kind(f"{doing} while {text}" if doing else text, hint=hint)


def refuse_diverged(instance: Instance) -> None:
    """Raises Conflict while nobody may touch the instance, as its state could not be kept."""
    if instance.diverged:
        raise Conflict(
            f"{instance.address} is frozen. {instance.diverged}",
            hint=f"Keep its state: landform state harvest {instance.address}",
        )


def refuse_asleep(instance: Instance, doing: str = "") -> None:
    """Raises Conflict while the instance is hibernated; `doing` says what had to be refused."""
    if instance.hibernated_at is not None:
        why = f"{instance.address} is hibernated."
        hint = f"Wake it, as it was or with changes: landform instance wake {instance.address}"
        raise Conflict(f"{doing}: {why}" if doing else why, hint=hint)


def refuse_awake(tx: Tx, environment: Instance, but_for: Collection[int | None]) -> None:
    """Raises Conflict while anything in the environment is awake, but for those; Busy while something is changed."""
    inhabitants = [found for found in tx.instances_in(environment) if found.id not in but_for]
    awake = [found.address for found in inhabitants if not tx.is_asleep(found)]
    if awake:
        raise Conflict(
            f"Environment {environment.name} cannot be hibernated: {in_words(awake)} "
            f"{'is' if len(awake) == 1 else 'are'} awake in it.",
            hint=f"Hibernate them with it: landform instance hibernate {' '.join(awake)} {environment.address}",
        )
    refuse_busy(tx, inhabitants, f"Environment {environment.name} cannot be hibernated")


def refuse_unready(tx: Tx, environment: Instance) -> None:
    """Raises Conflict while the environment has no outputs to give, Busy while it is being changed."""
    refuse_busy(tx, [environment], f"Nothing can be deployed into environment {environment.name}")
    refuse_asleep(environment, f"Nothing can be deployed into environment {environment.name}")
    if environment.outputs is None:
        raise Conflict(
            f"Environment {environment.name} has not been deployed yet.",
            hint=f"Deploy it first: landform run retry {environment.last_run_id}",
        )
    last = tx.run(environment.last_run_id) if environment.last_run_id else None
    if last and last.operation == Operation.DESTROY and last.status in _HALF_DONE:
        raise Conflict(
            f"Environment {environment.name} may be half destroyed: see run {last.id}.",
            hint=f"Deploy it again: landform env update {environment.name} --kind current-version",
        )


def refuse_inhabited(tx: Tx, environment: Instance) -> None:
    """Raises Conflict while anything lives in the environment, with the commands that delete it."""
    inhabitants = tx.instances_in(environment)
    if not inhabitants:
        return
    services = {found.service_id: tx.service_by_id(found.service_id) for found in inhabitants if found.service_id}
    inside = {found.id for found in inhabitants}
    live = {service.id: tx.instances_of(service, Kind.SERVICE_INSTANCE) for service in services.values()}
    whole = [service for service in services.values() if {found.id for found in live[service.id]} <= inside]
    rest = [found for found in inhabitants if found.service_id and found.service_id not in {s.id for s in whole}]
    single = [found.address.partition("/")[2] for found in rest]
    commands = [f"landform service delete {service.name}" for service in whole]
    commands += [f"landform instance delete {' '.join(single)}"] if single else []
    components = [found.name for found in inhabitants if found.kind == Kind.COMPONENT]
    commands = ([f"landform component delete {' '.join(components)}"] if components else []) + commands
    raise Conflict(
        f"Environment {environment.name} is in use by {in_words(found.address for found in inhabitants)}.",
        hint=f"Delete them first: {' and '.join(commands)}",
    )


def refuse_last(tx: Tx, instance: Instance, doomed: Collection[int | None]) -> None:
    """Raises Conflict when no instance of the service would stay (reference section 3.5)."""
    assert instance.service_id is not None
    service = tx.service_by_id(instance.service_id)
    staying = [sibling for sibling in tx.instances_of(service, Kind.SERVICE_INSTANCE) if sibling.id not in doomed]
    if all(is_being_destroyed(tx, sibling) for sibling in staying):
        raise Conflict(
            f"{instance.address.partition('/')[2]} is the last instance of service {service.name}; one must stay.",
            hint=f"Delete the service: landform service delete {service.name}",
        )


def is_being_destroyed(tx: Tx, instance: Instance) -> bool:
    """Whether a destroy of the instance is under way, or waits in line."""
    return any(run.operation == Operation.DESTROY for run in tx.line_of(instance))


def refuse_destroy_again(tx: Tx, run: Run, instance: Instance) -> None:
    """Raises Conflict when the destroy of an ended run may not be tried again now."""
    refuse_attached_component(tx, [instance], f"Run {run.id} cannot be retried")
    if instance.kind == Kind.ENVIRONMENT and run.hibernates:
        refuse_awake(tx, instance, ())
    elif instance.kind == Kind.ENVIRONMENT:
        refuse_inhabited(tx, instance)
    elif run.hibernates:
        return
    elif run.status == runs.Status.DISCARDED and instance.kind == Kind.SERVICE_INSTANCE:
        # one that had begun is to be finished, even if nothing of the service stays
        refuse_last(tx, instance, {instance.id})


def refuse_attach_again(tx: Tx, run: Run, component: Instance) -> None:
    """Raises Conflict when what an ended run of a component was to attach it to is gone, or has got another one."""
    if run.attached_id in (None, component.attached_id):
        return
    doing = f"Run {run.id} cannot be retried"
    try:
        instance = tx.instance_by_id(run.attached_id or 0)
    except NotFound:
        raise Conflict(f"{doing}: the instance that it was to attach {component.name} to is gone.") from None
    refuse_attached_component(tx, [instance], doing, component)


def refuse_edit(tx: Tx, service_name: str, instances: Iterable[Instance]) -> None:
    """Raises Busy while an instance of the service is being destroyed: an earlier edit is not done yet."""
    doomed = [instance for instance in instances if is_being_destroyed(tx, instance)]
    refuse_busy(tx, doomed, f"Service {service_name} cannot be changed")


def refuse_losing_outputs(tx: Tx, environment: Instance, target: Target, offered: Collection[str] | None) -> None:
    """Raises Conflict when a version of the environment takes outputs away that those need who get them now, or will
    by a run under way. None offers whatever it may be.
    """
    outputs = environment.outputs or {}
    if offered is None or outputs.keys() <= set(offered):
        return
    lost: dict[tuple[str, str], list[str]] = {}
    for reader in tx.readers_of(environment):
        name = reader.address.removeprefix(f"{Kind.SERVICE_INSTANCE.value}/")
        for version in _versions(tx, reader):
            for output, where in _taken(version, PART_OF[Kind(reader.kind)], outputs, offered):
                lost.setdefault((output, where), []).append(name)
    if lost:
        raise Conflict(
            f"{target.label} lacks outputs that live instances read:\n"
            + "\n".join(f"  {name}, read by {wiring.listed(by)} {at}" for (name, at), by in sorted(lost.items())),
            hint="Bring those instances to a version that does without, or delete them first.",
        )


def _taken(
    version: Target, name: PartName, outputs: Collection[str], offered: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Each output that is taken away from those made from a part of a version, and where that reads it."""
    part = version.facts.part(name)
    if part is not None:
        for output, read in wiring.taken(part, outputs, offered).items():
            yield output, f"({version.label}, {wiring.place(part, read)})"


def _versions(tx: Tx, reader: Instance) -> list[Target]:
    """The version that the instance is deployed with, and those that runs under way bring it to."""
    coming = [run.version_id for run in tx.line_of(reader) if run.operation == Operation.DEPLOY]
    template = tx.template_by_id(reader.template_id)
    return [Target(template, tx.version_by_id(number)) for number in dict.fromkeys([reader.version_id, *coming])]
