"""The regular expressions of schemas: ECMA-262's meaning, on Python's engine."""

from __future__ import annotations

import re
from functools import lru_cache

TEXT_MAX = 1024
"""Longer values are refused rather than matched: a bad pattern takes quadratic time or worse."""
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
# Python warns of set operations that it may have one day
_SET_OPERATION = re.compile(r"\\.|[\[&~|]|(?<!\A)(?<!\A\^)--", re.DOTALL)
# (a+)+ and its like: the same language as a+, but exponential time when it does not match
_REPEATED_REPEAT = re.compile(r"\((?:\?:)?(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^()\[\]\\|])[+*]\)(?:[+*]|\{\d*,\})")


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern, ready for search(). `$` is the very end, \\d and \\w are ASCII. Raises re.error."""
    return re.compile("".join(map(_translated, _TOKEN.findall(pattern))), re.ASCII)


def wrong(pattern: str) -> str:
    """What is wrong with the pattern, as the end of a sentence; "" when nothing is."""
    if len(pattern) > TEXT_MAX:
        return f"has {len(pattern):,} characters; {TEXT_MAX:,} are the most"
    if found := _REPEATED_REPEAT.search(pattern):
        return f"repeats a repetition in {found[0]}, which can take forever; repeat once"
    try:
        compiled(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is not a regular expression: {error}"
    return ""


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found anywhere in `text`."""
    return compiled(pattern).search(text) is not None


def _translated(part: str) -> str:
    if part == "$":
        return r"\Z"
    if len(part) > 1 and part.startswith("["):
        return f"[{_SET_OPERATION.sub(lambda found: _escaped(found[0]), part[1:-1])}]"
    return part


def _escaped(found: str) -> str:
    if found.startswith("\\"):
        return found
    return r"-\-" if found == "--" else "\\" + found
