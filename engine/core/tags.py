"""Tags that people give: what they may look like (reference section 7.5), and how those of several levels are one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engine.errors import Problem

MOST = 50
KEY_MOST = 128
VALUE_MOST = 256
_SIGNS = "*_.:/=+-@"
_RESERVED = ("aws:", "proton:")
"""What keys may not begin with: those of AWS, and those that Landform makes itself."""


def problems(tags: Mapping[str, object], file: str, field: str = "") -> Iterator[Problem]:
    """Everything wrong with the tags; `field` is where in the file they stand."""
    if len(tags) > MOST:
        yield Problem(file, 0, field, f"{len(tags)} tags are too many: {MOST} are the most.")
    for key, value in tags.items():
        place = f"{field}.{key}" if field else key
        for wrong in (*_wrong_key(key), *_wrong_value(value)):
            yield Problem(file, 0, place, wrong)


def merged(*levels: Mapping[str, str]) -> dict[str, str]:
    """The tags of all levels; where two have the same key the later level counts. In order of their keys."""
    together = {key: value for level in levels for key, value in level.items()}
    return dict(sorted(together.items()))


def changed(before: Mapping[str, str], wishes: Mapping[str, str]) -> dict[str, str]:
    """The tags with those of `wishes` in place; a key whose value is "" is taken away."""
    return {key: value for key, value in merged(before, wishes).items() if value or key not in wishes}


def _wrong_key(key: str) -> Iterator[str]:
    if not 1 <= len(key) <= KEY_MOST:
        yield f"The key of a tag has 1 to {KEY_MOST} characters, and this one has {len(key)}."
    if bad := _bad(key):
        yield f"{bad} cannot be in the key of a tag: {_ALLOWED}."
    if reserved := next((start for start in _RESERVED if key.lower().startswith(start)), ""):
        yield f"Keys that begin with {reserved} are not for people."


def _wrong_value(value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield "The value of a tag is a string."
        return
    if len(value) > VALUE_MOST:
        yield f"The value of a tag has at most {VALUE_MOST} characters, and this one has {len(value)}."
    if bad := _bad(value):
        yield f"{bad} cannot be in the value of a tag: {_ALLOWED}."


_ALLOWED = f"letters, digits, spaces and {' '.join(_SIGNS)} can"
_BAD = re.compile(rf"[^\w {re.escape(_SIGNS)}]")


def _bad(text: str) -> str:
    """The first character that no tag can have, in quotes; "" when there is none."""
    found = _BAD.search(text)
    return repr(found[0]) if found else ""
