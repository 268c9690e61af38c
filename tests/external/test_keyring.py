"""Data keys are made, kept, shared and found again, and what is sealed says which of them it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external.cipher import HOME, Cipher, NoKey, Tampered
from engine.external.keyring import HomeMaster, KeyFile, Master, Ring, Sources, Wrapped, is_open_to_others

SECRET = b"k" * 32
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1"


@dataclass
class Table:
    """The shelf of a catalog."""

    rows: list[Wrapped] = field(default_factory=list)

    def all(self) -> Sequence[tuple[Wrapped, datetime]]:
        return [(row, NOW) for row in self.rows]

    def add(self, key: Wrapped, *, first: bool) -> Wrapped:
        if first and self.rows:
            return self.rows[-1]
        self.rows.append(key)
        return key


@dataclass
class Elsewhere:
    """A master that counts how often it is asked."""

    name: str = ARN
    asked: int = 0

    def new(self, key_id: str) -> tuple[Wrapped, bytes]:
        secret = key_id.encode().ljust(32, b"-")
        return Wrapped(key_id, self.name, secret[::-1]), secret

    def unwrapped(self, key: Wrapped) -> bytes:
        self.asked += 1
        return key.wrapped[::-1]


def ring(
    folder: Path,
    table: Table | None = None,
    kms: Master | None = None,
    *,
    shared: bool = False,
    of: Master | None = None,
) -> Ring:
    """The keys of a home, as a process of its own sees them."""
    home = HomeMaster(Cipher(SECRET))
    known = of or kms or Elsewhere()
    return Ring(Sources(KeyFile(folder / "keys"), table or Table(), home, kms, lambda _arn: known, shared), lambda: NOW)


def cipher(found: Ring) -> Cipher:
    return Cipher(SECRET, found)


def test_a_home_seals_with_its_own_key_until_keys_are_rotated(tmp_path: Path) -> None:
    sealed = cipher(ring(tmp_path)).seal(b"text", "a")

    assert cipher(ring(tmp_path)).key_of(sealed) == HOME
    assert Cipher(SECRET).open(sealed, "a") == b"text"
    assert not (tmp_path / "keys").exists()


def test_the_newest_key_seals_and_every_key_opens(tmp_path: Path) -> None:
    before = cipher(ring(tmp_path)).seal(b"before", "a")
    first = ring(tmp_path).rotate()
    old = cipher(ring(tmp_path)).seal(b"old", "a")
    second = ring(tmp_path).rotate()

    opener = cipher(ring(tmp_path))

    assert [opener.key_of(each) for each in (before, old, opener.seal(b"", "a"))] == [HOME, first.id, second.id]
    assert [opener.open(each, "a") for each in (before, old)] == [b"before", b"old"]


def test_a_process_that_runs_takes_a_new_key_at_once(tmp_path: Path) -> None:
    running = cipher(ring(tmp_path))
    running.seal(b"", "a")

    made = ring(tmp_path).rotate()

    assert running.key_of(running.seal(b"", "a")) == made.id


def test_the_keys_file_is_for_its_owner_only(tmp_path: Path) -> None:
    ring(tmp_path).rotate()

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert not is_open_to_others(tmp_path / "keys")
    (tmp_path / "keys").chmod(0o644)
    assert is_open_to_others(tmp_path / "keys")


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    made = ring(tmp_path).rotate()
    sealed = cipher(ring(tmp_path)).seal(b"text", "a")
    (tmp_path / "keys").unlink()

    with pytest.raises(NoKey) as caught:
        cipher(ring(tmp_path)).open(sealed, "a")

    text = f"The data key {made.id} is not in {tmp_path / 'keys'}: what it has sealed cannot be read."
    assert caught.value.message == text


def test_a_keys_file_whose_last_line_has_no_end_takes_another_key(tmp_path: Path) -> None:
    sealed, keys = cipher(ring(tmp_path)).seal(b"text", "a"), tmp_path / "keys"
    first = ring(tmp_path).rotate()
    keys.write_text(keys.read_text().rstrip("\n"))

    second = ring(tmp_path).rotate()

    assert [key.id for key in ring(tmp_path).known()] == [first.id, second.id]
    assert cipher(ring(tmp_path)).open(sealed, "a") == b"text"


@pytest.mark.parametrize("line", ["", "{}", '{"id": "1", "secret": "c2hvcnQ=", "created_at": "2026-11-23"}', "\xff"])
def test_a_damaged_keys_file_is_not_quoted(tmp_path: Path, line: str) -> None:
    (tmp_path / "keys").write_text(f"{line}\n", encoding="utf-8")

    with pytest.raises(ExternalFailure) as caught:
        ring(tmp_path).newest()

    assert caught.value.message == f"Line 1 of {tmp_path / 'keys'} is no data key."


def test_machines_that_share_a_catalog_share_its_keys(tmp_path: Path) -> None:
    table = Table()
    (tmp_path / "b").mkdir()
    one, other = ring(tmp_path, table, shared=True), ring(tmp_path / "b", table, shared=True)

    made = one.rotate()

    assert other.newest() == made
    assert cipher(other).open(cipher(one).seal(b"text", "a"), "a") == b"text"
    assert not (tmp_path / "keys").exists()


def test_what_a_shared_key_has_sealed_can_be_read_without_the_catalog(tmp_path: Path) -> None:
    one = ring(tmp_path, shared=True)
    one.rotate()

    assert cipher(ring(tmp_path)).open(cipher(one).seal(b"text", "a"), "a") == b"text"


def test_kms_makes_the_first_key_and_opens_it_once_a_process(tmp_path: Path) -> None:
    table, kms = Table(), Elsewhere()
    sealed = [cipher(ring(tmp_path, table, kms)).seal(b"text", "a") for _ in range(3)]
    asked_before = kms.asked
    reader = cipher(ring(tmp_path, table, kms))

    texts = [reader.open(each, "a") for each in sealed]

    assert (texts, len(table.rows), asked_before, kms.asked) == ([b"text"] * 3, 1, 2, 3)


def test_what_kms_has_sealed_is_opened_also_when_the_setting_has_gone(tmp_path: Path) -> None:
    table, kms = Table(), Elsewhere()
    sealed = cipher(ring(tmp_path, table, kms)).seal(b"text", "a")

    assert cipher(ring(tmp_path, table, of=kms)).open(sealed, "a") == b"text"


def test_a_key_of_somebody_else_is_not_asked_for(tmp_path: Path) -> None:
    theirs = Elsewhere("arn:aws:kms:eu-west-1:999999999999:key/evil")
    sealed = cipher(ring(tmp_path, Table(), theirs)).seal(b"text", "a")

    with pytest.raises(ExternalFailure, match=r"which this home has nothing to do with\.$"):
        cipher(ring(tmp_path, of=theirs)).open(sealed, "a")

    assert theirs.asked == 0


@pytest.mark.parametrize("place", [0, 5, 8, 40, -1])
def test_bytes_that_were_changed_do_not_open(tmp_path: Path, place: int) -> None:
    found = ring(tmp_path)
    found.rotate()
    sealed = bytearray(cipher(found).seal(b"a state with some text", "a"))
    sealed[place] ^= 1

    with pytest.raises(ExternalFailure):
        cipher(found).open(bytes(sealed), "a")


def test_the_name_of_the_key_cannot_be_taken_from_one_thing_to_another(tmp_path: Path) -> None:
    found = ring(tmp_path)
    found.rotate()
    sealed = cipher(found).seal(b"text", "a")

    with pytest.raises(Tampered):
        cipher(found).open(sealed, "b")


def test_what_claims_the_name_of_another_key_does_not_take_its_place(tmp_path: Path) -> None:
    table, kms = Table(), Elsewhere()
    found = ring(tmp_path, table, kms)
    theirs, ours = found.rotate(), found.rotate()
    fresh = cipher(ring(tmp_path, table, kms))
    head = json.dumps({"key": ours.id, **theirs.envelope}).encode()
    forged = b"LF2\0" + len(head).to_bytes(2, "big") + head + b"-" * 40

    with pytest.raises(Tampered):
        fresh.open(forged, "a")

    assert cipher(ring(tmp_path, table, kms)).open(fresh.seal(b"text", "a"), "a") == b"text"


def test_a_head_that_is_nested_without_end_is_a_changed_one(tmp_path: Path) -> None:
    with pytest.raises(Tampered):
        cipher(ring(tmp_path)).open(b"LF2\0" + (60_000).to_bytes(2, "big") + b"[" * 60_000, "a")


def test_only_what_needs_no_keys_file_goes_to_other_homes(tmp_path: Path) -> None:
    found = ring(tmp_path)
    found.rotate()
    here = cipher(found)

    assert [here.opens_elsewhere(each) for each in (here.seal(b"", "a"), here.seal_for_others(b"", "a"))] == [
        False,
        True,
    ]
    assert Cipher(SECRET).open(here.seal_for_others(b"text", "a"), "a") == b"text"
