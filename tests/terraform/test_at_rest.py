"""A state lies encrypted unless a Terraform works with it, and whoever dies in between loses nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external.cipher import Cipher, DataKey, Head, Keys
from engine.terraform import at_rest
from engine.terraform.at_rest import SEALED_FILE, STATE_FILE, Rest
from engine.terraform.backends import Managed
from engine.terraform.statefile import Damaged

SECRET = "hunter2"


def state(serial: int) -> bytes:
    outputs = {"token": {"value": SECRET, "type": "string"}}
    return json.dumps({"version": 4, "serial": serial, "lineage": "l", "outputs": outputs, "resources": []}).encode()


@pytest.fixture
def rest(tmp_path: Path) -> Rest:
    return at_rest.of(Cipher(b"k" * 32), "service/orders/prod", tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "workspace"
    found.mkdir()
    return found


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def in_clear_text(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.rglob("*") if path.is_file() and SECRET in str(path.read_bytes()))


def worked(rest: Rest, folder: Path, serial: int) -> None:
    """What a run does: Terraform writes a state, with a backup of the one before."""
    with rest.working(folder, 7):
        before = folder / STATE_FILE
        if before.exists():
            (folder / "terraform.tfstate.backup").write_bytes(before.read_bytes())
        before.write_bytes(state(serial))


def died(rest: Rest, folder: Path, serial: int) -> None:
    """As worked(), but the process is killed before it seals."""
    rest.begin(folder, 7)
    (folder / STATE_FILE).write_bytes(state(serial))


def test_nothing_of_a_state_is_in_clear_text_once_the_work_is_done(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    worked(rest, folder, 2)

    assert (files(folder), in_clear_text(folder)) == ([SEALED_FILE], [])
    assert rest.content(folder) == state(2)
    assert at_rest.marks(rest.marks) == []


def test_terraform_finds_the_state_in_its_place(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)

    with rest.working(folder, 8):
        found = (folder / STATE_FILE).read_bytes()
        [mark] = at_rest.marks(rest.marks)

    assert (found, (mark.address, mark.run_id)) == (state(1), ("service/orders/prod", 8))


def test_before_the_first_apply_there_is_nothing_to_open_or_seal(rest: Rest, folder: Path) -> None:
    with rest.working(folder, 1):
        during = files(folder)

    assert (during, files(folder), rest.content(folder)) == ([], [], None)


def test_what_a_killed_process_had_opened_counts_and_the_next_one_seals_it(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    died(rest, folder, 2)
    found = rest.content(folder)

    with rest.working(folder, 8):
        opened = (folder / STATE_FILE).read_bytes()

    assert (found, opened, rest.content(folder), in_clear_text(folder)) == (state(2), state(2), state(2), [])


def test_what_a_killed_process_had_opened_is_sealed_by_whoever_finds_its_mark(rest: Rest, folder: Path) -> None:
    died(rest, folder, 1)
    [mark] = at_rest.marks(rest.marks)

    rest.end(folder, mark.token)

    assert (rest.content(folder), in_clear_text(folder), at_rest.marks(rest.marks)) == (state(1), [], [])


def test_a_process_that_was_given_up_leaves_alone_what_another_one_has_opened(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    late = rest.begin(folder, 7)

    with rest.working(folder, 8):
        rest.end(folder, late)
        there = (folder / STATE_FILE).exists()

    assert there


def test_a_state_that_a_terraform_holds_is_not_sealed(rest: Rest, folder: Path) -> None:
    died(rest, folder, 1)
    [mark] = at_rest.marks(rest.marks)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder / STATE_FILE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()

        rest.end(folder, mark.token)

        assert (files(folder), len(at_rest.marks(rest.marks))) == ([STATE_FILE], 1)
        holder.communicate()


def test_a_file_that_terraform_had_just_emptied_is_no_state(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    rest.begin(folder, 7)
    (folder / STATE_FILE).write_bytes(b"")

    assert rest.content(folder) == state(1)


def test_a_damaged_state_is_left_to_people(rest: Rest, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    worked(rest, folder, 1)
    with rest.working(folder, 7), caplog.at_level(logging.WARNING):
        (folder / STATE_FILE).write_bytes(state(2)[:60])

    assert (folder / STATE_FILE).read_bytes() == state(2)[:60]
    with pytest.raises(Damaged):
        Managed(rest).pull(folder)


def test_a_sealed_state_that_was_changed_is_a_damaged_one(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    sealed = folder / SEALED_FILE
    sealed.write_bytes(sealed.read_bytes()[:-1] + b"x")

    with pytest.raises(Damaged):
        Managed(rest).pull(folder)
    Managed(rest).retire(folder, folder.parent / "aside")

    assert (files(folder), Managed(rest).pull(folder)) == ([], None)


def test_the_state_of_one_instance_is_none_for_another(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)

    with pytest.raises(ExternalFailure):
        replace(rest, address="service/orders/test").content(folder)


@pytest.mark.parametrize("lies_open", [True, False])
def test_a_push_takes_the_place_of_both_forms(rest: Rest, folder: Path, *, lies_open: bool) -> None:
    worked(rest, folder, 1)
    if lies_open:
        (folder / STATE_FILE).write_bytes(state(2))
    seen = Managed(rest).pull(folder)
    assert seen

    Managed(rest).push(folder, state(3), seen.snapshot)

    assert (files(folder), rest.content(folder)) == ([SEALED_FILE], state(3))


def test_what_is_put_aside_is_encrypted_too(rest: Rest, folder: Path) -> None:
    (folder / STATE_FILE).write_bytes(state(1))

    Managed(rest).retire(folder, folder.parent / "state-before.tfstate")

    aside = (folder.parent / "state-before.tfstate").read_bytes()
    assert (rest.opened(aside), files(folder), in_clear_text(folder)) == (state(1), [], [])


class OneKey(Keys):
    """A new data key."""

    def newest(self) -> DataKey:
        return DataKey("new", b"n" * 32)

    def opening(self, head: Head) -> DataKey:
        return self.newest()


def test_a_plan_seals_with_the_newest_key_though_the_state_is_the_same(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    rotated = replace(rest, cipher=Cipher(b"k" * 32, OneKey()))

    with rotated.working(folder, 8):
        pass

    assert rotated.cipher.key_of((folder / SEALED_FILE).read_bytes()) == "new"
    assert rotated.content(folder) == state(1)


def test_a_state_that_somebody_works_with_is_not_renewed_under_their_hands(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)

    with rest.working(folder, 8):
        assert not rest.renew(folder)

    assert rest.renew(folder)


def test_a_state_that_people_have_laid_open_is_not_taken_from_them_by_a_rotation(rest: Rest, folder: Path) -> None:
    worked(rest, folder, 1)
    rest.lay_open(folder)

    assert not rest.renew(folder)
    assert (folder / STATE_FILE).read_bytes() == state(1)


_HOLDER = """
import fcntl, sys
held = open(sys.argv[1], "r+b")
fcntl.lockf(held, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
