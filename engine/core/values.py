"""Whether values satisfy a resolved input type, in sentences (OpenAPI 3.0's dialect of JSON Schema)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sized
from fractions import Fraction
from typing import Any, TypeGuard

from engine.core import dynamic, patterns, shapes
from engine.core.located import Document, Json, Path, short, shown
from engine.core.nearest import did_you_mean
from engine.errors import Problem

Violation = tuple[Path, str]
"""A place inside the value, and what is wrong there."""
RULE = "value"
_NAMES_MAX = 20
_KINDS: dict[str, tuple[str, Callable[[object], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "number": ("a number", lambda value: is_number(value)),
    "integer": ("a whole number", lambda value: is_number(value) and value == int(value)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("a list", lambda value: isinstance(value, list)),
    "object": ("a mapping of names to values", lambda value: isinstance(value, dict)),
}


def check(type: Json, values: Mapping[str, object], at: Path, document: Document) -> list[Problem]:
    """Everything wrong with the inputs `values`, which `document` holds at `at`, once defaults are filled in."""
    complete = shapes.filled(type, values)
    found = [*violations({"properties": {}, **type}, complete, "an input of this template"), *_too_many(complete)]
    return [document.problem((*at, *place), sentence, rule=RULE) for place, sentence in found]


def violations(type: Json, value: object, noun: str = "a known property") -> Iterator[Violation]:
    """Everything wrong with `value`; `noun` is what an unknown member of it is not."""
    if isinstance(value, dict):
        yield from _unknown(type, value, noun)
    yield from _conditions(type, value)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a JSON number; true and false are not."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _too_many(values: Mapping[str, object]) -> Iterator[Violation]:
    count = len(dynamic.found(values))
    if count > dynamic.MOST:
        yield (), f"holds {count} different references; {dynamic.MOST} are the most."


def _conditions(type: Json, value: object) -> Iterator[Violation]:
    if not dynamic.is_meant(value):
        yield from _value_conditions(type, value)
    # what it stands for is checked where it is looked up
    elif wrong := dynamic.wrong(value) or dynamic.misplaced(type):
        yield (), wrong


def _value_conditions(type: Json, value: object) -> Iterator[Violation]:
    if wrong := _wrong_kind(type, value) or _wrong_choice(type, value):
        yield (), wrong
        return
    for keyword, rule in _RULES.items():
        if keyword in type and (wrong := rule(type, value)):
            yield (), wrong
    if isinstance(value, list) and "items" in type:
        for index, item in enumerate(value):
            yield from _inside(index, type["items"], item)
    if isinstance(value, dict):
        yield from _members(type, value)
    yield from _alternatives(type, value)


def _wrong_kind(type: Json, value: object) -> str:
    if "type" not in type or (value is None and type.get("nullable")):
        return ""
    noun, fits = _KINDS[type["type"]]
    if fits(value):
        return ""
    if value is None:
        return f"is empty; {noun} is expected."
    text = _shown(type, value)
    # 80 and true need quotes in YAML to be strings
    hint = f' Write "{text}".' if noun == "a string" and not isinstance(value, dict | list) else ""
    return f"{text} is not {noun}.{hint}"


def _wrong_choice(type: Json, value: object) -> str:
    if "enum" not in type or shapes.key(value) in map(shapes.key, type["enum"]):
        return ""
    choices = [short(item, 60) if isinstance(item, str) else shown(item) for item in type["enum"]]
    more = f" and {len(choices) - _NAMES_MAX} more" if len(choices) > _NAMES_MAX else ""
    likely = did_you_mean(value, choices) if isinstance(value, str) else ""
    return f"{_shown(type, value)} is not one of {', '.join(choices[:_NAMES_MAX])}{more}.{likely}"


def _unknown(type: Json, value: Json, noun: str) -> Iterator[Violation]:
    known = shapes.names(type)
    if shapes.additional(type) is not None:
        known = dict.fromkeys((*known, *value))
    # JSON Schema's own rule: an explicit false sees nothing but the properties beside it
    if type.get("additionalProperties") is False:
        known = dict.fromkeys(type.get("properties", ()))
    for name in value:
        if name not in known:
            yield (name,), f"is not {noun}.{did_you_mean(name, known)}"


def _members(type: Json, value: Json) -> Iterator[Violation]:
    for name in type.get("required", ()):
        if name not in value:
            yield (name,), "is required."
    own = type.get("properties", {})
    other = type.get("additionalProperties")
    for name, member in value.items():
        if name in own:
            yield from _inside(name, own[name], member)
        elif isinstance(other, dict):
            yield from _inside(name, other, member)


def _inside(step: str | int, type: Json, value: object) -> Iterator[Violation]:
    for place, sentence in violations(type, value):
        yield (step, *place), sentence


def _alternatives(type: Json, value: object) -> Iterator[Violation]:
    for part in type.get("allOf", ()):
        yield from _branch(part, value)
    for keyword in ("anyOf", "oneOf"):
        if keyword in type:
            yield from _choice([list(_branch(part, value)) for part in type[keyword]], exact=keyword == "oneOf")
    if "not" in type and not list(_branch(type["not"], value)):
        yield (), f"{_shown(type, value)} is excluded."


def _branch(part: Json, value: object) -> Iterator[Violation]:
    # names that another branch knows are not unknown: the level as a whole has judged them
    if isinstance(value, dict) and part.get("additionalProperties") is False:
        yield from _unknown(part, value, "a known property")
    yield from _conditions(part, value)


def _choice(wrongs: list[list[Violation]], *, exact: bool) -> Iterator[Violation]:
    fitting = wrongs.count([])
    if exact and fitting > 1:
        yield (), f"fits {fitting} of the {len(wrongs)} alternatives; it must fit exactly one."
    if fitting:
        return
    # an alternative that is right in kind and wrong inside is the one that was meant
    inside = [wrong for wrong in wrongs if all(place for place, _ in wrong)]
    if len(inside) == 1 or len(wrongs) == 1:
        yield from (inside or wrongs)[0]
        return
    reasons = dict.fromkeys(wrong[0][1].rstrip(".") for wrong in wrongs)
    yield (), f"fits none of the {len(wrongs)} alternatives: {'; '.join(list(reasons)[:3])}."


def _shown(type: Json, value: object) -> str:
    return "the value" if type.get("format") == "password" else shown(value)


def _minimum(type: Json, value: Any) -> str:
    limit = type["minimum"]
    if not is_number(value) or value > limit or (value == limit and not type.get("exclusiveMinimum")):
        return ""
    if value == limit:
        return f"{_shown(type, value)} is not more than {limit}."
    return f"{_shown(type, value)} is less than the minimum {limit}."


def _maximum(type: Json, value: Any) -> str:
    limit = type["maximum"]
    if not is_number(value) or value < limit or (value == limit and not type.get("exclusiveMaximum")):
        return ""
    if value == limit:
        return f"{_shown(type, value)} is not less than {limit}."
    return f"{_shown(type, value)} is more than the maximum {limit}."


def _multiple_of(type: Json, value: Any) -> str:
    # floats would find 0.3 not to be a multiple of 0.1
    if not is_number(value) or Fraction(str(value)) % Fraction(str(type["multipleOf"])) == 0:
        return ""
    return f"{_shown(type, value)} is not a multiple of {type['multipleOf']}."


def _pattern(type: Json, value: object) -> str:
    if not isinstance(value, str):
        return ""
    if len(value) > patterns.TEXT_MAX:
        return f"has {len(value):,} characters; {patterns.TEXT_MAX:,} are the most where a pattern is to be matched."
    if patterns.matches(type["pattern"], value):
        return ""
    return f"{_shown(type, value)} does not match the pattern {short(type['pattern'], 100)}"


def _unique(type: Json, value: object) -> str:
    if not isinstance(value, list) or not type["uniqueItems"]:
        return ""
    return "" if len(set(map(shapes.key, value))) == len(value) else "holds an item twice."


def _size(keyword: str, kind: type[Sized], noun: str) -> Callable[[Json, object], str]:
    def rule(type: Json, value: Any) -> str:
        limit = type[keyword]
        size = len(value) if isinstance(value, kind) else limit
        if size > limit and keyword.startswith("max"):
            return f"has {_counted(size, noun)}; {limit} at most."
        if size < limit and keyword.startswith("min"):
            return f"has {_counted(size, noun)}; {limit} at least."
        return ""

    return rule


def _counted(size: int, noun: str) -> str:
    return f"{size} {noun}" if size == 1 else f"{size} {'properties' if noun == 'property' else noun + 's'}"


_RULES: dict[str, Callable[[Json, object], str]] = {
    "minimum": _minimum,
    "maximum": _maximum,
    "multipleOf": _multiple_of,
    "minLength": _size("minLength", str, "character"),
    "maxLength": _size("maxLength", str, "character"),
    "pattern": _pattern,
    "minItems": _size("minItems", list, "item"),
    "maxItems": _size("maxItems", list, "item"),
    "uniqueItems": _unique,
    "minProperties": _size("minProperties", dict, "property"),
    "maxProperties": _size("maxProperties", dict, "property"),
}
