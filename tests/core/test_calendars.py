from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import calendar_files, calendars, located
from engine.core.calendars import Calendar, Freeze, Window
from engine.errors import ExternalFailure, Invalid

NIGHTS = Calendar((Window("22:00", "04:00", ("mon", "wed"), "Europe/Berlin"),))
END_OF_YEAR = Freeze("end of year", "2026-12-20", "2026-12-26")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def parsed(text: str) -> Calendar:
    return calendar_files.parse(located.parse(text, "calendar.yaml"))


def wrong(text: str) -> list[str]:
    with pytest.raises(Invalid) as raised:
        parsed(text)
    return [str(problem) for problem in raised.value.problems]


def test_a_calendar_without_windows_and_freezes_is_always_open() -> None:
    now = utc("2026-11-23 12:00")

    assert calendars.closed(Calendar(), now) == ""
    assert calendars.opens_at(Calendar(), now) == now


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-23 20:59", False),
        ("2026-11-23 21:00", True),
        ("2026-11-24 02:59", True),
        ("2026-11-24 03:00", False),
        ("2026-11-24 21:30", False),
        ("2026-11-25 21:00", True),
    ],
)
def test_a_window_may_cross_midnight_and_belongs_to_the_day_on_which_it_begins(now: str, *, is_open: bool) -> None:
    assert (calendars.closed(NIGHTS, utc(now)) == "") is is_open


def test_outside_the_windows_the_next_one_is_named_in_its_own_time() -> None:
    calendar = Calendar((Window("02:00", "04:00", ("tue",), "Europe/Berlin"), Window("01:00", "02:00", ("sun",))))

    assert calendars.closed(calendar, utc("2026-11-23 12:00")) == (
        "outside its maintenance windows until Tue 2026-11-24 02:00 Europe/Berlin"
    )
    assert calendars.opens_at(calendar, utc("2026-11-23 12:00")) == utc("2026-11-24 01:00")
    assert calendars.closed(calendar, utc("2026-11-24 03:00")).endswith("until Sun 2026-11-29 01:00 UTC")


def test_a_freeze_of_whole_days_has_its_last_day_and_closes_windows_too() -> None:
    calendar = Calendar((Window("00:00", "24:00"),), (END_OF_YEAR,))

    assert calendars.closed(calendar, utc("2026-12-19 23:59")) == ""
    assert calendars.closed(calendar, utc("2026-12-26 23:59")) == (
        'environment is frozen until 2026-12-27 00:00 UTC: "end of year"'
    )
    assert calendars.closed(calendar, utc("2026-12-27 00:00")) == ""


def test_after_freezes_that_follow_each_other_the_first_window_counts() -> None:
    freezes = (END_OF_YEAR, Freeze("counting", "2026-12-26T12:00", "2026-12-29T23:00"))
    calendar = Calendar((Window("22:00", "23:00"),), freezes)

    assert calendars.opens_at(calendar, utc("2026-12-24 10:00")) == utc("2026-12-30 22:00")


def test_a_freeze_without_an_end_lasts_until_somebody_ends_it() -> None:
    calendar = Calendar((), (Freeze("incident 7"), END_OF_YEAR))

    assert calendars.opens_at(calendar, utc("2026-12-24 10:00")) is None
    assert calendars.closed(calendar, utc("2026-12-24 10:00")) == (
        'environment is frozen until somebody ends that: "incident 7"'
    )


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ("2026-03-28", "2026-03-28 01:30", "2026-03-28 03:00"),
        # the clocks go from 02:00 to 03:00: 02:30 is never shown
        ("2026-03-29", "2026-03-29 01:00", "2026-03-29 02:00"),
        # and here from 03:00 to 02:00: 02:30 is shown twice
        ("2026-10-25", "2026-10-25 00:30", "2026-10-25 03:00"),
    ],
)
def test_windows_keep_to_the_clocks_of_their_zone(day: str, begins: str, ends: str) -> None:
    window = Window("02:30", "04:00", zone="Europe/Berlin")

    assert window.on(utc(day).date()) == (utc(begins), utc(ends))


def test_a_window_that_the_clocks_skip_is_not_there_that_day() -> None:
    calendar = Calendar((Window("02:15", "02:45", ("sun",), "Europe/Berlin"),))

    assert calendars.opens_at(calendar, utc("2026-03-28 12:00")) == utc("2026-04-05 00:15")


def test_a_reason_cannot_steer_a_terminal() -> None:
    calendar = Calendar((), (Freeze("\x1b[2Jall is well\n"),))

    assert calendars.closed(calendar, utc("2026-12-24 10:00")) == (
        'environment is frozen until somebody ends that: "\\u001b[2Jall is well\\n"'
    )


def test_a_zone_that_this_machine_does_not_know_is_an_error_with_its_name() -> None:
    with pytest.raises(ExternalFailure, match='The time zone "Europe/Atlantis" is not known here'):
        calendars.closed(Calendar((Window("01:00", "02:00", zone="Europe/Atlantis"),)), utc("2026-12-24 10:00"))


