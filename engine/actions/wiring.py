"""What the registration of a version has to say about wiring: whether others offer what it reads, or read what it does
not offer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from engine.core import bundle, registered, shapes, wiring
from engine.core.bundle import Facts, Part, PartName
from engine.core.schema import Schema
from engine.core.versions import Number, TemplateKind, VersionStatus
from engine.core.wiring import Offer
from engine.errors import Invalid, Problem, Severity

if TYPE_CHECKING:
    from engine.catalog.tables import Template, Version
    from engine.catalog.tx import Tx

_UNUSABLE = (VersionStatus.FAILED, VersionStatus.YANKED)


def of_service(tx: Tx, facts: Facts, compatible: Collection[str]) -> list[Problem]:
    """A warning for each environment output that a service version reads, and only some versions offer of an
    environment template (`name:major`) that it may run in. A template that is not registered yet says nothing.

    Raises Invalid with all of them, and every output that none offers, when there is one of these.
    """
    offers = {wanted: _offers(tx, wanted) for wanted in compatible}
    parts = _reading(facts)
    problems = [
        each for wanted, found in offers.items() for part in parts for each in wiring.judged(part, wanted, found)
    ]
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        outputs = "an output" if len(errors) == 1 else f"{len(errors)} outputs"
        raise Invalid(
            f"This bundle reads {outputs} that no environment will have that it may run in:",
            problems=sorted(problems),
            hint="Mend the names, or register an environment template that offers them first.",
        )
    return problems


def of_environment(tx: Tx, wanted: str, facts: Facts, schema: Schema) -> list[Problem]:
    """A warning for each output that the version of an environment template, `name:major`, does not have, and service
    versions read that may run in environments of it: with their names, and where they read it.
    """
    offered = wiring.offered(facts, shapes.names(schema.type))
    if offered is None:
        return []
    hint = "Instances of those cannot live in environments of this version."
    return [
        Problem(
            PartName.INFRASTRUCTURE.value,
            0,
            f"output.{output}",
            f"Not declared, and read by {wiring.listed(readers)}.",
            wiring.RULE,
            Severity.WARNING,
            hint,
        )
        for output, readers in sorted(readers_of_output(tx, wanted).items())
        if output not in offered
    ]


def readers_of_output(tx: Tx, wanted: str) -> Mapping[str, tuple[str, ...]]:
    """Output -> who reads it, unguarded, of the service versions that may run in environments of `name:major`, as
    `web@1.0 (instance_infrastructure/main.tf:5)`, lowest version first.
    """
    found: dict[str, list[str]] = {}
    for template, version in _usable(tx, TemplateKind.SERVICE):
        for part in _reading(bundle.from_json(version.facts)) if wanted in version.compatible else ():
            for output, read in wiring.needed(part, wiring.environment_map(part)).items():
                reader = f"{template.name}@{_number(version)} ({wiring.place(part, read)})"
                found.setdefault(output, []).append(reader)
    return {output: tuple(readers) for output, readers in found.items()}


def _reading(facts: Facts) -> list[Part]:
    """The parts of a service template that read outputs of environments."""
    return [part for name in (PartName.INSTANCE, PartName.PIPELINE) if (part := facts.part(name))]


def _offers(tx: Tx, wanted: str) -> list[Offer]:
    """What the versions of `name:major` offer, lowest first."""
    found = ((each, _number(version), version) for each, version in _usable(tx, TemplateKind.ENVIRONMENT))
    return [
        Offer(number, _offered(template, version))
        for template, number, version in found
        if f"{template.name}:{number.major}" == wanted
    ]


def _offered(template: Template, version: Version) -> frozenset[str] | None:
    facts, is_customers = bundle.from_json(version.facts), template.provisioning == "customer"
    schema = registered.schema_of(version.schema_text, customer_managed=is_customers) if is_customers else None
    return wiring.offered(facts, shapes.names(schema.type) if schema else ())


def _usable(tx: Tx, kind: TemplateKind) -> Iterator[tuple[Template, Version]]:
    """The versions of that kind that something may be made from, by template and number."""
    for template in tx.templates(kind):
        yield from ((template, version) for version in tx.versions(template) if version.status not in _UNUSABLE)


def _number(version: Version) -> Number:
    return Number(version.major, version.minor)
