"""A catalog that can be out of reach, and a clock that goes on when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from engine.catalog.catalog import Catalog
from engine.catalog.tx import Tx
from engine.errors import LandformError

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

    def quick(self) -> AbstractContextManager[Tx]:
        return self._reached(super().quick)

    def read(self) -> AbstractContextManager[Tx]:
        return self._reached(super().read)

    def write(self) -> AbstractContextManager[Tx]:
        return self._reached(super().write)

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