DOCUMENT = """\
zone: Europe/Berlin
windows:
- {days: [wed, mon], from: 22:00, to: "04:00"}
- {from: 00:00, to: 24:00, zone: UTC}
freezes:
- {from: 2026-12-20, to: 2026-12-26, reason: end of year}
- {from: 2026-11-23 18:00, reason: incident 7, zone: America/New_York}
"""


def test_a_document_names_windows_and_freezes() -> None:
    assert parsed(DOCUMENT) == Calendar(
        (Window("22:00", "04:00", ("mon", "wed"), "Europe/Berlin"), Window("00:00", "24:00")),
        (
            Freeze("end of year", "2026-12-20", "2026-12-26", "Europe/Berlin"),
            Freeze("incident 7", "2026-11-23T18:00", "", "America/New_York"),
        ),
    )


def test_what_is_stored_reads_back_the_same_also_as_a_document() -> None:
    calendar = parsed(DOCUMENT)

    assert calendars.from_json(calendar.to_json()) == calendar  # type: ignore[arg-type]
    assert parsed(located.dump(calendar.to_json())) == calendar
    assert Calendar().to_json() == {}


def test_everything_that_is_wrong_is_said_at_once_where_it_stands() -> None:
    text = """\
zone: Europe/Berln
window: []
windows:
- {days: [monday, 7], from: 22, to: 25:00}
- {days: [], from: 10:00, to: 10:00, zone: 3}
- night
freezes:
- {from: 2026-02-30, to: 2026-12-27, reason: x}
- {from: 2026-12-27, to: 2026-12-20, raeson: y}
"""

    assert wrong(text) == [
        'calendar.yaml:1: zone: "Europe/Berln" is not a time zone like Europe/Berlin. Did you mean "Europe/Berlin"?',
        'calendar.yaml:2: window: is not known here. Did you mean "windows"?',
        'calendar.yaml:4: windows[0].days[0]: "monday" is not one of mon, tue, wed, thu, fri, sat, sun. '
        'Did you mean "mon"?',
        "calendar.yaml:4: windows[0].days[1]: 7 is not one of mon, tue, wed, thu, fri, sat, sun.",
        "calendar.yaml:4: windows[0].from: 22 is not a time like 22:00.",
        'calendar.yaml:4: windows[0].to: "25:00" is not a time like 22:00.',
        "calendar.yaml:5: windows[1].days: must be a list of mon, tue, wed, thu, fri, sat, sun; "
        "leave it out for all of them.",
        "calendar.yaml:5: windows[1].to: is the same as from. For the whole day write 00:00 and 24:00.",
        "calendar.yaml:5: windows[1].zone: 3 is not a time zone like Europe/Berlin.",
        "calendar.yaml:6: windows[2]: must be a mapping with days, from, to, zone.",
        "calendar.yaml:6: windows[2].from: is required: a time like 22:00.",
        "calendar.yaml:6: windows[2].to: is required: a time like 22:00.",
        "calendar.yaml:8: freezes[0]: has a day that no month has.",
        'calendar.yaml:9: freezes[1].raeson: is not known here. Did you mean "reason"?',
        "calendar.yaml:9: freezes[1].reason: must say why, in 1 to 200 characters.",
    ]


def test_a_freeze_that_ends_before_it_begins_is_refused() -> None:
    assert wrong("freezes: [{from: 2026-12-27, to: 2026-12-20, reason: y}]") == [
        "calendar.yaml:1: freezes[0].to: is not after from."
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "calendar.yaml:1: has neither windows nor freezes."),
        ("[]", "calendar.yaml:1: must be a mapping with zone, windows, freezes."),
        ("windows: night", "calendar.yaml:1: windows: must be a list."),
        ("zone: ../../etc/passwd\nwindows: []", 'calendar.yaml:1: zone: "../../etc/passwd" is not a time zone '),
    ],
)
def test_a_document_that_is_no_calendar_is_refused(text: str, said: str) -> None:
    assert wrong(text)[0].startswith(said)


CLOCKS = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
WINDOWS = st.builds(
    Window, CLOCKS, CLOCKS, st.sets(st.sampled_from(calendars.DAYS), min_size=1).map(tuple), ZONES
).filter(lambda window: window.start != window.end)
DAYS = st.dates(date(2026, 1, 1), date(2027, 1, 1)).map(date.isoformat)
FREEZES = st.builds(lambda zone, one, other: Freeze("why", min(one, other), max(one, other), zone), ZONES, DAYS, DAYS)
MOMENTS = st.integers(0, 525_600).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))


@given(st.lists(WINDOWS, max_size=2), st.lists(FREEZES, max_size=2), MOMENTS)
def test_a_calendar_is_open_when_it_said_that_it_opens_and_closed_just_before(
    windows: list[Window], freezes: list[Freeze], now: datetime
) -> None:
    calendar = Calendar(tuple(windows), tuple(freezes))

    opens = calendars.opens_at(calendar, now)

    assert opens is not None
    assert opens >= now
    assert calendars.closed(calendar, opens) == ""
    assert (calendars.closed(calendar, now) == "") == (opens == now)
    assert opens == now or calendars.closed(calendar, opens - timedelta(seconds=1)) != ""
