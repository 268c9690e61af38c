"""Intentions of admins about environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.actions import changes
from engine.actions.changes import Change, Consent
from engine.actions.desk import Desk, raise_all, usable
from engine.actions.inputs import STORED, Given, Section, resolved
from engine.actions.refusals import refuse_busy, refuse_inhabited, refuse_losing_outputs
from engine.core import address, spec
from engine.core.address import Kind
from engine.core.bundle import PartName
from engine.core.runs import Operation
from engine.core.versions import TemplateKind, TemplateRef
from engine.errors import Invalid, Problem
from engine.settings import check_run_env

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx


@dataclass(frozen=True)
class NewEnvironment:
    """What an admin asks for."""

    name: str
    template: TemplateRef
    given: Given = field(default_factory=Given)
    description: str = ""
    run_env: Mapping[str, str] = field(default_factory=dict)


def create(desk: Desk, wish: NewEnvironment, consent: Consent) -> list[int]:
    """Records the environment and its first run; the run's id.

    Raises Invalid with every violation, NotFound for the template, Conflict when the name is taken.
    """
    where = address.environment(wish.name)
    _refuse_run_env(wish.run_env)
    with desk.catalog.write() as tx:
        target = usable(tx, wish.template, TemplateKind.ENVIRONMENT)
        inputs, problems = resolved(target.schema.type, section(wish.given), {}, wish.given.sets)
        raise_all(
            f"The spec does not fit {target.label}:", problems, f"See its inputs: landform template show {target.label}"
        )
        instance = tx.add_instance(
            address=str(where),
            kind=Kind.ENVIRONMENT.value,
            name=wish.name,
            template_id=target.template.id,
            version_id=target.version.id,
            description=wish.description,
            inputs=inputs,
            run_env=dict(wish.run_env),
        )
        return [changes.submit(tx, desk, instance, Change(Operation.DEPLOY, target, inputs), consent)]


@dataclass(frozen=True)
class Details:
    """What changes without a run."""

    description: str | None = None
    """None leaves it as it is."""
    run_env: Mapping[str, str | None] = field(default_factory=dict)
    """Laid over what is there; a variable given None is taken away."""


def update(
    desk: Desk, name: str, wish: changes.Update | None, consent: Consent, details: Details | None = None
) -> list[int]:
    """Records a run that brings the environment to another version or other inputs; its id, [] without a wish.

    Raises as create(), and Busy while a run holds the environment; the details are not changed then either.
    """
    with desk.catalog.write() as tx:
        instance = tx.instance(address.environment(name))
        if details is not None:
            _describe(tx, instance, details)
        if wish is None:
            return []
        target, kind = changes.target(tx, instance, wish)
        part = target.facts.part(PartName.INFRASTRUCTURE)
        # what Jinja writes may have outputs that nobody can see before
        if part is not None and part.engine == "hcl" and target.version.id != instance.version_id:
            refuse_losing_outputs(tx, instance, target, {output.name for output in part.outputs})
        given = section(wish.given) if wish.given.document else Section(instance.inputs, document=STORED)
        inputs, problems = resolved(target.schema.type, given, instance.inputs, wish.given.sets)
        raise_all(
            f"The spec does not fit {target.label}:", problems, f"See its inputs: landform template show {target.label}"
        )
        return [changes.submit(tx, desk, instance, Change(Operation.DEPLOY, target, inputs, kind), consent)]


def delete(desk: Desk, name: str, consent: Consent) -> list[int]:
    """Records a destroy of the environment; its run's id.

    Raises Conflict while anything lives in it, Busy while a run holds it.
    """
    with desk.catalog.write() as tx:
        instance = tx.instance(address.environment(name))
        refuse_inhabited(tx, instance)
        refuse_busy(tx, [instance], f"Environment {name} cannot be deleted")
        return [changes.submit_destroy(tx, desk, instance, consent)]


def section(given: Given) -> Section:
    """The inputs that an EnvironmentSpec document holds; none when there is no document. Raises Invalid."""
    if given.document is None:
        return Section({})
    found = spec.environment_spec(given.document)
    return Section(found.inputs, found.at, given.document)


def _describe(tx: Tx, instance: Instance, details: Details) -> None:
    _refuse_run_env({name: value for name, value in details.run_env.items() if value is not None})
    if details.description is not None:
        instance.description = details.description
    merged = {**instance.run_env, **details.run_env}
    instance.run_env = {name: value for name, value in merged.items() if value is not None}
    tx.save(instance)


def _refuse_run_env(run_env: Mapping[str, str]) -> None:
    wrong = [
        Problem("--run-env", 0, name, text) for name, value in run_env.items() if (text := check_run_env(name, value))
    ]
    if wrong:
        raise Invalid("The run environment cannot be used:", problems=wrong)
