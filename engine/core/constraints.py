"""Terraform's version constraints (`>= 1.4, < 2.0`, `~> 3.1`), and how two of them stand to each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

_PART = re.compile(
    r"\s*(=|!=|>=|<=|>|<|~>)?\s*v?([0-9]{1,9}(?:\.[0-9]{1,9}){0,2})(?:-([0-9A-Za-z.-]{1,80}))?(?:\+[0-9A-Za-z.-]*)?\s*",
    re.ASCII,
)
_PARTS_MAX = 50

_Pre = tuple[tuple[int, int, str], ...]
_RELEASE: _Pre = ((2, 0, ""),)
"""Sorts behind every prerelease of the same numbers."""


@dataclass(frozen=True, order=True)
class Version:
    """A version; those with a `pre` come before the release of the same numbers."""

    numbers: tuple[int, ...]
    """Three."""
    pre: _Pre = _RELEASE

    @property
    def is_release(self) -> bool:
        """Whether it has no `-beta1` or the like."""
        return self.pre == _RELEASE


@dataclass(frozen=True)
class Condition:
    """One of the conditions that a constraint is made of."""

    operator: str
    version: Version
    given: int
    """How many of the numbers are written: `~> 1.2` lets the second grow, `~> 1.2.0` the third, `~> 1` the first."""

    def allows(self, version: Version) -> bool:
        """Whether the version meets it. Of prereleases, only the one that is named does."""
        if not version.is_release and self.operator != "!=":
            same = version.numbers == self.version.numbers and not self.version.is_release
            return same and _MEETS[self.operator](self, version)
        return _MEETS[self.operator](self, version)


def _pessimistic(condition: Condition, version: Version) -> bool:
    fixed = max(condition.given - 1, 0)
    return version >= condition.version and version.numbers[:fixed] == condition.version.numbers[:fixed]


_MEETS: dict[str, Callable[[Condition, Version], bool]] = {
    "=": lambda condition, version: version == condition.version,
    "!=": lambda condition, version: version != condition.version,
    ">": lambda condition, version: version > condition.version,
    ">=": lambda condition, version: version >= condition.version,
    "<": lambda condition, version: version < condition.version,
    "<=": lambda condition, version: version <= condition.version,
    "~>": _pessimistic,
}

Constraint = tuple[Condition, ...]
"""All of which a version has to meet; () is met by every version."""


class Relation(StrEnum):
    """How a constraint stands to the one before it."""

    SAME = "same"
    """They allow the same versions."""
    NARROWER = "narrower"
    """It refuses some that were allowed; it may allow others that were not."""
    WIDER = "wider"
    """It allows all that were allowed, and others."""
    APART = "apart"
    """No version meets both."""
    UNKNOWN = "unknown"
    """One of them cannot be read."""


def parse(text: str) -> Constraint | None:
    """The conditions in `text`, "" has none; None when it is not a constraint."""
    if not text.strip():
        return ()
    pieces = text.split(",")
    found = [_PART.fullmatch(piece) for piece in pieces[:_PARTS_MAX]]
    if len(pieces) > _PARTS_MAX:
        return None
    read = [_condition(match) for match in found if match is not None]
    return tuple(read) if len(read) == len(found) else None


def relation(before: str, now: str) -> Relation:
    """How the constraint `now` stands to the one `before`."""
    old, new = parse(before), parse(now)
    if old is None or new is None:
        return Relation.SAME if before == now else Relation.UNKNOWN
    tried = [(_allows(old, version), _allows(new, version)) for version in _samples((*old, *new))]
    if not any(then and still for then, still in tried):
        return Relation.APART
    if any(then and not still for then, still in tried):
        return Relation.NARROWER
    return Relation.WIDER if any(still and not then for then, still in tried) else Relation.SAME


def _condition(match: re.Match[str]) -> Condition:
    numbers = [int(number) for number in match[2].split(".")]
    version = Version((*numbers, *[0] * (3 - len(numbers))), _pre(match[3]))
    return Condition(match[1] or "=", version, len(numbers))


def _pre(text: str | None) -> _Pre:
    """As semantic versions compare: numbers by size and before words, words by their letters."""
    if not text:
        return _RELEASE
    pieces = text.split(".")
    return tuple((0, int(piece[:18]), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces)


def _allows(constraint: Constraint, version: Version) -> bool:
    return all(condition.allows(version) for condition in constraint)


def _samples(conditions: Iterable[Condition]) -> set[Version]:
    """A version from each stretch between two versions that are named, and those themselves.

    Between them no condition changes its mind; and versions have three numbers, the last of which has no end.
    """
    found = {Version((0, 0, 0))}
    for condition in conditions:
        for numbers in (condition.version.numbers, _end(condition)):
            found |= {Version(numbers), Version((*numbers[:2], numbers[2] + 1))}
        found.add(condition.version)
    return found


def _end(condition: Condition) -> tuple[int, ...]:
    """The first numbers that `~>` does not allow any more."""
    numbers, fixed = condition.version.numbers, condition.given - 1
    if condition.operator != "~>" or fixed < 1:
        return numbers
    return (*numbers[: fixed - 1], numbers[fixed - 1] + 1, *[0] * (3 - fixed))
