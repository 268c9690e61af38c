"""The inputs of a template as people are shown them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.core import shapes
from engine.core.located import Json, dotted, short, shown

_CHOICES_MAX = 20


@dataclass(frozen=True)
class Input:
    """One input."""

    name: str
    type: str
    """`string`, `list of string`, `map of number`, `any`, ..."""
    required: bool
    """It must be given: there is no default."""
    has_default: bool
    default: object
    """None when there is none; a default may be None too."""
    title: str
    description: str
    constraints: str
    """What its value must satisfy beyond its type: `1 to 65535`, `one of a, b`; "" when nothing."""


def inputs(type: Json) -> tuple[Input, ...]:
    """The inputs that the resolved type takes, in its order."""
    required = shapes.required(type)
    return tuple(
        _input(name, property, required=name in required) for name, property in shapes.properties(type).items()
    )


def flattened(type: Json) -> tuple[Input, ...]:
    """As inputs(), each followed by what is inside it, named as `network.cidr`.

    What the items of a list have is named as `rules[].port`, what the members of a map have as `pools.*.size`.
    What is inside is required, or has its default, where that which holds it is given.
    """
    return tuple(_inside(type, ""))


def type_text(type: Json) -> str:
    """The type in words."""
    kind = shapes.kind(type)
    if kind == "array":
        return f"list of {type_text(type['items'])}" if type.get("items") else "list"
    other = type.get("additionalProperties")
    if kind == "object" and isinstance(other, dict) and not shapes.properties(type):
        return f"map of {type_text(other)}"
    return kind or " or ".join(dict.fromkeys(map(type_text, _choices(type)))) or "any"


def constraints(type: Json) -> str:
    """What a value must satisfy beyond its type."""
    sentences = [_choice_text(type), _range(type)]
    sentences += [_sizes(type, noun, low, high) for noun, low, high in _SIZES]
    sentences.append(f"a multiple of {type['multipleOf']}" if "multipleOf" in type else "")
    sentences.append(f"matches {short(type['pattern'], 100)}" if "pattern" in type else "")
    sentences.append("no item twice" if type.get("uniqueItems") else "")
    return "; ".join(filter(None, sentences))


_SIZES = (
    ("characters", "minLength", "maxLength"),
    ("items", "minItems", "maxItems"),
    ("properties", "minProperties", "maxProperties"),
)


def _inside(type: Json, place: str) -> Iterator[Input]:
    for found, member in zip(inputs(type), shapes.properties(type).values(), strict=True):
        name = _joined(place, dotted((found.name,)))
        yield replace(found, name=name)
        yield from _inside(member, name)
    for step, held in (("[]", type.get("items")), ("*", type.get("additionalProperties"))):
        if isinstance(held, dict):
            yield from _inside(held, _joined(place, step))


def _joined(place: str, step: str) -> str:
    return f"{place}{step}" if not place or step.startswith("[") else f"{place}.{step}"


def _input(name: str, type: Json, *, required: bool) -> Input:
    default = shapes.default(type)
    return Input(
        name=name,
        type=type_text(type),
        required=required,
        has_default=bool(default),
        default=default[0] if default else None,
        title=str(type.get("title", "")),
        description=str(type.get("description", "")),
        constraints=constraints(type),
    )


def _choices(type: Json) -> list[Json]:
    return [part for keyword in ("anyOf", "oneOf") for part in type.get(keyword, ())]


def _choice_text(type: Json) -> str:
    if "enum" not in type:
        return ""
    names = [short(item, 60) if isinstance(item, str) else shown(item) for item in type["enum"]]
    more = f" and {len(names) - _CHOICES_MAX} more" if len(names) > _CHOICES_MAX else ""
    return f"one of {', '.join(names[:_CHOICES_MAX])}{more}"


def _range(type: Json) -> str:
    low, high = type.get("minimum"), type.get("maximum")
    strict = type.get("exclusiveMinimum"), type.get("exclusiveMaximum")
    if low is not None and high is not None and not any(strict):
        return f"{low} to {high}"
    parts = []
    if low is not None:
        parts.append(f"{'more than' if strict[0] else 'at least'} {low}")
    if high is not None:
        parts.append(f"{'less than' if strict[1] else 'at most'} {high}")
    return ", ".join(parts)


def _sizes(type: Json, noun: str, low: str, high: str) -> str:
    if low in type and high in type:
        return f"{type[low]} to {type[high]} {noun}"
    if low in type:
        return f"at least {type[low]} {noun}"
    return f"at most {type[high]} {noun}" if high in type else ""
