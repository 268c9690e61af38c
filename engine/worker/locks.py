"""Which lock a run took on its state, written down while it holds it: the only one that may ever be broken for it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.terraform.backend import Backend, LockInfo
from engine.worker.keeping import Claim, Keeping, state_lock_name

if TYPE_CHECKING:
    from engine.worker.work import Work

logger = logging.getLogger(__name__)
LOCK_FILE = "state-lock.json"


@dataclass(frozen=True)
class Book:
    """Where the locks of one run are written down."""

    run_id: int
    run_folder: Path
    keeping: Keeping
    claim: Claim | None = None
    """That of the worker which carries the run out; None for whoever looks at what is left of it."""

    def write(self, lock: LockInfo) -> None:
        """Writes down that the run holds this lock. Raises LandformError."""
        text = json.dumps(asdict(lock))
        path = self.run_folder / LOCK_FILE
        new = path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
        new.replace(path)
        self.keeping.keep(state_lock_name(self.run_id), text.encode(), self.claim)

    def has(self, lock: LockInfo) -> bool:
        """Whether the run has taken this lock, and none since, on this machine or on the one that worked on it last.

        Raises LandformError.
        """
        kept = [self.keeping.fetch(state_lock_name(self.run_id))]
        with suppress(OSError):
            kept.append((self.run_folder / LOCK_FILE).read_bytes())
        return lock.id in {found.id for found in map(_read, filter(None, kept)) if found is not None}


class Witness:
    """Looks for the lock that a Terraform which was just started takes, and has it written down."""

    def __init__(self, book: Book, backend: Backend, folder: Path, now: Callable[[], datetime]) -> None:
        """To be made before Terraform starts."""
        self._book, self._backend, self._folder = book, backend, folder
        self._since = now()
        self.is_done = False

    def begin(self) -> None:
        """A Terraform has started, which takes a lock of its own."""
        self.is_done = False

    def look(self) -> None:
        """Writes the lock down if it is there, and if its words fit: taken on this machine, and since Terraform began.

        Raises LandformError when it cannot be read or written down.
        """
        lock = self._backend.lock(self._folder)
        if lock is not None and lock.host == os.uname().nodename and _time(lock.created) >= self._since:
            self._book.write(lock)
            self.is_done = True


def free(work: Work, books: Callable[[], Iterable[Book]], backend: Backend, folder: Path) -> None:
    """Breaks the lock that an earlier try of the run, or a run of its instance which has ended, has left, and no other:
    a run ends, or is tried again, only when its processes are proven gone. Raises LandformError.
    """
    # the lock of a local state goes with its process
    lock = backend.lock(folder) if backend.is_shared else None
    if lock is None:
        return
    if any(book.has(lock) for book in books()):
        logger.warning("a lock that a killed Terraform left is removed", extra={"run": work.run_id, "lock": lock.id})
        backend.unlock(folder, lock.id)
    else:
        backend.clear(folder)


def _read(content: bytes) -> LockInfo | None:
    """What was written down; None when it is not whole."""
    try:
        return LockInfo(**json.loads(content))
    except (ValueError, TypeError):
        return None


def _time(text: str) -> datetime:
    """A moment as Terraform writes it; long ago when it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
