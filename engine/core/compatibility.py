"""Whether a new minor version asks nothing new of anybody (reference section 4.3).

What is found compatible is so: every value that the old schema takes, the new one takes too. What cannot be told
(changes inside `anyOf`, `not` and their like) is found incompatible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engine.core import shapes
from engine.core.located import Json, Path, shown
from engine.core.schema import Schema

_ANNOTATIONS = frozenset({"title", "description", "example", "deprecated", "readOnly", "writeOnly", "format"})
_COMBINATORS = (*shapes.ALTERNATIVES, "not")
_WHOLE = ("enum", "uniqueItems", "minProperties", "maxProperties", *_COMBINATORS)
_LOW = ("minLength", "minItems", "minProperties")
_HIGH = ("maxLength", "maxItems", "maxProperties")


@dataclass(frozen=True)
class Break:
    """Something that makes the new schema refuse what the old one takes."""

    rule: str
    """`input/removed`, ..."""
    name: str
    """The input, as `scale.max`, `rules[].port`, `pools.*`; "" for the inputs as a whole."""
    sentence: str
    place: Path
    """Where it is in schema.yaml, as far as that can be told."""
    is_gone: bool = False
    """Whether the place is in the old schema."""
    is_pipeline: bool = False
    """Whether it is an input of the pipeline."""


def breaks(old: Schema, new: Schema) -> list[Break]:
    """All that makes `new` refuse what `old` takes; [] when nothing does."""
    return list(_schemas(old, new))


def place(type_name: str, steps: Path = ()) -> Path:
    """Where a type of the schema stands in schema.yaml, or what is inside it."""
    return ("schema", "types", type_name, *steps)


def _schemas(old: Schema, new: Schema) -> Iterator[Break]:
    if old.kind is not new.kind:
        sentence = f"The schema was one of {old.kind.value} templates and is now one of {new.kind.value} templates."
        yield Break("schema/kind", "", sentence, ("schema",))
        return
    yield from _inputs(old.type, new.type, (old.type_name, new.type_name), "Input")
    if old.pipeline_type is None or new.pipeline_type is None:
        if old.pipeline_type is not new.pipeline_type:
            change = "added" if old.pipeline_type is None else "removed"
            sentence = f"The pipeline's inputs (pipeline_input_type) were {change}."
            where = ("schema", "pipeline_input_type")
            yield Break(f"schema/pipeline-{change}", "", sentence, where, change == "removed", is_pipeline=True)
        return
    names = (old.pipeline_type_name, new.pipeline_type_name)
    yield from _inputs(old.pipeline_type, new.pipeline_type, names, "Pipeline input")


def _inputs(old: Json, new: Json, type_names: tuple[str, str], noun: str) -> Iterator[Break]:
    for found in _types({"properties": {}, **old}, {"properties": {}, **new}, ()):
        name = named(found.steps)
        sentence = f'{noun} "{name}" {found.text}' if name else f"{noun}s as a whole: the type {found.text}"
        where = place(type_names[0 if found.is_gone else 1], found.steps)
        yield Break(f"input/{found.rule}", name, sentence, where, found.is_gone, noun != "Input")


def named(steps: Path) -> str:
    """The input at a place inside its type, as Break.name."""
    name, at = "", 0
    while at < len(steps):
        if steps[at] == "properties":
            at += 1
            name = f"{name}.{steps[at]}" if name else str(steps[at])
        elif steps[at] == "items":
            name += "[]"
        else:
            name = f"{name}.*" if name else "*"
        at += 1
    return name


@dataclass(frozen=True)
class _Found:
    """What changed for the worse."""

    rule: str
    steps: Path
    """Where, inside the type of the inputs."""
    text: str
    """The rest of the sentence."""
    is_gone: bool = False


def _types(old: Json, new: Json, steps: Path) -> Iterator[_Found]:
    # it takes anything; and what lies inside has no end
    if not new:
        return
    for name, rule in _RULES.items():
        if sentence := rule(old, new):
            yield _Found(name, steps, sentence)
    # what members and items were is of interest only where there could be any
    if shapes.kind(old) in ("object", ""):
        yield from _members(old, new, steps)
    if shapes.kind(old) in ("array", "") and new.get("items"):
        yield from _types(old.get("items", {}), new["items"], (*steps, "items"))


def _members(old: Json, new: Json, steps: Path) -> Iterator[_Found]:
    had, has = old.get("properties", {}), new.get("properties", {})
    others_then, others_now = shapes.additional(old), shapes.additional(new)
    for member in [*had, *(member for member in has if member not in had)]:
        # what an alternative says of a member is not looked into: it may be anything
        unknown = {} if member in shapes.names(old) else others_then
        then, now = had.get(member, unknown), has.get(member, others_now)
        if then is not None and now is None:
            yield _Found("removed", (*steps, "properties", member), "was removed.", is_gone=True)
        elif then is not None and now is not None:
            yield from _types(then, now, (*steps, "properties", member))
    must_then = shapes.required(old)
    for member in shapes.required(new):
        if member not in must_then:
            text = f"is {'now' if member in had else 'new and'} required and has no default."
            yield _Found("required", (*steps, "properties", member), text)
    if others_then is not None and others_now is None:
        yield _Found("names", steps, "no longer takes names other than its properties.")
    elif others_then is not None and others_now is not None:
        yield from _types(others_then, others_now, (*steps, "additionalProperties"))


def _kind(old: Json, new: Json) -> str:
    then, now = old.get("type", ""), new.get("type", "")
    if now in ("", then) or (then, now) == ("integer", "number"):
        return ""
    return f"was of type {then or 'any'} and is now of type {now}."


def _null(old: Json, new: Json) -> str:
    then, now = ("type" not in type or bool(type.get("nullable")) for type in (old, new))
    return "can no longer be null." if then and not now and old.get("type") else ""


def _choices(old: Json, new: Json) -> str:
    if "enum" not in new:
        return ""
    if "enum" not in old:
        return "now takes one of a few values only."
    kept = set(map(shapes.key, new["enum"]))
    gone = [shown(value) for value in old["enum"] if shapes.key(value) not in kept]
    return f"no longer takes {', '.join(gone[:20])}." if gone else ""


def _bounds(old: Json, new: Json) -> str:
    for limit, exclusive, sign, sentence in (
        ("minimum", "exclusiveMinimum", 1, "has a higher minimum"),
        ("maximum", "exclusiveMaximum", -1, "has a lower maximum"),
    ):
        if limit not in new:
            continue
        now = sign * new[limit], bool(new.get(exclusive))
        then = (sign * old[limit], bool(old.get(exclusive))) if limit in old else None
        if then is None or now > then:
            strict = ", itself excluded" if now[1] else ""
            return f"{sentence} ({new[limit]}{strict}) than before ({old.get(limit, 'none')})."
    return ""


def _lengths(old: Json, new: Json) -> str:
    tighter = [key for key in _LOW if new.get(key, 0) > old.get(key, 0)]
    tighter += [key for key in _HIGH if key in new and (key not in old or new[key] < old[key])]
    changes = [f"{key} {new[key]} (before: {old.get(key, 'none')})" for key in tighter]
    return f"is limited more tightly: {', '.join(changes)}." if changes else ""


def _pattern(old: Json, new: Json) -> str:
    if "pattern" not in new or new["pattern"] == old.get("pattern"):
        return ""
    return f"has {'another' if 'pattern' in old else 'a new'} pattern: {shown(new['pattern'])}."


def _multiple(old: Json, new: Json) -> str:
    if "multipleOf" not in new:
        return ""
    then, now = old.get("multipleOf"), new["multipleOf"]
    if then is not None and Fraction(str(then)) % Fraction(str(now)) == 0:
        return ""
    return f"must now be a multiple of {now}."


def _unique(old: Json, new: Json) -> str:
    return "no longer takes an item twice." if new.get("uniqueItems") and not old.get("uniqueItems") else ""


def _combined(old: Json, new: Json) -> str:
    present = [key for key in _COMBINATORS if key in old or key in new]
    keys = [*present, "additionalProperties"] if present else []
    changed = [key for key in keys if _meaning(old.get(key)) != _meaning(new.get(key))]
    return f"has changed in {', '.join(changed)}; whether it takes less than before cannot be told." if changed else ""


def _defaults(old: Json, new: Json) -> str:
    # such keywords judge a value as a whole, with its defaults in it
    whole = [key for key in _WHOLE if key in new and new[key] is not False]
    if whole and _inner_defaults(old) != _inner_defaults(new):
        return f"has other defaults inside, which {whole[0]} may then refuse."
    return ""


def _inner_defaults(type: Json) -> list[object]:
    found: list[object] = []

    def change(part: Json, place: tuple[str | int, ...]) -> Json:
        own, inner = tuple(map(shapes.key, shapes.default(part))), _inner_defaults(part)
        if own or inner:
            found.append((place, own, inner))
        return part

    shapes.mapped({key: value for key, value in type.items() if key not in _COMBINATORS}, change)
    return found


def _meaning(tree: object) -> object:
    """`tree` without what says nothing about values, in a form that compares by JSON's equality."""
    if isinstance(tree, dict):
        return {key: _MEANINGS.get(key, _meaning)(value) for key, value in tree.items() if key not in _ANNOTATIONS}
    if isinstance(tree, list):
        return [_meaning(item) for item in tree]
    return shapes.key(tree)


def _named(properties: Json) -> object:
    return {name: _meaning(type) for name, type in properties.items()}


_MEANINGS: dict[str, Callable[[Any], object]] = {"properties": _named, "default": shapes.key, "enum": shapes.key}

_RULES: dict[str, Callable[[Json, Json], str]] = {
    "type": _kind,
    "null": _null,
    "choices": _choices,
    "bounds": _bounds,
    "lengths": _lengths,
    "pattern": _pattern,
    "multiple": _multiple,
    "unique": _unique,
    "alternatives": _combined,
    "defaults": _defaults,
}
