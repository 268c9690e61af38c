"""A wish that running programs end, pulled from outside the thread that runs them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator


class Stop:
    """A wish that running programs end. May be pulled from any thread and from a signal handler, more than once."""

    def __init__(self) -> None:
        # re-entrant: a signal handler may pull it in the very thread that is attaching
        self._lock = threading.RLock()
        self._wakers: set[int] = set()
        self._followers: set[Stop] = set()
        self._requested = False
        self._forced = False

    @property
    def requested(self) -> bool:
        """Whether anybody asked."""
        return self._requested

    @property
    def forced(self) -> bool:
        """Whether there shall be no grace."""
        return self._forced

    def request(self) -> None:
        """Ask: one SIGINT, then the grace period, then SIGKILL."""
        self._requested = True
        self._wake()
        for follower in tuple(self._followers):
            follower.request()

    def force(self) -> None:
        """Do not wait for the end of the grace period."""
        self._requested = self._forced = True
        self._wake()
        for follower in tuple(self._followers):
            follower.force()

    @contextlib.contextmanager
    def followed_by(self, other: Stop) -> Iterator[None]:
        """Whatever is asked of this one is asked of the other too, but not the other way round."""
        # a signal handler may pull us at any moment: what it misses before is seen below, what comes later it passes on
        self._followers.add(other)
        try:
            if self._forced:
                other.force()
            elif self._requested:
                other.request()
            yield
        finally:
            self._followers.discard(other)

    @contextlib.contextmanager
    def attached(self) -> Iterator[int]:
        """A file descriptor that becomes readable at every pull."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with self._lock:
            self._wakers.add(writer)
        try:
            yield reader
        finally:
            with self._lock:
                self._wakers.discard(writer)
            os.close(writer)
            os.close(reader)

    def _wake(self) -> None:
        with self._lock:
            for writer in self._wakers:
                with contextlib.suppress(BlockingIOError):
                    os.write(writer, b"!")
