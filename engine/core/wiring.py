"""Which outputs feed whom: what a part reads, whether it is offered, and what has changed since."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from engine.core.bundle import Part, Read


def missing(part: Part, offered: Collection[str]) -> tuple[Read, ...]:
    """The unguarded reads of environment outputs that are not `offered`: one an output, where it is first read."""
    needed = part.environment_outputs() - set(offered)
    prefix = "environment.outputs."
    first: dict[str, Read] = {}
    for read in sorted(part.reads, key=lambda read: (read.file, read.line)):
        name = read.path.removeprefix(prefix).split(".")[0]
        if read.path.startswith(prefix) and name in needed and not read.guarded:
            first.setdefault(name, read)
    return tuple(first.values())


def used(part: Part, offered: Collection[str]) -> frozenset[str]:
    """The environment outputs whose value the part depends on."""
    if part.reads_all_environment_outputs():
        return frozenset(offered)
    return part.environment_outputs_used() & set(offered)


def changed(then: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The outputs read `then` whose value differs `now`, as `environment/prod vpc_id`, sorted.

    Both map an upstream address to {output name: fingerprint}. An upstream that `now` does not mention is not judged.
    """
    return sorted(
        f"{address} {name}"
        for address, outputs in then.items()
        if address in now
        for name, fingerprint in outputs.items()
        if now[address].get(name) != fingerprint
    )
