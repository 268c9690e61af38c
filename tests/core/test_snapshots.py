"""Which of two states is to be gone on with."""

from __future__ import annotations

import pytest

from engine.core.snapshots import Past, Snapshot, Verdict, verdict


def state(serial: int, digest: str = "", lineage: str = "l") -> Snapshot:
    return Snapshot(lineage, serial, digest or f"d{serial}", 100, 1)


CASES = [
    # there, kept, was it kept, what to do on one machine, what to do where all machines look
    (None, None, False, Verdict.GO_ON, Verdict.GO_ON),
    (state(3), None, False, Verdict.HARVEST, Verdict.HARVEST),
    (state(3), state(3), True, Verdict.GO_ON, Verdict.GO_ON),
    (state(4), state(3), False, Verdict.HARVEST, Verdict.HARVEST),
    (None, state(3), False, Verdict.RESTORE, Verdict.DOUBT),
    (state(2), state(3), True, Verdict.RESTORE, Verdict.DOUBT),
    (state(2), state(3), False, Verdict.DOUBT, Verdict.DOUBT),
    (state(3, "other"), state(3), False, Verdict.DOUBT, Verdict.DOUBT),
    (state(9, lineage="m"), state(3), False, Verdict.DOUBT, Verdict.DOUBT),
]


@pytest.mark.parametrize(("there", "kept", "was_kept", "alone", "shared"), CASES)
def test_a_state_is_compared_with_the_newest_one_that_was_kept(
    there: Snapshot | None, kept: Snapshot | None, was_kept: bool, alone: Verdict, shared: Verdict
) -> None:
    assert verdict(there, kept, Past(was_kept)) is alone
    assert verdict(there, kept, Past(was_kept, is_shared=True)) is shared


def test_a_state_names_itself_by_serial_lineage_and_digest() -> None:
    assert str(state(3, "0123456789abcdef")) == "serial 3 of lineage l (0123456789ab)"


@pytest.mark.parametrize("serial", [2, 4])
def test_a_state_that_was_never_kept_is_overtaken_when_others_have_gone_on_without_it(serial: int) -> None:
    there = state(serial, "here only")

    assert verdict(there, state(3), Past(trail=frozenset({"d1", "d2"}))) is Verdict.OVERTAKEN
    assert verdict(there, state(3, lineage="m"), Past(trail=frozenset({""}))) is Verdict.OVERTAKEN


def test_a_state_that_has_grown_from_the_newest_one_kept_is_newer() -> None:
    assert verdict(state(4), state(3), Past(trail=frozenset({"d2", "d3"}))) is Verdict.HARVEST
