"""The rules of an environment: how they are typed, kept and read back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core.rules import NAMES, Rules, changed, from_json, labels, missing_labels
from engine.errors import Problem

ALL = Rules(
    approvals=2,
    own_approval=False,
    auto_recover=True,
    labels=("eu-1", "prod"),
    max_runs=3,
    rank=10,
    plan_ttl_s=259_200,
    drift_every_s=86_400,
    drift_budget=20,
    expiry_warning_s=3_600,
)
TYPED = {
    "approvals": "2",
    "own_approval": "no",
    "auto_recover": "yes",
    "labels": "prod,eu-1",
    "max_runs": "3",
    "rank": "10",
    "plan_ttl_s": "72h",
    "drift_every_s": "24h",
    "drift_budget": "20",
    "expiry_warning_s": "1h",
}


def test_every_rule_can_be_typed() -> None:
    assert set(TYPED) == set(NAMES)
    assert changed(Rules(), TYPED) == (ALL, ())


def test_an_empty_value_is_the_default() -> None:
    assert changed(ALL, dict.fromkeys(NAMES, "")) == (Rules(), ())


def test_rules_that_are_not_named_stay() -> None:
    assert changed(ALL, {"approvals": ""})[0] == replace(ALL, approvals=1)


def test_only_what_differs_from_the_default_is_kept() -> None:
    assert Rules(approvals=2).to_json() == {"approvals": 2}
    assert Rules().to_json() == {}


@pytest.mark.parametrize("rules", [Rules(), ALL, Rules(labels=("a",))])
def test_what_was_kept_is_read_back(rules: Rules) -> None:
    assert from_json(rules.to_json()) == rules


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("approvals", "0", "a whole number from 1 to 999"),
        ("approvals", "two", "a whole number from 1 to 999"),
        ("approvals", "1000", "a whole number from 1 to 999"),
        ("own_approval", "maybe", "yes or no"),
        ("auto_recover", "1", "yes or no"),
        ("labels", "prod,,eu", "a list of labels like prod,eu-1"),
        ("labels", "Prod", "a list of labels like prod,eu-1"),
        ("max_runs", "-1", "a whole number from 0 to 999"),
        ("plan_ttl_s", "3 days", "a duration like 30m, 72h or 7d"),
        ("drift_every_s", "daily", "a duration like 6h, 24h or 7d"),
        ("drift_budget", "all", "a whole number from 0 to 999"),
        ("expiry_warning_s", "soon", "a duration like 1h, 24h or 2d"),
        ("plan_ttl_s", "72", "a duration like 30m, 72h or 7d"),
    ],
)
def test_a_value_that_cannot_be_one_is_refused(name: str, value: str, words: str) -> None:
    assert changed(Rules(), {name: value})[1] == (Problem("--rule", 0, name, f"{value!r} is not {words}."),)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_changes() -> None:
    rules, problems = changed(ALL, {"approval": "2", "max_runs": "many", "own_approval": "yes"})

    assert rules == ALL
    assert [str(problem) for problem in problems] == [
        '--rule: approval: is not a rule. Did you mean "approvals"?',
        "--rule: max_runs: 'many' is not a whole number from 0 to 999.",
    ]


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("30m", 1800), ("72h", 259_200), ("7d", 604_800)])
def test_a_duration_has_a_unit(text: str, seconds: int) -> None:
    assert changed(Rules(), {"plan_ttl_s": text})[0].plan_ttl_s == seconds


def test_labels_are_sorted_and_each_is_there_once() -> None:
    assert labels("prod, eu-1,prod") == ("eu-1", "prod")


def test_a_worker_needs_every_label() -> None:
    assert missing_labels(("eu-1", "prod"), ("prod", "spot")) == ("eu-1",)
