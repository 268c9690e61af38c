"""The only place that appends events to a file."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Mapping
from typing import Any

from engine.errors import ExternalFailure


def append(path: str, event: Mapping[str, Any]) -> None:
    """Adds the event as one line of JSON, whole and on disk, or not at all; makes the file where there is none.

    Whoever reads the file meanwhile, or writes to it in this way, sees whole lines only. Raises ExternalFailure.
    """
    line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
    try:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                # a pipe that nobody reads from would keep us for ever
                raise OSError(0, "it is something else")
            fcntl.flock(file, fcntl.LOCK_EX)
            _append(file, line)
        finally:
            os.close(file)
    except OSError as error:
        raise ExternalFailure(f"The file {path} cannot be written: {error.strerror}.") from error


def _append(file: int, line: bytes) -> None:
    size = os.fstat(file).st_size
    # a machine that lost its power may have left half a line
    broken = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    whole = (b"\n" if broken else b"") + line
    written = os.write(file, whole)
    if written < len(whole):
        os.ftruncate(file, size)
        raise OSError(0, "the disk is full")
    os.fsync(file)
