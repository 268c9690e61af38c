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


ALIVE = frozenset({State.ACTIVE, State.DRAINING})


def is_expired(beat_at: datetime, lease: timedelta, now: datetime, grace: timedelta) -> bool:
    """Whether a worker may be given up by whoever cannot see its processes: it must have stopped itself by now."""
    return now > beat_at + lease + grace
