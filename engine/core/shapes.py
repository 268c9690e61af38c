"""What a resolved input type says where several of its parts speak (`allOf` and its like): names, types, defaults."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping

from engine.core.located import Json, Path

ALTERNATIVES = ("allOf", "anyOf", "oneOf")


def mapped(type: Json, change: Callable[[Json, Path], Json]) -> Json:
    """`type` with every type directly inside it replaced; `change` gets each with its place in `type`."""
    result = dict(type)
    if "properties" in type:
        result["properties"] = {name: change(part, ("properties", name)) for name, part in type["properties"].items()}
    for keyword in ALTERNATIVES:
        if keyword in type:
            result[keyword] = [change(part, (keyword, index)) for index, part in enumerate(type[keyword])]
    for keyword in ("items", "not", "additionalProperties"):
        if isinstance(type.get(keyword), dict):
            result[keyword] = change(type[keyword], (keyword,))
    return result


def kind(type: Json) -> str:
    """`string`, `object`, ...; "" when it takes any."""
    return next((str(part["type"]) for part in _all_of(type) if "type" in part), "")


def properties(type: Json) -> dict[str, Json]:
    """Property name -> type, in order, those of `allOf` included."""
    merged: dict[str, Json] = {}
    for part in _all_of(type):
        for name, property in part.get("properties", {}).items():
            if name not in merged or (default(property) and not default(merged[name])):
                merged[name] = property
    return merged


def names(type: Json) -> dict[str, None]:
    """The property names of an object in order, whichever alternative they belong to."""
    return dict.fromkeys(name for part in _levels(type) for name in part.get("properties", ()))


def additional(type: Json) -> Json | None:
    """What members beyond names() must be; None when there may be none.

    An object that declares properties is closed unless it says `additionalProperties`: an unknown name is a typing
    error far more often than a wish. An object that declares none is a map of anything.
    """
    levels = list(_levels(type))
    declared = [part["additionalProperties"] for part in levels if "additionalProperties" in part]
    for given in declared:
        if given is not False:
            return given if isinstance(given, dict) else {}
    return None if declared or any("properties" in part for part in levels) else {}


def item(type: Json) -> Json:
    """The type of a list's items; {} when they may be anything."""
    return next((part["items"] for part in _all_of(type) if "items" in part), {})


def required(type: Json) -> list[str]:
    """The names that must be given: required, and without a default."""
    members = properties(type)
    wanted = (name for part in _all_of(type) for name in part.get("required", ()))
    return [name for name in dict.fromkeys(wanted) if name not in members or not default(members[name])]


def default(type: Json) -> tuple[object, ...]:
    """The default in a tuple of one; () when there is none."""
    return next(((part["default"],) for part in _all_of(type) if "default" in part), ())


def filled(type: Json, values: Mapping[str, object]) -> dict[str, object]:
    """`values` with the defaults of everything left out, in the order of the type's properties, others last.

    Optional members without a default stay absent, and so does an object whose defaults are all inside it.
    """
    members = properties(type)
    result: dict[str, object] = {}
    for name, property in members.items():
        for value in (values[name],) if name in values else default(property):
            result[name] = complete(property, value)
    other = additional(type) or {}
    result.update({name: complete(other, value) for name, value in values.items() if name not in members})
    return result


def key(value: object) -> Hashable:
    """Equal for equal JSON values, and only for those: 1 is 1.0, but not true."""
    if isinstance(value, dict):
        return "object", frozenset((name, key(member)) for name, member in value.items())
    if isinstance(value, list):
        return "array", tuple(map(key, value))
    if isinstance(value, bool) or value is None:
        return "word", value
    return value if isinstance(value, int | float | str) else repr(value)


def complete(type: Json, value: object) -> object:
    """`value` of any kind with the defaults inside it filled in, as filled() does."""
    if isinstance(value, dict):
        return filled(type, value)
    if isinstance(value, list):
        return [complete(item(type), one) for one in value]
    return value


def _all_of(type: Json) -> Iterator[Json]:
    yield type
    for part in type.get("allOf", ()):
        yield from _all_of(part)


def _levels(type: Json) -> Iterator[Json]:
    yield type
    for keyword in ALTERNATIVES:
        for part in type.get(keyword, ()):
            yield from _levels(part)
