"""The JSON text of generated files, and the order of outputs in them: to the byte what Proton's own writer produced.

The form is that of Jackson's default pretty printer, the order that of a Java HashMap (reference sections 2.5 and 2.6),
so that a repository Proton once wrote shows no needless difference.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from engine.errors import Invalid

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SMALLEST_TABLE = 16


def text(value: object) -> str:
    """`value`, a tree of dicts, lists, strings, numbers, booleans and None, as JSON text without a final newline.

    Raises Invalid for a number that JSON cannot hold.
    """
    return _text(value, "")


def quoted(value: str) -> str:
    """`value` as a JSON string; other alphabets stay readable."""
    # half of a surrogate pair has no UTF-8: only its escape can be written to a file
    return _LONE_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(value, ensure_ascii=False))


def scalar(value: object) -> str:
    """A string, number, boolean or None as JSON. Raises Invalid for a number that JSON cannot hold."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid(f"{value} is not a number that can be handed to Terraform.")
    return json.dumps(value)


def ordered(names: Iterable[str]) -> list[str]:
    """The names in the order a Java HashMap would list them; the order they come in does not matter."""
    known = sorted(set(names))
    size = _SMALLEST_TABLE
    while 4 * len(known) > 3 * size:
        size *= 2
    return sorted(known, key=lambda name: _bucket(name, size))


def _text(value: object, margin: str) -> str:
    if isinstance(value, Mapping):
        return _object(value, margin)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[ " + ", ".join(_text(item, margin) for item in value) + " ]" if value else "[ ]"
    return scalar(value)


def _object(members: Mapping[str, object], margin: str) -> str:
    if not members:
        return "{ }"
    inner = margin + "  "
    lines = ",\n".join(f"{inner}{quoted(name)} : {_text(value, inner)}" for name, value in members.items())
    return f"{{\n{lines}\n{margin}}}"


def _bucket(name: str, size: int) -> int:
    digest = 0
    units = name.encode("utf-16-be", "surrogatepass")
    for high, low in zip(units[::2], units[1::2], strict=True):
        digest = (31 * digest + 256 * high + low) % 2**32
    return (digest ^ digest >> 16) % size
