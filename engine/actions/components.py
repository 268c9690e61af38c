"""Intentions of developers about components: one Terraform file each, attached to a service instance or by itself in an
environment (reference section 5.9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.actions import changes, instances, line
from engine.actions.changes import Change, Consent, Update
from engine.actions.desk import Desk, Target, raise_all, target_of
from engine.actions.inputs import STORED, Given, Section, resolved
from engine.actions.line import Standing
from engine.actions.refusals import (
    refuse_asleep,
    refuse_attached_component,
    refuse_busy,
    refuse_unfit_environment,
    refuse_unready,
)
from engine.core import address
from engine.core.address import Address, Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation
from engine.core.updates import UpdateKind
from engine.core.versions import TemplateKind, VersionStatus
from engine.errors import Conflict, Invalid, Problem, Usage
from engine.terraform import backends

if TYPE_CHECKING:
    from engine.bundles.components import Component, Source
    from engine.catalog.tables import Instance, Template, Version
    from engine.catalog.tx import Tx

DIRECTLY_DEFINED = "DIRECTLY_DEFINED"
_OF_INSTANCE = ("service", "service_instance")
"""The variables that are null while a component is detached."""
_RULE = "hcl/detached"


@dataclass(frozen=True)
class NewComponent:
    """What a developer asks for: an environment, or a service instance whose environment it is then."""

    name: str
    source: Source
    environment: str | None = None
    attach: Address | None = None
    given: Given = field(default_factory=Given)
    """A ServiceSpec whose entry of the instance goes before the inputs that the instance has."""
    description: str = ""


@dataclass(frozen=True)
class ComponentUpdate:
    """What an update asks for; without anything, the component is deployed again as it stands."""

    source: Source | None = None
    """None: the file that it has."""
    attach: Address | None = None
    detach: bool = False
    given: Given = field(default_factory=Given)
    description: str | None = None
    """None leaves it as it is."""

    @property
    def deploys(self) -> bool:
        """Whether anything but the description is to change."""
        return self.source is not None or self.attach is not None or self.detach or not self.given.is_empty


def create(desk: Desk, wish: NewComponent, consent: Consent) -> list[int]:
    """Records the component and its first run; the run's id.

    Raises Invalid with every violation, NotFound, Conflict when the name is taken or it may not be attached, Busy.
    """
    where = address.component(wish.name)
    loaded = _loaded(desk, wish.source)
    if desk.done(consent.asked) is None:
        # nothing is stored for what is refused
        with desk.catalog.read() as tx:
            _place(tx, wish)
    digest = desk.store.put(loaded.files)

    def act(tx: Tx) -> list[int]:
        attached, environment, inputs = _place(tx, wish)
        template = tx.add_template(TemplateKind.COMPONENT.value, wish.name)
        target = Target(template, _version(tx, template, wish.source.name, loaded, digest))
        refuse_unfit(tx, target, environment, attached)
        component = tx.add_instance(
            address=where,
            kind=Kind.COMPONENT.value,
            name=wish.name,
            environment_id=environment.id,
            attached_id=attached.id if attached else None,
            template_id=template.id,
            version_id=target.version.id,
            description=wish.description,
            inputs=inputs,
            backend=backends.chosen(desk.settings.backend, str(where)),
        )
        change = Change(Operation.DEPLOY, target, inputs, attached_id=component.attached_id)
        return [changes.submit(tx, desk, component, change, consent)]

    return desk.once(consent.asked, act)


def update(desk: Desk, name: str, wish: ComponentUpdate, consent: Consent, *, again: bool = False) -> list[int]:
    """Records a run that deploys another file, attaches or detaches; its id, [] when only the description changes.

    `again` deploys even if nothing else was asked for. Raises as create(), Usage for wishes that do not go together.
    """
    where = address.component(name)
    found = None
    if wish.source:
        loaded = _loaded(desk, wish.source)
        found = loaded, desk.store.put(loaded.files)

    def act(tx: Tx) -> list[int]:
        component = tx.instance(where)
        if wish.description is not None:
            component.description = wish.description
            tx.save(component)
        if not (wish.deploys or again):
            return []
        standing = line.standing(tx, component, queue=consent.queue)
        change = _change(tx, component, wish, standing, found)
        return [changes.submit(tx, desk, component, change, consent)]

    return desk.once(consent.asked, act)


def redeploy(desk: Desk, name: str, wish: Update, consent: Consent) -> list[int]:
    """Records a run that deploys the component as it stands; its id in a list. Raises as change(), and Busy."""

    def act(tx: Tx) -> list[int]:
        component = tx.instance(address.component(name))
        standing = line.standing(tx, component, queue=consent.queue)
        return [changes.submit(tx, desk, component, change(tx, component, wish, standing), consent)]

    return desk.once(consent.asked, act)


def change(tx: Tx, component: Instance, wish: Update, standing: Standing | None = None) -> Change:
    """What another deploy of the component comes to, from where it stands: as it is deployed, unless that is given.

    Its file stays, as does what it is attached to.
    Raises Invalid for a wish that speaks of versions, which a component has only of its own file.
    """
    if wish.number is not None or wish.kind not in (None, UpdateKind.CURRENT_VERSION):
        raise Invalid(
            "A component has no versions to choose from.", hint="Give it another file: landform component update"
        )
    standing = standing or line.standing(tx, component, queue=False)
    return _change(tx, component, ComponentUpdate(given=wish.given), standing)


def delete(desk: Desk, names: Sequence[str], consent: Consent) -> list[int]:
    """Records a destroy of each component; the runs' ids. Raises NotFound, Conflict while one is attached, Busy."""

    def act(tx: Tx) -> list[int]:
        doomed = [tx.instance(address.component(name)) for name in dict.fromkeys(names)]
        for component in doomed:
            _refuse_attached(tx, component)
        return [changes.submit_destroy(tx, desk, component, consent) for component in doomed]

    return desk.once(consent.asked, act)


