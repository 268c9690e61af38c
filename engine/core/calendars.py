"""When campaigns may change what lives in an environment: its maintenance windows and its freezes.

What is written in local time is meant as the clocks of its time zone show it: a time that they skip is the moment at
which they go on, and of a time that they show twice the first is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.core.located import shown
from engine.errors import ExternalFailure

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week, as a calendar names them; a window without days is there on all of them."""
REASON_MAX = 200
_DAY_MINUTES = 24 * 60
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_WEEK_DAYS = 7
_TWICE = 2
"""A window may be empty in a week in which its clocks skip it, but not in the one after it."""


@dataclass(frozen=True)
class Window:
    """A time of the week in which changes are allowed."""

    start: str
    """`22:00`"""
    end: str
    """`04:00`; of the next day when it is not after the start; `24:00` is the end of the day."""
    days: tuple[str, ...] = DAYS
    """Those on which it begins."""
    zone: str = "UTC"

    def on(self, day: date) -> tuple[datetime, datetime]:
        """When the window of that day begins and ends."""
        where, start, end = zone(self.zone), minutes(self.start), minutes(self.end)
        return _moment(day, start, where), _moment(day, end if end > start else end + _DAY_MINUTES, where)

    def around(self, now: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When it begins and ends, each time from yesterday until some time after the next one."""
        today = now.astimezone(zone(self.zone)).date()
        for number in range(-1, _TWICE * _WEEK_DAYS + 1):
            day = today + number * _DAY
            if DAYS[day.weekday()] in self.days:
                yield self.on(day)


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing may be changed, whatever the windows say."""

    reason: str
    start: str = ""
    """`2026-12-20` or `2026-12-20T18:00`; "" is from ever."""
    end: str = ""
    """The same; a day alone still belongs to it; "" is until somebody takes the freeze away."""
    zone: str = "UTC"

    @property
    def begins_at(self) -> datetime | None:
        """None for ever."""
        return moment(self.start, self.zone) if self.start else None

    @property
    def ends_at(self) -> datetime | None:
        """When it is over; None for never."""
        return moment(self.end, self.zone, is_end=True) if self.end else None

    def has(self, now: datetime) -> bool:
        """Whether it is in force."""
        begins, ends = self.begins_at, self.ends_at
        return (begins is None or begins <= now) and (ends is None or now < ends)


@dataclass(frozen=True)
class Calendar:
    """The calendar of one environment; the default one is always open."""

    windows: tuple[Window, ...] = ()
    """Changes are allowed in any of them; always, when there are none."""
    freezes: tuple[Freeze, ...] = ()

    def to_json(self) -> dict[str, object]:
        """A JSON form that from_json() reads back, and parse() too; {} when it is always open."""
        windows = [{"days": list(one.days), "from": one.start, "to": one.end, "zone": one.zone} for one in self.windows]
        freezes = [
            {name: value for name, value in _freeze_fields(one) if value} | {"reason": one.reason, "zone": one.zone}
            for one in self.freezes
        ]
        return {name: value for name, value in (("windows", windows), ("freezes", freezes)) if value}


def words(calendar: Calendar) -> tuple[str, ...]:
    """What is in the calendar, a line each for people; one line says that it is always open."""
    windows = (
        f"open {'every day' if one.days == DAYS else ', '.join(one.days)} from {one.start} to {one.end} {one.zone}"
        for one in calendar.windows
    )
    freezes = (
        " ".join(["frozen", *(f"{name} {value}" for name, value in _freeze_fields(one) if value), one.zone])
        + f": {shown(one.reason, REASON_MAX)}"
        for one in calendar.freezes
    )
    return (*windows, *freezes) or ("always open",)


def _freeze_fields(freeze: Freeze) -> tuple[tuple[str, str], ...]:
    return ("from", freeze.start), ("to", freeze.end)


def from_json(stored: Mapping[str, Sequence[Mapping[str, object]]]) -> Calendar:
    """The calendar that to_json() wrote."""
    windows = tuple(
        Window(str(item["from"]), str(item["to"]), _texts(item["days"]), str(item["zone"]))
        for item in stored.get("windows", ())
    )
    freezes = tuple(
        Freeze(str(item["reason"]), str(item.get("from", "")), str(item.get("to", "")), str(item["zone"]))
        for item in stored.get("freezes", ())
    )
    return Calendar(windows, freezes)


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, list)
    return tuple(map(str, value))


