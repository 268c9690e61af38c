"""`landform run cancel`: asks for an end, waits for it, and says how it came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from engine.cli import common, display
from engine.cli.common import RUN, Session, pass_session
from engine.cli.foreground import RESULTS
from engine.cli.run_wait import Watch
from engine.cli.turns import Deadline
from engine.core.goals import Goal
from engine.core.runs import EXECUTING, Status, is_terminal
from engine.errors import Conflict, LandformError, OutcomeUnknown, TimedOut

if TYPE_CHECKING:
    from engine.app import App
    from engine.catalog.shapes import Row


@click.command("cancel")
@click.argument("run_ids", type=RUN, nargs=-1, required=True, metavar="RUN...")
@click.option("--force", is_flag=True, help="Kill Terraform at once; only some seconds after it was asked to stop.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait until nobody works on the runs any more.")
@click.option("--timeout", type=common.Seconds(), metavar="SECONDS", help="Wait no longer than this.")
@display.option
@pass_session
def cancel(
    session: Session, run_ids: tuple[int, ...], output: str, *, force: bool, wait: bool, timeout: float | None
) -> None:
    """Stop runs: those that wait are over at once; of others, Terraform is asked to stop, and their state is kept."""
    app = session.open_app()
    ids = list(dict.fromkeys(run_ids))
    refusals = {run_id: refusal for run_id in ids if (refusal := _asked(session, app, run_id, force=force))}
    obeyed = [run_id for run_id in ids if run_id not in refusals]
    if wait and obeyed:
        _stop(session, app, obeyed, timeout)
    runs = [session.reads().run(run_id) for run_id in obeyed]
    if runs or output != "table":
        display.many(runs, RESULTS, output)
    for refusal in refusals.values():
        raise refusal
    if wait:
        _raise_for(runs, timeout)
    elif stopping := [str(run["id"]) for run in runs if run["status"] in EXECUTING]:
        session.say(f"Next: landform run wait {' '.join(stopping)}")


def _asked(session: Session, app: App, run_id: int, *, force: bool) -> LandformError | None:
    """What keeps the run from being cancelled, if anything does: the others are cancelled all the same."""
    from engine.actions import recovery

    try:
        run = recovery.cancel(app.desk, run_id, force=force, note=_withdrawn(session, app, run_id))
    except LandformError as error:
        return error
    if Status(run.status) in EXECUTING:
        session.say(f"Run {run_id}: {'killing Terraform.' if force else 'asking Terraform to stop.'}")
    return None


def _withdrawn(session: Session, app: App, run_id: int) -> str:
    """What came of closing the run's pull request, which comes first: a look at it would end the run as well."""
    with app.catalog.read() as tx:
        run = tx.run(run_id)
    said = app.proposals.withdraw(run)
    if said:
        session.say(f"Run {run_id}: {said}")
    return said


def _stop(session: Session, app: App, run_ids: Sequence[int], timeout_s: float | None) -> None:
    """Returns when nobody works on the runs any more, or when time is up."""
    from engine.actions import recovery

    for run in Watch(session, run_ids, Goal.STOPPED, Deadline(timeout_s)).until_reached():
        # a plan that was made before Terraform heard of the wish, or lost with its worker, waits for somebody again
        status = Status(run["status"])
        if not is_terminal(status) and status not in EXECUTING and status is not Status.INTERRUPTED:
            recovery.cancel(app.desk, run["id"], note=_withdrawn(session, app, run["id"]))


def _raise_for(runs: Sequence[Row], timeout_s: float | None) -> None:
    """Raises unless every run is cancelled: the worst first."""
    for status, error in _ENDINGS.items():
        for run in runs:
            if run["status"] == status:
                raise error(run["id"], timeout_s)


def _unknown(run_id: int, _timeout_s: float | None) -> LandformError:
    return OutcomeUnknown(
        f"Run {run_id} was stopped in mid-apply, and what it did is not known.",
        hint=f"See what is known, and decide: landform run recover {run_id}",
    )


def _late(run_id: int, timeout_s: float | None) -> LandformError:
    return TimedOut(
        f"Run {run_id} did not stop within {timeout_s:g} seconds.",
        hint=f"Kill its Terraform: landform run cancel {run_id} --force",
    )


def _over(run_id: int, _timeout_s: float | None) -> LandformError:
    return Conflict(f"Run {run_id} ended before it could be stopped.", hint=f"See how: landform run show {run_id}")


_ENDINGS = {
    Status.INTERRUPTED: _unknown,
    Status.PLANNING: _late,
    Status.APPLYING: _late,
    Status.FAILED: _over,
    Status.SUCCEEDED: _over,
}
