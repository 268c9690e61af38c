"""What changes about the inputs from one version to another, in the schema and in the code that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.core import compatibility, shapes
from engine.core.bundle import Facts, Part
from engine.core.compatibility import Break
from engine.core.findings import Compared, Finding, Level
from engine.core.inputs import Input, flattened
from engine.core.located import Json, shown
from engine.core.paths import Path
from engine.core.versions import TemplateKind

_SCHEMA = "schema"
_MAPS = {
    TemplateKind.ENVIRONMENT: ("environment.inputs",),
    TemplateKind.SERVICE: ("service_instance.inputs", "service_instances[].inputs"),
}
_PIPELINE_MAPS = ("pipeline.inputs",)


@dataclass(frozen=True)
class _Type:
    """The inputs of one kind of instance, in both versions."""

    noun: str
    old: Json
    new: Json
    type_name: str
    """In the new one."""
    maps: tuple[str, ...]
    """Where code finds them."""
    is_pipeline: bool = False


def findings(old: Compared, new: Compared) -> Iterator[Finding]:
    """What somebody who gives inputs, or relies on what becomes of them, would notice."""
    broken = compatibility.breaks(old.schema, new.schema)
    yield from (_break(found, old, new) for found in broken)
    if old.schema.kind is not new.schema.kind:
        return
    for type in _types(old, new):
        known = {found.name for found in broken if found.is_pipeline == type.is_pipeline}
        yield from _harmless(type, known, old, new)
        if new.facts.parts and old.facts.parts:
            yield from _unread(type, old.facts, new)


def _types(old: Compared, new: Compared) -> Iterator[_Type]:
    before, after = old.schema, new.schema
    yield _Type("Input", before.type, after.type, after.type_name, _MAPS.get(after.kind, ()))
    if before.pipeline_type is not None and after.pipeline_type is not None:
        name = after.pipeline_type_name
        yield _Type("Pipeline input", before.pipeline_type, after.pipeline_type, name, _PIPELINE_MAPS, is_pipeline=True)


def _break(found: Break, old: Compared, new: Compared) -> Finding:
    version = old if found.is_gone else new
    line = version.document.line(found.place)
    of = old.label if found.is_gone else ""
    return Finding(Level.MAJOR, found.rule, found.name, found.sentence, _SCHEMA, version.document.file, line, of)


def _harmless(type: _Type, broken: set[str], old: Compared, new: Compared) -> Iterator[Finding]:
    """The changes of inputs that break nothing."""
    before = {each.name: each for each in flattened(type.old)}
    after = {each.name: each for each in flattened(type.new)}
    for name, now in after.items():
        # what lies inside something new is new with it
        if name not in broken and _outside(name, before) and (said := _change(before.get(name), now)):
            rule, words = said
            sentence = f'{type.noun} "{name}" {words}'
            yield _finding(rule, name, sentence, new, compatibility.place(type.type_name, _steps(name)))
    for name in before:
        if name not in after and name not in broken and _outside(name, after):
            sentence = f'{type.noun} "{name}" is no longer declared; whatever is given for it is taken.'
            type_name = old.schema.pipeline_type_name if type.is_pipeline else old.schema.type_name
            place = compatibility.place(type_name, _steps(name))
            yield _finding("input/undeclared", name, sentence, old, place, of=old.label)


def _outside(name: str, known: dict[str, Input]) -> bool:
    """Whether that which holds it, if anything, is in both versions."""
    holder = name.removesuffix("[]").removesuffix(".*")
    if holder == name:
        holder = name.rpartition(".")[0].removesuffix("[]").removesuffix(".*")
    return not holder or holder in known


def _change(before: Input | None, now: Input) -> tuple[str, str] | None:
    """Rule and words for a change that breaks nothing; None where there is none to tell of."""
    if before is None:
        return "input/added", "is new."
    if (before.has_default, shapes.key(before.default)) != (now.has_default, shapes.key(now.default)):
        then = shown(before.default) if before.has_default else "none"
        default = shown(now.default) if now.has_default else "none"
        return "input/default", f"has another default: {default} (before: {then})."
    if (before.type, before.constraints, before.required) != (now.type, now.constraints, now.required):
        return "input/wider", "takes more than before."
    return None


def _unread(type: _Type, old: Facts, new: Compared) -> Iterator[Finding]:
    """The inputs that the old code reads and the new one does not."""
    required = shapes.required(type.new)
    before, after = _read(old, type.maps), _read(new.facts, type.maps)
    if after is None:
        return
    for name in shapes.properties(type.new):
        if name in after or (before is not None and name not in before) or name not in shapes.properties(type.old):
            continue
        still = "must still be given, but the code no longer reads it." if name in required else ""
        sentence = f'{type.noun} "{name}" {still or "is no longer read by the code."}'
        place = compatibility.place(type.type_name, ("properties", name))
        yield _finding("input/unread", name, sentence, new, place)


def _read(facts: Facts, maps: tuple[str, ...]) -> frozenset[str] | None:
    """The names in the maps that the code reads; None where it reads one of them as a whole."""
    parts = facts.parts.values()
    if any(_reads_all(part, map) for part in parts for map in maps):
        return None
    # a sensitive variable of the bundle's own is given the input of its name
    own = {variable.name for part in parts for variable in part.variables if variable.sensitive}
    return frozenset(own.union(*(part.names_used(map) for part in parts for map in maps)))


def _reads_all(part: Part, map: str) -> bool:
    root = map.partition(".")[0].removesuffix("[]")
    return part.reads_all(map) or any(read.path == root for read in part.reads)


def _steps(name: str) -> Path:
    """The way to an input, named as flattened() does, inside the type that declares it; as far as it is direct."""
    steps: list[str | int] = []
    for step in name.replace("[]", ".[]").split("."):
        key = {"[]": "items", "*": "additionalProperties"}.get(step)
        steps += [key] if key else ["properties", step]
    return tuple(steps)


def _finding(rule: str, name: str, sentence: str, version: Compared, place: Path, of: str = "") -> Finding:
    line = version.document.line(place)
    return Finding(Level.MINOR, rule, name, sentence, _SCHEMA, version.document.file, line, of)
