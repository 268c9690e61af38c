"""How results are shown: as a table for people, as JSON or YAML for programs, as names for shells."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from engine.cli.common import Session
from engine.core import outputs as core_outputs
from engine.core.address import quoted
from engine.core.outputs import MASK
from engine.errors import Conflict, LandformError, Usage

WIDEST = 80
"""Characters of a cell that are shown."""
_LONGEST_OUTPUT = 1000
_OBEYED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys besides the controls that JSON escapes anyway, or that turns around what it shows."""
_TIME = re.compile(r"\A(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+Z\Z")
"""A time as the catalog has it; people are shown no fractions of seconds."""
FORMATS = ("table", "json", "yaml", "name")
F = TypeVar("F", bound=Callable[..., Any])


def option(command: F) -> F:
    """Adds `-o`; the command gets it as `output`."""
    return click.option(
        "--output",
        "-o",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How to print the result.",
    )(command)


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading and the member it shows."""

    heading: str
    member: str


def columns(text: str) -> tuple[Column, ...]:
    """Columns from `HEADING=member` words."""
    return tuple(
        Column(heading.replace("_", " "), member) for heading, _, member in (w.partition("=") for w in text.split())
    )


@dataclass(frozen=True)
class Shape:
    """How a kind of result is shown."""

    name: str
    """Name and version of the JSON form, e.g. `landform.run/1`."""
    columns: tuple[Column, ...]
    key: str
    """The member that `-o name` prints."""


def many(rows: Sequence[Mapping[str, object]], shape: Shape, output: str) -> None:
    """Prints a list of results on stdout."""
    if output == "json":
        click.echo(to_json({"schema": shape.name, "items": list(rows)}))
    elif output == "yaml":
        click.echo(to_yaml({"schema": shape.name, "items": list(rows)}), nl=False)
    elif output == "name":
        click.echo("".join(f"{row[shape.key]}\n" for row in rows), nl=False)
    else:
        click.echo("".join(f"{line}\n" for line in table(rows, shape.columns)), nl=False)


def one(row: Mapping[str, object], shape: Shape, output: str, text: Callable[[], str] | None = None) -> None:
    """Prints one result on stdout; `text` makes the form for people, else its members are listed."""
    if output == "json":
        click.echo(to_json({"schema": shape.name, **row}))
    elif output == "yaml":
        click.echo(to_yaml({"schema": shape.name, **row}), nl=False)
    elif output == "name":
        click.echo(str(row[shape.key]))
    else:
        click.echo((text() if text else members(row)).rstrip("\n"))


def table(rows: Sequence[Mapping[str, object]], columns: Sequence[Column]) -> list[str]:
    """The rows as aligned lines with a heading."""
    cells = [[column.heading for column in columns]] + [[_short(row.get(c.member)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return ["   ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]


def _short(value: object) -> str:
    """A value in the width of a table: its first line, cut where it is long."""
    first, more, _ = value.strip().partition("\n") if isinstance(value, str) else (value, "", "")
    text = cell(first)
    return f"{text[:WIDEST]}..." if len(text) > WIDEST or more else text


def members(row: Mapping[str, object]) -> str:
    """A result as `name  value` lines."""
    width = max((len(name) for name in row), default=0)
    return "\n".join(f"{name.replace('_', ' '):<{width}}   {cell(value)}" for name, value in row.items())


def cell(value: object) -> str:
    """A value as a table shows it: on one line, without anything that a terminal would obey."""
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else _TIME.sub(r"\1Z", str(value))
    return "".join(character if character.isprintable() else " " for character in text)


def to_json(value: object) -> str:
    """JSON text; times in ISO 8601. What a terminal would obey is escaped: the value is the same."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def to_yaml(value: object) -> str:
    """YAML text of the same value."""
    import yaml

    # left to itself, YAML escapes only those controls that it does not allow
    is_plain = not _OBEYED.search(json.dumps(value, ensure_ascii=False, default=str))
    return yaml.safe_dump(json.loads(to_json(value)), sort_keys=False, allow_unicode=is_plain)


_RUN_DIGITS_MAX = 15


@dataclass(frozen=True)
class Page:
    """Which part of a list to show."""

    limit: int
    after: str | None = None
    """The last name of the page before; None for the first page."""

    @property
    def before(self) -> int | None:
        """The last run of the page before, where the list goes from new to old. Raises Usage for anything else."""
        if self.after is None:
            return None
        if not (self.after.isascii() and self.after.isdigit() and len(self.after) <= _RUN_DIGITS_MAX):
            raise Usage(f"--after takes the number of a run here, not {quoted(self.after)}.")
        return int(self.after)


def page(session: Session, rows: Sequence[Mapping[str, object]], shape: Shape, wanted: Page, output: str) -> None:
    """Prints one page of a list that was read one row longer than the page, and says how to get the next."""
    shown = rows[: wanted.limit]
    many(shown, shape, output)
    if len(rows) > wanted.limit:
        session.say(f"There are more: --after {shown[-1][shape.key]}")


def files(found: Mapping[str, bytes], folder: str | None, output: str) -> None:
    """Prints rendered files, or writes them into a folder."""
    if folder is not None:
        write_tree(Path(folder), found)
        many([{"name": str(Path(folder) / name)} for name in sorted(found)], FILES, output)
        return
    texts = {name: content.decode("utf-8", "replace") for name, content in sorted(found.items())}
    if output in ("json", "yaml"):
        text = (
            to_json({"schema": FILES.name, "files": texts}) + "\n"
            if output == "json"
            else to_yaml({"schema": FILES.name, "files": texts})
        )
        click.echo(text, nl=False)
    elif output == "name":
        click.echo("".join(f"{name}\n" for name in texts), nl=False)
    else:
        click.echo("\n".join(f"--- {name}\n{printable(text)}" for name, text in texts.items()))


FILES = Shape("landform.files/1", columns("FILE=name"), "name")


def write_tree(root: Path, found: Mapping[str, bytes]) -> None:
    """Writes files below a folder.

    Raises Conflict when one of them is there already; nothing is written then. Raises LandformError when the folder
    cannot be written.
    """
    taken = sorted(str(root / name) for name in found if (root / name).exists())
    if taken:
        raise Conflict(f"{taken[0]} exists already.", hint="Choose another folder with --dir.")
    try:
        for name, content in found.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise unwritable(root, error) from error


def unwritable(path: Path, error: OSError) -> LandformError:
    """For a place that the user named and nothing can be written to."""
    return LandformError(f"{path} cannot be written: {error.strerror}.", hint="Choose another folder with --dir.")


OUTPUTS = Shape("landform.outputs/1", columns("NAME=name VALUE=text"), "name")


def outputs(found: Mapping[str, Mapping[str, object]] | None, output: str) -> None:
    """Prints outputs; a sensitive one without its value."""
    rows = [
        {
            "name": name,
            "value": MASK if item["sensitive"] else item.get("value"),
            "text": output_text(item),
            "sensitive": item["sensitive"],
        }
        for name, item in sorted((found or {}).items())
    ]
    many(rows, OUTPUTS, output)


def output_text(item: Mapping[str, object]) -> str:
    """An output as those downstream get it, on one line and not too long; a sensitive one without its value."""
    if item["sensitive"]:
        return MASK
    text = printable(core_outputs.output_text(item.get("value"))).replace("\n", " ")
    return f"{text[:_LONGEST_OUTPUT]}..." if len(text) > _LONGEST_OUTPUT else text


def printable(text: str) -> str:
    """The text without anything that a terminal would obey, line ends and tabs kept."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
