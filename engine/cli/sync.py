"""`landform sync`: everything that follows a branch of a Git repository, templates and services together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import common, display, failures, foreground, looking
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.cli.looking import Look
from engine.core.syncs import Kind, run_of
from engine.errors import NotFound

if TYPE_CHECKING:
    from engine.catalog.reads import Row

SYNCS = display.Shape(
    "landform.sync/1",
    display.columns("SYNC=id KIND=kind NAME=name REPOSITORY=repository BRANCH=branch PATH=path COMMIT=revision"),
    "id",
)
ATTEMPTS = display.Shape(
    "landform.attempt/1",
    display.columns("TARGET=target STATUS=status COMMIT=revision MESSAGE=message LAST_RUN=run_status ENDED=ended_at"),
    "target",
)
_ID = common.WholeNumber(2**53 - 1, "the number of a sync: landform sync list has them in its first column")


@click.group(cls=failures.Noun)
def sync() -> None:
    """What follows branches of Git repositories."""


@sync.command("run")
@click.option("--every", type=looking.Interval(), metavar="INTERVAL", help="Look again and again: 60s, 5m, 1h.")
@looking.retry
@foreground.recording
@pass_session
def run_all(
    session: Session,
    every: float | None,
    how: Options,
    *,
    retry: bool,
) -> int:
    """Look at every branch that is followed, and take over what is new.

    Plans wait for approval, unless they approve themselves. With --every, Ctrl-C or SIGTERM ends it between two looks.
    """
    look = Look(None, None, how, retry)
    return looking.once(session, look) if every is None else looking.again_and_again(session, look, every)


@sync.command("list")
@display.option
@pass_session
def list_syncs(session: Session, output: str) -> None:
    """List what follows a branch."""
    display.many(session.reads().syncs(), SYNCS, output)


@sync.command("show")
@click.argument("sync_id", type=_ID, metavar="SYNC")
@display.option
@pass_session
def show(session: Session, sync_id: int, output: str) -> None:
    """Show what a sync follows, and what came of it last."""
    row = next((row for row in session.reads().syncs() if row["id"] == sync_id), None)
    if row is None:
        raise NotFound(f"There is no sync {sync_id}.", hint="See them: landform sync list")
    items = attempts(session, row)
    text = "\n".join([display.members(row), "", *display.table(items, ATTEMPTS.columns)])
    display.one({**row, "items": items}, SYNCS, output, lambda: text)


def status(session: Session, kind: Kind, name: str, output: str) -> None:
    """Prints what came last of each thing that a sync takes over. Raises NotFound."""
    from engine.actions import syncs

    [found] = syncs.wanted(session.open_app().desk, kind, name)
    [row] = session.reads().syncs(kind, found.name)
    display.many(attempts(session, row), ATTEMPTS, output)


def attempts(session: Session, row: Row) -> list[Row]:
    """The last attempt of each thing, with how its run is now; of majors in the order of their numbers."""
    found = session.reads().attempts(row["id"])
    found.sort(
        key=lambda one: (len(one["target"]), one["target"]) if row["kind"] == Kind.TEMPLATE else (0, one["target"])
    )
    return [{**one, "run_status": _run_status(session, one["message"])} for one in found]


def _run_status(session: Session, message: str) -> str | None:
    """How the run is now that an attempt recorded; None when it recorded none."""
    run_id = run_of(message)
    return str(session.reads().run(run_id)["status"]) if run_id else None
