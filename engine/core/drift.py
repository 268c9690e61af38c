"""What has changed outside of Landform: how bad it is, and which of it is not told of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engine.core import rules, wildcards
from engine.core.address import quoted
from engine.core.plans import DESTRUCTIVE, Action, Change, Summary
from engine.errors import Invalid

EVERYTHING = "*"
"""The pattern of all resources."""
_LONGEST = timedelta(days=366)
_MESSAGE_MAX = 4000
_PATTERN_MAX = 1000


class Level(StrEnum):
    """What drift means for its instance, mildest first."""

    COSMETIC = "cosmetic"
    """Something changed that the next apply would not touch."""
    IN_PLACE = "in-place"
    """The next apply would update it."""
    DESTRUCTIVE = "destructive"
    """The next apply would destroy or replace something."""
    GONE = "gone"
    """A resource does not exist any more."""


class Standing(StrEnum):
    """What is known about the drift of an instance."""

    UNCHECKED = "unchecked"
    IN_SYNC = "in-sync"
    IGNORED = "ignored"
    """All that was found is not to be told of."""
    DRIFTED = "drifted"
    FAILED = "failed"
    """The last check failed; what an earlier one found still holds."""
    SKIPPED = "skipped"
    """It could not be checked now."""


@dataclass(frozen=True)
class Drifted:
    """One resource that has drifted, or that others which have would take along."""

    address: str
    """Without secrets: the keys in it can be anything."""
    change: Action | None
    """What happened to it outside (`update` or `delete`); None: nothing, but the next apply would destroy it."""
    next: Action | None
    """What the next apply would do with it; None: nothing."""

    @property
    def level(self) -> Level:
        """How bad it is."""
        if self.change is Action.DELETE:
            return Level.GONE
        if self.next in DESTRUCTIVE:
            return Level.DESTRUCTIVE
        return Level.IN_PLACE if self.next else Level.COSMETIC


@dataclass(frozen=True)
class Finding:
    """What the checks of an instance have found since its last deploy."""

    checked_at: datetime | None = None
    """Of the last check that came to an end; None when none did."""
    resources: tuple[Drifted, ...] = ()
    plan: str = ""
    """What the next apply would do, in a sentence; "" when nothing has drifted."""
    failed_at: datetime | None = None
    """Of a check that failed after that; None when none did."""
    message: str = ""
    """Why it failed."""

    def failed(self, now: datetime, message: str) -> Finding:
        """The same after another check, which could not tell anything."""
        return replace(self, failed_at=now, message=message[:_MESSAGE_MAX])

    def to_json(self) -> dict[str, object]:
        """A JSON form that from_json() reads back."""
        resources = [
            {"address": found.address, "change": found.change, "next": found.next, "level": found.level}
            for found in self.resources
        ]
        return {
            "checked_at": _iso(self.checked_at),
            "resources": resources,
            "plan": self.plan,
            "failed_at": _iso(self.failed_at),
            "message": self.message,
        }


def from_json(stored: Mapping[str, object]) -> Finding:
    """The finding that to_json() wrote."""
    resources = stored["resources"]
    assert isinstance(resources, list)
    found = tuple(Drifted(one["address"], _action(one["change"]), _action(one["next"])) for one in resources)
    return Finding(
        _time(stored["checked_at"]),
        found,
        str(stored["plan"]),
        _time(stored["failed_at"]),
        str(stored["message"]),
    )


@dataclass(frozen=True)
class Ignored:
    """Drift that is not told of for a while."""

    pattern: str
    """Address of a resource, where `*` stands for any text and `?` for any character."""
    until: datetime
    reason: str
    by: str
    since: datetime

    def covers(self, address: str, now: datetime) -> bool:
        """Whether nothing is told of that resource now; what is over counts again by itself."""
        return now < self.until and wildcards.matches(self.pattern, address)

    def to_json(self) -> dict[str, object]:
        """A JSON form that ignored() reads back."""
        times = {"until": _iso(self.until), "since": _iso(self.since)}
        return {"pattern": self.pattern, "reason": self.reason, "by": self.by, **times}


def ignored(stored: Iterable[Mapping[str, object]]) -> tuple[Ignored, ...]:
    """What Ignored.to_json() wrote, of each."""
    return tuple(
        Ignored(
            str(one["pattern"]),
            datetime.fromisoformat(str(one["until"])),
            str(one["reason"]),
            str(one["by"]),
            datetime.fromisoformat(str(one["since"])),
        )
        for one in stored
    )


def classified(drift: Iterable[Change], ahead: Summary) -> tuple[Drifted, ...]:
    """What has drifted, and what the next apply, which does `ahead`, would destroy or replace besides.

    A resource that has only moved has not drifted.
    """
    outside = _by_address(change for change in drift if change.action is not Action.MOVE)
    coming = _by_address(ahead.changes)
    found = [Drifted(address, action, coming.get(address)) for address, action in outside.items()]
    taken = [
        Drifted(address, None, action)
        for address, action in coming.items()
        if action in DESTRUCTIVE and address not in outside
    ]
    return (*found, *taken) if found else ()


def level(finding: Finding | None, ignoring: Sequence[Ignored], now: datetime) -> Level | None:
    """The worst of what was found and is not ignored now; None when there is none."""
    counts = (
        found.level
        for found in (finding.resources if finding else ())
        if not any(each.covers(found.address, now) for each in ignoring)
    )
    return max(counts, key=list(Level).index, default=None)


def level_now(
    stored: str, found: Mapping[str, object] | None, ignoring: Sequence[Mapping[str, object]], now: datetime
) -> str:
    """The level that was `stored`, or what it is by now where some of it is ignored for a while only.

    All as columns of catalog.tables.Instance.
    """
    if not ignoring or found is None:
        return stored
    return level(from_json(found), ignored(ignoring), now) or ""


def is_worse(now: Level | None, before: str) -> bool:
    """Whether there is drift, and more than the level `before`, "" for none."""
    order = ["", *Level]
    return now is not None and order.index(now) > order.index(before)


def standing(finding: Finding | None, ignoring: Sequence[Ignored], now: datetime) -> Standing:
    """What is known about the drift of an instance."""
    if finding is None:
        return Standing.UNCHECKED
    if finding.failed_at is not None:
        return Standing.FAILED
    if level(finding, ignoring, now):
        return Standing.DRIFTED
    return Standing.IGNORED if finding.resources else Standing.IN_SYNC


def view(finding: Finding | None, ignoring: Sequence[Ignored], now: datetime) -> dict[str, object]:
    """All that is known about the drift of an instance, as machines read it."""
    known = finding or Finding()
    resources = [
        {
            "address": found.address,
            "level": found.level.value,
            "change": found.change and found.change.value,
            "next": found.next and found.next.value,
            "ignored": any(each.covers(found.address, now) for each in ignoring),
        }
        for found in known.resources
    ]
    return {
        "status": standing(finding, ignoring, now).value,
        "level": (level(finding, ignoring, now) or ""),
        "checked_at": _shown(known.checked_at),
        "failed_at": _shown(known.failed_at),
        "message": known.message,
        "plan": known.plan,
        "resources": resources,
        "ignored": [_ignored_view(each, now) for each in ignoring],
    }


def _ignored_view(one: Ignored, now: datetime) -> dict[str, object]:
    times = {"until": _shown(one.until), "since": _shown(one.since)}
    return {"pattern": one.pattern, "reason": one.reason, "by": one.by, **times, "expired": now >= one.until}


def until(text: str, now: datetime) -> datetime:
    """The moment that `72h`, `2026-12-01` or `2026-12-01T09:00Z` means. Raises Invalid, also when it is over.

    A date is the beginning of that day in UTC, and so is a time without a zone.
    """
    try:
        seconds = rules.seconds(text)
        if seconds is not None:
            found = now + timedelta(seconds=seconds)
        else:
            given = datetime.fromisoformat(text)
            found = (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{quoted(text)} is neither a duration nor a date.", hint="Write --until 72h, 7d or 2026-12-01 (UTC)."
        ) from None
    if found <= now:
        raise Invalid(f"{quoted(text)} is over already.", hint="Write how long it is to be ignored: --until 72h")
    if found > now + _LONGEST:
        raise Invalid(
            f"{quoted(text)} is more than a year away.",
            hint="What is to be ignored for good, the template ignores: lifecycle { ignore_changes = [...] }",
        )
    return found


def pattern(text: str) -> str:
    """The pattern of resources. Raises Invalid for what no address can match."""
    if not text or len(text) > _PATTERN_MAX or not text.isprintable():
        raise Invalid(
            f"{quoted(text[:_PATTERN_MAX])} is no pattern of resource addresses.",
            hint="Write the address of a resource, as landform drift show has it; * stands for any text.",
        )
    return text


def _by_address(changes: Iterable[Change]) -> dict[str, Action]:
    """Address -> what is done to it; of several, as with objects that are left over, the gravest."""
    found: dict[str, Action] = {}
    for change in changes:
        if change.action is not Action.READ and found.get(change.address) not in DESTRUCTIVE:
            found[change.address] = change.action
    return found


def _action(stored: object) -> Action | None:
    return None if stored is None else Action(str(stored))


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat()


def _time(stored: object) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(str(stored))


def _shown(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
