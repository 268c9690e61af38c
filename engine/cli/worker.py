"""`landform worker`: processes that carry out whatever comes."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from engine.cli import common, display, failures
from engine.cli.common import Session, pass_session
from engine.core import rules
from engine.core.workers import ALIVE, Kind
from engine.errors import Usage
from engine.forms import NAME

if TYPE_CHECKING:
    from types import FrameType

    from engine.catalog.shapes import Row
    from engine.worker.serving import Shift
    from engine.worker.terms import Card

WORKERS = display.Shape(
    "landform.worker/1",
    display.columns("WORKER=id NAME=name KIND=kind STATE=state HOST=host PID=pid LABELS=labels")
    + display.columns("RUNS=runs PARALLEL=capacity LAST_SEEN=beat_at"),
    "id",
)
_MOST_WORKERS = 10_000
_ID = common.WholeNumber(2**53 - 1, "the number of a worker: landform worker list has them in its first column")
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.group(cls=failures.Noun)
def worker() -> None:
    """Workers: processes that carry out whatever comes."""


@worker.command("run")
@click.option("--name", metavar="NAME", help="What it is called in lists.  [default: host and process]")
@click.option("--label", "labels", multiple=True, metavar="LABEL", help="What environments may choose it by.")
@click.option(
    "--parallel",
    type=common.WholeNumber(999),
    help="Runs carried out side by side.  [default: the number of cores]",
)
@click.option("--once", is_flag=True, help="End when there is nothing left to take.")
@pass_session
def run_worker(
    session: Session, name: str | None, labels: tuple[str, ...], parallel: int | None, *, once: bool
) -> None:
    """Carry out whatever comes, until it is told to go.

    A first Ctrl-C, or SIGTERM, lets it finish what it has and take nothing new; a second one asks Terraform to stop; a
    third one kills it.
    """
    app = session.open_app(_card(session, name, labels, parallel))
    shift = app.shift(session.say)
    with _told(session, shift), app.notifier.alongside():
        app.lease.worker_id()
        session.say(f"Worker {app.lease.number} is ready for {app.lease.card.capacity} runs side by side.")
        shift.work(once=once)
    session.say(f"Worker {app.lease.number} has finished.")


@worker.command("list")
@click.option("--all", "everybody", is_flag=True, help="Also those that are gone: of the last day, or lost.")
@display.option
@pass_session
def list_workers(session: Session, output: str, *, everybody: bool) -> None:
    """List workers, newest first: those that live."""
    rows = session.reads().workers(_MOST_WORKERS)
    found = [row for row in rows if everybody or row["state"] in ALIVE]
    display.many(found, WORKERS, output)
    if not found:
        session.say("Next: landform worker run")


@worker.command("drain")
@click.argument("worker_id", type=_ID, metavar="WORKER")
@display.option
@pass_session
def drain(session: Session, worker_id: int, output: str) -> None:
    """Tell a worker to finish what it has and to take nothing new; then it ends."""
    from engine.actions import workers

    workers.drain(session.open_app().desk, worker_id)
    display.one(_row(session, worker_id), WORKERS, output, lambda: f"Worker {worker_id} takes nothing new.")


def _row(session: Session, worker_id: int) -> Row:
    return next(row for row in session.reads().workers(_MOST_WORKERS) if row["id"] == worker_id)


def _card(session: Session, name: str | None, labels: tuple[str, ...], parallel: int | None) -> Card:
    from engine.app import card

    ours = card(session.settings)
    wrong = [label for label in labels if not rules.LABEL.fullmatch(label)]
    if wrong:
        raise Usage(
            f"{wrong[0]!r} is not a label.", hint="A label looks like prod or eu-1; give --label once for each."
        )
    if name is not None and not re.fullmatch(NAME.pattern, name):
        raise Usage(f"{name!r} is not {NAME.words}.")
    return replace(
        ours,
        name=name or ours.name,
        kind=Kind.SERVICE,
        labels=tuple(sorted(set(labels))) or ours.labels,
        capacity=parallel or session.settings.parallel,
    )


@contextmanager
def _told(session: Session, shift: Shift) -> Iterator[None]:
    """While the worker works, signals tell it to go, each more insistently; each says so."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        # first the deed: the next signal may come while this one is still being told of
        if shift.stop.requested:
            shift.stop.force()
            said = "Killing Terraform. Its state is kept."
        elif shift.is_draining:
            shift.stop.request()
            said = "Asking Terraform to stop; a third signal kills it."
        else:
            shift.drain()
            said = "Finishing what is under way, taking nothing new; a second signal asks Terraform to stop."
        # the signal may have come in the middle of another line; saying nothing then beats ending there
        with suppress(RuntimeError):
            session.say(said)

    before = {number: signal.signal(number, on_signal) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
