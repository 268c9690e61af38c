"""Where the output of a running program goes: raw bytes to its log, lines to whoever listens."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from engine.errors import ExternalFailure
from engine.external.lines import Lines


class Output:
    """The output of one program. Raises ExternalFailure when its log cannot be written."""

    def __init__(self, log: Path | None, on_line: Callable[[str], None] | None) -> None:
        self._lines = Lines()
        self._on_line = on_line
        self._path = log
        self._log = None if log is None else _opened(log)

    def take(self, chunk: bytes) -> None:
        """The next bytes."""
        self._write(memoryview(chunk))
        self._tell(self._lines.feed(chunk))

    def end(self) -> None:
        """No more will come."""
        self._tell(self._lines.rest())

    def mute(self) -> None:
        """From now on nothing is told and nothing is written."""
        self.close()
        self._on_line = None

    def close(self) -> None:
        """Closes the log; may be called again."""
        if self._log is not None:
            os.close(self._log)
            self._log = None

    def _write(self, rest: memoryview) -> None:
        try:
            while rest and self._log is not None:
                rest = rest[os.write(self._log, rest) :]
        except OSError as error:
            raise ExternalFailure(f"The log {self._path} cannot be written: {error.strerror}.") from error

    def _tell(self, lines: list[str]) -> None:
        for line in lines:
            if self._on_line:
                self._on_line(line)


def _opened(path: Path) -> int:
    try:
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise ExternalFailure(f"The log {path} cannot be written: {error.strerror}.") from error
    # it may be older than us, and open to others
    os.fchmod(number, 0o600)
    return number
