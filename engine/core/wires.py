"""Who feeds whom, as a graph: instances and the outputs that flow between them, or versions of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.core import wiring
from engine.core.address import Kind
from engine.core.bundle import COMPONENT_OUTPUTS, Facts, Part, PartName
from engine.core.versions import Number, TemplateKind
from engine.core.wiring import ALL


@dataclass(frozen=True, order=True)
class Node:
    """An instance, or a version of a template."""

    name: str
    """Its address, or `web@1.0`."""
    kind: str
    """Of the instance, or of the template."""
    template: str = ""
    """The version that the instance is on, `web@1.0`."""
    stale: bool = False
    """Whether something that it reads has changed since."""


@dataclass(frozen=True, order=True)
class Wire:
    """What flows from one node to another."""

    source: str
    target: str
    outputs: tuple[str, ...]
    """Names that are read, sorted; ALL among them for a map that is read as a whole."""
    stale: tuple[str, ...] = ()
    """Those that have changed since they were read."""
    missing: tuple[str, ...] = ()
    """Those that must be there, and are not."""

    def labels(self) -> list[str]:
        """Each output with what is to be said of it."""
        every = dict.fromkeys((*self.outputs, *self.stale, *self.missing))
        return [self._label(name) for name in every]

    def _label(self, name: str) -> str:
        said = [word for word, names in (("stale", self.stale), ("missing", self.missing)) if name in names]
        return (("all outputs" if name == ALL else name) + (f" ({', '.join(said)})" if said else "")).strip()


@dataclass(frozen=True)
class Wires:
    """A graph, by name; every wire has both its nodes."""

    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]


def around(graph: Wires, names: Iterable[str]) -> Wires:
    """The part of the graph that feeds the named nodes or is fed by them, at however many removes, and they."""
    named = set(names)
    sources = _reached(named, graph.wires, lambda wire: (wire.target, wire.source))
    targets = _reached(named, graph.wires, lambda wire: (wire.source, wire.target))
    above, below, chosen = named | sources, named | targets, named | sources | targets
    return Wires(
        tuple(node for node in graph.nodes if node.name in chosen),
        tuple(wire for wire in graph.wires if wire.target in above or wire.source in below),
    )


def _reached(start: Iterable[str], wires: Sequence[Wire], ends: Callable[[Wire], tuple[str, str]]) -> set[str]:
    """Every node that the wires lead to from where it starts; `ends` says in which direction they are followed."""
    ways: dict[str, set[str]] = {}
    for wire in wires:
        here, there = ends(wire)
        ways.setdefault(here, set()).add(there)
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        fresh = ways.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


@dataclass(frozen=True)
class Place:
    """An instance, as far as outputs flow into it and out of it."""

    address: str
    kind: Kind
    template: str
    """The version that it is on, `web@1.0`."""
    part: Part | None
    """What its version is made from; None where there is nothing to run."""
    outputs: frozenset[str] | None = None
    """None before its first deploy."""
    environment: str = ""
    """Address of the one that it lives in."""
    service: str = ""
    attached: str = ""
    """Address of the service instance that a component is attached to."""
    stale: tuple[str, ...] = ()
    """As catalog.tables.Instance.stale."""


def live(places: Sequence[Place]) -> Wires:
    """What flows between the instances, by the code of the versions that they are on; one that reads nothing of
    another is not wired to it.
    """
    known = {place.address: place for place in places}
    siblings: dict[str, list[Place]] = {}
    components: dict[str, list[Place]] = {}
    for place in places:
        if place.kind is Kind.SERVICE_INSTANCE:
            siblings.setdefault(place.service, []).append(place)
        elif place.attached:
            components.setdefault(place.attached, []).append(place)
    wires: list[Wire] = []
    for place in places:
        ways = dict(_ways(place, siblings.get(place.service, ()), components.get(place.address, ())))
        wires += _fed(place, {**dict.fromkeys(_sources(place)), **ways}, known)
    nodes = {place.address: Node(place.address, place.kind, place.template, bool(place.stale)) for place in places}
    gone = {wire.source for wire in wires} - nodes.keys()
    nodes |= {address: Node(address, address.partition("/")[0]) for address in gone}
    return Wires(tuple(sorted(nodes.values())), tuple(sorted(wires)))


def _ways(place: Place, siblings: Iterable[Place], components: Iterable[Place]) -> Iterator[tuple[str, str]]:
    """Address of whatever may feed the instance, and the map in which it gets the outputs."""
    if place.part is None:
        return
    if place.kind is Kind.PIPELINE:
        for sibling in siblings:
            yield sibling.address, wiring.INSTANCE_OUTPUTS
            yield sibling.environment, wiring.environment_map(place.part)
    elif place.environment:
        yield place.environment, wiring.environment_map(place.part)
        yield from ((component.address, COMPONENT_OUTPUTS) for component in components)


def _sources(place: Place) -> dict[str, list[str]]:
    """Address -> the outputs of it that have changed since they were read."""
    found: dict[str, list[str]] = {}
    for address, _, output in (entry.partition(" ") for entry in place.stale):
        found.setdefault(address, []).append(output)
    return found


def _fed(place: Place, ways: Mapping[str, str | None], known: Mapping[str, Place]) -> Iterator[Wire]:
    stale = _sources(place)
    for source, map in ways.items():
        has = known[source].outputs if source in known else None
        part = place.part if map is not None else None
        reads = wiring.drawn(part, map or "") if part else ()
        lacks = wiring.needed(part, map or "").keys() - has if part and has is not None else set()
        if reads or source in stale:
            yield Wire(source, place.address, reads, tuple(stale.get(source, ())), tuple(sorted(lacks)))


@dataclass(frozen=True)
class Edition:
    """A version of a template that is registered, as far as outputs of environments are concerned."""

    template: str
    kind: TemplateKind
    number: Number
    facts: Facts
    compatible: tuple[str, ...] = ()
    """Of a service: the environment templates that it may run in, as `name:major`."""
    inputs: tuple[str, ...] = ()
    """Of an environment template: their names."""

    @property
    def label(self) -> str:
        """`service/web@1.2`: both kinds may have a template of one name."""
        return f"{self.kind.value}/{self.template}@{self.number}"


def between(editions: Sequence[Edition]) -> Wires:
    """What versions of services read of each version of the environment templates that they may run in."""
    homes = [edition for edition in editions if edition.kind is TemplateKind.ENVIRONMENT]
    guests = [edition for edition in editions if edition.kind is TemplateKind.SERVICE]
    pairs = (
        (home, guest)
        for guest in guests
        for home in homes
        if f"{home.template}:{home.number.major}" in guest.compatible
    )
    wires = [wire for home, guest in pairs if (wire := _between(home, guest)).outputs]
    nodes = [Node(edition.label, edition.kind) for edition in (*homes, *guests)]
    return Wires(tuple(sorted(nodes)), tuple(sorted(wires)))


def _between(home: Edition, guest: Edition) -> Wire:
    offered = wiring.offered(home.facts, home.inputs)
    parts = [part for name in _READING if (part := guest.facts.part(name))]
    reads = {output for part in parts for output in wiring.drawn(part, wiring.environment_map(part))}
    lack = (
        {wiring.output_of(read) for part in parts for read in wiring.missing(part, offered)}
        if offered is not None
        else ()
    )
    return Wire(home.label, guest.label, tuple(sorted(reads)), missing=tuple(sorted(lack)))


_READING = (PartName.INSTANCE, PartName.PIPELINE)
"""The parts of a service template that read outputs of environments."""
