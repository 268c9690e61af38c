"""Bundles on disk, once each and by digest: the only place that writes them, and that reads them back.

A bundle is a folder named by its digest, with `index` (what the digest is made over) and `files/`. It appears by one
rename, so a crash never leaves half a bundle.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Protocol

from engine.bundles import pack
from engine.bundles.limits import DEFAULT, shown, wrong_path
from engine.errors import Conflict, Invalid, NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_INDEX, _FILES = "index", "files"
_OURS = replace(DEFAULT, archive_bytes=sys.maxsize, ratio=sys.maxsize)
_DRAFT, _GONE = ".new-", ".old-"
"""How the names of folders begin that are of no use to anybody but their writer."""


class Depot(Protocol):
    """Where bundles lie for all machines."""

    def keep(self, name: str, content: bytes) -> None:
        """Keeps the content under the name."""

    def fetch(self, name: str) -> bytes | None:
        """What was kept; None when nothing was."""


class Store:
    """The stored bundles of one home."""

    def __init__(self, root: Path, *depots: Depot) -> None:
        """`root` is made when something is first put; what is put goes to the first of `depots`, where other machines
        put theirs, and what is missing here is looked for in all of them.
        """
        self._root = root
        self._depots = depots

    def put(self, files: Mapping[str, bytes]) -> str:
        """The digest under which get() gives the files back; storing them again changes nothing.

        A stored bundle that was changed on disk is replaced by what it was.
        """
        odd = [path for path in files if wrong_path(path)]
        if odd:
            raise Invalid(f"The file {shown(odd[0])} {wrong_path(odd[0])}.")
        digest = pack.digest(files)
        for depot in self._depots[:1]:
            # first: whoever learns of the version must find its bundle
            depot.keep(f"bundles/{digest}", pack.pack(files))
        if self._is_whole(digest):
            return digest
        self._write_new(digest, files)
        return digest

    def _is_whole(self, digest: str) -> bool:
        """Whether the bundle is stored; one that was changed on disk is removed."""
        if not self.has(digest):
            return False
        try:
            self._read(digest)
        except Conflict:
            self.remove(digest)
            return False
        return True

    def _write_new(self, digest: str, files: Mapping[str, bytes]) -> None:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._writing():
            draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self._root))
            try:
                _write(draft, files)
                self._publish(draft, digest)
            finally:
                shutil.rmtree(draft, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer among others. Whoever finds that there is no other removes what killed ones have left."""
        number = os.open(self._root, os.O_RDONLY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._sweep()
            except BlockingIOError:
                pass
            # together with others, who wait for a sweep at most; the system frees it however the process ends
            fcntl.flock(number, fcntl.LOCK_SH)
            yield
        finally:
            os.close(number)

    def _sweep(self) -> None:
        for left in (path for prefix in (_DRAFT, _GONE) for path in self._root.glob(f"{prefix}*")):
            shutil.rmtree(left, ignore_errors=True)

    def _publish(self, draft: Path, digest: str) -> None:
        try:
            draft.rename(self._root / digest)
        except OSError:
            # somebody else was faster; the same digest means the same files
            if not self.has(digest):
                raise
        _sync(self._root)

    def get(self, digest: str) -> dict[str, bytes]:
        """Path -> content, proved to be what was put.

        Raises NotFound; Conflict, naming the file, when something was changed on disk.
        """
        if not self._folder(digest).is_dir():
            self._fetch(digest)
        return self._read(digest)

    def _fetch(self, digest: str) -> None:
        """Brings the bundle here from where another machine has put it. Raises NotFound."""
        name = f"bundles/{digest}"
        packed = next(filter(None, (depot.fetch(name) for depot in self._depots)), None)
        if packed is None:
            raise NotFound(f"The bundle {digest[:12]} is not in the store.", hint="Register its version again.")
        # it was checked when it was registered, and is checked again by its digest
        try:
            files = pack.unpack(packed, name, _OURS)
        except Invalid as error:
            raise _changed(digest, name, "in the store") from error
        if pack.digest(files) != digest:
            raise _changed(digest, name, "in the store")
        self._write_new(digest, files)

    def _read(self, digest: str) -> dict[str, bytes]:
        folder = self._folder(digest)
        index = _content(folder / _INDEX)
        if index is None or sha256(index).hexdigest() != digest:
            raise _changed(digest, _INDEX)
        files = {path: self._file(digest, path, expected) for path, expected in _entries(index)}
        extra = next((path for path in _found(folder / _FILES) if path not in files), None)
        if extra is not None:
            raise _changed(digest, extra)
        return files

    def _file(self, digest: str, path: str, expected: str) -> bytes:
        content = _content(self._folder(digest) / _FILES / path)
        if content is None or sha256(content).hexdigest() != expected:
            raise _changed(digest, path)
        return content

    def has(self, digest: str) -> bool:
        """Whether the bundle is stored; says nothing about what happened to it since."""
        return bool(_DIGEST.fullmatch(digest)) and self._folder(digest).is_dir()

    def remove(self, digest: str) -> None:
        """Forget the bundle; nothing happens when it is not there."""
        if not self.has(digest):
            return
        with self._writing():
            # out of sight in one step, then piece by piece
            gone = Path(tempfile.mkdtemp(prefix=_GONE, dir=self._root))
            try:
                self._folder(digest).rename(gone / digest)
            except FileNotFoundError:
                pass
            finally:
                shutil.rmtree(gone, ignore_errors=True)
        _sync(self._root)

    def _folder(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise NotFound(f"{shown(digest)!r} is not the digest of a bundle.")
        return self._root / digest


def _changed(digest: str, path: str, where: str = "on disk") -> Conflict:
    return Conflict(
        f"The bundle {digest} cannot be used: {shown(path)} was changed {where}.",
        hint="Register the same files again to repair it, and find out who changed it.",
    )


def _write(draft: Path, files: Mapping[str, bytes]) -> None:
    base = draft / _FILES
    folders = {base, *(base / parent for path in files for parent in PurePosixPath(path).parents)}
    for folder in sorted(folders):
        folder.mkdir(mode=0o700, exist_ok=True)
    for path, content in files.items():
        _write_file(base / path, content)
    _write_file(draft / _INDEX, pack.index(files))
    for folder in (*folders, draft):
        _sync(folder)


def _write_file(file: Path, content: bytes) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _content(file: Path) -> bytes | None:
    """The content; None when there is no regular file that can be read."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            return stream.read() if stat.S_ISREG(os.fstat(handle).st_mode) else None
    except OSError:
        return None


def _entries(index: bytes) -> Iterator[tuple[str, str]]:
    """Path and hash of each file. The index has been proved to be ours."""
    for line in index.decode().splitlines():
        expected, _, path = line.split(" ", 2)
        yield path, expected


def _found(folder: Path) -> Iterator[str]:
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        yield from ((Path(here) / name).relative_to(folder).as_posix() for name in (*names, *links))
