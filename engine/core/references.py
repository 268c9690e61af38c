"""`$ref` between the types of a schema: resolved, bounded, and refused when it leads back to itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core import shapes
from engine.core.located import Document, Json, Path, shown
from engine.core.nearest import did_you_mean
from engine.core.values import violations
from engine.errors import Problem

SIZE_MAX = 10_000
DEPTH_MAX = 50
_TOO_LARGE = f"has more than {SIZE_MAX:,} parts or {DEPTH_MAX} levels, once every $ref in it is written out."


@dataclass(frozen=True)
class _Resolved:
    type: Json
    size: int = 1
    depth: int = 1


@dataclass
class Resolver:
    """Resolves types as TypeReader.read() returns them; checks that what they offer satisfies them."""

    document: Document
    types: Mapping[str, Json]
    at: Path
    """Where in the document the types stand."""
    problems: list[Problem] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    """Names of the types that a `$ref` leads to."""
    _done: dict[str, _Resolved] = field(default_factory=dict)
    _trail: list[str] = field(default_factory=list)
    _level: int = 0

    def all(self) -> dict[str, Json]:
        """Every type by name, without a `$ref` in it; where one is refused stands {}, which takes anything."""
        return {name: self._named(name).type for name in self.types}

    def _named(self, name: str) -> _Resolved:
        if name not in self._done:
            self._trail.append(name)
            resolved = self._type(self.types[name], (*self.at, name))
            self._trail.pop()
            self._done[name] = resolved
        return self._done[name]

    def _type(self, type: Json, path: Path) -> _Resolved:
        if self._level >= DEPTH_MAX:
            self._refuse(path, _TOO_LARGE)
            return _Resolved({})
        self._level += 1
        resolved = self._resolved(type, path)
        self._level -= 1
        self._check_offers(resolved.type, type, path)
        return resolved

    def _resolved(self, type: Json, path: Path) -> _Resolved:
        if "$ref" in type:
            target = self._target(type["$ref"], (*path, "$ref"))
            beside = {key: value for key, value in type.items() if key != "$ref"}
            return _Resolved({**target.type, **beside}, target.size, target.depth)
        return self._parts(type, path)

    def _parts(self, type: Json, path: Path) -> _Resolved:
        parts: list[_Resolved] = []

        def change(part: Json, place: Path) -> Json:
            parts.append(self._type(part, path + place))
            return parts[-1].type

        whole = shapes.mapped(type, change)
        size, depth = 1 + sum(part.size for part in parts), 1 + max((part.depth for part in parts), default=0)
        if size > SIZE_MAX or depth > DEPTH_MAX:
            self._refuse(path, _TOO_LARGE)
            return _Resolved({})
        return _Resolved(whole, size, depth)

    def _target(self, name: str, path: Path) -> _Resolved:
        if name not in self.types:
            self._refuse(path, f"There is no type {shown(name)}.{did_you_mean(name, self.types)}")
            return _Resolved({})
        self.used.add(name)
        if name in self._trail:
            cycle = [*self._trail[self._trail.index(name) :], name]
            self._refuse(path, f"leads back to itself: {' -> '.join(cycle)}.")
            return _Resolved({})
        return self._named(name)

    def _check_offers(self, resolved: Json, written: Json, path: Path) -> None:
        if "enum" in written:
            choice = {key: value for key, value in resolved.items() if key != "enum"}
            for index, value in enumerate(written["enum"]):
                self._check((*path, "enum", index), choice, value, "schema/enum")
        if "default" in written:
            default = written["default"]
            self._check((*path, "default"), resolved, shapes.complete(resolved, default), "schema/default")

    def _check(self, path: Path, type: Json, value: object, rule: str) -> None:
        for place, sentence in violations(type, value):
            self.problems.append(self.document.problem(path + place, sentence, rule=rule))

    def _refuse(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message, rule="schema/ref"))
