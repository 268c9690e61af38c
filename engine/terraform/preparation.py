"""A template version is initialised once for all its instances (design D11): providers and modules, to be shared."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.terraform import files as safely

LOCK_FILE = ".terraform.lock.hcl"
_DATA = ".terraform"
_MANIFEST = ".landform.json"
_BUILDING = ".building-"


@dataclass(frozen=True)
class Prepared:
    """What an instance needs in place of an init of its own. Never write into it."""

    data_dir: Path
    """For TF_DATA_DIR, and for Workspace.link()."""
    lock_file: Path | None
    """The chosen providers; None when the version needs none."""

    def with_lock(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files of a workspace together with the lock file."""
        return {**files, LOCK_FILE: self.lock_file.read_bytes()} if self.lock_file else dict(files)


def key(bundle: str, part: str, terraform_version: str, backend: str, structure: str = "") -> str:
    """The name of a preparation: what it depends on, and no more.

    `bundle` is the bundle's digest, `structure` that of the code that Jinja wrote (core.rendering.structure).
    """
    text = json.dumps([bundle, part, terraform_version, backend, structure])
    return hashlib.sha256(text.encode()).hexdigest()


class Preparation:
    """The prepared versions of a home."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def ensure(self, key: str, files: Mapping[str, bytes], init: Callable[[Path], None]) -> Prepared:
        """The prepared version, made by `init` in a folder with these files if it is not there yet.

        One process installs at a time, the others wait for it. `init` runs `terraform init` in the folder it is
        given, with its `.terraform` as TF_DATA_DIR; what it raises is passed on and leaves nothing behind.
        Raises Invalid for names that leave the folder, ExternalFailure when the folder cannot be written.
        """
        target = self._root / key
        if not _is_ready(target):
            safely.check_names(files)
            safely.folder(self._root)
            try:
                self._ensure(target, files, init)
            except OSError as error:
                raise safely.cannot("prepare", target, error) from error
        lock_file = target / LOCK_FILE
        return Prepared(target / _DATA, lock_file if lock_file.is_file() else None)

    def _ensure(self, target: Path, files: Mapping[str, bytes], init: Callable[[Path], None]) -> None:
        with self._installer():
            # another process may have made it while this one waited
            if not _is_ready(target):
                self._install(target, files, init)

    @contextmanager
    def _installer(self) -> Iterator[None]:
        number = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            # the system frees it when the process ends, however it ends
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)

    def _install(self, target: Path, files: Mapping[str, bytes], init: Callable[[Path], None]) -> None:
        for left in (*self._root.glob(f"{_BUILDING}*"), target):
            # of an installer that was killed, or damaged since
            shutil.rmtree(left, ignore_errors=True)
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self._root))
        try:
            for name, content in files.items():
                safely.put(building, name, content, building / ".landform.tmp")
            init(building)
            _make_relative(building)
            _strip(building)
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _strip(building: Path) -> None:
    """Leaves what init made, and says so; the files were those of one instance, with its values."""
    for path in building.iterdir():
        if path.is_dir() and path.name != _DATA:
            shutil.rmtree(path)
        elif path.name not in (_DATA, LOCK_FILE):
            path.unlink()
    safely.folder(building / _DATA)
    safely.put(building, _MANIFEST, b'{"ready": true}\n', building / ".landform.tmp")


def _make_relative(building: Path) -> None:
    """Takes the folder's name, which is about to change, out of the paths that init wrote down."""
    modules = building / _DATA / "modules" / "modules.json"
    if modules.is_file():
        name = json.dumps(f"{building}/", ensure_ascii=False)[1:-1]
        modules.write_text(modules.read_text(encoding="utf-8").replace(name, ""), encoding="utf-8")


def _is_ready(target: Path) -> bool:
    return (target / _MANIFEST).is_file() and (target / _DATA).is_dir()
