"""`landform run`: plans, approvals, applies and their logs."""

from __future__ import annotations

import click

from engine.cli import arguments, common, display, failures, foreground, texts
from engine.cli.common import RUN, Session, pass_session
from engine.cli.foreground import Options
from engine.core import address
from engine.core.runs import Status
from engine.errors import NotFound, Usage

RUNS = display.Shape(
    "landform.run/1",
    display.columns(
        "RUN=id ADDRESS=address OPERATION=operation TEMPLATE=template STATUS=status PLAN=plan MESSAGE=message"
    ),
    "id",
)


@click.group(cls=failures.Noun)
def run() -> None:
    """Runs: plans, approvals, applies, logs."""


@run.command("list")
@click.argument("address", required=False, shell_complete=arguments.complete("instance"))
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only runs of this status.")
@display.option
@arguments.page
@pass_session
def list_runs(session: Session, address: str | None, status: str | None, page: display.Page, output: str) -> None:
    """List runs, newest first; with an address, those of one instance."""
    where = arguments.any_address(address) if address else None
    reads = session.reads()
    if where is not None:
        reads.history(where, limit=1)
    rows = reads.runs(where, Status(status) if status else None, before=page.before, limit=page.limit + 1)
    display.page(session, rows, RUNS, page, output)


@run.command("show")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--plan", "full", is_flag=True, help="The plan in Terraform's own words.")
@display.option
@pass_session
def show(session: Session, run_id: int, output: str, *, full: bool) -> None:
    """Show a run: what it is for, what its plan would do, and how it ended."""
    if full and output != "table":
        raise Usage("--plan prints text only.", hint="For programs: landform run show RUN -o json, or run logs -o json")
    row = session.reads().run(run_id)
    if full and row["plan"] is None:
        raise NotFound(f"Run {run_id} has no plan.", hint=f"See why: landform run show {run_id}")
    if full:
        click.echo(session.open_app().executor.plan_text(run_id), nl=False)
        return
    display.one(row, RUNS, output, lambda: texts.run(row))


@run.command("logs")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or Terraform's JSON lines.",
)
@pass_session
def logs(session: Session, run_id: int, output: str) -> None:
    """Print what Terraform said in a run."""
    from engine.worker import journal

    row = session.reads().run(run_id)
    path = journal.path(session.settings.home, address.parse(row["address"]), run_id, events=output == "json")
    if not path.exists():
        session.say(f"Run {run_id} has no log: Terraform was not started.")
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            click.echo(display.printable(line), nl=False)


@run.command("approve")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@foreground.carrying
@pass_session
def approve(session: Session, run_ids: tuple[int, ...], how: Options) -> int:
    """Say yes to plans, and apply them here; with --no-wait, only say yes."""
    from engine.actions import runs

    app = session.open_app()
    runs.approve(app.desk, run_ids, how.reason)
    return foreground.carry_out(session, app, run_ids, how)


@run.command("apply")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@foreground.options
@pass_session
def apply(session: Session, run_ids: tuple[int, ...], how: Options) -> int:
    """Carry out runs that are queued or approved, here and now."""
    from engine.actions import runs

    app = session.open_app()
    runs.refuse_ended(app.desk, run_ids)
    return foreground.carry_out(session, app, run_ids, how)


@run.command("discard")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--reason", default="", help="Recorded with the run.")
@display.option
@pass_session
def discard(session: Session, run_id: int, reason: str, output: str) -> None:
    """Say no to a run that has not begun to apply."""
    from engine.actions import runs

    runs.discard(session.open_app().desk, run_id, reason)
    row = session.reads().run(run_id)
    display.one(row, RUNS, output, lambda: texts.run(row))


@run.command("retry")
@click.argument("run_id", type=RUN, metavar="RUN")
@foreground.options
@pass_session
def retry(session: Session, run_id: int, how: Options) -> int:
    """Try again, with a new plan, what a run that did not succeed wanted."""
    from engine.actions import runs

    app = session.open_app()
    return foreground.carry_out(session, app, runs.retry(app.desk, run_id, how.consent()), how)


@run.command("recover")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@display.option
@pass_session
def recover(session: Session, run_id: int, output: str, *, yes: bool) -> None:
    """Take a run from a worker that is gone for certain: on another host, or in a container that was replaced.

    Workers of this machine need no recovering: the next command sees that they are gone.
    """
    from engine.actions import runs

    worker = session.reads().run(run_id)["executor"] or {}
    who = f"process {worker.get('pid')} on host {worker.get('host')}"
    if not common.confirm(f"Is {who} gone for certain, and all that it started?", yes=yes):
        raise Usage(f"Run {run_id} was left alone.")
    runs.recover(session.open_app().desk, run_id)
    row = session.reads().run(run_id)
    display.one(row, RUNS, output, lambda: texts.run(row))
