"""`landform run compare`: what differs between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from engine.cli import display
from engine.cli.common import RUN, Session, pass_session
from engine.cli.display import cell, output_text

if TYPE_CHECKING:
    from engine.catalog.reads import Row
    from engine.core.comparisons import Comparison, Deed, Difference

COMPARISON = display.Shape("landform.comparison/1", display.columns("NAME=name CHANGE=change"), "name")
_SHOWN = (
    *("id", "address", "operation", "status", "template", "shape", "plan", "requested_by", "reason"),
    *("created_at", "ended_at"),
)
_MARKS = {"added": "+", "removed": "-", "changed": "~"}


@click.command("compare")
@click.argument("before", type=RUN, metavar="RUN")
@click.argument("after", type=RUN, metavar="RUN")
@display.option
@pass_session
def compare(session: Session, before: int, after: int, output: str) -> None:
    """Show what differs between two runs: version, inputs, what they read of others, plan and outputs."""
    from engine.core import comparisons

    reads = session.reads()
    rows = [reads.run(before), reads.run(after)]
    found = comparisons.compared(_deed(rows[0]), _deed(rows[1]))
    if output == "name":
        click.echo("".join(f"{each.name}\n" for _, some in _topics(found) for each in some), nl=False)
        return
    display.one(_row(rows, found), COMPARISON, output, lambda: "\n".join(_text(rows, found)))


def _deed(row: Row) -> Deed:
    from engine.core import plans
    from engine.core.comparisons import Deed

    summary = plans.from_json(row["summary"]) if row["summary"] else None
    return Deed(row["template"], row["inputs"], row["upstream"] or {}, row["outputs"] or {}, summary)


def _row(rows: Sequence[Row], found: Comparison) -> dict[str, object]:
    """The comparison for programs. Upstream outputs have no values: nobody keeps them."""
    topics = {name: [each.to_json() for each in some] for name, some in _topics(found)}
    topics["upstream"] = [{"name": each["name"], "change": each["change"]} for each in topics["upstream"]]
    before, after = ({name: row[name] for name in _SHOWN} for row in rows)
    return {"before": before, "after": after, "same_version": before["template"] == after["template"], **topics}


def _topics(found: Comparison) -> tuple[tuple[str, tuple[Difference, ...]], ...]:
    return (
        ("inputs", found.inputs),
        ("upstream", found.upstream),
        ("changes", found.changes),
        ("outputs", found.outputs),
    )


_HEADINGS = {
    "inputs": "Inputs:",
    "upstream": "Read of others:",
    "changes": "What the plans would do:",
    "outputs": "Outputs:",
}


def _text(rows: Sequence[Row], found: Comparison) -> Iterator[str]:
    for row in rows:
        shape = f", {row['shape']}" if row["shape"] else ""
        yield f"Run {row['id']}: {row['operation']} {row['address']} with {row['template']}, {row['status']}{shape}"
    before, after = rows
    if before["template"] != after["template"]:
        yield from ("", f"Version: {before['template']} -> {after['template']}")
    for topic, some in _topics(found):
        if some:
            yield from ("", _HEADINGS[topic], *(_line(each, has_values=topic != "upstream") for each in some))
    if found.is_empty and before["template"] == after["template"]:
        yield from ("", "No difference.")


def _line(found: Difference, *, has_values: bool) -> str:
    line = f"  {_MARKS[found.kind]} {cell(found.name)}"
    if not has_values:
        return line
    sides = {"before": found.before, "after": found.after}
    values = [_value(value) for side, value in sides.items() if side != _ABSENT.get(found.kind)]
    return f"{line}: {' -> '.join(values)}"


_ABSENT = {"added": "before", "removed": "after"}


def _value(value: object) -> str:
    return output_text({"sensitive": False, "value": value}) or '""'
