"""What the blocks of a syntax tree declare: outputs, resources, providers, variables, modules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.bundles.reads import literal, nodes

if TYPE_CHECKING:
    from lark import Token, Tree


@dataclass(frozen=True)
class Block:
    """One block: `resource "aws_vpc" "main" { ... }`."""

    type: str
    labels: tuple[str, ...]
    at: int
    """Where it begins, in characters."""
    body: Tree[Token]

    def text(self, name: str) -> str:
        """The argument of that name when it is a plain string, else ""."""
        return literal(self.argument(name)) or ""

    def argument(self, name: str) -> Tree[Token] | None:
        """The expression of an argument; None when it is not given."""
        return next((value for found, _, value in arguments(self.body) if found == name), None)


def arguments(body: Tree[Token]) -> Iterator[tuple[str, int, Tree[Token]]]:
    """Name, position and expression of each argument of a body."""
    for node in nodes(body):
        if node.data == "attribute":
            name, value = nodes(node)
            token = name.children[0]
            if isinstance(token, str):
                yield str(token), token.start_pos or 0, value


def blocks(body: Tree[Token]) -> Iterator[Block]:
    """The blocks directly in a body."""
    for node in nodes(body):
        if node.data != "block":
            continue
        *header, inner = nodes(node)
        names = [_name(part) for part in header]
        yield Block(names[0], tuple(names[1:]), node.meta.start_pos, inner)


def _name(part: Tree[Token]) -> str:
    if part.data == "string":
        return "".join(str(text) for piece in nodes(part) for text in piece.children if isinstance(text, str))
    return str(part.children[0])


def members(value: Tree[Token] | None) -> dict[str, str]:
    """The plain strings of an object expression, by key; {} for any other expression."""
    found: dict[str, str] = {}
    for element in value.find_data("object_elem") if value is not None else ():
        key, given = nodes(element)
        text = literal(given)
        inner = nodes(key)
        name = literal(inner[0]) if inner else None
        if name is None:
            name = "".join(token for token in key.scan_values(lambda _: True))
        if text is not None:
            found[name] = text
    return found


def is_true(value: Tree[Token] | None) -> bool:
    """Whether the expression is the word `true`."""
    return words(value) == "true"


def words(value: Tree[Token] | None) -> str:
    """The expression as it is written, without spaces; "" when there is none."""
    return "".join(map(str, value.scan_values(lambda _: True))) if value is not None else ""


def digest(text: str) -> str:
    """What tells two texts apart without saying what is in them: a backend may hold a key."""
    return hashlib.sha256(text.encode()).hexdigest()
