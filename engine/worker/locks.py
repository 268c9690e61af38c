"""Which lock a run took on its state, written down while it holds it: the only one that may ever be broken for it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.terraform.backend import Backend, LockInfo
from engine.worker.keeping import Keeping, state_lock_name

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

    def write(self, lock: LockInfo) -> None:
        """Writes down that the run holds this lock. Raises LandformError."""
        text = json.dumps(asdict(lock))
        path = self.run_folder / LOCK_FILE
        new = path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_TRUNC | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(text)
        new.replace(path)
        self.keeping.keep(state_lock_name(self.run_id), text.encode())

    def read(self) -> LockInfo | None:
        """The lock that the run took last; None when none was written down that could be read. Raises LandformError."""
        with suppress(OSError, ValueError, TypeError):
            return LockInfo(**json.loads((self.run_folder / LOCK_FILE).read_bytes()))
        kept = self.keeping.fetch(state_lock_name(self.run_id))
        return LockInfo(**json.loads(kept)) if kept else None


class Witness:
    """Looks for the lock that a Terraform which was just started takes, and has it written down."""

    def __init__(self, book: Book, backend: Backend, folder: Path, now: Callable[[], datetime]) -> None:
        """To be made before Terraform starts."""
        self._book, self._backend, self._folder = book, backend, folder
        self._since = now()
        self.is_done = False

    def look(self) -> None:
        """Writes the lock down if it is there, and if its words fit: taken on this machine, and since Terraform began.

        Raises LandformError when it cannot be read or written down.
        """
        lock = self._backend.lock(self._folder)
        if lock is not None and lock.host == os.uname().nodename and _time(lock.created) >= self._since:
            self._book.write(lock)
            self.is_done = True


def free(work: Work, book: Book, backend: Backend, folder: Path) -> None:
    """Breaks the lock that an earlier try of this very run has left, and no other: a run is tried again only when the
    processes of the try before are proven gone. Raises LandformError.
    """
    if not backend.is_shared:
        # the lock of a local state goes with its process
        return
    recorded, lock = book.read(), backend.lock(folder)
    if recorded is not None and lock is not None and lock.id == recorded.id:
        logger.warning("a lock that a killed Terraform left is removed", extra={"run": work.run_id, "lock": lock.id})
        backend.unlock(folder, lock.id)


def _time(text: str) -> datetime:
    """A moment as Terraform writes it; long ago when it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
