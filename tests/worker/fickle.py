"""A catalog that can be out of reach, and a clock that goes on when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from engine.catalog.catalog import Catalog
from engine.catalog.tx import Tx
from engine.errors import ExternalFailure, LandformError

PATIENCE_S = 10.0


class Clock:
    """Seconds that go on only when they are told to."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Fickle(Catalog):
    """A catalog that can be out of reach."""

    is_away = False
    loses_answers = False
    """What is written is kept, and nobody hears so."""
    losses = 0
    """How often that happens from now on."""
    forgets = False
    """What is written is not kept."""
    has_no_beats = False
    """Beats do not arrive, though all else does."""

    def quick(self) -> AbstractContextManager[Tx]:
        if self.has_no_beats:
            raise LandformError("The catalog is away.")
        return self._reached(super().quick)

    def read(self) -> AbstractContextManager[Tx]:
        return self._reached(super().read)

    def write(self) -> AbstractContextManager[Tx]:
        return self._answered(super().write)

    @contextmanager
    def _answered(self, begin: Callable[[], AbstractContextManager[Tx]]) -> Iterator[Tx]:
        with self._reached(begin) as tx:
            yield tx
            if self.forgets:
                raise ExternalFailure("The connection was lost.")
        if self.loses_answers or self.losses:
            self.losses = max(0, self.losses - 1)
            raise ExternalFailure("The connection was lost.")

    @contextmanager
    def _reached(self, begin: Callable[[], AbstractContextManager[Tx]]) -> Iterator[Tx]:
        if self.is_away:
            raise LandformError("The catalog is away.")
        with begin() as tx:
            yield tx


def until(happened: Callable[[], bool]) -> None:
    """Returns as soon as it has happened; fails when that takes very long."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        threading.Event().wait(0.01)
