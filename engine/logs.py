"""The only place that configures logging: what lines look like, what they are about, and that no secret is in them.

Landform as a library configures nothing: records go to the loggers below `engine`, and whoever embeds it sees to them.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TextIO

from engine.external.lines import clean
from engine.settings import Settings

Hide = Callable[[str], str]
"""A text without certain secrets."""

FIELDS = ("run", "address", "worker", "phase")
"""What a line may be about, besides what it says; `extra` and bound() name it."""
_OURS = "engine"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True)
class _Scope:
    """What the lines of a thread are about now."""

    names: Mapping[str, object]
    secrets: list[Hide] = field(default_factory=list)
    """Of the outermost scope, and shared with those inside it: what was secret in a phase is so for its whole run."""


_scope: ContextVar[_Scope | None] = ContextVar("landform_log_scope", default=None)
_open: dict[int, list[Hide]] = {}
"""The secrets of every scope of this process: a line of another thread may hold them too."""
_lock = threading.Lock()


@contextmanager
def bound(**names: object) -> Iterator[None]:
    """Lines that this thread logs inside are about these, as `run=42`; what is None is left out."""
    outer = _scope.get()
    known = {name: value for name, value in names.items() if value is not None}
    scope = _Scope(known) if outer is None else _Scope({**outer.names, **known}, outer.secrets)
    token = _scope.set(scope)
    if outer is None:
        with _lock:
            _open[id(scope)] = scope.secrets
    try:
        yield
    finally:
        _scope.reset(token)
        if outer is None:
            with _lock:
                del _open[id(scope)]


def hide(secrets: Hide) -> None:
    """No line of this process holds these secrets until the outermost bound() of this thread ends.

    Outside of any it has no effect.
    """
    scope = _scope.get()
    if scope is not None:
        with _lock:
            scope.secrets.append(secrets)


def configure(settings: Settings, stream: TextIO | None = None) -> None:
    """Sends what is logged to `stream`, by default stderr, in the form and from the level on that the settings say.

    Other libraries are heard from WARNING on: some tell in smaller lines what they were given. May be called again.
    """
    reset()
    handler = _Sink(stream)
    handler.setFormatter(_Json() if settings.log_format == "json" else _Text())
    logging.getLogger().addHandler(handler)
    logging.getLogger(_OURS).setLevel(settings.log_level)


def reset() -> None:
    """Undoes what configure() did."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, _Sink)]:
        root.removeHandler(handler)
    logging.getLogger(_OURS).setLevel(logging.NOTSET)


class _Sink(logging.Handler):
    """Writes to a stream; without one, to whatever stderr is at the time."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self._stream = stream

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line. One that cannot be written is lost: a run is worth more than its log."""
        stream = self._stream or sys.stderr
        with suppress(OSError, ValueError, AttributeError):
            stream.write(f"{self.format(record)}\n")
            stream.flush()


class _Lines(logging.Formatter):
    """What a record says: safe to be shown, stored and parsed, whatever was logged."""

    def said(self, record: logging.LogRecord) -> dict[str, str]:
        """`time`, `level`, `logger`, `message`, what it is about, and `exception` where there is one."""
        scope = _scope.get()
        # what the line itself names goes before what is bound around it
        about = {**(scope.names if scope else {}), **_extra(record)}
        said = {
            "time": _time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        said |= {name: str(about[name]) for name in (*FIELDS, *about) if name in about and name not in said}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        hides = _hides()
        return {name: _safe(text, hides) for name, text in said.items()}


class _Json(_Lines):
    """One JSON object a line, in ASCII: a line stays one whatever reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return json.dumps(self.said(record))


class _Text(_Lines):
    """A line for people; what has more is indented, so that nothing logged can pass for a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = self.said(record)
        heading = f"{said.pop('time')} {said.pop('level')} {said.pop('logger')}: {said.pop('message')}"
        exception = said.pop("exception", "")
        about = " ".join(f"{name}={value}" for name, value in said.items())
        text = "\n".join(filter(None, (f"{heading} {about}".rstrip(), exception)))
        return "\n    ".join(text.splitlines())


def _time(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # a mistake in a sentence must not cost the line, nor print what it was to be filled with
        return str(record.msg)


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _hides() -> list[Hide]:
    with _lock:
        return [hide for secrets in _open.values() for hide in secrets]


def _safe(text: str, hides: list[Hide]) -> str:
    # first what a terminal would not show: it may stand in the middle of a secret
    text = clean(text)
    for without_secrets in hides:
        text = without_secrets(text)
    return text
