"""How long an instance lives, and what is due when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.core.lifetimes import AGAIN_AFTER, Due, Extension, Life, Span, due, extended, moment, ttl_s
from engine.errors import Conflict, Invalid, Usage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHERE = "service/orders/prod"
HOUR = timedelta(hours=1)
DAY_S = 86400


def life(ends_in: timedelta, **known: object) -> Life:
    return Life(NOW + ends_in, **{"warning_s": DAY_S, **known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (life(25 * HOUR), Due.NOTHING),
        (life(24 * HOUR), Due.WARN),
        (life(24 * HOUR, is_told=True), Due.NOTHING),
        (life(HOUR, warning_s=0), Due.NOTHING),
        (life(13 * HOUR, ttl_s=2 * DAY_S), Due.NOTHING),
        (life(12 * HOUR, ttl_s=2 * DAY_S), Due.WARN),
        (life(0 * HOUR, is_told=True), Due.HIBERNATE),
        (life(-HOUR), Due.HIBERNATE),
        (life(-HOUR, is_under_way=True), Due.NOTHING),
        (life(-HOUR, failed_at=NOW - AGAIN_AFTER + timedelta(seconds=1)), Due.NOTHING),
        (life(-HOUR, failed_at=NOW - AGAIN_AFTER), Due.HIBERNATE),
    ],
)
def test_people_are_warned_once_and_in_time_and_what_failed_is_tried_again_later(one: Life, what: Due) -> None:
    assert due(one, NOW) is what


@pytest.mark.parametrize(
    ("before", "extension", "after"),
    [
        (Span(NOW + HOUR, 7200), Extension(by_s=3600), Span(NOW + 2 * HOUR, 7200)),
        (Span(NOW - HOUR, 7200), Extension(by_s=3600), Span(NOW + HOUR, 7200)),
        (Span(), Extension(until=NOW + 3 * HOUR), Span(NOW + 3 * HOUR, 3 * 3600)),
        (Span(NOW + HOUR, 7200), Extension(until=NOW + 3 * HOUR), Span(NOW + 3 * HOUR, 7200)),
        (Span(NOW + HOUR, 7200), Extension(forever=True), Span()),
    ],
)
def test_an_end_moves_on_from_where_it_is_or_from_now(before: Span, extension: Extension, after: Span) -> None:
    assert extended(WHERE, before, extension, NOW) == after


def test_what_has_no_end_cannot_be_extended_by_a_duration() -> None:
    with pytest.raises(Conflict, match=r"service/orders/prod lives for ever: it has no end that could move\."):
        extended(WHERE, Span(), Extension(by_s=60), NOW)


def test_an_end_is_neither_past_nor_out_of_sight() -> None:
    with pytest.raises(Invalid, match=r"2026-11-24 12:00 UTC is past\."):
        extended(WHERE, Span(), Extension(until=NOW), NOW)
    with pytest.raises(Invalid, match=r"2036-11-22 12:00 UTC is more than 3650 days away\."):
        extended(WHERE, Span(), Extension(until=NOW + timedelta(days=3651)), NOW)


@pytest.mark.parametrize("text", ["", "0h", "72", "-1h", "1.5h", "3651d", "٣d", "9999999h", "1w"])
def test_a_time_to_live_is_a_number_with_a_unit(text: str) -> None:
    with pytest.raises(Usage):
        ttl_s(text)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T18:00Z", datetime(2026, 12, 1, 18, tzinfo=UTC)),
        ("2026-12-01T18:00+02:00", datetime(2026, 12, 1, 16, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc_unless_it_says_otherwise(text: str, time: datetime) -> None:
    assert moment(text) == time


@pytest.mark.parametrize("text", ["", "tomorrow", "0001-01-01T00:00+14:00", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(Usage):
        moment(text)
