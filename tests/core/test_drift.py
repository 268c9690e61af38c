"""Drift: how bad it is, what of it is not told of and for how long, and who is looked at when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from engine.core import drift, drift_noise, drift_turns, notices
from engine.core.address import service_instance
from engine.core.arns import Owner
from engine.core.drift import Drifted, Finding, Ignored, Level, Standing
from engine.core.drift_turns import Watched
from engine.core.plans import Action, Change, Summary
from engine.core.rules import Rules
from engine.errors import Invalid

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TAGGED = Drifted('aws_x.a["k"]', Action.UPDATE, Action.UPDATE)
LOST = Drifted("aws_x.b", Action.DELETE, Action.CREATE)
DAILY = Rules(drift_every_s=86_400)


def ignoring(pattern: str, hours: int = 1) -> Ignored:
    return Ignored(pattern, NOW + hours * HOUR, "it is moved", "ana", NOW)


@pytest.mark.parametrize(
    ("change", "next_", "level"),
    [
        (Action.UPDATE, None, Level.COSMETIC),
        (Action.UPDATE, Action.UPDATE, Level.IN_PLACE),
        (Action.UPDATE, Action.REPLACE, Level.DESTRUCTIVE),
        (Action.UPDATE, Action.DELETE, Level.DESTRUCTIVE),
        (None, Action.REPLACE, Level.DESTRUCTIVE),
        (Action.DELETE, Action.CREATE, Level.GONE),
        (Action.DELETE, None, Level.GONE),
    ],
)
def test_a_level_says_what_the_next_apply_would_do(change: Action | None, next_: Action | None, level: Level) -> None:
    assert Drifted("aws_x.a", change, next_).level is level


def test_drift_is_what_changed_outside_and_what_the_next_apply_would_take_along() -> None:
    outside = [Change("a", Action.UPDATE), Change("b", Action.DELETE), Change("moved", Action.MOVE)]
    ahead = Summary((Change("a", Action.UPDATE), Change("c", Action.REPLACE), Change("d", Action.UPDATE)))

    assert drift.classified(outside, ahead) == (
        Drifted("a", Action.UPDATE, Action.UPDATE),
        Drifted("b", Action.DELETE, None),
        Drifted("c", None, Action.REPLACE),
    )


def test_nothing_has_drifted_where_nothing_changed_outside_whatever_the_next_apply_would_do() -> None:
    assert drift.classified([], Summary((Change("c", Action.REPLACE),))) == ()


def test_of_two_changes_of_one_address_the_gravest_counts() -> None:
    outside = [Change("a", Action.UPDATE), Change("a", Action.DELETE), Change("a", Action.UPDATE)]

    assert drift.classified(outside, Summary()) == (Drifted("a", Action.DELETE, None),)


def test_what_was_found_is_read_back() -> None:
    found = Finding(NOW, (TAGGED, LOST, Drifted("c", None, Action.REPLACE)), "1 to add.").failed(NOW + HOUR, "no")

    assert drift.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert drift.ignored([ignoring("*").to_json()]) == (ignoring("*"),)


def test_the_worst_that_is_not_ignored_is_the_level() -> None:
    found = Finding(NOW, (TAGGED, LOST))

    assert drift.level(found, [], NOW) is Level.GONE
    assert drift.level(found, [ignoring("aws_x.b")], NOW) is Level.IN_PLACE
    assert drift.level(found, [ignoring('aws_x.a["k"]'), ignoring("aws_x.b")], NOW) is None
    assert drift.level(None, [], NOW) is None


def test_brackets_of_a_pattern_stand_for_themselves() -> None:
    assert ignoring('aws_x.a["*"]').covers('aws_x.a["k"]', NOW)
    assert not ignoring("aws_x.a[0]").covers("aws_x.a0", NOW)


def test_what_was_ignored_for_a_while_counts_again_by_itself() -> None:
    stored = Finding(NOW, (LOST,)).to_json()
    until = [ignoring("*").to_json()]

    assert drift.level_now("", stored, until, NOW) == ""
    assert drift.level_now("", stored, until, NOW + HOUR) == "gone"


@pytest.mark.parametrize(
    ("finding", "ignored", "standing"),
    [
        (None, [], Standing.UNCHECKED),
        (Finding(NOW), [], Standing.IN_SYNC),
        (Finding(NOW, (LOST,)), [], Standing.DRIFTED),
        (Finding(NOW, (LOST,)), [ignoring("*")], Standing.IGNORED),
        (Finding(NOW, (LOST,)).failed(NOW, "no"), [], Standing.FAILED),
    ],
)
def test_a_standing_says_what_is_known(finding: Finding | None, ignored: list[Ignored], standing: Standing) -> None:
    assert drift.standing(finding, ignored, NOW) is standing


def test_a_check_that_failed_leaves_what_was_known() -> None:
    view = drift.view(Finding(NOW, (LOST,), "1 to add.").failed(NOW + HOUR, "no credentials"), [], NOW)

    assert (view["status"], view["level"], view["message"]) == ("failed", "gone", "no credentials")
    assert (view["checked_at"], view["failed_at"]) == ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("72h", NOW + 72 * HOUR),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T09:30", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2026-12-01T09:30+02:00", datetime(2026, 12, 1, 9, 30, tzinfo=timezone(2 * HOUR))),
    ],
)
def test_until_is_a_duration_or_a_date(text: str, moment: datetime) -> None:
    assert drift.until(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomorrow", "'tomorrow' is neither a duration nor a date."),
        ("2026-13-01", "'2026-13-01' is neither a duration nor a date."),
        ("0001-01-01T00:00+23:00", "'0001-01-01T00:00+23:00' is neither a duration nor a date."),
        ("999999d", "'999999d' is more than a year away."),
        ("2026-11-23", "'2026-11-23' is over already."),
        ("0h", "'0h' is over already."),
    ],
)
def test_until_must_lie_ahead(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        drift.until(text, NOW)

    assert refused.value.message == message


@pytest.mark.parametrize("text", ["", "a\nb", "a" * 1001])
def test_a_pattern_is_one_that_an_address_can_fit(text: str) -> None:
    with pytest.raises(Invalid, match="no pattern of resource addresses"):
        drift.pattern(text)


# Noise


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ({"tags": None, "name": "a"}, {"tags": {}, "name": "a"}, True),
        ({"rule": [{"id": "", "port": 1}]}, {"rule": [{"id": None, "port": 1}]}, True),
        ({"tags": {"team": ""}}, {"tags": {}}, False),
        ({"tags": {}}, {"tags": {"team": "x"}}, False),
        ({"on": 1}, {"on": True}, False),
        ({"on": False}, {"on": None}, False),
        ({"ids": [None, "a"]}, {"ids": ["a"]}, False),
        ({"name": "a"}, None, False),
    ],
)
def test_only_how_nothing_is_written_is_noise(before: object, after: object, is_same: bool) -> None:
    assert drift_noise.is_same(before, after) is is_same


def test_noise_is_no_drift_and_what_the_plan_does_not_tell_is() -> None:
    def told(address: str, after: object) -> dict[str, object]:
        return {"address": address, "change": {"before": {"tags": None}, "after": after}}

    changes = tuple(Change(name, Action.UPDATE) for name in ("quiet", "loud", "both", "untold"))
    listed = [told("quiet", {"tags": {}}), told("loud", {"tags": {"a": "b"}})]
    listed += [told("both", {"tags": {}}), told("both", {"tags": {"a": "b"}}), {"address": "untold"}]

    assert drift_noise.real(changes, {"resource_drift": listed}) == changes[1:]
    assert drift_noise.real(changes, {}) == changes


# Turns


def test_the_longest_unchecked_is_looked_at_first_and_what_never_was_before_all() -> None:
    new = Watched(1, "environment/new", 1)
    old = Watched(2, "environment/old", 2, looked_at=NOW - 2 * HOUR)
    last = Watched(3, "environment/last", 3, looked_at=NOW - HOUR)

    assert drift_turns.in_turn([last, old, new]) == [new, old, last]


def test_nothing_is_due_without_a_rule_before_its_time_or_while_something_is_in_the_way() -> None:
    late = NOW - timedelta(days=2)
    due = Watched(1, "service/a/prod", 7, DAILY, looked_at=NOW - timedelta(days=1))
    others = [
        Watched(2, "service/b/prod", 7, Rules(), looked_at=late),
        Watched(3, "service/c/prod", 7, DAILY, looked_at=NOW - 23 * HOUR),
        Watched(4, "service/d/prod", 7, DAILY, looked_at=late, busy=(9, "applying")),
        Watched(5, "service/e/prod", 7, DAILY, looked_at=late, is_deployed=False),
        Watched(6, "service/f/prod", 7, Rules(drift_every_s=60, labels=("prod",)), looked_at=late),
    ]

    assert drift_turns.due([*others, due], ("eu-1",), NOW) == [due]
    assert others[2].obstacle == "Run 9 is applying."


def test_an_environment_has_as_many_looks_at_a_time_as_its_rules_say() -> None:
    rules = Rules(drift_every_s=60, drift_budget=1)
    here = [Watched(number, f"service/s{number}/prod", 7, rules) for number in range(3)]
    there = Watched(9, "service/z/dev", 8, rules)

    assert drift_turns.due([*here, there], (), NOW) == [here[0], there]


# Events


def test_drift_is_told_when_it_is_the_first_or_worse() -> None:
    assert drift.is_worse(Level.COSMETIC, "")
    assert drift.is_worse(Level.GONE, "in-place")
    assert not drift.is_worse(Level.IN_PLACE, "in-place")
    assert not drift.is_worse(None, "")


def test_an_event_about_drift_has_the_shape_of_the_others() -> None:
    told = notices.of_drift(
        Owner("123456789012", "eu-west-1"), service_instance("orders", "prod"), Level.GONE, "in-place"
    )

    assert (told.subject.value, told.kind) == ("drift", "Landform Drift Status Change")
    assert told.detail == {
        "name": "prod",
        "serviceName": "orders",
        "status": "DRIFT_GONE",
        "previousStatus": "DRIFT_IN_PLACE",
        "landform": {"address": "service/orders/prod"},
    }
    assert told.status in notices.STATUSES
