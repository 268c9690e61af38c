"""What a worker is to others: whether it may be thought dead, and what it must do before that."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """Where a worker stands."""

    ACTIVE = "active"
    DRAINING = "draining"
    """It finishes what it has and takes nothing new."""
    ENDED = "ended"
    """It said goodbye."""
    LOST = "lost"
    """Others gave it up: whatever it still does counts for nothing."""


class Kind(StrEnum):
    """What a worker is there for."""

    FOREGROUND = "foreground"
    """A command that carries out the runs it was told to."""
    SERVICE = "service"
    """`landform worker run`: it takes whatever comes."""


ALIVE = frozenset({State.ACTIVE, State.DRAINING})
_LEAST_MARGIN = timedelta(seconds=1)
_MARGIN = 6
"""Part of a lease that others wait beyond its end: for what is slow to die, and for clocks that go at other speeds."""
BEATS = 3
"""How often a worker renews its lease in the time that it holds."""
PLANS_MAX = 3
"""How many workers a plan may lose before its run is given up."""


def patience(lease: timedelta) -> timedelta:
    """How long after its last beat a worker may be given up; `lease` as catalog.tables.Worker.lease_s."""
    return lease + max(_LEAST_MARGIN, lease / _MARGIN)


def is_expired(beat_at: datetime, lease: timedelta, now: datetime) -> bool:
    """Whether a worker may be given up by whoever cannot see its processes: it must have stopped itself by now.

    All times are by the clock of the database.
    """
    return now > beat_at + patience(lease)


def may_judge(steady: timedelta, lease: timedelta) -> bool:
    """Whether somebody who has renewed its own lease without a break for that long may give others up.

    After an outage of the catalog everybody's last beat is old: who comes back first must not take it for a sign.
    """
    return steady > patience(lease)
