"""`landform run`: plans, approvals, applies and their logs."""

from __future__ import annotations

import click

from engine.cli import arguments, display, endings, failures, foreground, texts
from engine.cli.common import RUN, Session, pass_session
from engine.cli.foreground import Options
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


# lists of runs are asked for most, and must not wait for all that can be done with one
run.elsewhere = {
    "plan": "engine.cli.run_plan:plan",
    "wait": "engine.cli.run_wait:wait",
    "logs": "engine.cli.run_logs:logs",
    "export": "engine.cli.run_export:export",
    "cancel": "engine.cli.run_cancel:cancel",
    "recover": "engine.cli.run_recover:recover",
    "explain": "engine.cli.explain:explain_run",
    "notify": "engine.cli.run_notify:notify",
    "poll": "engine.cli.run_notify:poll",
    "compare": "engine.cli.run_compare:compare",
}


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


@run.command("approve")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--except",
    "exceptions",
    multiple=True,
    metavar="RULE[,RULE...]",
    help="Let the plans break these rules of guards, this time; needs --reason.",
)
@foreground.carrying
@pass_session
def approve(session: Session, run_ids: tuple[int, ...], exceptions: tuple[str, ...], how: Options) -> int:
    """Say yes to plans, and apply them here; with --no-wait, only say yes.

    A plan that needs the yes of several people goes on with the last of them; until then it waits, with exit code 3.
    One that a guard refuses needs an exception from each of them, with a reason.
    """
    from engine.actions import runs

    rules = list(dict.fromkeys(rule.strip() for given in exceptions for rule in given.split(",") if rule.strip()))
    if exceptions and not rules:
        raise Usage("--except names no rule.", hint=f"See what refuses it: landform run show {run_ids[0]}")
    if exceptions and not how.reason.strip():
        raise Usage("--except needs --reason.", hint="Say why it is right this time: --reason TEXT")
    app = session.open_app()
    approved = runs.approve(app.desk, run_ids, runs.Yes(how.reason, rules), how.asked())
    code = foreground.carry_out(session, app, approved, how)
    # said with --no-wait too: whoever says yes wants to know whether that was enough
    endings.raise_for([row for row in map(session.reads().run, approved) if row["status"] == Status.PLANNED])
    return code


@run.command("apply")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@foreground.agreeing
@pass_session
def apply(session: Session, run_ids: tuple[int, ...], how: Options) -> int:
    """Carry out runs that are queued or approved, here and now."""
    from engine.actions import runs

    app = session.open_app()
    return foreground.carry_out(session, app, runs.go_on(app.desk, run_ids, how.asked()), how)


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
    from engine.cli import run_recover

    app = session.open_app()
    if session.reads().run(run_id)["status"] == Status.INTERRUPTED:
        return run_recover.retried(session, app, run_id, how)
    return foreground.carry_out(session, app, runs.retry(app.desk, run_id, how.consent()), how)
