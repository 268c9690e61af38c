"""Preparing a version once, whoever asks, and however the last installer ended."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import Cancelled, ExternalFailure, Invalid
from engine.external.stop import Stop
from engine.terraform.preparation import Preparation, Prepared, key

FILES = {"main.tf": b"# code", "modules/x/main.tf": b"", "proton.auto.tfvars.json": b'{"token": "hunter2"}'}


def init(folder: Path) -> None:
    """What terraform init leaves behind."""
    (folder / ".terraform").mkdir()
    (folder / ".terraform" / "main").write_bytes((folder / "main.tf").read_bytes())
    (folder / ".terraform.lock.hcl").write_bytes(b"lock")


def nothing(_folder: Path) -> None:
    """A version that needs neither providers nor modules."""


def refuses(_folder: Path) -> None:
    raise ExternalFailure("no")


def dies(folder: Path) -> None:
    init(folder)
    os.kill(os.getpid(), signal.SIGKILL)


def ensure_and_count(root: Path, counter: Path) -> Prepared:
    def counted(folder: Path) -> None:
        with counter.open("a") as file:
            file.write("x")
        init(folder)

    return Preparation(root).ensure("k", FILES, counted, Stop())


def listed(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_prepared_version_holds_what_init_made_and_no_values(tmp_path: Path) -> None:
    prepared = Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert prepared == Prepared(tmp_path / "k" / ".terraform", tmp_path / "k" / ".terraform.lock.hcl")
    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]
    assert prepared.with_lock({"a": b""}) == {"a": b"", ".terraform.lock.hcl": b"lock"}


def test_a_version_that_needs_nothing_is_prepared_too(tmp_path: Path) -> None:
    prepared = Preparation(tmp_path).ensure("k", FILES, nothing, Stop())

    assert prepared == Prepared(tmp_path / "k" / ".terraform", None)
    assert prepared.data_dir.is_dir()
    assert prepared.with_lock({"a": b""}) == {"a": b""}


def test_a_version_is_prepared_once(tmp_path: Path) -> None:
    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert Preparation(tmp_path).ensure("k", FILES, refuses, Stop()).lock_file == tmp_path / "k" / ".terraform.lock.hcl"


def test_all_who_ask_at_once_share_one_preparation(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure_and_count(tmp_path / "p", tmp_path / "count"), range(8)))

    assert set(found) == {Prepared(tmp_path / "p" / "k" / ".terraform", tmp_path / "p" / "k" / ".terraform.lock.hcl")}
    assert (tmp_path / "count").read_text() == "x"


def test_an_init_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match="no"):
        Preparation(tmp_path).ensure("k", FILES, refuses, Stop())

    assert listed(tmp_path) == [".lock"]


def test_what_a_killed_installer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    installer = multiprocessing.get_context("spawn").Process(
        target=Preparation(tmp_path).ensure, args=("k", FILES, dies, Stop())
    )
    installer.start()
    installer.join()
    left = listed(tmp_path)

    prepared = Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert (installer.exitcode, len(left)) == (-signal.SIGKILL, 6)
    assert prepared.data_dir == tmp_path / "k" / ".terraform"
    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]


def test_a_damaged_preparation_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "k" / ".terraform").mkdir(parents=True)
    (tmp_path / "k" / ".terraform" / "half").write_bytes(b"")

    Preparation(tmp_path).ensure("k", FILES, init, Stop())

    assert listed(tmp_path) == [".lock", "k/.landform.json", "k/.terraform.lock.hcl", "k/.terraform/main"]


def test_hostile_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be written"):
        Preparation(tmp_path / "p").ensure("k", {"../x": b""}, init, Stop())

    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"")

    with pytest.raises(ExternalFailure) as caught:
        Preparation(tmp_path / "p").ensure("k", FILES, init, Stop())

    assert caught.value.message == f"Cannot make {tmp_path / 'p'}: File exists."


def test_a_key_depends_on_each_of_its_parts() -> None:
    keys = {
        key("b", "infrastructure", "1.11.4", "local"),
        key("c", "infrastructure", "1.11.4", "local"),
        key("b", "pipeline_infrastructure", "1.11.4", "local"),
        key("b", "infrastructure", "1.12.0", "local"),
        key("b", "infrastructure", "1.11.4", "s3"),
        key("b", "infrastructure", "1.11.4", "local", "j"),
    }

    assert [len(each) for each in keys] == [64] * 6
