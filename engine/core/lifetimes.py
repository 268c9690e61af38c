"""How long an instance lives: what may be typed, when its people are warned, and when its time is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engine.core import rules
from engine.core.address import quoted
from engine.errors import Conflict, Invalid, LandformError, Usage

LONGEST = timedelta(days=3650)
AGAIN_AFTER = timedelta(hours=1)
"""What could not be hibernated by itself is tried again after so long."""
_QUARTER = 4
_HINT = "Write it like 30m, 72h or 7d; 3650d is the most."


class Due(StrEnum):
    """What is to be done about an instance whose time is limited."""

    NOTHING = "nothing"
    WARN = "warn"
    HIBERNATE = "hibernate"


@dataclass(frozen=True)
class Life:
    """The time of one instance."""

    expires_at: datetime
    warning_s: int
    """As rules.Rules.expiry_warning_s, of its environment."""
    ttl_s: int | None = None
    """How long it lives at a time; None where nobody said more than when it ends."""
    is_told: bool = False
    """Whether its people were warned."""
    is_under_way: bool = False
    """Whether a run that hibernates it is recorded already."""
    failed_at: datetime | None = None
    """When the last run ended that was to hibernate it, where that did not succeed."""

    @property
    def warned_at(self) -> datetime:
        """When its people are warned: never before three quarters of its time are over."""
        capped = self.warning_s if self.ttl_s is None else min(self.warning_s, self.ttl_s // _QUARTER)
        return self.expires_at - timedelta(seconds=capped)


def due(life: Life, now: datetime) -> Due:
    """What is to be done now."""
    if now < life.expires_at:
        is_time = life.warning_s > 0 and now >= life.warned_at
        return Due.WARN if is_time and not life.is_told else Due.NOTHING
    if life.is_under_way or (life.failed_at is not None and now < life.failed_at + AGAIN_AFTER):
        return Due.NOTHING
    return Due.HIBERNATE


def ttl_s(text: str) -> int:
    """The seconds of `72h`. Raises Usage for anything but a duration that is not too long."""
    found = rules.seconds(text)
    if not found or timedelta(seconds=found) > LONGEST:
        raise Usage(f"{quoted(text)} is not a time to live.", hint=_HINT)
    return found


@dataclass(frozen=True)
class Extension:
    """How much longer an instance is to live: exactly one of these."""

    by_s: int | None = None
    until: datetime | None = None
    forever: bool = False


@dataclass(frozen=True)
class Span:
    """Until when an instance lives, and how long at a time; None: for ever."""

    expires_at: datetime | None = None
    ttl_s: int | None = None


def extended(address: str, before: Span, extension: Extension, now: datetime) -> Span:
    """The span of what has the address after the extension.

    Raises Invalid for an end that is past, or too far away; Conflict where there is nothing to extend.
    """
    if extension.forever:
        return Span()
    if extension.by_s is not None:
        if before.expires_at is None:
            hint = f"Give it an end: landform instance extend {address} --until TIME"
            raise Conflict(f"{address} lives for ever: it has no end that could move.", hint=hint)
        return _span(before, max(before.expires_at, now) + timedelta(seconds=extension.by_s), now)
    assert extension.until is not None
    if extension.until <= now:
        raise Invalid(f"{at(extension.until)} is past.", hint=f"To end it now: landform instance hibernate {address}")
    return _span(before, extension.until, now)


def _span(before: Span, end: datetime, now: datetime) -> Span:
    if end > now + LONGEST:
        raise Invalid(f"{at(end)} is more than {LONGEST.days} days away.", hint="To let it live for ever: --forever")
    return Span(end, before.ttl_s or int((end - now).total_seconds()))


def moment(text: str) -> datetime:
    """The time written as `2026-12-01` or `2026-12-01T18:00Z`; UTC, unless it says otherwise. Raises Usage."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        hint = "Write it like 2026-12-01 or 2026-12-01T18:00Z."
        raise Usage(f"{quoted(text)} is not a time.", hint=hint) from None


def stamp(time: datetime) -> str:
    """A time as events and JSON have it."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def at(time: datetime) -> str:
    """A time as people read it."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Expired:
    """What was done about one instance whose time is over, or soon is."""

    address: str
    run_ids: tuple[int, ...] = ()
    """What hibernates it, and what follows from that; () for one whose people were warned."""
    error: LandformError | None = None
    """Why it could not be hibernated now."""
