"""Looking into a JSON tree of which nothing is known: what is missing or of another type counts as empty."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from engine.external.lines import clean

Tree: TypeAlias = Mapping[str, object]
NOTHING: Tree = MappingProxyType({})
# What a terminal would obey: as it stands, or as JSON writes it. It is only where a look at the values is worth it.
_MAY_STEER = re.compile(
    r"\\[bfr]|\\u(?:00[01]|007f|00[89]|202|206)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", re.IGNORECASE
)


def tree_of(line: str) -> Tree | None:
    """The object that the line holds; None when it holds anything else."""
    if not line.startswith("{"):
        return None
    try:
        tree = json.loads(line, parse_constant=_refuse)
        if "\\ud" in line.lower():  # a lone surrogate is no text: it could be neither printed nor stored
            json.dumps(tree, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict) else None


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON.")


def tidied(line: str) -> str:
    """The line, JSON or not, without anything that a terminal would obey, not even once its JSON has been read; the
    very same line when there is nothing of the kind in it.
    """
    if not _MAY_STEER.search(line):
        return line
    try:
        tree = tree_of(line)
        safe = tree and _cleaned(tree)
    except RecursionError:
        safe = None
    if not safe:
        return clean(line)
    return line if safe == tree else json.dumps(safe, ensure_ascii=False, separators=(",", ":"))


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): _cleaned(item) for name, item in value.items()}
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def mapping(value: object) -> Tree:
    return value if isinstance(value, dict) else NOTHING


def at(tree: Tree, *path: str) -> object:
    value: object = tree
    for name in path:
        value = mapping(value).get(name)
    return value


def text(tree: Tree, *path: str) -> str:
    value = at(tree, *path)
    return clean(value) if isinstance(value, str) else ""


def number(tree: Tree, *path: str) -> float:
    value = at(tree, *path)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def whole(tree: Tree, *path: str) -> int:
    value = number(tree, *path)
    return value if isinstance(value, int) else 0
