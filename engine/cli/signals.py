"""What Ctrl-C and the signals of a pipeline mean, in three steps that each say what they do."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from engine.cli.common import Session
from engine.cli.failures import INTERRUPTED

if TYPE_CHECKING:
    from types import FrameType

    from engine.external.process import Stop

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a pipeline that is cancelled, a terminal that is closed."""
_LAST = 3


@contextmanager
def stoppable(session: Session, *, at_once: bool = False) -> Iterator[Stop]:
    """A means to stop what goes on here, pulled by signals.

    At a terminal a first Ctrl-C only says what the next ones do: a second asks Terraform to stop, a third kills it.
    Other signals, those of a pipeline, and `at_once` where nothing is changed, ask at once; there too only the third
    one kills.
    """
    from engine.app import stop as new_stop

    steps = _Steps(session, new_stop(), is_terminal=not at_once and sys.stdin.isatty() and sys.stderr.isatty())
    before = {number: signal.signal(number, steps.take) for number in _STOPPING}
    try:
        yield steps.stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def detachable(session: Session, run_ids: Sequence[int]) -> Iterator[None]:
    """While runs are followed that somebody else works on: Ctrl-C ends only the following, with exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        ids = " ".join(map(str, run_ids))
        session.say(f"Detached; run {ids.replace(' ', ', ')} goes on. Follow: landform run wait {ids}")
        session.say(f"Stop it: landform run cancel {ids}")
        raise click.exceptions.Exit(INTERRUPTED) from None


class _Steps:
    """How far the signals have gone."""

    def __init__(self, session: Session, stop: Stop, *, is_terminal: bool) -> None:
        self.stop = stop
        self._session = session
        self._is_terminal = is_terminal
        self._count = 0

    def take(self, number: int, _frame: FrameType | None) -> None:
        """The next signal."""
        # whoever has asked by other means (a time-out, `run cancel`) has taken the first step
        self._count = max(self._count, int(self.stop.requested)) + 1
        if self._count >= _LAST:
            self.stop.force()
            self._say("Killing Terraform. Its state is kept.")
        elif self.stop.requested:
            self._say("Terraform has been asked to stop and is not done yet. Once more kills it.")
        elif self._count == 1 and self._is_terminal and number == signal.SIGINT:
            self._say("Still going. Ctrl-C again asks Terraform to stop; a third kills it.")
        else:
            self._ask()

    def _ask(self) -> None:
        # first the deed: the next signal may come while this one is still being told of
        self.stop.request()
        once_more = "Ctrl-C again" if self._count + 1 == _LAST else "a third signal"
        self._say(f"Asking Terraform to stop; {once_more} kills it.")

    def _say(self, text: str) -> None:
        # the signal may have come in the middle of another line; saying nothing then beats ending there
        with suppress(RuntimeError):
            self._session.say(text)
