"""What a plan would do, whether it approves itself, and whether it still fits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import plans
from engine.core.plans import Action, AutoApprove, Change, OutputChange, Summary

texts = st.text(max_size=20)
changes = st.lists(st.builds(Change, texts, st.sampled_from(Action), texts), max_size=5).map(tuple)
outputs = st.lists(st.builds(OutputChange, texts, texts, st.booleans()), max_size=5).map(tuple)
summaries = st.builds(Summary, changes, outputs, changes)
digests = st.dictionaries(st.sampled_from(["plan file", "bundle", "state", "input port"]), st.sampled_from("abc"))

ONE_OF_EACH = Summary(tuple(Change(f"x.{action.value}", action) for action in Action))
EMPTY = Summary()
SAFE = Summary((Change("a.b", Action.CREATE), Change("a.c", Action.UPDATE)))
DELETING = Summary((Change("a.b", Action.CREATE), Change("a.c", Action.DELETE)))
REPLACING = Summary((Change("a.b", Action.REPLACE, "cannot_update"),))
FORGETTING = Summary((Change("a.b", Action.REMOVE), Change("a.c", Action.MOVE), Change("a.d", Action.IMPORT)))
DRIFTED = Summary(drift=(Change("a.b", Action.DELETE),))


@settings(deadline=None)
@given(summaries)
def test_a_summary_reads_back_from_the_json_it_is_stored_as(summary: Summary) -> None:
    stored = json.loads(json.dumps(summary.to_json()))

    assert plans.from_json(stored) == summary


def test_a_summary_is_stored_under_these_names() -> None:
    summary = Summary((Change("a.b", Action.REPLACE, "tainted"),), (OutputChange("url", "update", sensitive=False),))

    assert json.loads(json.dumps(summary.to_json())) == {
        "changes": [{"address": "a.b", "action": "replace", "reason": "tainted"}],
        "outputs": [{"name": "url", "action": "update", "sensitive": False}],
        "drift": [],
    }


@pytest.mark.parametrize(
    ("summary", "counts"),
    [
        (EMPTY, {"add": 0, "change": 0, "destroy": 0}),
        (SAFE, {"add": 1, "change": 1, "destroy": 0}),
        (DELETING, {"add": 1, "change": 0, "destroy": 1}),
        (REPLACING, {"add": 1, "change": 0, "destroy": 1}),
        (FORGETTING, {"add": 0, "change": 0, "destroy": 0}),
        (DRIFTED, {"add": 0, "change": 0, "destroy": 0}),
        (ONE_OF_EACH, {"add": 2, "change": 1, "destroy": 2}),
    ],
)
def test_a_replacement_counts_as_one_destroyed_and_one_added(summary: Summary, counts: dict[str, int]) -> None:
    assert summary.counts() == counts


@pytest.mark.parametrize(
    ("summary", "sentence"),
    [
        (EMPTY, "No changes."),
        (DRIFTED, "No changes."),
        (SAFE, "1 to add, 1 to change, 0 to destroy."),
        (
            Summary((), (OutputChange("url", "create", sensitive=False),)),
            "0 to add, 0 to change, 0 to destroy, 1 output changes.",
        ),
        (
            Summary(REPLACING.changes, (OutputChange("a", "update", sensitive=True),) * 2),
            "1 to add, 0 to change, 1 to destroy, 2 outputs change.",
        ),
    ],
)
def test_the_counts_make_a_sentence(summary: Summary, sentence: str) -> None:
    assert summary.sentence() == sentence


def test_a_plan_that_changes_only_outputs_is_not_empty() -> None:
    assert EMPTY.is_empty
    assert DRIFTED.is_empty
    assert not Summary(outputs=(OutputChange("url", "update", sensitive=False),)).is_empty
    assert not FORGETTING.is_empty


def test_what_is_deleted_or_replaced_is_destructive_and_nothing_else_is() -> None:
    assert [change.address for change in ONE_OF_EACH.destructive] == ["x.replace", "x.delete"]


@pytest.mark.parametrize(
    ("summary", "policy", "approves"),
    [
        (EMPTY, AutoApprove.NONE, False),
        (EMPTY, AutoApprove.SAFE, True),
        (EMPTY, AutoApprove.ALL, True),
        (SAFE, AutoApprove.NONE, False),
        (SAFE, AutoApprove.SAFE, True),
        (SAFE, AutoApprove.ALL, True),
        (FORGETTING, AutoApprove.NONE, False),
        (FORGETTING, AutoApprove.SAFE, True),
        (FORGETTING, AutoApprove.ALL, True),
        (DRIFTED, AutoApprove.NONE, False),
        (DRIFTED, AutoApprove.SAFE, True),
        (DRIFTED, AutoApprove.ALL, True),
        (DELETING, AutoApprove.NONE, False),
        (DELETING, AutoApprove.SAFE, False),
        (DELETING, AutoApprove.ALL, True),
        (REPLACING, AutoApprove.NONE, False),
        (REPLACING, AutoApprove.SAFE, False),
        (REPLACING, AutoApprove.ALL, True),
    ],
)
def test_a_plan_that_destroys_approves_itself_only_when_all_plans_may(
    summary: Summary, policy: AutoApprove, approves: bool
) -> None:
    assert plans.approves_itself(summary, policy) is approves


@settings(deadline=None)
@given(summaries)
def test_a_policy_approves_whatever_a_stricter_one_does(summary: Summary) -> None:
    assert not plans.approves_itself(summary, AutoApprove.NONE)
    assert plans.approves_itself(summary, AutoApprove.ALL)
    assert plans.approves_itself(summary, AutoApprove.SAFE) is (summary.destructive == ())


@pytest.mark.parametrize(
    ("then", "now", "parts"),
    [
        ({}, {}, ()),
        ({"bundle": "a"}, {"bundle": "a"}, ()),
        ({"bundle": "a"}, {"bundle": "b"}, ("bundle",)),
        ({"bundle": "a"}, {}, ("bundle",)),
        ({}, {"bundle": "a"}, ("bundle",)),
        (
            {"state": "1", "environment/prod output vpc_id": "x", "bundle": "a"},
            {"state": "2", "environment/prod output vpc_id": "y", "bundle": "a"},
            ("environment/prod output vpc_id", "state"),
        ),
    ],
)
def test_what_has_moved_is_named_in_order(then: dict[str, str], now: dict[str, str], parts: tuple[str, ...]) -> None:
    assert plans.moved(then, now) == parts


@settings(deadline=None)
@given(digests, digests)
def test_a_plan_fits_only_what_it_was_made_from(then: dict[str, str], now: dict[str, str]) -> None:
    assert (plans.moved(then, now) == ()) is (then == now)
    assert plans.moved(then, now) == plans.moved(now, then)
