"""Two versions of a bundle, side by side: what a user of the template would notice, and the text."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.bundles.load import Checked
from engine.core.bundle import Facts, Part, PartName
from engine.core.schema import Schema
from engine.core.versions import TemplateKind

_TEXT_MAX = 200_000
"""Bytes of a file above which its text is not compared line by line."""


@dataclass(frozen=True)
class Changed:
    """Something that is in both versions, and differs."""

    name: str
    keywords: tuple[str, ...]
    """The members of before and after that differ."""
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """What came, went and changed in one list of named things, each sorted by name."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[Changed, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the two lists are the same."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True)
class Comparison:
    """All differences; what is the same is left out."""

    inputs: Mapping[str, Changes] = field(default_factory=dict)
    """`environment.inputs`, `service_instance.inputs`, `pipeline.inputs` -> changes; `required` is a keyword too."""
    outputs: Mapping[str, Changes] = field(default_factory=dict)
    """Folder of the part -> changes, as in the following."""
    resources: Mapping[str, Changes] = field(default_factory=dict)
    providers: Mapping[str, Changes] = field(default_factory=dict)
    settings: Mapping[str, Changes] = field(default_factory=dict)
    """`terraform` (the version constraint), `backend` and `engine`."""
    text: Mapping[str, str] = field(default_factory=dict)
    """File -> unified diff, or a sentence where there are no lines to compare."""

    @property
    def is_empty(self) -> bool:
        """Whether the two versions are the same, byte for byte."""
        return not self.text

    def to_json(self) -> dict[str, Any]:
        """A JSON form."""
        return asdict(self)


_Named = Mapping[str, Mapping[str, Any]]
"""Name -> what is compared of it."""


def diff(old_files: Mapping[str, bytes], old: Checked, new_files: Mapping[str, bytes], new: Checked) -> Comparison:
    """What differs between two bundles, whose files and checks are given."""
    before, after = _parts(old.facts), _parts(new.facts)
    return Comparison(
        inputs=_compared(_inputs(old.schema), _inputs(new.schema)),
        outputs=_compared(_each(before, _outputs), _each(after, _outputs)),
        resources=_compared(_each(before, _resources), _each(after, _resources)),
        providers=_compared(_each(before, _providers), _each(after, _providers)),
        settings=_compared(_each(before, _settings), _each(after, _settings)),
        text=_texts(old_files, new_files),
    )


def _compared(before: Mapping[str, _Named], after: Mapping[str, _Named]) -> dict[str, Changes]:
    groups = sorted(before.keys() | after.keys())
    found = {group: _changes(before.get(group, {}), after.get(group, {})) for group in groups}
    return {group: changes for group, changes in found.items() if not changes.is_empty}


def _changes(before: _Named, after: _Named) -> Changes:
    return Changes(
        tuple(sorted(after.keys() - before.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(
            Changed(name, _differing(before[name], after[name]), before[name], after[name])
            for name in sorted(before.keys() & after.keys())
            if before[name] != after[name]
        ),
    )


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    keys = sorted(before.keys() | after.keys())
    return tuple(key for key in keys if before.get(key) != after.get(key) or (key in before) != (key in after))


def _inputs(schema: Schema | None) -> dict[str, _Named]:
    if schema is None:
        return {}
    name = "service_instance.inputs" if schema.kind is TemplateKind.SERVICE else "environment.inputs"
    found = {name: _properties(schema.type)}
    if schema.pipeline_type is not None:
        found["pipeline.inputs"] = _properties(schema.pipeline_type)
    return found


def _properties(type_: Mapping[str, Any]) -> _Named:
    required = type_.get("required") or ()
    return {name: {**given, "required": name in required} for name, given in (type_.get("properties") or {}).items()}


def _parts(facts: Facts | None) -> Mapping[PartName, Part]:
    return facts.parts if facts else {}


def _each(parts: Mapping[PartName, Part], of: Callable[[Part], _Named]) -> dict[str, _Named]:
    return {name.value: of(part) for name, part in parts.items()}


def _outputs(part: Part) -> _Named:
    return {item.name: {"description": item.description, "sensitive": item.sensitive} for item in part.outputs}


def _resources(part: Part) -> _Named:
    return {resource.address: {} for resource in part.resources}


def _providers(part: Part) -> _Named:
    return {name: {"required": text} for name, text in (part.providers or {}).items()}


def _settings(part: Part) -> _Named:
    given = {"terraform": part.terraform, "backend": part.backend, "engine": part.engine}
    return {name: {"value": value} for name, value in given.items() if value}


def _texts(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, str]:
    paths = sorted(before.keys() | after.keys())
    return {
        path: _text(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
    }


def _text(path: str, before: bytes | None, after: bytes | None) -> str:
    lines = [_lines(content) for content in (before, after)]
    if lines[0] is None or lines[1] is None:
        sizes = " and ".join("absent" if content is None else f"{len(content):,} bytes" for content in (before, after))
        return f"{path} differs: {sizes}.\n"
    old_name = "/dev/null" if before is None else f"a/{path}"
    new_name = "/dev/null" if after is None else f"b/{path}"
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(lines[0], lines[1], old_name, new_name)
    )


def _lines(content: bytes | None) -> list[str] | None:
    """The lines; None when the content is no text, or too long to compare."""
    if content is None:
        return []
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text.splitlines(keepends=True) if len(content) <= _TEXT_MAX and "\0" not in text else None
