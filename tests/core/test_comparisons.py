"""What differs between two runs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core import comparisons
from engine.core.comparisons import Deed, Difference, Kind, compared, differences
from engine.core.plans import Action, Change, Summary

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
INPUTS = st.dictionaries(st.sampled_from("xyz"), JSON, max_size=3)


def test_inputs_differ_by_path_down_to_the_innermost() -> None:
    before = {"port": 80, "db": {"size": 1, "zone": "a"}, "tags": ["x", "y"], "old": None}
    after = {"port": 80, "db": {"size": 2, "zone": "a"}, "tags": ["x"], "new": {"deep": True}}

    assert differences(before, after) == (
        Difference("db.size", Kind.CHANGED, 1, 2),
        Difference("new", Kind.ADDED, None, {"deep": True}),
        Difference("old", Kind.REMOVED, None),
        Difference("tags[1]", Kind.REMOVED, "y"),
    )
    assert comparisons.names(before, after) == ["db", "new", "old", "tags"]


def test_true_is_not_one_and_a_list_is_not_an_object() -> None:
    assert [each.name for each in differences({"a": 1, "b": []}, {"a": True, "b": {}})] == ["a", "b"]


@given(INPUTS, INPUTS)
def test_what_differs_one_way_differs_the_other_way_round(before: dict[str, object], after: dict[str, object]) -> None:
    there = {(each.name, str(each.before), str(each.after)) for each in differences(before, after)}
    back = {(each.name, str(each.after), str(each.before)) for each in differences(after, before)}

    assert there == back
    assert differences(before, before) == ()


def test_of_what_is_secret_only_that_it_differs_is_told() -> None:
    outputs = [{"url": {"sensitive": False, "fingerprint": f"{n}", "value": n}} for n in (1, 2)]
    secret = [{"key": {"sensitive": True, "fingerprint": f"{n}"}} for n in (1, 2)]
    upstream = [{"environment/prod": {"vpc": digest, "zone": "same", "*": f"vpc,{digest}"}} for digest in ("d1", "d2")]
    plans = [
        Summary((Change("a.b", Action.CREATE),)),
        Summary((Change("a.b", Action.UPDATE), Change("c.d", Action.DELETE))),
    ]
    before, after = (Deed("web@1.0", {}, upstream[each], outputs[each] | secret[each], plans[each]) for each in (0, 1))

    found = compared(before, after)

    assert found.outputs == (
        Difference("key", Kind.CHANGED, "(sensitive)", "(sensitive)"),
        Difference("url", Kind.CHANGED, 1, 2),
    )
    assert found.upstream == (Difference("environment/prod vpc", Kind.CHANGED),)
    assert found.changes == (
        Difference("a.b", Kind.CHANGED, "create", "update"),
        Difference("c.d", Kind.ADDED, None, "delete"),
    )
