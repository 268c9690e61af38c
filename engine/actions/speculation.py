"""What a change would come to, for plans that nobody is going to apply: nothing is recorded here, and nobody refused
because somebody else is at work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.actions import any_kind, environments, referring
from engine.actions.changes import Change, Update
from engine.actions.desk import Desk, Target, raise_all, target_of, usable
from engine.actions.inputs import Given, Section, resolved
from engine.actions.refusals import refuse_unfit_environment
from engine.core import address, spec
from engine.core.address import Address, Kind
from engine.core.bundle import PartName
from engine.core.drafts import Draft
from engine.core.runs import Operation
from engine.core.versions import TemplateKind, TemplateRef
from engine.errors import Conflict, Invalid

if TYPE_CHECKING:
    from engine.catalog.tx import Tx


@dataclass(frozen=True)
class Newcomer:
    """Something that does not exist yet."""

    address: Address
    template: TemplateRef
    given: Given
    environment: str | None = None
    """Where a service instance would live; None leaves it to the spec."""


def of_update(desk: Desk, where: Address, wish: Update) -> Draft:
    """What an update would bring. Raises as the update itself would, but never Busy."""
    with desk.catalog.read() as tx:
        instance = tx.instance(where)
        return _draft(where, any_kind.change(tx, instance, wish))


def of_destroy(desk: Desk, where: Address) -> Draft:
    """What a destroy would be about. Raises NotFound."""
    with desk.catalog.read() as tx:
        instance = tx.instance(where)
        return _draft(where, Change(Operation.DESTROY, target_of(tx, instance), instance.inputs))


def of_newcomer(desk: Desk, wish: Newcomer) -> Draft:
    """What a creation would deploy. Raises as the creation itself would, and Conflict for what exists."""
    with desk.catalog.read() as tx:
        if tx.find_instance(wish.address) is not None:
            hint = f"Leave --template and --env out: landform run plan {wish.address} --speculative"
            raise Conflict(f"{wish.address} exists already.", hint=hint)
        if wish.address.kind is Kind.ENVIRONMENT:
            return _new_environment(tx, wish)
        if wish.address.kind is not Kind.SERVICE_INSTANCE:
            noun = wish.address.kind.noun
            raise Invalid(f"Only an environment or a service instance can be planned before it is there, no {noun}.")
        return _new_instance(tx, wish)


def _new_environment(tx: Tx, wish: Newcomer) -> Draft:
    target = usable(tx, wish.template, TemplateKind.ENVIRONMENT)
    return _new(wish, target, environments.section(wish.given), None)


def _new_instance(tx: Tx, wish: Newcomer) -> Draft:
    target = usable(tx, wish.template, TemplateKind.SERVICE)
    section, named = _entry(target, wish)
    if named is None:
        raise Invalid(
            f"Nothing says which environment {wish.address} would live in.",
            hint="Give --env NAME, or --spec FILE with an entry of that name.",
        )
    where = address.environment(named)
    environment = tx.instance(where)
    refuse_unfit_environment(target, target_of(tx, environment), environment, PartName.INSTANCE)
    return _new(wish, target, section, where)


def _new(wish: Newcomer, target: Target, section: Section, environment: Address | None) -> Draft:
    inputs, problems = resolved(target.schema.type, section, {}, wish.given.sets)
    hint = f"See its inputs: landform template show {target.label}"
    raise_all(f"The spec does not fit {target.label}:", problems, hint)
    drafted = _draft(wish.address, Change(Operation.DEPLOY, target, inputs))
    return replace(drafted, environment=environment, is_new=True)


def _entry(target: Target, wish: Newcomer) -> tuple[Section, str | None]:
    """The inputs that a ServiceSpec has for the instance, and the environment it would live in."""
    document = wish.given.document
    if document is None:
        return Section({}), wish.environment
    has_pipeline = target.facts.part(PartName.PIPELINE) is not None
    entries = spec.service_spec(document, pipeline=has_pipeline).instances
    entry = next((entry for entry in entries if entry.name == wish.address.name), None)
    if entry is None:
        names = ", ".join(entry.name for entry in entries) or "none"
        raise Invalid(f"{document.file} has no instance {wish.address.name} (there are: {names}).")
    if wish.environment not in (None, entry.environment):
        said = f"{document.file} says that {wish.address.name} lives in {entry.environment}"
        raise Invalid(f"{said}, and --env says {wish.environment}.", hint="Leave --env out.")
    return Section(entry.inputs, entry.at, document), entry.environment


def _draft(where: Address, change: Change) -> Draft:
    assert change.target.version.id is not None
    if change.operation is Operation.DEPLOY:
        referring.refuse_shown(change.target, where.kind, change.inputs)
    return Draft(where, change.operation, change.target.version.id, change.target.label, change.inputs)
