"""`landform campaign`: one change for many instances, wave by wave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from engine.cli import campaign_options, common, display, failures
from engine.cli.campaign_options import Asked
from engine.cli.campaign_progress import counts
from engine.cli.common import Session, pass_session
from engine.cli.turns import Deadline
from engine.core.campaigns import Status, StepStatus
from engine.core.workers import Kind, State
from engine.errors import Cancelled, ExternalFailure, LandformError, TimedOut, Waiting

if TYPE_CHECKING:
    from engine.actions.campaign_outlines import Outline
    from engine.actions.driving import View
    from engine.app import App
    from engine.catalog.reads import Row

CAMPAIGNS = display.Shape(
    "landform.campaign/1",
    display.columns("CAMPAIGN=id TITLE=title STATUS=status DONE=done FAILED=failures BY=created_by STARTED=created_at"),
    "id",
)
STEPS = display.Shape(
    "landform.campaign/1",
    display.columns("WAVE=wave ADDRESS=address FROM=template_before TO=template STATUS=status RUN=run_id PLAN=plan")
    + display.columns("MESSAGE=message"),
    "address",
)
PLAN = display.Shape(
    "landform.campaign-plan/1",
    display.columns("WAVE=wave ADDRESS=address ENVIRONMENT=environment FROM=before TO=after REFUSED=refusal"),
    "address",
)


class _Number(common.WholeNumber):
    """The number of a campaign; `c3`, as `landform explain` has it, is 3."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, as click asks for it."""
        text = str(value)
        return super().convert(text[1:] if text[:1] == "c" and text[1:].isdigit() else value, param, ctx)


CAMPAIGN = _Number(2**53 - 1, "the number of a campaign")
_WAIT = click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Carry it out here, or leave it to workers."
)
_TIMEOUT = click.option(
    "--timeout", type=common.Seconds(), metavar="SECONDS", help="Pause it after this long, and finish what has begun."
)


@click.group(cls=failures.Noun)
def campaign() -> None:
    """Campaigns: one change for many instances, wave by wave."""


@campaign.command("plan")
@campaign_options.wishing
@display.option
@pass_session
def plan(session: Session, asked: Asked, output: str) -> None:
    """Show what a campaign would do, in which order, and what would be refused. Nothing is recorded."""
    from engine.actions import campaign_outlines

    found = campaign_outlines.outline(session.open_app().desk, asked.proposal())
    display.many(_planned(found), PLAN, output)
    if output == "table":
        for address, why in found.left_out.items():
            session.say(f"{address.partition('/')[2]} is left out. {why}")
        if not found.steps and not found.left_out:
            session.say("No instance is selected.")


def _planned(found: Outline) -> list[dict[str, object]]:
    return [
        {
            "wave": step.wave + 1,
            "address": step.address,
            "environment": step.environment,
            "before": step.before,
            "after": step.after,
            "refusal": step.refusal,
        }
        for step in found.steps
    ]


@campaign.command("start")
@campaign_options.wishing
@_WAIT
@_TIMEOUT
@display.option
@pass_session
def start(session: Session, asked: Asked, output: str, timeout: float | None, *, wait: bool) -> None:
    """Bring a version to many instances, wave by wave.

    Each step is an ordinary run. Two campaigns never have the same instance.
    """
    from engine.actions import campaigns

    app = session.open_app()
    number = campaigns.start(app.desk, asked.proposal())
    if number is None:
        session.say("There is nothing to do: no instance is selected that is not there already.")
        display.many([], STEPS, output)
        return
    session.say(f"Campaign {number} begins.")
    _carried_out(session, app, number, output, timeout if wait else 0, wait=wait)


@campaign.command("list")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only those of this status.")
@click.option("--limit", type=common.WholeNumber(10_000), default=50, show_default=True, help="Rows at most.")
@display.option
@pass_session
def list_campaigns(session: Session, status: str | None, limit: int, output: str) -> None:
    """List campaigns, newest first."""
    rows = session.reads().campaigns(status, limit=limit)
    display.many([row | {"done": _done(row)} for row in rows], CAMPAIGNS, output)


def _done(row: Row) -> str:
    return f"{row['steps_done']} of {row['steps_in_all']}"


@campaign.command("status")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@display.option
@pass_session
def show(session: Session, campaign_id: int, output: str) -> None:
    """Show where a campaign stands, step by step."""
    row = session.reads().campaign(campaign_id)
    display.one(row, CAMPAIGNS, output, lambda: "\n".join(_text(row)))
    for action in row["next_actions"]:
        session.say(f"Next: landform campaign {action} {campaign_id}")
    if row["status"] == Status.RUNNING and not any(_takes_runs(worker) for worker in session.reads().workers()):
        session.say("No worker is there to carry it out; somebody may be doing so in the foreground.")
        session.say(f"Next: landform campaign resume {campaign_id}")


def _takes_runs(worker: Row) -> bool:
    return bool(worker["kind"] == Kind.SERVICE and worker["state"] == State.ACTIVE)


@campaign.command("report")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True)
@pass_session
def report(session: Session, campaign_id: int, form: str) -> None:
    """Print what a campaign did, for a ticket or a program."""
    from engine.core import campaign_report

    row = session.reads().campaign(campaign_id)
    found = campaign_report.report(row, row["steps"])
    click.echo(display.to_json(found) if form == "json" else campaign_report.markdown(found))


@campaign.command("pause")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@display.option
@pass_session
def pause(session: Session, campaign_id: int, output: str) -> None:
    """Begin nothing new; what is under way goes on."""
    from engine.actions import campaigns

    campaigns.pause(session.open_app().desk, campaign_id)
    _show(session, campaign_id, output)


