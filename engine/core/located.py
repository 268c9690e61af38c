"""YAML documents whose every value knows its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.paths import Json as Json
from engine.core.paths import Path as Path
from engine.core.paths import dotted as dotted
from engine.core.paths import short as short
from engine.core.paths import shown as shown
from engine.core.paths import undotted as undotted
from engine.core.paths import unprintable as unprintable
from engine.errors import Invalid, Problem, Severity

TEXT_MAX = 2 * 1024 * 1024
_FIELD_MAX = 200


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


def _check_characters(text: str, file: str) -> None:
    character = unprintable(text)
    if len(text) > TEXT_MAX:
        problem = Problem(file, 0, "", f"has {len(text):,} characters; {TEXT_MAX:,} are the most.", "yaml/size")
    elif character:
        line = next(number for number, line in enumerate(text.split("\n"), 1) if unprintable(line))
        problem = Problem(file, line, "", f"The character {character} is not allowed.", "yaml/character")
    else:
        return
    raise Invalid(f"{file} cannot be read:", problems=[problem])
