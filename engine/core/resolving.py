"""The values of references in their places among the inputs, and whether they fit there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from engine.core import dynamic, shapes
from engine.core.located import Json, Path, dotted
from engine.core.outputs import Resolved, revealed
from engine.core.values import violations
from engine.errors import Problem

RULE = "reference"
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?", re.ASCII)
_DIGITS_MAX = 100


def resolved(type: Json, value: object, known: Mapping[str, str]) -> object:
    """The tree, with Resolved in place of each reference whose text is in `known`, which maps it to its value.

    `type` says what a value is to be: `8080` is a number where one is asked for.
    """
    if isinstance(value, str):
        return Resolved(known[value], value, _typed(type, known[value])) if value in known else value
    if isinstance(value, Mapping):
        return all_resolved(type, value, known)
    if isinstance(value, list):
        return [resolved(shapes.item(type), item, known) for item in value]
    return value


def all_resolved(type: Json, inputs: Mapping[str, object], known: Mapping[str, str]) -> dict[str, object]:
    """As resolved(), for all inputs together."""
    members, other = shapes.properties(type), shapes.additional(type) or {}
    return {name: resolved(members.get(name, other), value, known) for name, value in inputs.items()}


def unfit(type: Json, inputs: Mapping[str, object], known: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the inputs because of the values of their references; no value is in what it says."""
    places = list(dynamic.places(inputs))
    # what is called a password is not shown by any check
    found = violations({"properties": {}, **_hidden(type)}, revealed(resolved(type, inputs, known)))
    near = ((path, sentence, _near(path, places)) for path, sentence in found)
    return [Problem("", 0, dotted(path), f"{texts}: {sentence}", RULE) for path, sentence, texts in near if texts]


def _near(path: Path, places: list[tuple[Path, str]]) -> str:
    """The references at or below a place."""
    return ", ".join(dict.fromkeys(text for place, text in places if place[: len(path)] == path))


def _hidden(type: Json) -> Json:
    return {**shapes.mapped(type, lambda part, _: _hidden(part)), "format": "password"}


def _typed(type: Json, text: str) -> object:
    """The value that the text stands for; the text itself where it is none of that type."""
    kind = shapes.kind(type)
    if kind in ("number", "integer") and len(text) <= _DIGITS_MAX and _NUMBER.fullmatch(text):
        return json.loads(text)
    return text == "true" if kind == "boolean" and text in ("true", "false") else text
