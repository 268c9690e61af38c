"""Inputs given on the command line: `--set server.port=8080`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.core import dynamic, located, shapes
from engine.core.located import Json, shown
from engine.errors import Invalid, Problem

FILE = "--set"
_RULE = "set"
_DEPTH_MAX = 50
_LENGTH_MAX = 100_000


def assignments(pairs: Sequence[str], type: Json) -> Json:
    """The inputs that `key=value` pairs name; dots in a key lead into objects.

    A value is read as its type in the schema says: a string stays as it is (`80`, `true`), everything else is YAML.
    Unknown names are kept for values.check() to refuse. Raises Invalid with every pair that cannot be used.
    """
    reader = _Reader(type)
    for pair in pairs:
        reader.add(pair)
    if reader.problems:
        raise Invalid(f"The inputs of {FILE} cannot be used:", problems=reader.problems)
    return reader.inputs


@dataclass
class _Reader:
    type: Json
    inputs: Json = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _given: set[tuple[str, ...]] = field(default_factory=set)

    def add(self, pair: str) -> None:
        key, equals, text = pair.partition("=")
        path = self._path(key, pair) if equals else ()
        if not equals:
            self._wrong("", f"{shown(pair)} is not an assignment.", f"Write it as {FILE} port=8080.")
        elif path and self._is_new(path, key):
            self._given.add(path)
            self._put(path, self._value(path, key, text))

    def _path(self, key: str, pair: str) -> tuple[str, ...]:
        """The names in `key`; () when it is wrong."""
        try:
            path = located.undotted(key)
        except Invalid as error:
            self._wrong("", error.message, error.hint)
            return ()
        names = tuple(step for step in path if isinstance(step, str))
        if not path:
            self._wrong("", f"{shown(pair)} names no input.")
        elif len(names) < len(path):
            self._wrong(key, "names an item of a list.", f"Set the whole list: {names[0] if names else 'x'}=[a, b]")
        elif len(path) > _DEPTH_MAX:
            self._wrong("", f"{shown(key)} leads more than {_DEPTH_MAX} levels deep.")
        else:
            return names
        return ()

    def _is_new(self, path: tuple[str, ...], key: str) -> bool:
        for given in self._given:
            if path[: len(given)] == given or given[: len(path)] == path:
                self._wrong(key, "is set twice." if given == path else "is set twice: as a whole and in part.")
                return False
        return True

    def _value(self, path: tuple[str, ...], key: str, text: str) -> object:
        character = located.unprintable(text)
        if character or len(text) > _LENGTH_MAX:
            reason = f"The character {character} is not allowed." if character else "is too long."
            self._wrong(key, reason)
            return text
        type = _type_at(self.type, path)
        kind = "" if type is None else shapes.kind(type)
        is_reference = text.startswith("{{") and dynamic.is_meant(text)
        if type is None or kind == "string" or is_reference or text in type.get("enum", ()):
            return text
        try:
            return located.parse(text, FILE).value
        except Invalid as error:
            if kind in ("array", "object"):
                reason = error.problems[0].message
                self._wrong(key, f"The value {reason}" if reason.startswith("is ") else reason)
            # text that is not YAML is no number either: its check says so
            return text

    def _put(self, path: tuple[str, ...], value: object) -> None:
        level = self.inputs
        for name in path[:-1]:
            level = level.setdefault(name, {})
        level[path[-1]] = value

    def _wrong(self, field: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(FILE, 0, field, message, _RULE, hint=hint))


def _type_at(type: Json, path: tuple[str, ...]) -> Json | None:
    """The type of the value at `path`; None when the schema knows no such name."""
    for name in path:
        properties = shapes.properties(type)
        other = shapes.additional(type)
        if name not in properties and other is None:
            return None
        type = properties.get(name, other or {})
    return type
