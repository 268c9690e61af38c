"""Intentions of developers about single service instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from engine.actions import changes, line, marks, pipelines
from engine.actions.changes import Change, Consent, Update
from engine.actions.desk import Desk, raise_all, target_of
from engine.actions.inputs import STORED, Section, resolved
from engine.actions.line import Standing
from engine.actions.refusals import refuse_attached_component, refuse_last, refuse_unfit_environment, refuse_unready
from engine.core import located, spec
from engine.core.address import Address, Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation
from engine.errors import Invalid, Problem

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.located import Document


def update(
    desk: Desk, address: Address, wish: Update, consent: Consent, tags: Mapping[str, str] | None = None
) -> list[int]:
    """Records a run that brings the instance to another version or other inputs; its id in a list.

    `tags` are laid over those of the instance.
    A spec document is the whole ServiceSpec; only this instance's entry counts (reference section 3.6).
    Raises Invalid with every violation, Conflict when version and environment do not fit, Busy.
    """

    def act(tx: Tx) -> list[int]:
        instance = tx.instance(address)
        _tag(tx, instance, tags or {})
        return [_update(tx, desk, instance, wish, consent)]

    return desk.once(consent.asked, act)


def _update(tx: Tx, desk: Desk, instance: Instance, wish: Update, consent: Consent) -> int:
    refuse_unready(tx, environment_of(tx, instance))
    found = change(tx, instance, wish, line.standing(tx, instance, queue=consent.queue))
    return changes.submit(tx, desk, instance, found, consent)


def change(tx: Tx, instance: Instance, wish: Update, standing: Standing | None = None) -> Change:
    """What an update comes to, from where the instance stands: as it is deployed, unless that is given.

    Raises as update(), but never Busy.
    """
    environment = environment_of(tx, instance)
    standing = standing or line.standing(tx, instance, queue=False)
    target, kind = changes.target(tx, standing, wish)
    refuse_unfit_environment(target, target_of(tx, environment), environment, PartName.INSTANCE)
    given = _section(wish, instance, environment, standing)
    inputs, problems = resolved(target.schema.type, given, standing.inputs, wish.given.sets)
    raise_all(
        f"The spec does not fit {target.label}:", problems, f"See its inputs: landform template show {target.label}"
    )
    return Change(Operation.DEPLOY, target, inputs, kind)


def tag(desk: Desk, address: Address, tags: Mapping[str, str]) -> Instance:
    """Lays tags over those of the instance, where "" takes one away, without a run: the next one applies them.

    Raises NotFound, Invalid with everything wrong with them.
    """
    with desk.catalog.write() as tx:
        instance = tx.instance(address)
        _tag(tx, instance, tags)
        return instance


def _tag(tx: Tx, instance: Instance, tags: Mapping[str, str]) -> None:
    instance.tags = marks.tagged(instance.tags, tags)
    tx.save(instance)


def delete(desk: Desk, addresses: Sequence[Address], consent: Consent) -> list[int]:
    """Records a destroy of each instance, and a deploy of the pipelines that then have fewer; the runs' ids.

    Raises NotFound for an unknown one, Conflict when it is the last of its service, Busy while somebody works on a run
    of one. Nothing is recorded unless all can be.
    """

    def act(tx: Tx) -> list[int]:
        doomed = [tx.instance(address) for address in dict.fromkeys(addresses)]
        wrong = [found.address for found in doomed if found.kind != Kind.SERVICE_INSTANCE]
        if wrong:
            raise Invalid(
                f"{wrong[0]} is not a service instance.", hint="Delete an environment with: landform env delete"
            )
        for instance in doomed:
            refuse_last(tx, instance, {found.id for found in doomed})
        refuse_attached_component(tx, doomed, "An instance cannot be deleted")
        ids = {found.address: changes.submit_destroy(tx, desk, found, consent) for found in doomed}
        return [*ids.values(), *followed(tx, desk, doomed, ids, consent)]

    return desk.once(consent.asked, act)


def followed(tx: Tx, desk: Desk, doomed: Sequence[Instance], ids: Mapping[str, int], consent: Consent) -> Iterator[int]:
    """The runs of the pipelines whose services lose instances by the runs `ids`, address -> number."""
    for service_id in dict.fromkeys(found.service_id for found in doomed):
        after = [ids[found.address] for found in doomed if found.service_id == service_id]
        yield from pipelines.follow(tx, desk, tx.service_by_id(service_id or 0), consent, after)


def environment_of(tx: Tx, instance: Instance) -> Instance:
    """The environment that a service instance lives in."""
    assert instance.environment_id is not None
    return tx.instance_by_id(instance.environment_id)


def _section(wish: Update, instance: Instance, environment: Instance, standing: Standing) -> Section:
    document = wish.given.document
    return section(document, instance, environment) if document else Section(standing.inputs, document=STORED)


def section(document: Document, instance: Instance, environment: Instance) -> Section:
    """The inputs that a ServiceSpec has for the instance. Raises Invalid when it has none, or wants to move it."""
    entries = spec.service_spec(document, pipeline=True).instances
    entry = next((entry for entry in entries if entry.name == instance.name), None)
    if entry is None:
        names = ", ".join(entry.name for entry in entries) or "none"
        raise Invalid(f"{document.file} has no instance {instance.name} (there are: {names}).")
    if entry.environment != environment.name:
        problem = Problem(
            document.file,
            document.line((*entry.at[:-1], "environment")),
            located.dotted((*entry.at[:-1], "environment")),
            f"an instance cannot move: it lives in {environment.name}, not in {entry.environment}.",
            "spec/moved",
        )
        raise Invalid("The spec cannot be applied:", problems=[problem])
    return Section(entry.inputs, entry.at, document)
