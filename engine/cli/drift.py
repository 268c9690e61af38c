"""`landform drift`: what was changed outside of Landform, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, common, display, endings, failures, foreground, signals
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.core import drift as core
from engine.core import selection
from engine.core.drift import Standing
from engine.errors import Cancelled, ExternalFailure, Usage

if TYPE_CHECKING:
    from engine.catalog.shapes import Row
    from engine.external.process import Stop
    from engine.worker.drift import Checked

DRIFT = display.Shape(
    "landform.drift/1",
    display.columns("ADDRESS=address STATUS=status LEVEL=level RESOURCES=count CHECKED=checked_at MESSAGE=message"),
    "address",
)
_WORDS = {"update": "was changed", "delete": "does not exist any more", None: "was not touched"}
_NEXT = {
    "create": "would create it",
    "update": "would update it",
    "replace": "would replace it",
    "delete": "would destroy it",
    None: "would not touch it",
}
_SELECT = click.option(
    "--select",
    "terms",
    multiple=True,
    metavar="TERM",
    help="Only instances that fit: environment=prod, template=web, drifted; several with commas.",
)
_ADDRESS = click.argument("address", shell_complete=arguments.complete("address"))


@click.group(cls=failures.Noun)
def drift() -> None:
    """Drift: what was changed outside of Landform."""


@drift.command("check")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=arguments.complete("address"))
@_SELECT
@click.option("--budget", type=common.WholeNumber(10_000), help="Check so many at most, longest unchecked first.")
@click.option("--timeout", type=common.Seconds(), metavar="SECONDS", help="Begin and go on with nothing after that.")
@click.option(
    "--parallel", type=common.WholeNumber(999), help="Checks made side by side.  [default: the number of cores]"
)
@click.option("--detailed-exitcode", is_flag=True, help="End with 2 when drift was found that is not ignored.")
@display.option
@pass_session
def check(
    session: Session,
    addresses: tuple[str, ...],
    terms: tuple[str, ...],
    budget: int | None,
    timeout: float | None,
    parallel: int | None,
    output: str,
    *,
    detailed_exitcode: bool,
) -> int:
    """Look whether anything was changed outside; of everything, or of what is named or selected.

    It is read-only: no run, no lock, and no workspace is touched. An instance with a run under way is skipped.
    """
    from engine.actions import drift as actions

    wanted, tests = [arguments.any_address(text) for text in addresses], selection.parse(terms)
    app, telling = session.open_app(), Lock()

    def tell(checked: Checked) -> None:
        with telling:
            session.say(f"{checked.address}: {checked.standing.value}")

    with _limited(session, timeout) as (stop, is_late):
        found = actions.wanted(app.desk, wanted, tests)[:budget]
        checked = app.drift.many(found, parallel or app.settings.parallel, stop, tell)
    rows = _checked_rows(session, checked)
    _many(session, rows, output)
    if stop.requested and not is_late.is_set():
        raise Cancelled("Stopped because you asked.", hint="What was found until then is kept: landform drift list")
    _raise_failed(checked)
    return endings.CHANGES_FOUND if detailed_exitcode and any(row["level"] for row in rows) else 0


@contextmanager
def _limited(session: Session, timeout: float | None) -> Iterator[tuple[Stop, Event]]:
    """A means to stop all checks, pulled by signals and when time is up, and whether that was it."""
    is_late = Event()
    with signals.stoppable(session) as stop:

        def over() -> None:
            is_late.set()
            stop.request()

        timer = Timer(timeout or 0, over)
        if timeout is not None:
            timer.start()
        try:
            yield stop, is_late
        finally:
            timer.cancel()


def _checked_rows(session: Session, checked: Sequence[Checked]) -> list[Row]:
    """What is known of them now, by address; of those that were skipped, why."""
    known = {row["address"]: row for row in session.reads().drift()}
    ordered = sorted(checked, key=lambda one: one.address)
    return [_row(known[one.address], one) for one in ordered if one.address in known]


def _row(known: Row, checked: Checked) -> Row:
    if checked.standing is not Standing.SKIPPED:
        return known
    return {**known, "status": checked.standing.value, "message": checked.message}


def _raise_failed(checked: Sequence[Checked]) -> None:
    failed = [one.address for one in checked if one.standing is Standing.FAILED]
    if failed:
        count = "1 check failed" if len(failed) == 1 else f"{len(failed)} checks failed"
        raise ExternalFailure(f"{count}: {', '.join(failed)}.", hint=f"See why: landform drift show {failed[0]}")


def _many(session: Session, rows: Sequence[Row], output: str) -> None:
    counted = [{**row, "count": len(row["resources"])} for row in rows] if output == "table" else rows
    display.many(counted, DRIFT, output)
    worse = [row["address"] for row in rows if row["level"] not in ("", core.Level.COSMETIC)]
    if output == "table" and worse:
        session.say(f"Next: landform drift show {worse[0]}. Bring it back: landform drift repair {worse[0]}")


@drift.command("list")
@_SELECT
@display.option
@pass_session
def list_drift(session: Session, terms: tuple[str, ...], output: str) -> None:
    """List what is known about drift, and since when."""
    tests, rows = selection.parse(terms), session.reads().drift()
    if tests:
        from engine.actions import drift as actions

        chosen = actions.selected(session.open_app().desk, tests)
        rows = [row for row in rows if row["address"] in chosen]
    _many(session, rows, output)


@drift.command("show")
@_ADDRESS
@display.option
@pass_session
def show(session: Session, address: str, output: str) -> None:
    """Show what has drifted in an instance, resource by resource, and what is ignored."""
    _show_one(session, str(arguments.any_address(address)), output)


@drift.command("ignore")
@_ADDRESS
@click.argument("pattern", default=core.EVERYTHING, metavar="[RESOURCE-PATTERN]")
@click.option(
    "--until", required=True, metavar="WHEN", help="How long, as 72h or 7d, or until when, as 2026-12-01 (in UTC)."
)
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept, and shown with it.")
@display.option
@pass_session
def ignore(session: Session, address: str, pattern: str, until: str, reason: str, output: str) -> None:
    """Do not tell of drift for a while: of resources that fit a pattern like 'aws_ssm_parameter.*', or of all.

    When the time is over it counts again, without anybody doing anything.
    """
    from engine.actions import drift as actions

    where = arguments.any_address(address)
    actions.ignore(session.open_app().desk, where, pattern, until, reason)
    _show_one(session, str(where), output)


@drift.command("unignore")
@_ADDRESS
@click.argument("pattern", required=False, metavar="[RESOURCE-PATTERN]")
@display.option
@pass_session
def unignore(session: Session, address: str, pattern: str | None, output: str) -> None:
    """Tell of drift again: of what was ignored by that pattern, or of all."""
    from engine.actions import drift as actions

    where = arguments.any_address(address)
    actions.unignore(session.open_app().desk, where, pattern)
    _show_one(session, str(where), output)


@drift.command("repair")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...", shell_complete=arguments.complete("address"))
@_SELECT
@foreground.options
@pass_session
def repair(session: Session, addresses: tuple[str, ...], terms: tuple[str, ...], how: Options) -> int:
    """Bring instances back to what they are to be, by an ordinary update of each: plan, approval, apply."""
    from engine.actions import drift as actions

    if not addresses and not terms:
        raise Usage("Say what is to be repaired.", hint="Name instances, or give --select drifted.")
    wanted, tests = [arguments.any_address(text) for text in addresses], selection.parse(terms)
    app = session.open_app()
    return foreground.carry_out(session, app, actions.repair(app.desk, wanted, tests, how.consent()), how)


def _show_one(session: Session, address: str, output: str) -> None:
    row = session.reads().instance(address)
    found = {"address": row["address"], **row["drift"]}
    display.one(found, DRIFT, output, lambda: _text(found))


def _text(row: Row) -> str:
    """What people read about the drift of one instance."""
    level = f", {row['level']}" if row["level"] else ""
    lines = [f"{row['address']}: {row['status']}{level}", f"  checked            {row['checked_at'] or 'never'}"]
    if row["failed_at"]:
        lines += [f"  failed             {row['failed_at']}", *(f"    {text}" for text in row["message"].splitlines())]
    if row["plan"]:
        lines.append(f"  the next apply     {row['plan']}")
    lines += [f"    {_resource(found)}" for found in row["resources"]]
    lines += [f"  {_ignored(found)}" for found in row["ignored"]]
    return display.printable("\n".join([*lines, *_next(row)]))


def _resource(found: Row) -> str:
    mark = " (ignored)" if found["ignored"] else ""
    words = f"it {_WORDS[found['change']]}, and the next apply {_NEXT.get(found['next'], 'would touch it')}"
    return f"{found['level']:<12} {found['address']}: {words}{mark}"


def _ignored(found: Row) -> str:
    until = f"was over {found['until']}" if found["expired"] else f"until {found['until']}"
    return f"ignored            {found['pattern']} {until}, by {found['by']}: {found['reason']}"


def _next(row: Row) -> list[str]:
    where = row["address"]
    if not row["level"]:
        return []
    ways = [f"landform drift ignore {where} --until 72h --reason TEXT"]
    if row["level"] != core.Level.COSMETIC:
        ways.insert(0, f"landform drift repair {where}")
    return ["", *(f"Next: {way}" for way in ways)]
