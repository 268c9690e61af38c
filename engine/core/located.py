"""YAML documents whose every value knows its line; how a place inside one is written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Invalid, Problem, Severity

Path = tuple[str | int, ...]
"""The way to a value inside a document: keys and list positions."""
Json = dict[str, Any]
"""A JSON object; its values are JSON trees."""

TEXT_MAX = 2 * 1024 * 1024
_FIELD_MAX = 200
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_$-]+", re.ASCII)
_STEP = re.compile(r'\.?(?P<key>[A-Za-z0-9_$-]+)|\[(?P<index>[0-9]{1,9})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]', re.ASCII)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Document:
    """What a YAML file says, and where it says it."""

    file: str
    """As the user named it; `--set` for values from the command line."""
    value: object
    lines: Mapping[Path, int] = field(default_factory=dict)
    """Place -> line, from 1; a member of a mapping stands where its key stands."""

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest known value around it; 0 when there is none."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0

    def problem(
        self, path: Path, message: str, *, rule: str = "", hint: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem of the value at `path`."""
        return Problem(self.file, self.line(path), short(dotted(path), _FIELD_MAX), message, rule, severity, hint)


def parse(text: str, file: str) -> Document:
    """The one document in `text`. Raises Invalid with every problem found.

    Scalars are read as in YAML 1.2 with JSON's numbers: only true and false are booleans; NO, 12:30, 2020-01-01, 007
    and 0x1F are text.
    """
    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    # PyYAML costs 20 ms to import
    from engine.core.yaml_text import read

    reading = read(text)
    document = Document(file, reading.value, reading.lines)
    if reading.flaws:
        raise Invalid(
            f"{file} cannot be read:",
            problems=[
                Problem(file, flaw.line, short(dotted(flaw.path), _FIELD_MAX), flaw.message, flaw.rule, hint=flaw.hint)
                for flaw in reading.flaws
            ],
        )
    return document


def parse_bytes(raw: bytes, file: str) -> Document:
    """As parse(), of a file's content. Raises Invalid."""
    return parse(decode(raw, file), file)


def decode(raw: bytes, file: str) -> str:
    """The text of a file in UTF-8, with or without a byte order mark. Raises Invalid for other encodings."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = Problem(file, line, "", "is not UTF-8 text.", "yaml/encoding", hint="Save the file as UTF-8.")
        raise Invalid(f"{file} cannot be read:", problems=[problem]) from None


def dump(value: object) -> str:
    """`value` (a JSON tree) as YAML that parse() reads back the same, keys in the order they have."""
    from engine.core.yaml_text import write

    return write(value)


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
    # cut before encoding too: a list may hold megabytes
    if isinstance(value, str):
        text = json.dumps(value[:length], ensure_ascii=not value.isprintable())
        return text if len(value) <= length and len(text) <= length + 2 else f'{text[: length - 3].rstrip(chr(92))}..."'
    return short(json.dumps(value, ensure_ascii=True, default=str), length)


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


def _check_characters(text: str, file: str) -> None:
    match = _UNPRINTABLE.search(text)
    if len(text) > TEXT_MAX:
        problem = Problem(file, 0, "", f"has {len(text):,} characters; {TEXT_MAX:,} are the most.", "yaml/size")
    elif match:
        line = text.count("\n", 0, match.start()) + 1
        problem = Problem(file, line, "", f"The character {unprintable(match[0])} is not allowed.", "yaml/character")
    else:
        return
    raise Invalid(f"{file} cannot be read:", problems=[problem])
