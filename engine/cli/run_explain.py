"""`landform run explain`: why a run waits, and what can be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import display
from engine.cli.common import RUN, Session, pass_session
from engine.core.scheduling import TAKEABLE

if TYPE_CHECKING:
    from engine.catalog.shapes import Row
    from engine.core.explanations import Explanation

EXPLANATION = display.Shape("landform.explanation/1", display.columns("RUN=run STATUS=status"), "run")


@click.command("explain")
@click.argument("run_id", type=RUN, metavar="RUN")
@display.option
@pass_session
def explain(session: Session, run_id: int, output: str) -> None:
    """Say why a run waits, whether any worker could ever take it, and what can be done about it."""
    from engine.actions import workers

    found = workers.explain(session.open_app().desk, run_id)
    row = session.reads().run(run_id)
    display.one(_view(row, found), EXPLANATION, output, lambda: _text(row, found))


def _view(row: Row, found: Explanation) -> dict[str, object]:
    return {
        "run": row["id"],
        "address": row["address"],
        "status": row["status"],
        "waiting_on": row["waiting_on"],
        "obstacles": [{"why": each.why.value, "text": each.text, "run": each.run_id} for each in found.obstacles],
        "can_be_taken": not found.obstacles,
        "ahead": list(found.ahead),
        "able_workers": list(found.able),
        "next_commands": list(found.next_commands),
    }


def _text(row: Row, found: Explanation) -> str:
    lines = [f"Run {row['id']} of {row['address']}: {row['status']}"]
    lines += [f"  {each.text}" for each in found.obstacles] or ["  a worker can take it now"]
    if found.ahead:
        lines.append(f"  before it goes run {', '.join(map(str, found.ahead[:10]))}{_and_more(len(found.ahead) - 10)}")
    if row["status"] in TAKEABLE:
        lines.append(f"  {_who_could(found)}")
    return "\n".join([*lines, *(f"Next: {command}" for command in found.next_commands)])


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _who_could(found: Explanation) -> str:
    if not found.able:
        return "no living worker could ever take it"
    workers = ", ".join(map(str, found.able))
    return f"workers that could take it: {workers}"
