"""Looking into a JSON tree of which nothing is known: what is missing or of another type counts as empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from engine.external.lines import clean

Tree: TypeAlias = Mapping[str, object]
NOTHING: Tree = MappingProxyType({})


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
