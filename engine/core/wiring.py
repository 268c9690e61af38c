"""Which outputs feed whom: what a part reads, whether it is offered, and what has changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.core.bundle import ENVIRONMENT_OUTPUTS, Facts, Part, PartName, Read

ALL = "*"
"""Stands for the names of all outputs, where code reads the map of them as a whole."""
INPUTS = "(inputs)"
"""Stands for the inputs of a service instance, which its pipeline reads beside its outputs."""
_SEPARATOR = ","


def missing(part: Part, offered: Collection[str]) -> tuple[Read, ...]:
    """The unguarded reads of environment outputs that are not `offered`: one an output, where it is first read."""
    needed = part.environment_outputs() - set(offered)
    prefix = f"{ENVIRONMENT_OUTPUTS}."
    first: dict[str, Read] = {}
    for read in sorted(part.reads, key=lambda read: (read.file, read.line)):
        name = read.path.removeprefix(prefix).split(".")[0]
        if read.path.startswith(prefix) and name in needed and not read.guarded:
            first.setdefault(name, read)
    return tuple(first.values())


def declared(environment: Facts) -> frozenset[str] | None:
    """The outputs that environments of a version will have; None where its code does not say (Jinja may write more)."""
    part = environment.part(PartName.INFRASTRUCTURE)
    return frozenset(output.name for output in part.outputs) if part is not None and part.engine == "hcl" else None


def read(part: Part, outputs: Mapping[str, str], map: str = ENVIRONMENT_OUTPUTS) -> dict[str, str]:
    """What the part depends on of an instance, whose outputs are name -> fingerprint and come to it in that map.

    Output name -> fingerprint, "" for one that is read but not there; ALL -> the names, where the map is read whole.
    """
    found = {name: outputs.get(name, "") for name in sorted(part.names_used(map))}
    return found | (whole(outputs) if part.reads_all(map) else {})


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
