"""Approvals: who may say yes, how often it must be said, which plans need nobody, and until when a plan is good."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.core.approvals import (
    Plan,
    expired,
    expires_at,
    is_enough,
    may_approve_itself,
    progress,
    refusal,
    why_it_waits,
)
from engine.core.guards import Refusal, Severity
from engine.core.plans import Action, AutoApprove, Change, Summary
from engine.core.rules import Rules
from engine.errors import Conflict, Refused

GROWS = Summary((Change("null_resource.a", Action.CREATE),))
DESTROYS = Summary((Change("null_resource.a", Action.DELETE),))
TWO = Rules(approvals=2)
OTHERS = Rules(own_approval=False)
PLANNED_AT = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("summary", "policy", "rules", "may"),
    [
        (GROWS, AutoApprove.NONE, Rules(), False),
        (GROWS, AutoApprove.SAFE, Rules(), True),
        (DESTROYS, AutoApprove.SAFE, Rules(), False),
        (DESTROYS, AutoApprove.ALL, Rules(), True),
        (GROWS, AutoApprove.ALL, TWO, False),
        (GROWS, AutoApprove.ALL, OTHERS, False),
    ],
)
def test_a_plan_approves_itself_where_one_yes_of_its_requester_is_enough(
    summary: Summary, policy: AutoApprove, rules: Rules, *, may: bool
) -> None:
    assert may_approve_itself(summary, policy, rules) is may


@pytest.mark.parametrize(
    ("policy", "rules", "why"),
    [
        (AutoApprove.ALL, TWO, "It does not approve itself: its environment asks for 2 approvals."),
        (AutoApprove.ALL, OTHERS, "It does not approve itself: its environment asks for somebody else's approval."),
        (AutoApprove.NONE, TWO, ""),
        (AutoApprove.ALL, Rules(), ""),
    ],
)
def test_a_plan_that_waits_against_its_requesters_wish_says_why(policy: AutoApprove, rules: Rules, why: str) -> None:
    assert why_it_waits(GROWS, policy, rules) == why


def test_whoever_asked_for_a_run_may_approve_it_unless_the_environment_says_no() -> None:
    refused = refusal(Plan(3, "ana"), "ana", OTHERS)

    assert refusal(Plan(3, "ana"), "ana", Rules()) is None
    assert refusal(Plan(3, "ana"), "ben", OTHERS) is None
    assert isinstance(refused, Refused)
    assert (refused.message, refused.hint) == (
        "ana asked for run 3: its environment wants somebody else to approve it.",
        "Anybody but ana can: landform run approve 3",
    )


def test_the_same_person_counts_once() -> None:
    refused = refusal(Plan(3, "ana", ("ben",)), "ben", TWO)

    assert isinstance(refused, Conflict)
    assert (refused.message, refused.hint) == (
        "ben has approved run 3 already: 1 of 2 approvals: ben.",
        "Somebody else has to: landform run approve 3",
    )
    assert not is_enough(["ben", "ben"], TWO)
    assert is_enough(["ben", "ana"], TWO)


def test_progress_says_how_many_and_who() -> None:
    assert progress([], TWO) == "0 of 2 approvals."
    assert progress(["ana"], TWO) == "1 of 2 approvals: ana."
    assert progress(["ana", "ben"], TWO) == "2 of 2 approvals: ana, ben."
    assert progress(["ana"], Rules()) == "1 of 1 approval: ana."


@pytest.mark.parametrize(
    ("rule_s", "default_s", "end"),
    [
        (60, 0, datetime(2026, 5, 4, 3, 3, 1, tzinfo=UTC)),
        (0, 3600, datetime(2026, 5, 4, 4, 2, 1, tzinfo=UTC)),
        (60, 3600, datetime(2026, 5, 4, 3, 3, 1, tzinfo=UTC)),
        (0, 0, None),
    ],
)
def test_a_plan_is_good_for_as_long_as_its_environment_or_else_the_home_says(
    rule_s: int, default_s: int, end: datetime | None
) -> None:
    assert expires_at(PLANNED_AT, Rules(plan_ttl_s=rule_s), default_s) == end


def test_a_run_without_a_plan_has_nothing_that_expires() -> None:
    assert expires_at(None, Rules(plan_ttl_s=60), 60) is None


def test_the_end_of_a_plan_is_told_with_its_time() -> None:
    assert expired(3, PLANNED_AT) == "The plan of run 3 was good until 2026-05-04 03:02:01 UTC."


def test_a_guard_that_refuses_is_asked_after_the_rules_about_people() -> None:
    broken = Refusal("max_destroys", Severity.DENY, "", "Too many.", "environment/prod")
    plan = Plan(7, "ana", (), (broken,))

    own = refusal(plan, "ana", OTHERS, ["max_destroys"])

    assert isinstance(own, Refused)
    assert own.message.startswith("ana asked for run 7")
    assert isinstance(refusal(plan, "ben", OTHERS), Refused)
    assert refusal(plan, "ben", OTHERS, ["max_destroys"]) is None