def _loaded(desk: Desk, source: Source) -> Component:
    """The component in the file. Raises Invalid."""
    from engine.bundles.components import load

    return load(source, desk.confirm)


def _place(tx: Tx, wish: NewComponent) -> tuple[Instance | None, Instance, dict[str, object]]:
    """What the new component is to be attached to, the environment it is to live in, and its inputs.

    Raises as create().
    """
    # first of all: whoever tries once more is not to be told that the instance has a component
    if tx.find_instance(address.component(wish.name)) is not None:
        raise Conflict(
            f"Component {wish.name} exists already.", hint=f"Change it: landform component update {wish.name}"
        )
    attached = _attachable(tx, wish.attach) if wish.attach else None
    environment = _environment(tx, wish, attached)
    refuse_unready(tx, environment)
    inputs = _inputs(tx, attached, wish.given)
    return attached, environment, inputs


def _version(tx: Tx, template: Template, name: str, loaded: Component, digest: str) -> Version:
    return tx.register_version(
        template,
        1 if template.highest else None,
        status=VersionStatus.PUBLISHED.value,
        source=name,
        bundle=digest,
        facts=loaded.facts.to_json(),
    )


def _change(
    tx: Tx,
    component: Instance,
    wish: ComponentUpdate,
    standing: Standing,
    found: tuple[Component, str] | None = None,
) -> Change:
    if wish.attach and wish.detach:
        raise Usage("A component is attached or detached, not both.", hint="Leave --attach or --detach out.")
    attached = _to_be_attached(tx, component, wish, standing.attached_id)
    inputs = _inputs(tx, attached, wish.given)
    environment = instances.environment_of(tx, component)
    refuse_unready(tx, environment)
    target = standing.target
    if found is not None and wish.source is not None and found[1] != target.version.bundle:
        target = Target(target.template, _version(tx, target.template, wish.source.name, *found))
    refuse_unfit(tx, target, environment, attached)
    kind = UpdateKind.CURRENT_VERSION
    return Change(Operation.DEPLOY, target, inputs, kind, attached_id=attached.id if attached else None)


