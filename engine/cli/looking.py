"""One look at branches, or one after the other: carries out what comes of it, and shows what came of everything."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.cli import display
from engine.cli.carrying import Carrier, Manner
from engine.cli.common import Session
from engine.cli.foreground import Options
from engine.cli.turns import Deadline
from engine.core.address import quoted
from engine.core.runs import ACTIVE, Status
from engine.core.syncs import Finding, Kind, Outcome
from engine.errors import LandformError

if TYPE_CHECKING:
    from types import FrameType

    from engine.actions.sync_attempts import Follower
    from engine.app import App
    from engine.catalog.reads import Row

FINDINGS = display.Shape(
    "landform.finding/1",
    display.columns("KIND=kind NAME=name TARGET=target STATUS=status COMMIT=commit MESSAGE=message"),
    "name",
)
F = TypeVar("F", bound=Callable[..., Any])
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GOES_ON = (Status.QUEUED, Status.PLANNED, Status.APPROVED)
"""Runs of an earlier look that are carried on with: it may have died before it could."""
_SHORT = 12
_UNITS = {"s": 1, "m": 60, "h": 3600}
if TYPE_CHECKING:
    _Float = click.ParamType[float]
else:
    # older clicks have no generic class
    _Float = click.ParamType


class Interval(_Float):
    """A time between two looks, as `60s`, `5m` or `1h`."""

    name = "interval"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Its seconds, as click asks for it."""
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", str(value), re.ASCII)
        if found is None:
            self.fail(f"{quoted(str(value))} is not an interval like 60s, 5m or 1h.", param, ctx)
        return float(int(found[1]) * _UNITS[found[2]])


retry = click.option("--retry", is_flag=True, help="Try again what failed, although it has not changed.")


@dataclass(frozen=True)
class Look:
    """What is looked at, and how."""

    kind: Kind | None
    """None looks at all."""
    name: str | None
    how: Options
    retry: bool = False


def once(session: Session, look: Look) -> int:
    """Looks once; the exit code is 1 when anything failed."""
    app = session.open_app()
    found = _carried_out(session, app, _findings(app, look), look.how, Event())
    _show(session, found, look.how.output)
    return int(any(finding.outcome is Outcome.FAILED for finding in found))


def again_and_again(session: Session, look: Look, every_s: float) -> int:
    """Looks until a signal ends it, between two looks at one thing. Always 0: what failed is looked at again."""
    app = session.open_app()
    with _told(session) as stop:
        while not stop.is_set():
            try:
                found = _carried_out(session, app, _findings(app, look, stop), look.how, stop)
                _show(session, found, look.how.output, quiet=True)
            except LandformError as error:
                session.say(f"{error.message} Looking again in {every_s:g} seconds.")
            stop.wait(every_s)
    return 0


def _findings(app: App, look: Look, stop: Event | None = None) -> list[Finding]:
    from engine.actions import syncs
    from engine.actions.changes import Consent

    follower: Follower = app.follower(Consent(look.how.policy, "", look.how.queue), retry=look.retry)
    found: list[Finding] = []
    for sync in syncs.wanted(app.desk, look.kind, look.name):
        if stop is not None and stop.is_set():
            break
        found += syncs.look(follower, sync)
    return found


def _carried_out(session: Session, app: App, found: Sequence[Finding], how: Options, stop: Event) -> list[Finding]:
    """The findings, with what has become of their runs."""
    ids = [run_id for finding in found for run_id in finding.run_ids]
    if not ids or not how.wait or stop.is_set():
        return list(found)
    carrier = Carrier(
        session, app, Manner(how.policy, how.reason, app.settings.parallel, may_ask=False), Deadline(None)
    )
    rows = carrier.rows(ids)
    carried = {row["id"]: row for row in carrier.carry([row for row in rows if row["status"] in _GOES_ON])}
    if carrier.is_stopped.is_set():
        stop.set()
    return [_with_run(finding, [carried.get(row["id"], row) for row in rows]) for finding in found]


def _with_run(finding: Finding, rows: Sequence[Row]) -> Finding:
    """The finding, with how its runs are now: the worst of them counts."""
    ours = [row for row in rows if row["id"] in finding.run_ids]
    if not ours:
        return finding
    states = [Status(row["status"]) for row in ours]
    if all(state is Status.SUCCEEDED for state in states):
        outcome = Outcome.CHANGED
    elif all(state is Status.SUCCEEDED or (state in ACTIVE and state is not Status.INTERRUPTED) for state in states):
        outcome = Outcome.WAITING
    else:
        outcome = Outcome.FAILED
    said = [f"run {row['id']} is {row['status']}{': ' + row['message'] if row['message'] else ''}" for row in ours]
    return replace(finding, outcome=outcome, message=", ".join(said))


def _show(session: Session, found: Sequence[Finding], output: str, *, quiet: bool = False) -> None:
    rows = [_row(finding) for finding in found]
    if output == "table":
        rows = [{**row, "commit": str(row["commit"])[:_SHORT]} for row in rows]
        rows = [row for row in rows if row["status"] != Outcome.UNCHANGED] if quiet else rows
        if quiet and not rows:
            return
    display.many(rows, FINDINGS, output)
    if output == "table":
        _say_why(session, found)


def _say_why(session: Session, found: Sequence[Finding]) -> None:
    """What is too long for a table."""
    for finding in found:
        if "\n" in finding.message or len(finding.message) > display.WIDEST:
            session.say(display.printable(f"{finding.name} {finding.target}".rstrip() + f": {finding.message}"))


def _row(finding: Finding) -> dict[str, object]:
    return {
        "sync": finding.sync_id,
        "kind": finding.kind,
        "name": finding.name,
        "target": finding.target,
        "status": finding.outcome.value,
        "commit": finding.commit,
        "message": finding.message,
        "runs": list(finding.run_ids),
    }


@contextmanager
def _told(session: Session) -> Iterator[Event]:
    """Set by the first signal; while Terraform runs, signals are its own."""
    stop = Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        # the signal may have come in the middle of another line; saying nothing then beats ending there
        with suppress(RuntimeError):
            session.say("Ending when this look is done.")

    before = {number: signal.signal(number, on_signal) for number in _STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
