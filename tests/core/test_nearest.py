"""The name somebody probably meant."""

from __future__ import annotations

import pytest

from engine.core.nearest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("name", "found"),
    [("sise", "size"), ("Port", "port"), ("desired-count", "desired_count"), ("zebra", ""), ("", ""), ("p" * 101, "")],
)
def test_the_most_alike_name_is_found(name, found):
    assert nearest(name, ["port", "size", "desired_count"]) == found


def test_a_guess_is_a_sentence_and_no_guess_is_nothing():
    assert did_you_mean("prot", ["port"]) == ' Did you mean "port"?'
    assert did_you_mean("prot", []) == ""
