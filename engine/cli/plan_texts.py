"""The one shape of a plan for programs, and its text for people: of a run's plan, and of one only to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli import display, texts
from engine.cli.common import Session
from engine.core import plans
from engine.core.outputs import output_text
from engine.core.runs import Status

if TYPE_CHECKING:
    from engine.catalog.shapes import Row
    from engine.core.drafts import Draft
    from engine.worker.speculation import Speculation

PLANS = display.Shape("landform.plan/1", (), "name")


def show_run(session: Session, row: Row, output: str) -> None:
    """Shows a run that was to plan, and what to type next."""
    summary = plans.from_json(row["summary"]) if row["summary"] is not None else None
    found = {
        "speculative": False,
        "run": row,
        "address": row["address"],
        "operation": row["operation"],
        "template": row["template"],
        "has_changes": None if summary is None else row["status"] != Status.SUCCEEDED,
        **_of(summary),
        "placeholders": [],
        "notes": [],
        "refusals": row["refusals"],
        "next": texts.next_commands(row),
    }
    _print(found, str(row["id"]), output, texts.run(row))
    for command in found["next"] if output != "table" else ():
        session.say(f"Next: {command}")


def show_speculation(session: Session, draft: Draft, speculation: Speculation, output: str) -> None:
    """Shows a plan that nobody can apply, and what to bear in mind about it."""
    found = {
        "speculative": True,
        "run": None,
        "address": str(draft.address),
        "operation": draft.operation.value,
        "template": draft.template,
        "has_changes": speculation.has_changes,
        **_of(speculation.summary),
        "placeholders": [each.to_json() for each in speculation.placeholders],
        "notes": list(speculation.notes),
        "refusals": [refusal.to_json() for refusal in speculation.refusals],
        "next": [],
    }
    _print(found, "", output, _text(draft, speculation))
    session.say("This plan was only looked at: it is kept nowhere, and cannot be applied.")


def _of(summary: plans.Summary | None) -> dict[str, object]:
    """What a plan would do; each None before there is one."""
    if summary is None:
        return dict.fromkeys(("plan", "changes", "resources", "outputs", "drift"))
    told = summary.to_json()
    return {
        "plan": summary.sentence(),
        "changes": summary.counts(),
        "resources": told["changes"],
        "outputs": told["outputs"],
        "drift": told["drift"],
    }


def _print(found: dict[str, object], name: str, output: str, text: str) -> None:
    if output == "name":
        display.many([{"name": name}] if name else [], PLANS, output)
        return
    display.one(found, PLANS, output, lambda: text)


def _text(draft: Draft, speculation: Speculation) -> str:
    verb = f"{draft.operation.value} {draft.address} with {draft.template}"
    lines = [f"What would be planned now, to {verb}: {speculation.summary.sentence()}"]
    lines += [*texts.plan_lines(speculation.summary)]
    if speculation.placeholders:
        lines += ["Outputs that are not there yet, and what stood in for them:"]
        lines += [f"    {each.name} = {output_text(each.value)}" for each in speculation.placeholders]
    lines += texts.refusals(speculation.refusals)
    return display.printable("\n".join([*lines, *(f"Note: {note}" for note in speculation.notes)]))