def closed(calendar: Calendar, now: datetime) -> str:
    """Why campaigns may change nothing there now, as a sentence without its end; "" when they may.

    Raises ExternalFailure when this machine does not know a time zone of the calendar.
    """
    freeze = _freeze(calendar, now)
    if freeze is not None:
        until = f"until {_words(freeze.ends_at, freeze.zone)}" if freeze.ends_at else "until somebody ends that"
        return f"environment is frozen {until}: {shown(freeze.reason, REASON_MAX)}"
    if _is_in_window(calendar, now):
        return ""
    opens = opens_at(calendar, now)
    if opens is None:
        return "outside its maintenance windows, and frozen when the next one begins"
    there = _zone_at(calendar, opens)
    return f"outside its maintenance windows until {opens.astimezone(zone(there)):%a} {_words(opens, there)}"


def opens_at(calendar: Calendar, now: datetime) -> datetime | None:
    """From when on campaigns may change what lives there, in UTC: `now` when they may now.

    None when a freeze has no end. Raises as closed().
    """
    when = now.astimezone(UTC)
    while True:
        freeze = _freeze(calendar, when)
        if freeze is not None:
            # each turn leaves a freeze behind for good, or ends here
            if freeze.ends_at is None:
                return None
            when = freeze.ends_at
        elif _is_in_window(calendar, when):
            return when
        else:
            when = min(_coming(calendar, when))


def moment(text: str, zone_name: str, *, is_end: bool = False) -> datetime:
    """The moment in UTC of a day or a time on a day in that time zone; `is_end`: of a day alone, the one after it.

    Raises ValueError for what is neither, and as zone().
    """
    day_text, _, clock = text.replace(" ", "T").partition("T")
    day = date.fromisoformat(day_text)
    return _moment(day, minutes(clock) if clock else _DAY_MINUTES if is_end else 0, zone(zone_name))


def minutes(text: str) -> int:
    """Minutes since midnight of `22:00`; of `24:00` too. Raises ValueError for anything else."""
    return _DAY_MINUTES if text == "24:00" else _minutes(time.fromisoformat(text))


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name. Raises ExternalFailure when this machine does not know it."""
    # it needs no files, which some machines have not got
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "Time zones are those of the machine, or of the Python package tzdata."
        raise ExternalFailure(f"The time zone {shown(name)} is not known here.", hint=hint) from error


def _moment(day: date, minute: int, where: tzinfo) -> datetime:
    """When the clocks there show that day and minute, in UTC; the first moment after it, when they never do."""
    wall = datetime.combine(day, time()) + minute * _MINUTE
    found = wall.replace(tzinfo=where).astimezone(UTC)
    if found.astimezone(where).replace(tzinfo=None) == wall:
        return found
    early = wall.replace(tzinfo=where, fold=1).astimezone(UTC)
    moments = (early + number * _MINUTE for number in count())
    return next(one for one in moments if one.astimezone(where).replace(tzinfo=None) >= wall)


def _freeze(calendar: Calendar, now: datetime) -> Freeze | None:
    """The freeze in force that ends last; None when there is none."""
    found = [freeze for freeze in calendar.freezes if freeze.has(now)]
    endless = next((freeze for freeze in found if freeze.ends_at is None), None)
    return endless or max(found, key=lambda freeze: freeze.ends_at or now, default=None)


def _is_in_window(calendar: Calendar, now: datetime) -> bool:
    if not calendar.windows:
        return True
    return any(begins <= now < ends for window in calendar.windows for begins, ends in window.around(now))


def _coming(calendar: Calendar, now: datetime) -> Iterator[datetime]:
    """When windows begin after `now`."""
    for window in calendar.windows:
        yield from (begins for begins, ends in window.around(now) if now < begins < ends)


def _zone_at(calendar: Calendar, opens: datetime) -> str:
    """The time zone of a window that is open then."""
    return next(
        window.zone
        for window in calendar.windows
        if any(begins <= opens < ends for begins, ends in window.around(opens))
    )


def _words(when: datetime | None, zone_name: str) -> str:
    return f"{when.astimezone(zone(zone_name)):%Y-%m-%d %H:%M} {zone_name}" if when else ""
