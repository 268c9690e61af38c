"""How a place inside a document, and a value found there, are written for people."""

from __future__ import annotations

import json
import re
from typing import Any

from engine.errors import Invalid

Path = tuple[str | int, ...]
"""The way to a value inside a document: keys and list positions."""
Json = dict[str, Any]
"""A JSON object; its values are JSON trees."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_$-]+", re.ASCII)
_STEP = re.compile(r'\.?(?P<key>[A-Za-z0-9_$-]+)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]', re.ASCII)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def unprintable(text: str) -> str:
    """The first character that YAML does not allow, as `U+0007`; "" when there is none."""
    match = _UNPRINTABLE.search(text)
    return f"U+{ord(match[0]):04X}" if match else ""


def dotted(path: Path) -> str:
    """The place as people write it: `instances[0].spec.port`; "" for the whole document."""
    return "".join(map(_step, path)).removeprefix(".")


def undotted(text: str) -> Path:
    """The place that dotted() wrote. Raises Invalid when `text` is not one."""
    path: list[str | int] = []
    position = 0
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None or (match["key"] and match[0].startswith(".") != bool(path)):
            raise Invalid(f"{shown(text)} is not the name of an input.", hint="Names look like port or server.port.")
        path.append(_read_step(match))
        position = match.end()
    return tuple(path)


def shown(value: object, length: int = 60) -> str:
    """`value` as a message shows it: JSON on one line, cut where it is long."""
    if not isinstance(value, str):
        return short(json.dumps(value, default=str), length)
    # a string is cut before it is quoted, so that the cut does not look like a part of it
    text = value if len(value) <= length else value[: length - 3]
    quoted = json.dumps(text, ensure_ascii=not text.isprintable())
    return quoted if text == value else f'{quoted[:-1]}..."'


def short(text: str, length: int) -> str:
    """`text`, cut to `length` characters."""
    return text if len(text) <= length else text[: length - 3] + "..."


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_KEY.fullmatch(step) else f"[{json.dumps(step)}]"


def _read_step(match: re.Match[str]) -> str | int:
    if match["key"]:
        return match["key"]
    if match["index"]:
        return int(match["index"])
    try:
        return str(json.loads(match["quoted"]))
    except ValueError:
        raise Invalid(f"{shown(match['quoted'])} is not a name in JSON's quotes.") from None
