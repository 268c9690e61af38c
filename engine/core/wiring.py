"""Which outputs feed whom: what a part reads, whether it is offered, and what has changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.core.bundle import ENVIRONMENT_OUTPUTS, Facts, Part, PartName, Read
from engine.core.nearest import did_you_mean
from engine.core.versions import Number
from engine.errors import Problem, Severity

ALL = "*"
"""Stands for the names of all outputs, where code reads the map of them as a whole."""
INPUTS = "(inputs)"
"""Stands for the inputs of a service instance, which its pipeline reads beside its outputs."""
INSTANCES = "service_instances"
"""The list that a pipeline gets."""
INSTANCE_OUTPUTS = f"{INSTANCES}[].outputs"
"""The map of the outputs of each instance in that list."""
RULE = "wiring/outputs"
_OF_PIPELINE = f"{INSTANCES}[].{ENVIRONMENT_OUTPUTS}"
_SEPARATOR = ","
_MOST = 20
"""Names that a message lists."""


def environment_map(part: Part) -> str:
    """Where the part finds the outputs of environments; for a pipeline, those of every instance of its service."""
    return _OF_PIPELINE if part.name is PartName.PIPELINE else ENVIRONMENT_OUTPUTS


def missing(part: Part, offered: Collection[str]) -> tuple[Read, ...]:
    """The unguarded reads of environment outputs that are not `offered`: one an output, where it is first read."""
    return tuple(read for name, read in needed(part, environment_map(part)).items() if name not in offered)


def needs(part: Part) -> bool:
    """Whether the part reads any environment output by name that must be there."""
    return bool(needed(part, environment_map(part)))


def needed(part: Part, map: str) -> dict[str, Read]:
    """Output that must be there in a map of the namespace -> where it is first read: guarded reads need none."""
    prefix = f"{map}."
    first: dict[str, Read] = {}
    for read in sorted(part.reads, key=lambda read: (read.file, read.line)):
        if read.path.startswith(prefix) and not read.guarded:
            first.setdefault(read.path[len(prefix) :].split(".")[0], read)
    return first


def output_of(read: Read) -> str:
    """The name of the environment output that is read; ALL where the code reads the map of them as a whole."""
    _, found, names = read.path.partition(f"{ENVIRONMENT_OUTPUTS}.")
    return names.split(".")[0] if found else ALL


def taken(part: Part, outputs: Collection[str], offered: Collection[str]) -> dict[str, Read]:
    """Output -> where it is first read, unguarded, of those in `outputs` that are not `offered` any more.

    Code that reads the map as a whole reads all of them. A pipeline that reads its list as a whole may mean anything
    in it, as a rule not this.
    """
    gone = sorted(set(outputs) - set(offered))
    named, whole = needed(part, environment_map(part)), _whole(part)
    found = {name: named.get(name, whole) for name in gone}
    return {name: read for name, read in found.items() if read is not None}


def _whole(part: Part) -> Read | None:
    """Where the map of environment outputs is first read as a whole, unguarded; None where it never is."""
    map = f"{environment_map(part)}."
    reads = (read for read in part.reads if not read.guarded and map.startswith(f"{read.path}."))
    return min(reads, key=lambda read: (read.file, read.line), default=None)


def place(part: Part, read: Read) -> str:
    """Where in the bundle the read is: `instance_infrastructure/main.tf:5`."""
    return f"{part.name.value}/{read.file}:{read.line}"


def declared(environment: Facts) -> frozenset[str] | None:
    """The outputs that environments of a version will have; None where its code does not say (Jinja may write more)."""
    part = environment.part(PartName.INFRASTRUCTURE)
    return frozenset(output.name for output in part.outputs) if part is not None and part.engine == "hcl" else None


def offered(environment: Facts, inputs: Iterable[str]) -> frozenset[str] | None:
    """As declared(); environments that somebody else manages give the `inputs` that they have."""
    return frozenset(inputs) if environment.customer_managed else declared(environment)


@dataclass(frozen=True)
class Offer:
    """A version of an environment template, and what environments of it have to give."""

    number: Number
    outputs: frozenset[str] | None
    """None where nobody can tell before it is deployed."""

    def has(self, output: str) -> bool:
        """Whether an environment of the version may have the output."""
        return self.outputs is None or output in self.outputs


def judged(part: Part, template: str, offers: Sequence[Offer]) -> tuple[Problem, ...]:
    """What is wrong with the reads of environment outputs, where `offers` are all versions of a major of a template:
    an error for an output that none has, a warning for one that only some have. Nothing without versions.
    """
    found = (
        (_judged(part, name, read, (template, offers)) for name, read in needed(part, environment_map(part)).items())
        if offers
        else ()
    )
    return tuple(problem for problem in found if problem is not None)


def _judged(part: Part, output: str, read: Read, among: tuple[str, Sequence[Offer]]) -> Problem | None:
    template, offers = among
    have = [offer.number for offer in offers if offer.has(output)]
    lack = [offer.number for offer in offers if not offer.has(output)]
    file, severity, hint = f"{part.name.value}/{read.file}", Severity.WARNING, ""
    if not lack:
        return None
    if have:
        message = f"{_since(template, have, lack)}; environments of {listed(map(str, lack))} have no such output."
    else:
        names = {name for offer in offers for name in offer.outputs or ()}
        on_offer = f"On offer: {listed(sorted(names))}." if names else "It offers none."
        message = f"No version of {template} has this output. {on_offer}{did_you_mean(output, names)}"
        severity = Severity.ERROR
        hint = "If it may be absent, guard the read with try()."
    return Problem(file, read.line, read.path, message, RULE, severity, hint)


def _since(template: str, have: Sequence[Number], lack: Sequence[Number]) -> str:
    name = template.partition(":")[0]
    if min(have) > max(lack):
        return f"{template} has it from {name}@{min(have)} on"
    numbers = listed(f"{name}@{number}" for number in have)
    return f"Of {template}, only {numbers} {'has' if len(have) == 1 else 'have'} it"


def listed(names: Iterable[str]) -> str:
    """`a, b and c`; of very many, the first."""
    found = list(names)
    if len(found) > _MOST:
        found = [*found[:_MOST], f"{len(found) - _MOST} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1])))


def read(part: Part, outputs: Mapping[str, str], map: str = ENVIRONMENT_OUTPUTS) -> dict[str, str]:
    """What the part depends on of an instance, whose outputs are name -> fingerprint and come to it in that map.

    Output name -> fingerprint, "" for one that is read but not there; ALL -> the names, where the map is read whole.
    """
    found = {name: outputs.get(name, "") for name in sorted(part.names_used(map))}
    return found | (whole(outputs) if part.reads_all(map) else {})


def drawn(part: Part, map: str) -> tuple[str, ...]:
    """The names in a map of the namespace that the part reads, guarded or not, sorted; ALL among them where it reads
    the map, or a list that holds it, as a whole.
    """
    is_whole = part.reads_all(map) or (map.startswith(INSTANCES) and any(read.path == INSTANCES for read in part.reads))
    return tuple(sorted({*part.names_used(map), *([ALL] if is_whole else [])}))


def whole(outputs: Mapping[str, str]) -> dict[str, str]:
    """As read(), for what depends on all outputs and on which there are."""
    return {**outputs, ALL: _SEPARATOR.join(sorted(outputs))}


def changed(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The outputs that are not as they were when they were read, as `environment/prod vpc_id`, sorted.

    `then` maps an upstream address to what read() found, `now` to its outputs as name -> fingerprint. An upstream that
    `now` does not mention is not judged.
    """
    pairs = ((address, found, now[address]) for address, found in then.items() if address in now)
    return sorted(f"{address} {name}" for address, found, current in pairs for name in _differing(found, current))


def _differing(found: Mapping[str, str], current: Mapping[str, str]) -> set[str]:
    values = {name for name, fingerprint in found.items() if name != ALL and current.get(name, "") != fingerprint}
    if ALL not in found:
        return values
    names = set(filter(None, found[ALL].split(_SEPARATOR)))
    return values | (names ^ current.keys())
