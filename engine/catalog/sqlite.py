"""The only place that knows SQLite files: how they are made, opened for reading, and what their errors mean."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import LandformError

BUSY_TIMEOUT_S = 30
_MEANINGS = {
    sqlite3.SQLITE_NOTADB: ("is not a database.", "Choose another home with LANDFORM_HOME, or move the file away."),
    sqlite3.SQLITE_CORRUPT: ("is damaged.", "Restore the file from a backup."),
    sqlite3.SQLITE_READONLY: ("cannot be written.", "Check who owns the file and its folder."),
    sqlite3.SQLITE_PERM: ("cannot be opened.", "Check who owns the file and its folder."),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened.", "Check who owns the file and its folder."),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full.", "Free some space and try again."),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk reports an error.", "Check the disk."),
    sqlite3.SQLITE_BUSY: (
        f"was held by another process for more than {BUSY_TIMEOUT_S} seconds.",
        "Look for a landform process that is stopped (Ctrl-Z), and try again.",
    ),
}
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


@dataclass(frozen=True)
class File:
    """A catalog in a file of one machine."""

    path: Path
    is_shared = False

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def door(self) -> Iterator[Opened | None]:
        """A connection that cannot write and does not wait for writers; None where there is no file.

        Raises LandformError when the file is none of ours, or cannot be read.
        """
        if not self._exists():
            yield None
            return
        try:
            with closing(self.read_only()) as connection:
                yield Opened(connection, self)
        except sqlite3.Error as error:
            raise self.explain(error) or error from error

    def read_only(self) -> sqlite3.Connection:
        """A connection that cannot write."""
        return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)

    def make(self) -> None:
        """An empty file that only its owner can read, in a folder that only its owner can enter.

        What exists is left as it is. Raises LandformError when it cannot be made.
        """
        _make(self.path)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time; the lock goes with its holder."""
        lock = self.path.with_name(self.path.name + ".lock")
        _make(lock)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def explain(self, error: BaseException | None) -> LandformError | None:
        """What an error of SQLite means to the user; None for those that are mistakes of ours."""
        code = getattr(error, "sqlite_errorcode", None)
        meaning = _MEANINGS.get(code & 0xFF) if code else None
        return LandformError(f"The catalog {self} {meaning[0]}", hint=meaning[1]) if meaning else None

    def _exists(self) -> bool:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self.path, error) from error
        if stat.S_ISDIR(found.st_mode):
            raise LandformError(f"The catalog {self} is a folder.", hint="Choose another home with LANDFORM_HOME.")
        return True


@dataclass(frozen=True)
class Opened:
    """A file that is being read."""

    connection: sqlite3.Connection
    file: File

    def revision(self) -> str | None:
        """The revision of the schema; None for an empty file. Raises LandformError for somebody else's tables."""
        try:
            found = self.connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            # damaged, maybe: then this says so
            if self.connection.execute(_TABLES).fetchone() is None:
                return None
            found = None
        if found is None:
            hint = "Choose another home with LANDFORM_HOME."
            raise LandformError(f"The database {self.file} is not a Landform catalog.", hint=hint)
        return str(found[0])

    def rows(self, statement: str, values: Mapping[str, object]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of a statement; JSON and times as text, booleans as 0 and 1."""
        found = self.connection.execute(statement, values)
        return [column[0] for column in found.description], found.fetchall()


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> LandformError:
    return LandformError(
        f"The catalog {path} cannot be opened: {error.strerror}.",
        hint="Check who owns the file and its folder, or choose another home with LANDFORM_HOME.",
    )
