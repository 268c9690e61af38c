"""Sealed bytes open with the same key and context, and with nothing else."""

from __future__ import annotations

import pytest

from engine.errors import ExternalFailure
from engine.external.cipher import Cipher

KEY, OTHER = b"k" * 32, b"o" * 32


@pytest.mark.parametrize("plain", [b"", b"text", bytes(100_000)])
def test_what_was_sealed_opens(plain: bytes) -> None:
    assert Cipher(KEY).open(Cipher(KEY).seal(plain, "runs/1/plan"), "runs/1/plan") == plain


def test_the_same_text_is_sealed_differently_each_time() -> None:
    cipher = Cipher(KEY)

    assert cipher.seal(b"text", "a") != cipher.seal(b"text", "a")


def test_nothing_of_the_text_shows() -> None:
    assert b"hunter2" not in Cipher(KEY).seal(b"hunter2", "a")


@pytest.mark.parametrize("place", [0, 4, 20, -1])
def test_bytes_that_were_changed_do_not_open(place: int) -> None:
    sealed = bytearray(Cipher(KEY).seal(b"a state with some text", "states/1"))
    sealed[place] ^= 1

    with pytest.raises(ExternalFailure, match=r"^states/1 cannot be read: it was "):
        Cipher(KEY).open(bytes(sealed), "states/1")


@pytest.mark.parametrize("length", [0, 3, 4, 10, 16, 20])
def test_bytes_that_were_cut_do_not_open(length: int) -> None:
    sealed = Cipher(KEY).seal(b"text", "states/1")

    with pytest.raises(ExternalFailure):
        Cipher(KEY).open(sealed[:length], "states/1")


def test_another_key_does_not_open_it() -> None:
    sealed = Cipher(OTHER).seal(b"text", "states/1")

    with pytest.raises(ExternalFailure) as caught:
        Cipher(KEY).open(sealed, "states/1")

    assert caught.value.message == "states/1 cannot be read: it was changed, or sealed with another home's key."


def test_what_was_sealed_for_one_place_does_not_open_in_another() -> None:
    sealed = Cipher(KEY).seal(b"text", "runs/1/plan")

    with pytest.raises(ExternalFailure):
        Cipher(KEY).open(sealed, "runs/2/plan")


def test_homes_with_the_same_key_have_the_same_check_value() -> None:
    assert Cipher(KEY).check_value() == Cipher(KEY).check_value()
    assert Cipher(KEY).check_value() != Cipher(OTHER).check_value()
