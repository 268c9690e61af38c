"""Intentions of admins about environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.actions import changes, line, marks, provisioned
from engine.actions.changes import Change, Consent
from engine.actions.desk import Desk, raise_all, usable
from engine.actions.inputs import STORED, Given, Section, resolved
from engine.actions.line import Standing
from engine.actions.provisioned import Chosen
from engine.actions.refusals import refuse_inhabited, refuse_miswired
from engine.core import address, rules, spec
from engine.core.address import Address, Kind
from engine.core.rules import Rules
from engine.core.run_env import EnvValue, files, plain
from engine.core.runs import Operation
from engine.core.versions import TemplateKind, TemplateRef
from engine.errors import Invalid, Problem
from engine.settings import check_run_env, check_run_env_file
from engine.terraform import backends

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
    run_env: Mapping[str, EnvValue] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule -> value as typed."""
    provisioning: Chosen = field(default_factory=Chosen)
    credentials: str = ""
    """Name of those in landform.toml; "" for those that everybody gets."""
    tags: Mapping[str, str] = field(default_factory=dict)


def create(desk: Desk, wish: NewEnvironment, consent: Consent) -> list[int]:
    """Records the environment and its first run; the run's id.

    Raises Invalid with every violation, NotFound for the template, Conflict when the name is taken.
    """
    where = address.environment(wish.name)
    _refuse_run_env(wish.run_env)
    repository = provisioned.of_environment(wish.provisioning, {})
    new = _New(where, _changed_rules(Rules(), wish.rules), repository, consent)
    return desk.once(consent.asked, lambda tx: _create(tx, desk, wish, new))


@dataclass(frozen=True)
class _New:
    """What a new environment needs beside what its admin has said."""

    where: Address
    rules: Rules
    provisioning: dict[str, Any]
    """As catalog.tables.Instance.provisioning."""
    consent: Consent


def _create(tx: Tx, desk: Desk, wish: NewEnvironment, new: _New) -> list[int]:
    target = usable(tx, wish.template, TemplateKind.ENVIRONMENT)
    inputs, problems = resolved(target.schema.type, section(wish.given), {}, wish.given.sets)
    raise_all(
        f"The spec does not fit {target.label}:", problems, f"See its inputs: landform template show {target.label}"
    )
    instance = tx.add_instance(
        address=str(new.where),
        kind=Kind.ENVIRONMENT.value,
        name=wish.name,
        template_id=target.template.id,
        version_id=target.version.id,
        description=wish.description,
        inputs=inputs,
        run_env=dict(wish.run_env),
        rules=new.rules.to_json(),
        provisioning=new.provisioning,
        credentials=marks.known_credentials(desk, wish.credentials),
        tags=marks.tagged({}, wish.tags),
        backend=backends.chosen(desk.settings.backend, str(new.where)),
    )
    return [changes.submit(tx, desk, instance, Change(Operation.DEPLOY, target, inputs), new.consent)]


@dataclass(frozen=True)
class Details:
    """What changes without a run."""

    description: str | None = None
    """None leaves it as it is."""
    run_env: Mapping[str, EnvValue | None] = field(default_factory=dict)
    """Laid over what is there; a variable given None is taken away."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Rule -> value as typed, laid over what is there; "" is the default."""
    provisioning: Chosen = field(default_factory=Chosen)
    credentials: str | None = None
    """As NewEnvironment has it; None leaves it as it is."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Laid over what is there; "" takes one away. They reach the infrastructure with the next run."""


def update(
    desk: Desk, name: str, wish: changes.Update | None, consent: Consent, details: Details | None = None
) -> list[int]:
    """Records a run that brings the environment to another version or other inputs; its id, [] without a wish.

    Raises as create(), and Busy while a run holds the environment; the details are not changed then either.
    """

    def act(tx: Tx) -> list[int]:
        instance = tx.instance(address.environment(name))
        if details is not None:
            _describe(tx, desk, instance, details)
        return [] if wish is None else [_update(tx, desk, instance, wish, consent)]

    return desk.once(consent.asked, act)


def _update(tx: Tx, desk: Desk, instance: Instance, wish: changes.Update, consent: Consent) -> int:
    found = change(tx, instance, wish, line.standing(tx, instance, queue=consent.queue))
    return changes.submit(tx, desk, instance, found, consent)


def change(tx: Tx, instance: Instance, wish: changes.Update, standing: Standing | None = None) -> Change:
    """What an update comes to, from where the environment stands: as it is deployed, unless that is given.

    Raises as create().
    """
    standing = standing or line.standing(tx, instance, queue=False)
    target, kind = changes.target(tx, standing, wish)
    given = section(wish.given) if wish.given.document else Section(standing.inputs, document=STORED)
    inputs, problems = resolved(target.schema.type, given, standing.inputs, wish.given.sets)
    raise_all(
        f"The spec does not fit {target.label}:", problems, f"See its inputs: landform template show {target.label}"
    )
    refuse_miswired(tx, instance, target, inputs)
    return Change(Operation.DEPLOY, target, inputs, kind)


def delete(desk: Desk, name: str, consent: Consent) -> list[int]:
    """Records a destroy of the environment; its run's id.

    Raises Conflict while anything lives in it, Busy while somebody works on a run of it.
    """

    def act(tx: Tx) -> list[int]:
        instance = tx.instance(address.environment(name))
        refuse_inhabited(tx, instance)
        line.refuse_held(tx, [instance], f"Environment {name} cannot be deleted", queue=consent.queue)
        return [changes.submit_destroy(tx, desk, instance, consent)]

    return desk.once(consent.asked, act)


def section(given: Given) -> Section:
    """The inputs that an EnvironmentSpec document holds; none when there is no document. Raises Invalid."""
    if given.document is None:
        return Section({})
    found = spec.environment_spec(given.document)
    return Section(found.inputs, found.at, given.document)


def _describe(tx: Tx, desk: Desk, instance: Instance, details: Details) -> None:
    _refuse_run_env({name: value for name, value in details.run_env.items() if value is not None})
    if details.description is not None:
        instance.description = details.description
    merged = {**instance.run_env, **details.run_env}
    instance.run_env = {name: value for name, value in merged.items() if value is not None}
    instance.rules = _changed_rules(rules.from_json(instance.rules), details.rules).to_json()
    if details.credentials is not None:
        instance.credentials = marks.known_credentials(desk, details.credentials)
    instance.tags = marks.tagged(instance.tags, details.tags)
    provisioned.change(tx, instance, details.provisioning)
    tx.save(instance)


def _changed_rules(before: Rules, wishes: Mapping[str, str]) -> Rules:
    """The rules with those that were typed. Raises Invalid with everything that is wrong."""
    found, problems = rules.changed(before, wishes)
    raise_all("The rules cannot be used:", problems, f"Rules are: {', '.join(rules.NAMES)}.")
    return found


def _refuse_run_env(variables: Mapping[str, EnvValue]) -> None:
    values, paths = plain(variables).items(), files(variables).items()
    problems = [
        *(Problem("--run-env", 0, name, check_run_env(name, value)) for name, value in values),
        *(Problem("--run-env-file", 0, name, check_run_env_file(name, path)) for name, path in paths),
    ]
    wrong = [problem for problem in problems if problem.message]
    if wrong:
        raise Invalid("The run environment cannot be used:", problems=wrong)
