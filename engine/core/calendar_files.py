"""The documents in which people write the calendar of an environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from engine.core import calendars
from engine.core.calendars import DAYS, REASON_MAX, Calendar, Freeze, Window
from engine.core.located import Document, Path, shown
from engine.core.nearest import did_you_mean
from engine.errors import ExternalFailure, Invalid, Problem

HINT = "A calendar has windows (days, from, to, zone) and freezes (from, to, reason, zone)."
_MOST = 200
"""Windows, and freezes."""


@dataclass(frozen=True)
class _Form:
    """What a text looks like."""

    pattern: re.Pattern[str]
    words: str
    needed: bool = True


_CLOCK = _Form(re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII), "a time like 22:00")
_DAY = _Form(
    # what no calendar needs would overflow on the way to UTC
    re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9])?", re.ASCII),
    "a day like 2026-12-20, or a time on it like 2026-12-20T18:00",
    needed=False,
)


def parse(document: Document) -> Calendar:
    """The calendar in the document. Raises Invalid with every problem found."""
    reader = _Reader(document)
    root = reader.mapping((), document.value, ("zone", "windows", "freezes"))
    home = reader.zone((), root, "UTC")
    windows = [reader.window(path, item, home) for path, item in reader.items("windows", root)]
    freezes = [reader.freeze(path, item, home) for path, item in reader.items("freezes", root)]
    if not reader.problems and not windows and not freezes:
        reader.wrong((), "has neither windows nor freezes.")
    if reader.problems:
        raise Invalid(f"{document.file} is no calendar:", problems=sorted(reader.problems), hint=HINT)
    return Calendar(tuple(windows), tuple(freezes))


@dataclass
class _Reader:
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message, rule="calendar/grammar"))

    def mapping(self, path: Path, value: object, known: tuple[str, ...]) -> Mapping[str, object]:
        if not isinstance(value, dict):
            self.wrong(path, f"must be a mapping with {', '.join(known)}.")
            return {}
        for key in value:
            if key not in known:
                self.wrong((*path, str(key)), f"is not known here.{did_you_mean(str(key), known)}")
        return value

    def items(self, name: str, root: Mapping[str, object]) -> Iterable[tuple[Path, object]]:
        found = root.get(name, [])
        if not isinstance(found, list):
            self.wrong((name,), "must be a list.")
            return ()
        if len(found) > _MOST:
            self.wrong((name,), f"has {len(found):,} entries; {_MOST} are the most.")
            return ()
        return (((name, number), item) for number, item in enumerate(found))

    def window(self, path: Path, value: object, home: str) -> Window:
        item = self.mapping(path, value, ("days", "from", "to", "zone"))
        start = self.text(path, item, "from", _CLOCK)
        end = "24:00" if item.get("to") == "24:00" else self.text(path, item, "to", _CLOCK)
        if start and start == end:
            self.wrong((*path, "to"), "is the same as from. For the whole day write 00:00 and 24:00.")
        return Window(start, end, self.days(path, item), self.zone(path, item, home))

    def days(self, path: Path, item: Mapping[str, object]) -> tuple[str, ...]:
        found = item.get("days", list(DAYS))
        if not isinstance(found, list) or not found:
            self.wrong((*path, "days"), f"must be a list of {', '.join(DAYS)}; leave it out for all of them.")
            return ()
        for number, day in enumerate(found):
            if day not in DAYS:
                like = did_you_mean(day, DAYS) if isinstance(day, str) else ""
                self.wrong((*path, "days", number), f"{shown(day)} is not one of {', '.join(DAYS)}.{like}")
        return tuple(day for day in DAYS if day in found)

    def freeze(self, path: Path, value: object, home: str) -> Freeze:
        item = self.mapping(path, value, ("from", "to", "reason", "zone"))
        reason = item.get("reason")
        if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_MAX:
            self.wrong((*path, "reason"), f"must say why, in 1 to {REASON_MAX} characters.")
        start, end = (self.text(path, item, name, _DAY).replace(" ", "T") for name in ("from", "to"))
        freeze = Freeze(str(reason), start, end, self.zone(path, item, home))
        try:
            begins, ends = freeze.begins_at, freeze.ends_at
        except ValueError:
            self.wrong(path, "has a day that no month has.")
        except ExternalFailure:
            pass  # said before, of the zone
        else:
            if begins and ends and ends <= begins:
                self.wrong((*path, "to"), "is not after from.")
        return freeze

    def text(self, path: Path, item: Mapping[str, object], name: str, form: _Form) -> str:
        """The member of that name; "" where there is none, or it has another form."""
        value = item.get(name)
        if value is None and not form.needed:
            return ""
        if value is None:
            self.wrong((*path, name), f"is required: {form.words}.")
        elif not isinstance(value, str) or not form.pattern.fullmatch(value):
            self.wrong((*path, name), f"{shown(value)} is not {form.words}.")
        else:
            return value
        return ""

    def zone(self, path: Path, item: Mapping[str, object], default: str) -> str:
        name = item.get("zone", default)
        try:
            calendars.zone(name if isinstance(name, str) else "")
        except ExternalFailure:
            if "zone" in item:
                # the short ones are relics: EST is no answer to CEST
                like = did_you_mean(str(name), (each for each in available_timezones() if "/" in each))
                self.wrong((*path, "zone"), f"{shown(name)} is not a time zone like Europe/Berlin.{like}")
        return str(name)
