"""Which variables a syntax tree refers to, wherever they stand: in expressions, strings, heredocs, index forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.bundles import hcl, names, strings
from engine.bundles.names import Use

if TYPE_CHECKING:
    from lark import Token, Tree

_GUARDS = frozenset({"can", "try"})
_SUFFIXED = frozenset({"get_attr_expr_term", "index_expr_term", "attr_splat_expr_term", "full_splat_expr_term"})
_HEREDOCS_MAX = 5
_WRAPPED = 3
"""How far hcl.expression() moves positions."""


@dataclass(frozen=True)
class _Place:
    """A node to be looked at, and what is known of where it stands."""

    node: Tree[Token] | Token
    offset: int
    """What to add to positions in the node, to have them in the file."""
    guarded: bool = False
    heredocs: int = 0

    def at(self, node: Tree[Token] | Token, *, guarded: bool | None = None) -> _Place:
        """The same place for a node inside this one."""
        return _Place(node, self.offset, self.guarded if guarded is None else guarded, self.heredocs)


@dataclass(frozen=True)
class _Chain:
    """`root.a["b"][0]`: the steps (None for an index that is no name) and the expressions inside brackets."""

    root: Token
    steps: tuple[str | None, ...]
    inside: tuple[Tree[Token], ...]


def uses(tree: Tree[Token], offset: int = 0) -> Iterator[Use]:
    """Every reference to a variable below the node, in no particular order."""
    waiting = [_Place(tree, offset)]
    while waiting:
        place = waiting.pop()
        found, further = _look(place)
        yield from found
        waiting += further


def in_expression(text: str, offset: int = 0) -> Iterator[Use]:
    """Every reference in the text of an expression, by scanning when it is none; `offset` is where it stands."""
    tree = hcl.expression(text)
    if tree is None:
        return (Use(use.at + offset, use.path, use.guarded) for use in names.scan(text))
    return uses(tree, offset - _WRAPPED)


def literal(node: Tree[Token] | Token | None) -> str | None:
    """The text of a string without any `${}`; None for every other expression."""
    if node is None or isinstance(node, str):
        return None
    inner = _unwrapped(node)
    if isinstance(inner, str) or inner.data != "string":
        return None
    parts = [part for child in inner.children if not isinstance(child, str) for part in child.children]
    if any(not isinstance(part, str) for part in parts):
        return None
    return "".join(map(str, parts)).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")


def nodes(node: Tree[Token]) -> list[Tree[Token]]:
    """The children that mean something: no punctuation, no line ends, no comments."""
    return [child for child in node.children if not isinstance(child, str) and child.data != "new_line_or_comment"]


def _look(place: _Place) -> tuple[list[Use], list[_Place]]:
    """The references at the place itself, and the places to look at next."""
    node = place.node
    if isinstance(node, str):
        return _in_heredoc(place, node) if node.type.startswith("HEREDOC") else ([], [])
    if node.data == "function_call":
        return _in_call(place, node)
    chain = _chain(node) if node.data == "expr_term" else None
    if chain is None or chain.root != "var":
        return [], [place.at(child) for child in node.children]
    return _used(place, chain, place.guarded), [place.at(inner) for inner in chain.inside]


def _used(place: _Place, chain: _Chain, guarded: bool, *more: str) -> list[Use]:
    path = names.path([*chain.steps, *more])
    return [Use((chain.root.start_pos or 0) + place.offset, path, guarded)] if path else []


def _in_call(place: _Place, node: Tree[Token]) -> tuple[list[Use], list[_Place]]:
    name, given = _call(node)
    found = _member(name, given)
    if found is not None:
        chain, key, guarded = found
        rest = [*chain.inside, *given[2:]]
        return _used(place, chain, place.guarded or guarded, key), [place.at(argument) for argument in rest]
    guarded = place.guarded or name in _GUARDS
    return [], [place.at(argument, guarded=guarded) for argument in given]


def _call(node: Tree[Token]) -> tuple[str, list[Tree[Token]]]:
    """Name and arguments of a function call."""
    name = "".join(token for token in nodes(node)[0].children if isinstance(token, str))
    return name, [argument for child in nodes(node) if child.data == "arguments" for argument in nodes(child)]


def _member(name: str, given: list[Tree[Token]]) -> tuple[_Chain, str, bool] | None:
    """Map, key and whether its absence is provided for, of `lookup(map, key, ...)` and `contains(keys(map), key)`."""
    if name not in ("contains", "lookup") or len(given) < 2:
        return None
    whole = given[0] if name == "lookup" else _keyed(given[0])
    chain, key = _chain(whole) if whole else None, literal(given[1])
    if chain is None or chain.root != "var" or key is None:
        return None
    return chain, key, name == "contains" or len(given) > 2


def _keyed(node: Tree[Token]) -> Tree[Token] | None:
    """The map in `keys(map)`; None for any other expression."""
    inner = _unwrapped(node)
    name, given = _call(inner) if not isinstance(inner, str) and inner.data == "function_call" else ("", [])
    return given[0] if name == "keys" and len(given) == 1 else None


def _in_heredoc(place: _Place, token: Token) -> tuple[list[Use], list[_Place]]:
    found: list[Use] = []
    further: list[_Place] = []
    for at, text in strings.expressions(str(token)):
        offset = place.offset + (token.start_pos or 0) + at
        tree = hcl.expression(text) if place.heredocs < _HEREDOCS_MAX else None
        if tree is None:
            found += [Use(use.at + offset, use.path, place.guarded) for use in names.scan(text)]
        else:
            further.append(_Place(tree, offset - _WRAPPED, place.guarded, place.heredocs + 1))
    return found, further


def _unwrapped(node: Tree[Token]) -> Tree[Token] | Token:
    """What an expr_term holds, without parentheses around it."""
    while node.data == "expr_term" and len(inner := nodes(node)) == 1:
        node = inner[0]
    return node


def _chain(node: Tree[Token]) -> _Chain | None:
    steps: list[str | None] = []
    inside: list[Tree[Token]] = []
    inner = _unwrapped(node)
    while not isinstance(inner, str) and inner.data in _SUFFIXED:
        before, suffix = nodes(inner)
        parts = nodes(suffix) if suffix.data.endswith("splat") else [suffix]
        steps += reversed([_step(part) for part in parts])
        steps += [None] if suffix.data.endswith("splat") else []
        inside += [index for part in parts if part.data == "braces_index" for index in nodes(part)]
        inner = _unwrapped(before)
    if isinstance(inner, str) or inner.data != "identifier":
        return None
    root = inner.children[0]
    return _Chain(root, tuple(reversed(steps)), tuple(inside)) if isinstance(root, str) else None


def _step(part: Tree[Token]) -> str | None:
    inner = nodes(part)
    if part.data == "get_attr" and inner:
        return str(inner[0].children[0])
    return literal(inner[0]) if part.data == "braces_index" and inner else None
