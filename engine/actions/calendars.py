"""Intentions of admins about the calendars of environments: when campaigns may change what lives there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.actions.desk import Desk
from engine.core import address, calendars
from engine.core.calendars import Calendar


@dataclass(frozen=True)
class Standing:
    """A calendar, and what it says now."""

    calendar: Calendar
    closed: str
    """Why campaigns may change nothing there now; "" when they may."""
    opens_at: datetime | None
    """From when on they may; None when nobody can tell."""


def keep(desk: Desk, name: str, calendar: Calendar) -> None:
    """Has campaigns keep to that calendar in the environment, from their next step on. Raises NotFound."""
    with desk.catalog.write() as tx:
        environment = tx.instance(address.environment(name))
        environment.calendar = calendar.to_json()
        tx.save(environment)
        tx.ring()


def standing(desk: Desk, name: str) -> Standing:
    """The calendar of an environment, and what it says now. Raises NotFound, and as calendars.closed()."""
    with desk.catalog.read() as tx:
        found, now = calendars.from_json(tx.instance(address.environment(name)).calendar), tx.now()
    return Standing(found, calendars.closed(found, now), calendars.opens_at(found, now))
