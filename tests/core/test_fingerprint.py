"""What a plan is bound to."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from engine.core import plans
from engine.core.fingerprint import Basis, file_digest, fingerprint, value_digest
from engine.core.outputs import Secret

KEY = b"the home's own"
BASIS = Basis(
    plan_file=file_digest(b"plan"),
    bundle="b" * 64,
    terraform_version="1.11.4",
    provider_lock="",
    inputs={"port": 80},
    upstream={"environment/prod": {"vpc_id": value_digest("vpc-1", KEY)}},
    state={"lineage": "l", "serial": 3},
)


def test_the_parts_have_the_names_that_people_are_shown() -> None:
    assert list(fingerprint(BASIS, KEY)) == [
        "bundle",
        "environment/prod output vpc_id",
        "input port",
        "plan file",
        "provider lock",
        "state",
        "terraform version",
    ]


def test_what_moved_is_named() -> None:
    later = dataclasses.replace(
        BASIS,
        inputs={"port": "80", "host": "x"},
        upstream={"environment/prod": {"vpc_id": value_digest("vpc-2", KEY)}},
        state=None,
    )

    moved = plans.moved(fingerprint(BASIS, KEY), fingerprint(later, KEY))

    assert moved == ("environment/prod output vpc_id", "input host", "input port", "state")


def test_a_plan_before_the_first_apply_has_an_empty_state() -> None:
    assert fingerprint(dataclasses.replace(BASIS, state=None), KEY)["state"] == ""
    assert fingerprint(BASIS, KEY)["state"] == "l 3"


def test_values_that_look_alike_have_digests_of_their_own() -> None:
    assert len({value_digest(value, KEY) for value in (1, 1.0, "1", True, "true", None, "", [], {})}) == 9


def test_a_digest_needs_the_key() -> None:
    assert value_digest("hunter2", b"another") != value_digest("hunter2", KEY)


def test_a_secret_has_the_digest_of_its_text() -> None:
    assert value_digest(Secret("x"), KEY) == value_digest("x", KEY)


@given(st.dictionaries(st.text(), st.integers(), max_size=5))
def test_the_order_of_members_does_not_count(members: dict[str, int]) -> None:
    other = dict(reversed(members.items()))

    assert value_digest(other, KEY) == value_digest(members, KEY)
