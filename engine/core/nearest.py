"""The name somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_LENGTH_MAX = 100


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate most like `name`, blind to case and to - against _; "" when none is like it."""
    if len(name) > _LENGTH_MAX:
        return ""
    plain = {_plain(candidate): candidate for candidate in candidates}
    close = get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else ""


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """` Did you mean "port"?`, to be put after a sentence; "" when no candidate is like `name`."""
    found = nearest(name, candidates)
    return f' Did you mean "{found}"?' if found else ""


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")
