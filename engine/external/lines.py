"""What another program writes, made safe: bytes become lines, and lines lose what could steer a terminal."""

from __future__ import annotations

import re

LIMIT = 1 << 20
"""A line is cut after so many bytes."""

# A string sequence (OSC, DCS, ...) without its end takes the rest of the line with it, as in a terminal.
_SEQUENCE = r"(?:\x1b\[|{csi})[0-?]*[ -/]*[@-~]?|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f]"
_UNSEEN = re.compile("|".join((_SEQUENCE.format(csi=r"(?!)"), _CONTROL)))
# Beside the above: eight-bit controls, and the marks that turn the direction of writing around.
_UNSAFE = re.compile("|".join((_SEQUENCE.format(csi=r"\x9b"), _CONTROL, r"[\x80-\x9f\u202a-\u202e\u2066-\u2069]")))
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_escapes(line: str) -> str:
    """The line without terminal sequences and control characters but tabs; text that may stand in JSON stays."""
    return _UNSEEN.sub("", line)


def clean(text: str) -> str:
    """The text as it may be shown to people and stored: no controls but tabs and newlines, always valid Unicode."""
    return _LONE_SURROGATE.sub("\ufffd", _UNSAFE.sub("", text))


class Lines:
    """Cuts a stream of bytes into lines of at most LIMIT bytes; what is longer loses its end, never the next line."""

    def __init__(self) -> None:
        self._open = bytearray()

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that the chunk ended, without their newlines."""
        *ended, rest = chunk.split(b"\n")
        lines = []
        for part in ended:
            self._keep(part)
            lines.append(self._take())
        self._keep(rest)
        return lines

    @property
    def begun(self) -> bytes:
        """The beginning of a line whose end has not come yet."""
        return bytes(self._open)

    def rest(self) -> list[str]:
        """The last line, when the stream stopped without a newline; [] otherwise."""
        return [self._take()] if self._open else []

    def _keep(self, part: bytes) -> None:
        self._open += part[: LIMIT - len(self._open)]

    def _take(self) -> str:
        text = self._open.decode("utf-8", errors="replace")
        self._open.clear()
        return without_escapes(text)
