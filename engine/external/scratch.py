"""Folders for a short while: gone after their use, or by the next one's hand if the process dies in between."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp


@contextmanager
def scratch(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder of its own below `parent`, which is made; what others of that prefix have left there is removed."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep(parent, prefix)
    folder, handle = _made(parent, prefix)
    try:
        yield folder
    finally:
        # what was fetched may be read-only or odd; what stays is swept by the next one
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(parent: Path, prefix: str) -> None:
    """Removes what processes that have died have left there of that prefix, as far as that can be done."""
    for left in parent.glob(f"{prefix}-*"):
        _sweep(left)


def _made(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder, and the lock on it, which the kernel lets go of when the process dies."""
    while True:
        folder = Path(mkdtemp(prefix=f"{prefix}-", dir=parent))
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        fcntl.flock(handle, fcntl.LOCK_EX)
        if folder.exists():
            return folder, handle
        # somebody swept it before it was locked
        os.close(handle)


def _sweep(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    else:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)
