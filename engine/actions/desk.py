"""What every action works with, and the look-ups that more than one of them needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core import bundle, registered, runs, wiring
from engine.core.address import Address
from engine.core.bundle import Facts, PartName
from engine.core.schema import Schema
from engine.core.versions import TemplateKind, TemplateRef, VersionStatus
from engine.errors import Conflict, Invalid, Problem

if TYPE_CHECKING:
    from engine.bundles.store import Store
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Instance, Run, Template, Version
    from engine.catalog.tx import Tx
    from engine.settings import Settings


@dataclass(frozen=True)
class Desk:
    """The catalog and the bundle store, on behalf of one user."""

    catalog: Catalog
    store: Store
    settings: Settings

    @property
    def user(self) -> str:
        """Who asks."""
        return self.settings.user


@dataclass(frozen=True)
class Target:
    """A template version that something is to be made from."""

    template: Template
    version: Version

    @property
    def label(self) -> str:
        """`web@1.2`"""
        return f"{self.template.name}@{self.version.major}.{self.version.minor}"

    @property
    def facts(self) -> Facts:
        """What was learned from the bundle at registration."""
        return bundle.from_json(self.version.facts)

    @property
    def schema(self) -> Schema:
        """The input schema."""
        return registered.schema_of(self.version.schema_text, customer_managed=self.template.provisioning == "customer")


def usable(tx: Tx, ref: TemplateRef, kind: TemplateKind) -> Target:
    """The version named by `ref`, or the recommended one, when something may be made from it.

    Drafts are used only when named. Raises NotFound, or Conflict when its registration failed.
    """
    template = tx.find_template(TemplateRef(ref.name, ref.number, ref.kind or kind))
    version = tx.find_version(template, ref.number)
    target = Target(template, version)
    if version.status == VersionStatus.FAILED:
        raise Conflict(
            f"{target.label} failed its registration and cannot be used.",
            hint=f"See why: landform template show {target.label}",
        )
    return target


def target_of(tx: Tx, instance: Instance) -> Target:
    """The version an instance is deployed with, or was created for."""
    return Target(tx.template_by_id(instance.template_id), tx.version_by_id(instance.version_id))


def refuse_unfit_environment(target: Target, environment: Target, instance: Instance, part: PartName) -> None:
    """Raises Conflict when a service version may not or cannot run in an environment; `instance` is the environment."""
    wanted = f"{environment.template.name}:{environment.version.major}"
    if wanted not in target.version.compatible:
        raise Conflict(
            f"{target.label} does not run in environments of {wanted}, as {instance.name} is.",
            hint=f"It runs in: {', '.join(target.version.compatible) or 'none'}.",
        )
    refuse_missing_outputs(target, part, instance.outputs or {}, f"{instance.name} ({environment.label})")


def refuse_missing_outputs(target: Target, name: PartName, offered: Collection[str], environment: str) -> None:
    """Raises Conflict when the environment lacks an output that the part reads, naming each and where it is read."""
    part = target.facts.part(name)
    reads = wiring.missing(part, offered) if part else ()
    if reads:
        raise Conflict(
            f"Environment {environment} has no output that {target.label} needs:\n"
            + "\n".join(f"  {read.path} (read in {name.value}/{read.file}:{read.line})" for read in reads),
            hint="Update the environment to a version that has it, or choose another one.",
        )


def refuse_busy(tx: Tx, instances: Iterable[Instance], doing: str) -> None:
    """Raises Busy when one of the instances has a run under way; `doing` says what had to be refused."""
    from engine.errors import Busy

    held = [(instance.address, run) for instance in instances if (run := tx.active_run(instance))]
    if held:
        raise Busy(
            f"{doing} while "
            + ", ".join(f"{address} is held by run {run.id} ({run.status})" for address, run in held)
            + ".",
            hint=f"See it: landform run show {held[0][1].id}. {_ways_out(held[0][1])}".rstrip(),
        )


def _ways_out(run: Run) -> str:
    verbs = runs.next_actions(runs.Status(run.status))
    return f"Then: {' or '.join(f'landform run {verb} {run.id}' for verb in verbs)}" if verbs else ""


def raise_all(message: str, problems: Iterable[Problem], hint: str = "") -> None:
    """Raises Invalid with all problems by file and line, when there are any."""
    found = sorted(problems)
    if found:
        raise Invalid(message, hint=hint, problems=found)


def in_words(addresses: Iterable[str]) -> str:
    """Addresses as a sentence lists them, without the kind: `orders/prod and billing/prod`."""
    names = [address.partition("/")[2] for address in addresses]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def address_of(instance: Instance) -> Address:
    """The address of a row."""
    from engine.core.address import parse

    return parse(instance.address)