def _to_be_attached(tx: Tx, component: Instance, wish: ComponentUpdate, attached_id: int | None) -> Instance | None:
    """The service instance that the component is to be attached to; None when to none. `attached_id` is where it is."""
    now = tx.instance_by_id(attached_id) if attached_id is not None else None
    if wish.detach:
        if now is None:
            raise Conflict(
                f"Component {component.name} is not attached.",
                hint=f"See where it is: landform component show {component.name}",
            )
        refuse_busy(tx, [now], f"Component {component.name} cannot be detached")
        return None
    if wish.attach is None or (now is not None and now.address == str(wish.attach)):
        return now
    if now is not None:
        raise Conflict(
            f"Component {component.name} is attached to {now.address.partition('/')[2]}.",
            hint=f"Detach it first: landform component update {component.name} --detach",
        )
    wanted = _attachable(tx, wish.attach, component)
    if wanted.environment_id != component.environment_id:
        where = instances.environment_of(tx, wanted).name
        own = instances.environment_of(tx, component).name
        raise Conflict(
            f"{wish.attach} lives in environment {where}; component {component.name} lives in {own}.",
            hint="Attach it to an instance there, or make another component: landform component create",
        )
    return wanted


def _attachable(tx: Tx, where: Address, component: Instance | None = None) -> Instance:
    """The service instance, when a component may be attached to it now. Raises NotFound, Invalid, Conflict, Busy."""
    if where.kind is not Kind.SERVICE_INSTANCE:
        raise Invalid(f"{where} is not a service instance: a component is attached to one.")
    instance = tx.instance(where)
    refuse_unattachable(tx, instance, component)
    return instance


def refuse_unattachable(tx: Tx, instance: Instance, component: Instance | None = None) -> None:
    """Raises Conflict when a component cannot be attached to a service instance now, Busy while that is changed."""
    target, name = target_of(tx, instance), instance.address.partition("/")[2]
    refuse_asleep(instance, f"No component can be attached to {name}")
    if DIRECTLY_DEFINED not in target.version.component_sources:
        raise Conflict(
            f"{target.label}, as {instance.address} is, takes no components.",
            hint=f"Its .template-registration.yaml must have: supported_component_sources: [{DIRECTLY_DEFINED}]",
        )
    refuse_attached_component(tx, [instance], f"No other component can be attached to {name}", component)
    refuse_busy(tx, [instance], f"No component can be attached to {name}")


def _environment(tx: Tx, wish: NewComponent, attached: Instance | None) -> Instance:
    if attached is None:
        if wish.environment is None:
            raise Usage("A component needs a place.", hint="Give --env NAME, or --instance SERVICE/NAME to attach it.")
        return tx.instance(address.environment(wish.environment))
    environment = instances.environment_of(tx, attached)
    if wish.environment not in (None, environment.name):
        raise Conflict(
            f"{attached.address} lives in environment {environment.name}, not in {wish.environment}.",
            hint="Leave --env out: an attached component lives where its instance does.",
        )
    return environment


def _inputs(tx: Tx, attached: Instance | None, given: Given) -> dict[str, object]:
    """The inputs of the instance that the component gets: those that the instance has, or those of a spec."""
    if attached is None:
        if not given.is_empty:
            raise Usage("A component that is not attached takes no inputs.", hint="Leave --spec out.")
        return {}
    section = Section(attached.inputs, document=STORED)
    if given.document is not None:
        section = instances.section(given.document, attached, instances.environment_of(tx, attached))
    target = target_of(tx, attached)
    inputs, problems = resolved(target.schema.type, section, attached.inputs, given.sets)
    raise_all(f"The spec does not fit {target.label}:", problems)
    return inputs


def refuse_unfit(tx: Tx, target: Target, environment: Instance, attached: Instance | None) -> None:
    """Raises Conflict when the environment lacks an output that the file reads, Invalid when it reads of an instance,
    unguarded, and is attached to none.
    """
    refuse_unfit_environment(target, target_of(tx, environment), environment, PartName.COMPONENT)
    part = target.facts.part(PartName.COMPONENT)
    if attached is None and part is not None:
        hint = "Guard it with try(), or attach the component."
        raise_all(
            f"{target.label} reads what a component has only while it is attached:",
            [
                Problem(f"{part.name.value}/{read.file}", read.line, f"var.{read.path}", "is null.", _RULE, hint=hint)
                for read in part.reads_of_null(_OF_INSTANCE)
            ],
        )


def _refuse_attached(tx: Tx, component: Instance) -> None:
    line.refuse_held(tx, [component], f"Component {component.name} cannot be deleted", queue=False)
    if component.attached_id is not None and component.deployed_run_id is not None:
        where = tx.instance_by_id(component.attached_id).address.partition("/")[2]
        raise Conflict(
            f"Component {component.name} is attached to {where}.",
            hint=f"Detach it first: landform component update {component.name} --detach",
        )
