"""The only place that knows SQLite files: how they are made, opened for reading, and what their errors mean."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

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


def exists(path: Path) -> bool:
    """Whether there is a file at `path`. Raises LandformError when it is a folder, or nobody can tell."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, error) from error
    if stat.S_ISDIR(found.st_mode):
        raise LandformError(f"The catalog {path} is a folder.", hint="Choose another home with LANDFORM_HOME.")
    return True


def make(path: Path) -> None:
    """An empty file that only its owner can read, in a folder that only its owner can enter.

    What exists is left as it is. Raises LandformError when it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise _unusable(path, error) from error


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that cannot write and does not wait for writers. Rows can be read by column name."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)
    connection.row_factory = sqlite3.Row
    return connection


def explain(path: Path, error: BaseException | None) -> LandformError | None:
    """What an error of SQLite means to the user; None for those that are mistakes of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    meaning = _MEANINGS.get(code & 0xFF) if code else None
    return LandformError(f"The catalog {path} {meaning[0]}", hint=meaning[1]) if meaning else None


def _unusable(path: Path, error: OSError) -> LandformError:
    return LandformError(
        f"The catalog {path} cannot be opened: {error.strerror}.",
        hint="Check who owns the file and its folder, or choose another home with LANDFORM_HOME.",
    )
