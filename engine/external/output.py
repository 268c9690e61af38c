"""Where the output of a running program goes: raw bytes to its log, lines to whoever listens.

Between reading some bytes and having told all of their lines this process may be killed: until then they lie in a file
as well, so that nothing a program has said is lost with whoever listened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import ExternalFailure
from engine.external.lines import Lines


class Output:
    """The output of one program. Raises ExternalFailure when its log cannot be written."""

    def __init__(self, log: Path | None, on_line: Callable[[str], None] | None, words: Path | None = None) -> None:
        """`words` is the file of what has not been told yet; it is gone when all has been."""
        self._lines = Lines()
        self._on_line = on_line
        self._log = None if log is None else _File(log)
        self._words = None if words is None else _File(words)

    def take(self, chunk: bytes) -> None:
        """The next bytes."""
        for file in (self._log, self._words):
            if file is not None:
                file.add(chunk)
        self._tell(self._lines.feed(chunk))
        if self._words is not None:
            self._words.replace(self._lines.begun)

    def end(self) -> None:
        """No more will come."""
        self._tell(self._lines.rest())
        if self._words is not None:
            self._words.remove()

    def mute(self) -> None:
        """From now on nothing is told and nothing is written."""
        self.close()
        self._on_line = None

    def close(self) -> None:
        """Closes the files; may be called again."""
        for file in (self._log, self._words):
            if file is not None:
                file.close()
        self._log = self._words = None

    def _tell(self, lines: list[str]) -> None:
        for line in lines:
            if self._on_line:
                self._on_line(line)


class _File:
    """A file that bytes are added to, readable by its owner only. Raises ExternalFailure when it cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._expected():
            self._number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        # it may be older than us, and open to others
        os.fchmod(self._number, 0o600)
        self._size = os.fstat(self._number).st_size

    def add(self, content: bytes) -> None:
        """Writes it behind what is there."""
        rest = memoryview(content)
        with self._expected():
            while rest:
                rest = rest[os.write(self._number, rest) :]
        self._size += len(content)

    def replace(self, content: bytes) -> None:
        """Writes it in the place of what is there, unless somebody else has added to that."""
        if not self._is_ours():
            return
        with self._expected():
            os.ftruncate(self._number, 0)
        self._size = 0
        self.add(content)

    def remove(self) -> None:
        """Takes the file away, unless somebody else has added to it."""
        if self._is_ours():
            self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """To be called once."""
        os.close(self._number)

    def _is_ours(self) -> bool:
        # while we were suspended, our guard may have taken down what the program said
        return os.fstat(self._number).st_size == self._size

    @contextmanager
    def _expected(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ExternalFailure(f"The log {self._path} cannot be written: {error.strerror}.") from error
