"""Tags of people."""

from __future__ import annotations

import pytest

from engine.core.tags import changed, merged, problems


def test_the_nearest_level_counts_and_keys_are_in_order() -> None:
    found = merged({"team": "platform", "cost": "1"}, {"team": "shop"}, {"app": "orders"})

    assert list(found.items()) == [("app", "orders"), ("cost", "1"), ("team", "shop")]


def test_an_empty_value_takes_a_tag_away() -> None:
    assert changed({"a": "1", "b": "", "c": "3"}, {"a": "", "d": "4"}) == {"b": "", "c": "3", "d": "4"}


@pytest.mark.parametrize("key", ["a", "cost center", "k" * 128, "*_.:/=+-@", "größe", "awsome"])
def test_what_aws_takes_is_a_tag(key: str) -> None:
    assert list(problems({key: "v" * 256}, "--tag")) == []


def test_all_that_is_wrong_is_said_at_once() -> None:
    tags: dict[str, object] = {"": "x", "k" * 129: "x", "a;b": "x\ny", "AWS:x": "", "proton:account": 1, "v": "v" * 257}

    assert [str(problem) for problem in problems(tags, "--tag")] == [
        "--tag: The key of a tag has 1 to 128 characters, and this one has 0.",
        f"--tag: {'k' * 129}: The key of a tag has 1 to 128 characters, and this one has 129.",
        "--tag: a;b: ';' cannot be in the key of a tag: letters, digits, spaces and * _ . : / = + - @ can.",
        "--tag: a;b: '\\n' cannot be in the value of a tag: letters, digits, spaces and * _ . : / = + - @ can.",
        "--tag: AWS:x: Keys that begin with aws: are not for people.",
        "--tag: proton:account: Keys that begin with proton: are not for people.",
        "--tag: proton:account: The value of a tag is a string.",
        "--tag: v: The value of a tag has at most 256 characters, and this one has 257.",
    ]


def test_fifty_tags_are_enough() -> None:
    found = list(problems({f"k{number}": "" for number in range(51)}, "--tag"))

    assert [problem.message for problem in found] == ["51 tags are too many: 50 are the most."]
