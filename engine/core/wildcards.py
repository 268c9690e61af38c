"""Names with `*` and `?` in them, and nothing else that means anything."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is the text, `*` standing for any characters and `?` for one."""
    # the indexes of Terraform's addresses stand in brackets, which would be sets of characters
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def any_matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of the patterns matches."""
    return any(matches(pattern, text) for pattern in patterns)
