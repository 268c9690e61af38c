"""`landform env calendar`: when campaigns may change what lives in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display, failures
from engine.cli.common import Session, pass_session

if TYPE_CHECKING:
    from engine.actions.calendars import Standing

CALENDAR = display.Shape("landform.calendar/1", display.columns("NAME=name"), "name")
_NAME = click.argument("name", metavar="ENV", shell_complete=arguments.complete("environment"))


@click.group("calendar", cls=failures.Noun)
def calendar() -> None:
    """Maintenance windows and freezes of an environment, which campaigns keep to."""


@calendar.command("set")
@_NAME
@click.argument("file")
@display.option
@pass_session
def keep(session: Session, name: str, file: str, output: str) -> None:
    """Have campaigns keep to the calendar in a YAML file; - reads standard input. Needs no run."""
    from engine.actions import calendars
    from engine.core import calendar_files, located

    found = calendar_files.parse(located.parse(*arguments.read_text(file)))
    calendars.keep(session.open_app().desk, name, found)
    _show(session, name, output)


@calendar.command("show")
@_NAME
@display.option
@pass_session
def show(session: Session, name: str, output: str) -> None:
    """Show the calendar of an environment, and whether campaigns may change anything there now."""
    _show(session, name, output)


@calendar.command("clear")
@_NAME
@display.option
@pass_session
def clear(session: Session, name: str, output: str) -> None:
    """Let campaigns change what lives in an environment at any time."""
    from engine.actions import calendars
    from engine.core.calendars import Calendar

    calendars.keep(session.open_app().desk, name, Calendar())
    _show(session, name, output)


def _show(session: Session, name: str, output: str) -> None:
    from engine.actions import calendars

    found = calendars.standing(session.open_app().desk, name)
    row = {
        "name": name,
        "windows": [],
        "freezes": [],
        **found.calendar.to_json(),
        "is_open": not found.closed,
        "closed": found.closed,
        "opens_at": found.opens_at and f"{found.opens_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    display.one(row, CALENDAR, output, lambda: _text(name, found))


def _text(name: str, found: Standing) -> str:
    from engine.core import calendars

    now = f"closed now: {found.closed}" if found.closed else "open now"
    return "\n".join([f"Calendar of {name}, {now}", *(f"  {line}" for line in calendars.words(found.calendar))])
