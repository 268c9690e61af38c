"""The text form of generated JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import jackson
from engine.errors import Invalid

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=15
)
names = st.lists(st.text(alphabet="abzAZ09_-", min_size=1, max_size=12), unique=True, max_size=60)


def model(keys: list[str]) -> list[str]:
    """A Java HashMap: a table of lists, doubled when it is three quarters full."""
    size, table = 16, [list[str]() for _ in range(16)]
    for count, key in enumerate(sorted(keys), start=1):
        table[slot(key, size)].append(key)
        if count * 4 > size * 3:
            size *= 2
            kept = [key for bucket in table for key in bucket]
            table = [[key for key in kept if slot(key, size) == number] for number in range(size)]
    return [key for bucket in table for key in bucket]


def slot(key: str, size: int) -> int:
    code = 0
    for character in key:
        code = (code * 31 + ord(character)) & 0xFFFFFFFF
    return (code ^ (code >> 16)) & (size - 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{ }"),
        ([], "[ ]"),
        ({"a": {}}, '{\n  "a" : { }\n}'),
        ([1, 2.5, True, None, "x"], '[ 1, 2.5, true, null, "x" ]'),
        ({"a": [{"b": 1}, {"c": 2}]}, '{\n  "a" : [ {\n    "b" : 1\n  }, {\n    "c" : 2\n  } ]\n}'),
        ({"z": "é\n", "a": '"'}, '{\n  "z" : "é\\n",\n  "a" : "\\""\n}'),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_the_form_is_that_of_the_pretty_printer(value: object, text: str) -> None:
    assert jackson.text(value) == text


@given(trees)
def test_what_is_written_reads_back_the_same(tree: Any) -> None:
    assert json.loads(jackson.text(tree)) == tree


@given(st.text(alphabet=st.characters()))
def test_every_text_can_be_written_to_a_file(text: str) -> None:
    assert json.loads(jackson.text(text).encode("utf-8")) == text


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_has_not_is_refused(number: float) -> None:
    with pytest.raises(Invalid, match="is not a number that can be handed to Terraform"):
        jackson.text({"a": [number]})


@given(names)
def test_names_come_in_the_order_of_a_hash_map(keys: list[str]) -> None:
    assert jackson.ordered(keys) == model(keys)


@given(names, st.randoms(use_true_random=False))
def test_the_order_they_are_given_in_does_not_matter(keys: list[str], random: Any) -> None:
    other = random.sample(keys, len(keys))

    assert jackson.ordered(other) == jackson.ordered(keys)


def test_names_of_one_bucket_come_in_the_order_of_the_alphabet() -> None:
    assert jackson.ordered(["BB", "Aa"]) == ["Aa", "BB"]


def test_a_name_outside_of_the_basic_plane_has_a_place() -> None:
    assert jackson.ordered(["𐐀", "\ud801"]) == ["\ud801", "𐐀"]
