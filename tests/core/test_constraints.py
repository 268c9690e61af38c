"""How two version constraints stand to each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.constraints import Relation, Version, parse, relation
from tests.core.schemas import PROPERTY


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ("", "", Relation.SAME),
        (">= 1.4", ">=1.4.0", Relation.SAME),
        ("~> 1.2", ">= 1.2, < 2.0.0", Relation.SAME),
        ("", "~> 3.0", Relation.NARROWER),
        (">= 1.4", ">= 1.6, < 2", Relation.NARROWER),
        ("~> 1.2", "~> 1.2.0", Relation.NARROWER),
        ("<= 1.5", "~> 1.5", Relation.NARROWER),
        (">= 1.0", ">= 1.0, != 1.3.1", Relation.NARROWER),
        ("~> 3.0", ">= 3.0", Relation.WIDER),
        ("= 1.2.3", "~> 1.2.3", Relation.WIDER),
        ("1.0.0-beta", ">= 1.0.0-alpha", Relation.WIDER),
        ("~> 3.0", "~> 5.0", Relation.APART),
        ("> 1.2.3", "< 1.2.4", Relation.APART),
        (">= 1.2.3, < 1.2.5", "!= 1.2.3, != 1.2.4, < 1.2.6, > 1.2.3, != 1.2.5", Relation.APART),
        (">= 1.0, < 1.5", "~> 1.5", Relation.APART),
        # Terraform leaves prereleases out unless they are named
        ("= 1.0.0-beta", ">= 0.9", Relation.APART),
        # ... and lets the first number grow when it is the only one
        ("~> 1", "~> 2.0", Relation.NARROWER),
        ("~> 2.0", "latest", Relation.UNKNOWN),
        ("latest", "latest", Relation.SAME),
    ],
)
def test_a_constraint_stands_to_the_one_before(before: str, now: str, found: Relation) -> None:
    assert relation(before, now) is found


@pytest.mark.parametrize("text", ["1.2.3.4", "=> 1", "1.x", ">= 1.0,", "1 2", "," * 60, ">= 1.0; rm"])
def test_what_is_no_constraint_is_not_read(text: str) -> None:
    assert parse(text) is None


texts = st.lists(
    st.builds(
        lambda operator, numbers: f"{operator} {'.'.join(map(str, numbers))}",
        st.sampled_from(["=", "!=", ">", ">=", "<", "<=", "~>"]),
        st.lists(st.integers(0, 2), min_size=1, max_size=3),
    ),
    max_size=3,
).map(", ".join)
releases = st.builds(lambda *numbers: Version(numbers), *[st.integers(0, 4)] * 3)


@PROPERTY
@given(texts, texts, releases)
def test_what_is_said_of_two_constraints_holds_for_every_release(before: str, now: str, release: Version) -> None:
    old, new = parse(before) or (), parse(now) or ()
    then, still = (all(each.allows(release) for each in one) for one in (old, new))

    refused = {
        Relation.SAME: then != still,
        Relation.WIDER: then and not still,
        Relation.APART: then and still,
    }

    assert not refused.get(relation(before, now), False)
