"""From what a developer typed to the inputs of an instance, with everything wrong said at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.core import located, revisions
from engine.core.assignments import assignments
from engine.core.located import Document, Json, Path
from engine.errors import Problem

NOTHING = Document("", {}, {})
STORED = Document("current inputs", {}, {})
"""Stands for the inputs that an instance has already, where something is wrong with them."""


@dataclass(frozen=True)
class Given:
    """A spec document, `--set` assignments, or both; the assignments win."""

    document: Document | None = None
    sets: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return self.document is None and not self.sets


@dataclass(frozen=True)
class Section:
    """The inputs of one instance inside a document."""

    values: Mapping[str, object]
    at: Path = ()
    document: Document = NOTHING


def resolved(
    kind: Json, section: Section, current: Mapping[str, object], sets: tuple[str, ...] = ()
) -> tuple[Json, list[Problem]]:
    """The inputs to store, without defaults, and every problem with them.

    `${Proton::CURRENT_VAL}` takes the value from `current`; `sets` are laid over the section. Raises Invalid for
    assignments that cannot be read.
    """
    assigned = assignments(sets, kind) if sets else {}
    merged = _laid_over(section.values, assigned)
    inputs, problems = revisions.resolve(kind, merged, current, section.at, section.document)
    return inputs, [_as_assignment(problem, section, assigned) for problem in problems]


def _laid_over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """`above` over `below`, nested objects merged name by name."""
    merged = dict(below)
    for name, value in above.items():
        beneath = merged.get(name)
        if isinstance(value, Mapping) and isinstance(beneath, Mapping):
            value = _laid_over(beneath, value)
        merged[name] = value
    return merged


def _as_assignment(problem: Problem, section: Section, assigned: Mapping[str, object]) -> Problem:
    """The problem, placed at `--set` when that is where the value came from or no document was given."""
    prefix = located.dotted(section.at)
    name = problem.field.removeprefix(prefix).lstrip(".")
    given = name.split(".")[0].split("[")[0] in assigned
    return replace(problem, file="--set", line=0, field=name) if given or not section.document.file else problem
