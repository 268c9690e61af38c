"""What differs between two runs: version, inputs, what they read of others, what they made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from engine.core import plans, wiring
from engine.core.located import Path, dotted
from engine.core.outputs import MASK
from engine.core.plans import Summary

Json = Mapping[str, object]
_Key = TypeVar("_Key", str, int)


class Kind(StrEnum):
    """What became of something from one run to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One thing that is not the same."""

    name: str
    """Of an input its path, `database.size` or `zones[1]`; of an upstream output `environment/prod vpc_id`."""
    kind: Kind
    before: object = None
    """None where it was not there, or where its value is not for everybody to see."""
    after: object = None

    def to_json(self) -> dict[str, object]:
        """As it is shown to programs."""
        return {"name": self.name, "change": self.kind.value, "before": self.before, "after": self.after}


@dataclass(frozen=True)
class Deed:
    """A run, as far as it can be compared."""

    template: str
    """`web@1.2`"""
    inputs: Json = field(default_factory=dict)
    upstream: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """As catalog.tables.Run.upstream."""
    outputs: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """As catalog.tables.Run.outputs."""
    summary: Summary | None = None
    """None before its plan is made."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs; of what is the same there is nothing."""

    inputs: tuple[Difference, ...]
    upstream: tuple[Difference, ...]
    """Without values: nobody keeps more of those than what tells two of them apart."""
    outputs: tuple[Difference, ...]
    changes: tuple[Difference, ...]
    """Resource -> what either plan would do to it."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.inputs or self.upstream or self.outputs or self.changes)


def compared(before: Deed, after: Deed) -> Comparison:
    """What differs from the one run to the other."""
    return Comparison(
        differences(before.inputs, after.inputs),
        tuple(_hidden(each) for each in _of(_read(before.upstream), _read(after.upstream))),
        tuple(_outputs(before.outputs, after.outputs)),
        tuple(_of(_actions(before.summary), _actions(after.summary))),
    )


def differences(before: Json, after: Json) -> tuple[Difference, ...]:
    """What differs between two trees, by path: the innermost that is not the same."""
    return tuple(_tree((), before, after))


def names(before: Json, after: Json) -> list[str]:
    """The top-level names whose values differ, in order."""
    return sorted(name for name in before.keys() | after.keys() if any(_member((name,), before, after, name)))


def _tree(at: Path, before: object, after: object) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted(before.keys() | after.keys()):
            yield from _member((*at, name), before, after, name)
    elif isinstance(before, list) and isinstance(after, list):
        old, new = dict(enumerate(before)), dict(enumerate(after))
        for index in range(max(len(before), len(after))):
            yield from _member((*at, index), old, new, index)
    elif not _is_same(before, after):
        yield Difference(dotted(at), Kind.CHANGED, before, after)


def _member(at: Path, before: Mapping[_Key, object], after: Mapping[_Key, object], key: _Key) -> Iterator[Difference]:
    if key not in before:
        yield Difference(dotted(at), Kind.ADDED, after=after[key])
    elif key not in after:
        yield Difference(dotted(at), Kind.REMOVED, before[key])
    else:
        yield from _tree(at, before[key], after[key])


def _is_same(before: object, after: object) -> bool:
    # in Python, true is 1
    return before == after and isinstance(before, bool) == isinstance(after, bool)


def _of(before: Json, after: Json) -> Iterator[Difference]:
    """What differs between two flat maps, by name."""
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Difference(name, Kind.ADDED, after=after[name])
        elif name not in after:
            yield Difference(name, Kind.REMOVED, before[name])
        elif before[name] != after[name]:
            yield Difference(name, Kind.CHANGED, before[name], after[name])


def _hidden(found: Difference) -> Difference:
    return Difference(found.name, found.kind)


def _read(upstream: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    """`environment/prod vpc_id` -> what tells its value from another one."""
    return {
        f"{address} {name}": digest
        for address, outputs in upstream.items()
        for name, digest in outputs.items()
        if name != wiring.ALL
    }


def _outputs(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Difference]:
    old, new = ({name: each["fingerprint"] for name, each in found.items()} for found in (before, after))
    for found in _of(old, new):
        yield Difference(found.name, found.kind, _value(before, found.name), _value(after, found.name))


def _value(outputs: Mapping[str, Json], name: str) -> object:
    output = outputs.get(name)
    if output is None:
        return None
    return MASK if output["sensitive"] else output.get("value")


def _actions(summary: Summary | None) -> dict[str, object]:
    """Resource -> what the plan would do to it."""
    return {change.address: change.action.value for change in (summary or plans.Summary()).changes}
