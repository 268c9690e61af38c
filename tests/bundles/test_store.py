"""Stored bundles: once, whole, and proved on every read."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundles import pack
from engine.bundles.store import Store
from engine.errors import Conflict, Invalid, NotFound

FILES = {"schema/schema.yaml": b"s", "infrastructure/main.tf": b"m", "infrastructure/a/b.bin": b"\x00\xff"}
DIGEST = pack.digest(FILES)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "bundles")


def stored(tmp_path: Path) -> Path:
    return tmp_path / "bundles" / DIGEST


def test_what_was_put_comes_back(store: Store) -> None:
    assert store.put(FILES) == DIGEST
    assert store.put(FILES) == DIGEST
    assert store.get(DIGEST) == FILES
    assert store.has(DIGEST)


def test_only_the_owner_may_look(store: Store, tmp_path: Path) -> None:
    store.put(FILES)

    paths = [tmp_path / "bundles", *(tmp_path / "bundles").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in paths}
    assert modes == {(True, 0o700), (False, 0o600)}


def changed_byte(folder: Path) -> None:
    (folder / "files/infrastructure/main.tf").write_bytes(b"M")


def missing_file(folder: Path) -> None:
    (folder / "files/infrastructure/main.tf").unlink()


def link_to_the_same(folder: Path) -> None:
    file = folder / "files/infrastructure/main.tf"
    file.rename(folder.parent / "elsewhere")
    file.symlink_to(folder.parent / "elsewhere")


def extra_file(folder: Path) -> None:
    (folder / "files/infrastructure/evil.tf").write_bytes(b"")


def extra_link(folder: Path) -> None:
    (folder / "files/evil").symlink_to("/etc")


def pipe_for_a_file(folder: Path) -> None:
    missing_file(folder)
    os.mkfifo(folder / "files/infrastructure/main.tf")


def changed_index(folder: Path) -> None:
    (folder / "index").write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (changed_byte, "infrastructure/main.tf"),
        (missing_file, "infrastructure/main.tf"),
        (link_to_the_same, "infrastructure/main.tf"),
        (pipe_for_a_file, "infrastructure/main.tf"),
        (extra_file, "infrastructure/evil.tf"),
        (extra_link, "evil"),
        (changed_index, "index"),
    ],
)
def test_what_was_changed_on_disk_is_noticed_and_named(
    store: Store, tmp_path: Path, change: Callable[[Path], None], file: str
) -> None:
    store.put(FILES)
    change(stored(tmp_path))

    with pytest.raises(Conflict) as caught:
        store.get(DIGEST)

    assert caught.value.message == f"The bundle {DIGEST} cannot be used: {file} was changed on disk."


def test_storing_the_same_files_again_repairs_them(store: Store, tmp_path: Path) -> None:
    store.put(FILES)
    changed_byte(stored(tmp_path))

    store.put(FILES)

    assert store.get(DIGEST) == FILES


def test_a_removed_bundle_is_gone(store: Store, tmp_path: Path) -> None:
    store.put(FILES)

    store.remove(DIGEST)
    store.remove(DIGEST)

    assert not store.has(DIGEST)
    assert list((tmp_path / "bundles").iterdir()) == []
    with pytest.raises(NotFound, match=f"The bundle {DIGEST[:12]} is not in the store"):
        store.get(DIGEST)


@pytest.mark.parametrize("digest", ["", "..", "../bundles", "A" * 64, "a" * 63])
def test_only_a_digest_names_a_bundle(store: Store, digest: str) -> None:
    assert not store.has(digest)
    with pytest.raises(NotFound, match="is not the digest of a bundle"):
        store.get(digest)


@pytest.mark.parametrize("path", ["../x", "/x", "a\nb", "a//b"])
def test_a_file_is_never_written_outside(store: Store, tmp_path: Path, path: str) -> None:
    with pytest.raises(Invalid):
        store.put({path: b""})

    assert list(tmp_path.rglob("*")) == []


def test_half_a_bundle_is_never_visible(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="exists"):
        store.put({"a": b"", "a/b": b""})

    assert list((tmp_path / "bundles").iterdir()) == []


def test_many_may_store_the_same_bundle_at_once(store: Store, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(store.put, [FILES] * 24))

    assert set(digests) == {DIGEST}
    assert store.get(DIGEST) == FILES
    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [DIGEST]


@given(st.dictionaries(st.from_regex(r"[a-z é]{1,9}", fullmatch=True), st.binary(max_size=50), max_size=4))
def test_any_files_come_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    store = Store(tmp_path_factory.mktemp("home"))

    assert store.get(store.put(files)) == files


def test_what_killed_writers_left_goes_with_the_next_bundle(store: Store, tmp_path: Path) -> None:
    for left in (".new-x", ".old-y"):
        (tmp_path / "bundles" / left / "files").mkdir(parents=True)

    store.put(FILES)

    assert [path.name for path in (tmp_path / "bundles").iterdir()] == [DIGEST]


def test_what_another_writer_is_at_work_on_stays(store: Store, tmp_path: Path) -> None:
    (tmp_path / "bundles" / ".new-x").mkdir(parents=True)
    other = os.open(tmp_path / "bundles", os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_SH)

    store.put(FILES)

    os.close(other)
    assert sorted(path.name for path in (tmp_path / "bundles").iterdir()) == [".new-x", DIGEST]
