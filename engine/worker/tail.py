"""The only place that reads the log of a run while it grows: in whole lines, from any byte on, without gaps or repeats.

An offset counts bytes from the beginning of the whole log, all phases and attempts of the run together, so whoever
remembers one goes on there later, in another process or on another machine.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

Source = Callable[[int], bytes]
"""What there is from an offset on: all of it or a part, b"" when there is nothing (yet)."""
_PIECE_BYTES = 1 << 20
_END = b"\n"


class LogFile:
    """A growing file as a source, while it is used as a context; it may appear later."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> LogFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, offset: int) -> bytes:
        """What the file holds from there on, at most a piece of it."""
        if self._file is None:
            try:
                self._file = self._open.enter_context(self._path.open("rb", buffering=0))
            except FileNotFoundError:
                return b""
        self._file.seek(offset)
        return self._file.read(_PIECE_BYTES) or b""


class Tail:
    """Reads on where it stopped."""

    def __init__(self, source: Source, offset: int = 0) -> None:
        self.offset = offset
        """Where to go on: behind the last byte that was given out."""
        self._source = source
        self._open = bytearray()
        """The beginning of a line whose end has not come yet."""

    def more(self, *, over: bool) -> bytes:
        """Some of the lines that have come since, whole ones; b"" when there are none now.

        `over` says that nothing more will come, which must be known before this is called: then a last line without
        an end is given out too.
        """
        while piece := self._source(self.offset + len(self._open)):
            lines, end, rest = piece.rpartition(_END)
            if end:
                return self._give(bytes(self._open) + lines + end, rest)
            self._open += rest
        return self._give(bytes(self._open), b"") if over else b""

    def _give(self, content: bytes, rest: bytes) -> bytes:
        self.offset += len(content)
        self._open[:] = rest
        return content