@campaign.command("resume")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@_WAIT
@_TIMEOUT
@display.option
@pass_session
def resume(session: Session, campaign_id: int, output: str, timeout: float | None, *, wait: bool) -> None:
    """Go on with a campaign: say yes to its next wave, or go on after it was halted or its process died."""
    from engine.actions import campaigns

    app = session.open_app()
    campaigns.resume(app.desk, campaign_id)
    _carried_out(session, app, campaign_id, output, timeout, wait=wait)


@campaign.command("abort")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@click.option("--reason", default="", metavar="TEXT", help="Why; recorded with the campaign.")
@display.option
@pass_session
def abort(session: Session, campaign_id: int, reason: str, output: str) -> None:
    """Stop what has not begun. What is being planned or applied goes on to its own end."""
    from engine.actions import campaigns

    campaigns.abort(session.open_app().desk, campaign_id, reason)
    _show(session, campaign_id, output)


@campaign.command("retry")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@_WAIT
@_TIMEOUT
@display.option
@pass_session
def retry(session: Session, campaign_id: int, output: str, timeout: float | None, *, wait: bool) -> None:
    """Try the failed steps again, with new runs, and go on."""
    from engine.actions import campaigns

    app = session.open_app()
    campaigns.retry(app.desk, campaign_id)
    _carried_out(session, app, campaign_id, output, timeout, wait=wait)


@campaign.command("rollback")
@click.argument("campaign_id", type=CAMPAIGN, metavar="CAMPAIGN")
@campaign_options.manner
@_WAIT
@_TIMEOUT
@display.option
@pass_session
def rollback(
    session: Session, campaign_id: int, asked: Asked, output: str, timeout: float | None, *, wait: bool
) -> None:
    """Take the finished part of a campaign back, last first, as a campaign of its own."""
    from engine.actions import campaigns

    app = session.open_app()
    number = campaigns.rollback(app.desk, campaign_id, asked.manner(), skip_refused=asked.skip_refused)
    session.say(f"Campaign {number} takes campaign {campaign_id} back.")
    _carried_out(session, app, number, output, timeout, wait=wait)


def follow(session: Session, app: App, campaign_id: int, output: str, timeout: float | None) -> None:
    """Carries a campaign out here, shows what came of it, and raises what its ending calls for."""
    _carried_out(session, app, campaign_id, output, timeout, wait=True)


def _carried_out(
    session: Session, app: App, campaign_id: int, output: str, timeout: float | None, *, wait: bool
) -> None:
    from engine.cli.campaign_driving import Conductor

    if not wait:
        _show(session, campaign_id, output)
        session.say(f"Workers carry it out. Or do it here: landform campaign resume {campaign_id}")
        return
    conductor = Conductor(session, app, campaign_id, Deadline(timeout))
    view = conductor.carry_out()
    row = _show(session, campaign_id, output)
    on = f"Go on: landform campaign resume {campaign_id}"
    on += f". With another try of what has failed: landform campaign retry {campaign_id}" if row["failures"] else ""
    if conductor.deadline.is_over and view.status is Status.PAUSED:
        raise TimedOut(
            f"{timeout:g} seconds were not enough: campaign {campaign_id} is paused.",
            hint=on,
        )
    _raise_for(campaign_id, view, on)


def _raise_for(campaign_id: int, view: View, on: str) -> None:
    """Raises what the campaign's standing calls for; nothing when it has succeeded."""
    see = f"See it: landform campaign status {campaign_id}"
    endings: dict[Status, tuple[type[LandformError], str, str]] = {
        Status.FAILED: (ExternalFailure, "failed", f"{see}. Then: landform campaign retry {campaign_id}"),
        Status.HALTED: (
            ExternalFailure,
            "was halted",
            f"{see}. Then: landform campaign retry, resume, abort or rollback {campaign_id}",
        ),
        Status.ABORTED: (Cancelled, "was aborted", see),
        Status.PAUSED: (Waiting, "is paused", on),
        Status.RUNNING: (Waiting, "waits for people", f"{see}; its runs: landform run list"),
    }
    if view.status in endings:
        kind, said, hint = endings[view.status]
        raise kind(f"Campaign {campaign_id} {said}. {view.message}".strip(), hint=hint)


def _show(session: Session, campaign_id: int, output: str) -> Row:
    row = session.reads().campaign(campaign_id)
    display.one(row, CAMPAIGNS, output, lambda: "\n".join(_text(row)))
    return row


def _text(row: Row) -> list[str]:
    title = f" {row['title']}" if row["title"] else ""
    head = f"Campaign {row['id']}{title}: {row['status']}, {_done(row)} done"
    waves = sorted({step["wave"] for step in row["steps"]})
    of_each = [f"  wave {wave}: {counts(_of_wave(row, wave))}" for wave in waves]
    steps = [step | {"status": _status(step)} for step in row["steps"]]
    message = [f"  {row['message']}"] if row["message"] else []
    return [head, *message, *of_each, "", *display.table(steps, STEPS.columns)]


def _status(step: Row) -> str:
    """The status of a step, with that of its run while it has one under way."""
    is_running = step["status"] == StepStatus.RUNNING and step["run_status"]
    return f"{step['status']} ({step['run_status']})" if is_running else str(step["status"])


def _of_wave(row: Row, wave: int) -> Sequence[Row]:
    return [step for step in row["steps"] if step["wave"] == wave]
