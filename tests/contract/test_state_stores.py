"""What every store of states promises, wherever it keeps them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from engine.catalog.catalog import Catalog
from engine.catalog.contents import CatalogStates
from engine.errors import ExternalFailure
from engine.external import aws_s3
from engine.external.cipher import Cipher
from engine.external.contents import Contents, FolderStates, S3States, States
from tests.bucket import CREDENTIALS, REGION, Bucket, bucket

STATE = b'{"serial": 3, "password": "hunter2"}'


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture(params=["folder", "catalog", "s3"])
def contents(request: pytest.FixtureRequest, tmp_path: Path, s3: Bucket) -> Iterator[Contents]:
    if request.param == "folder":
        yield FolderStates(tmp_path / "states")
    elif request.param == "catalog":
        catalog = Catalog(f"sqlite:///{tmp_path / 'catalog.db'}", lambda: datetime(2026, 5, 4, tzinfo=UTC))
        yield CatalogStates(catalog)
        catalog.close()
    else:
        yield S3States(aws_s3.Place(s3.name, f"{tmp_path.name}/", s3.endpoint, REGION, CREDENTIALS))


@pytest.fixture
def states(contents: Contents) -> States:
    return States(contents, Cipher(b"k" * 32))


def test_what_was_put_is_there_under_its_digest(states: States) -> None:
    digest = states.put(STATE)

    assert digest == sha256(STATE).hexdigest()
    assert states.get(digest) == STATE


def test_the_same_state_may_be_put_again(states: States) -> None:
    states.put(STATE)

    assert states.get(states.put(STATE)) == STATE


def test_a_state_that_was_never_put_is_missed_by_its_digest(states: States) -> None:
    with pytest.raises(ExternalFailure, match=r"^The state 000000000000 is not in the store of states\.$"):
        states.get("0" * 64)


def test_no_secret_lies_open(contents: Contents, states: States) -> None:
    sealed = contents.get(states.put(STATE))

    assert sealed is not None
    assert b"hunter2" not in sealed


def test_a_state_that_was_changed_in_the_store_is_not_given_back(states: States, contents: Contents) -> None:
    contents.put("f" * 64, states.cipher.seal(STATE, "states/another"))

    with pytest.raises(ExternalFailure, match=f"^states/{'f' * 64} cannot be read"):
        states.get("f" * 64)


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    FolderStates(tmp_path / "states").put("ab" * 32, b"sealed")

    [file] = (tmp_path / "states").rglob("ab*ab")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file, file.parent, file.parent.parent)] == [
        0o600,
        0o700,
        0o700,
    ]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "states").write_text("")

    with pytest.raises(ExternalFailure, match=rf"^A state cannot be kept in {tmp_path}/states: "):
        FolderStates(tmp_path / "states").put("ab" * 32, b"sealed")


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    store = FolderStates(tmp_path / "states")
    store.put("ab" * 32, b"sealed")

    store.put("ab" * 32, b"sealed anew")

    assert os.listdir(tmp_path / "states" / "ab") == ["ab" * 32]
    assert store.get("ab" * 32) == b"sealed"
