"""Intentions of admins about guards: what the plans of an environment or a template must keep to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions.desk import Desk, raise_all
from engine.core import address, guard_files, guards, located, policies
from engine.core.guards import Guards
from engine.core.versions import TemplateRef
from engine.errors import Conflict, ExternalFailure, Invalid, Problem
from engine.external import rego

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Template
    from engine.catalog.tx import Tx
    from engine.core.guards import Policy
    from engine.core.located import Document


def read(document: Document, folder: Path) -> Guards:
    """The guards of a file in `folder`, with the policies that it names, which are tried on an empty plan.

    Raises Invalid with everything that is wrong, ExternalFailure where policies in Rego cannot be evaluated.
    """
    found = guard_files.parse(document, lambda name: _text(folder, name))
    raise_all("The policies cannot be used:", _problems(found))
    return found


def keep_environment(desk: Desk, name: str, wanted: Guards) -> list[int]:
    """Has all plans in an environment keep to these guards; the runs whose plans are stale by that.

    Raises NotFound, Conflict where others run Terraform.
    """
    with desk.catalog.write() as tx:
        environment = tx.instance(address.environment(name))
        if environment.provisioning and wanted != Guards():
            raise Conflict(
                f"The Terraform of environment {name} is run by others: Landform sees none of its plans.",
                hint="Guard them there, where the pull requests are planned.",
            )
        return _keep(tx, environment, wanted, tx.planned_in(environment))


def keep_template(desk: Desk, ref: TemplateRef, wanted: Guards) -> list[int]:
    """As keep_environment(), for the plans of all instances of a template. Raises NotFound."""
    with desk.catalog.write() as tx:
        template = tx.find_template(ref)
        return _keep(tx, template, wanted, tx.planned_of(template))


def _keep(tx: Tx, owner: Instance | Template, wanted: Guards, planned: list[int]) -> list[int]:
    """Those of the runs whose plans were made under other guards."""
    is_same = owner.guards == wanted.to_json()
    owner.guards = wanted.to_json()
    tx.save(owner)
    return [] if is_same else planned


def of_environment(desk: Desk, name: str) -> Guards:
    """The guards of an environment. Raises NotFound."""
    with desk.catalog.read() as tx:
        return guards.from_json(tx.instance(address.environment(name)).guards)


def of_template(desk: Desk, ref: TemplateRef) -> Guards:
    """The guards of a template. Raises NotFound."""
    with desk.catalog.read() as tx:
        return guards.from_json(tx.find_template(ref).guards)


def _text(folder: Path, name: str) -> str:
    """The text of a policy. Raises Invalid."""
    path, most = folder / name, guard_files.POLICY_BYTES_MAX
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise Invalid(f"{name} leads out of the folder of the guards.")
        with path.open("rb") as file:
            return located.decode(file.read(most + 1), name)
    except Invalid as error:
        raise Invalid(" ".join([f"{name} cannot be read:", *(each.message for each in error.problems)])) from error
    except OSError as error:
        raise Invalid(f"{name} cannot be read: {error.strerror}.") from error


def _problems(found: Guards) -> Iterator[Problem]:
    """What is wrong with the policies."""
    if not found.rego:
        return
    nameless = [policy for policy in found.rego if not policies.package(policy)]
    yield from (_problem(policy, 0, "says no package, such as `package main`.") for policy in nameless)
    if not policies.has_rules(found.rego):
        yield _problem(found.rego[0], 0, "has no rule that is called deny, violation or warn.")
    if nameless:
        return
    modules = {policy.file: policy.text for policy in found.rego}
    question = rego.Question(modules, policies.packages(found.rego), policies.EMPTY_PLAN, strict=False)
    try:
        said = rego.documents(question, None)
        list(policies.refusals(found, said, ""))
    except rego.Broken as error:
        yield Problem(error.name, error.line, "", error.message, "guards/rego")
    except ExternalFailure as error:
        if not rego.is_installed():
            raise
        yield _problem(found.rego[0], 0, error.message)


def _problem(policy: Policy, line: int, message: str) -> Problem:
    return Problem(policy.file, line, "", message, "guards/rego")
