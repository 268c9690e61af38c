"""A run writes down the lock that it took itself, and breaks no other one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.core import address
from engine.core.bundle import Facts
from engine.core.runs import Operation
from engine.core.versions import TemplateKind
from engine.errors import Busy
from engine.terraform import backends
from engine.terraform.backend import Backend, LockInfo
from engine.worker import locks
from engine.worker.keeping import Here
from engine.worker.locks import Book, Witness
from engine.worker.work import Repository, Work
from tests.bucket import CREDENTIALS, Bucket, bucket
from tests.scenarios import workers

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
WORK = Work(
    run_id=7,
    fence=1,
    address=address.parse("environment/prod"),
    operation=Operation.DEPLOY,
    template="lab",
    bundle="",
    facts=Facts(TemplateKind.ENVIRONMENT, customer_managed=False, parts={}),
    inputs={},
    environment=None,
    repository=Repository(),
    run_env={},
    planned_with={},
)
STATE = b'{"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": []}'
OURS = LockInfo("1", "OperationTypePlan", f"ana@{os.uname().nodename}", "2026-05-04T03:02:01.736796123Z")
FOREIGN = [
    replace(OURS, who="ana@another-host"),
    replace(OURS, created="2026-05-04T03:02:00.999999999Z"),
    replace(OURS, created="yesterday"),
    LockInfo("", "", "", ""),
]


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture
def backend(s3: Bucket, tmp_path: Path) -> Backend:
    return backends.of(backends.chosen(s3.address, tmp_path.name), CREDENTIALS)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(7, tmp_path, Here())


def take(s3: Bucket, tmp_path: Path, lock: LockInfo) -> None:
    """As Terraform takes a lock."""
    words = {"ID": lock.id, "Operation": lock.operation, "Who": lock.who, "Created": lock.created}
    with s3.client() as client:
        key = f"team/{tmp_path.name}/terraform.tfstate.tflock"
        client.put_object(Bucket=s3.name, Key=key, Body=json.dumps(words).encode())


def test_a_lock_that_was_taken_here_and_now_is_written_down(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book
) -> None:
    witness = Witness(book, backend, tmp_path, lambda: NOW)
    witness.look()
    before = (witness.is_done, book.has(OURS))

    take(s3, tmp_path, OURS)
    witness.look()

    assert before == (False, False)
    assert (witness.is_done, book.has(OURS)) == (True, True)


def test_the_lock_of_a_terraform_that_was_started_again_is_written_down_too(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book
) -> None:
    witness = Witness(book, backend, tmp_path, lambda: NOW)
    take(s3, tmp_path, OURS)
    witness.look()
    again = replace(OURS, id="2")

    witness.begin()
    take(s3, tmp_path, again)
    witness.look()

    assert (book.has(OURS), book.has(again)) == (False, True)


@pytest.mark.parametrize("lock", FOREIGN)
def test_a_lock_of_somebody_else_is_not(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book, lock: LockInfo
) -> None:
    take(s3, tmp_path, lock)
    witness = Witness(book, backend, tmp_path, lambda: NOW)

    witness.look()

    assert (witness.is_done, book.has(lock)) == (False, False)


def test_a_lock_that_an_earlier_try_of_the_run_has_left_is_broken(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book
) -> None:
    take(s3, tmp_path, OURS)
    book.write(OURS)

    locks.free(WORK, lambda: [book], backend, tmp_path)

    assert backend.lock(tmp_path) is None


@pytest.mark.parametrize("recorded", [None, replace(OURS, id="2")])
def test_no_other_lock_is_broken(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book, recorded: LockInfo | None
) -> None:
    take(s3, tmp_path, OURS)
    if recorded is not None:
        book.write(recorded)

    locks.free(WORK, lambda: [book], backend, tmp_path)

    assert backend.lock(tmp_path) == OURS


def push_locked(s3: Bucket, tmp_path: Path, info: str) -> None:
    """As a push() of ours takes a lock."""
    words = {"ID": "3", "Operation": "landform state", "Who": "landform@c1", "Created": "", "Info": info}
    with s3.client() as client:
        key = f"team/{tmp_path.name}/terraform.tfstate.tflock"
        client.put_object(Bucket=s3.name, Key=key, Body=json.dumps(words).encode())


def test_the_lock_of_a_landform_that_was_killed_while_it_wrote_a_state_is_removed(
    s3: Bucket, tmp_path: Path, backend: Backend
) -> None:
    push_locked(s3, tmp_path, json.dumps(workers.dead()))

    backend.push(tmp_path, STATE, None)

    state = backend.pull(tmp_path)
    assert state is not None
    assert (state.content, backend.lock(tmp_path)) == (STATE, None)


@pytest.mark.parametrize("info", [json.dumps(workers.living()), '{"host": "c1", "pid": 1, "boot_id": ""}', "", "7"])
def test_the_lock_of_a_landform_that_may_live_stays(
    s3: Bucket, tmp_path: Path, backend: Backend, book: Book, info: str
) -> None:
    push_locked(s3, tmp_path, info)

    with pytest.raises(Busy):
        backend.push(tmp_path, STATE, None)

    locks.free(WORK, lambda: [book], backend, tmp_path)
    assert backend.lock(tmp_path) is not None
