"""The only place where this process says that it lives, and where it hears what others want of its runs.

A worker that is not heard of stops all it does by itself, before anybody may take its runs: that needs no catalog, only
a clock. One that finds itself given up kills what it has, and can write nothing any more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.workers import BEATS, Kind, State
from engine.errors import Conflict, LandformError
from engine.worker.losing import lose
from engine.worker.terms import RunStop, lease_file

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.external.process import Stop
    from engine.worker.terms import Card, Terms

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 1.0
"""Wishes are obeyed, and what failed is tried again, within that time."""
_LAST_CHANCE_S = 1.0
"""For the beat that is due when a suspended process goes on."""


class Lease:
    """This process as a worker: registered at its first run, and heard of from then on."""

    def __init__(self, catalog: Catalog, card: Card, terms: Terms, folder: Path) -> None:
        """`folder` gets a file that is touched with every beat, for guards that must know without the catalog."""
        self.card = card
        self.terms = terms
        self._catalog = catalog
        self._folder = folder
        self._changed = threading.Condition()
        self._worker_id = 0
        self._state = State.ENDED
        self._held: dict[int, RunStop] = {}
        self._abandoned: set[int] = set()
        """Runs whose end could not be recorded."""
        self._beaten_at = self._steady_since = self._next_beat = 0.0
        self._threads: list[threading.Thread] = []

    @property
    def state(self) -> State:
        """Where this worker stands, as far as it knows."""
        return self._state

    @property
    def number(self) -> int:
        """The number of this worker; 0 before its first run."""
        return self._worker_id

    @property
    def steady_s(self) -> float:
        """For how long it has been heard of without a break."""
        return self._beaten_at - self._steady_since if self._threads else 0.0

    def worker_id(self) -> int:
        """The number of this worker, registered now if it was not or if others have given it up.

        Raises LandformError when the catalog cannot be written, Conflict while runs of the worker that was given up
        have not stopped.
        """
        with self._changed:
            if self._worker_id and self._state is not State.LOST:
                return self._worker_id
            if self._held:
                raise Conflict(f"Worker {self._worker_id} was given up, and is still stopping what it had begun.")
            self._register()
            return self._worker_id

    def holds(self) -> bool:
        """Whether nobody can have taken what this process works on. May wait for a moment after a suspension."""
        if self._is_current():
            return True
        with self._changed:
            self._next_beat = 0.0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._is_current() or self._state is State.LOST, _LAST_CHANCE_S)
            return self._is_current()

    @contextmanager
    def holding(self, run_id: int, stop: Stop) -> Iterator[RunStop]:
        """What stops that run: `stop`, the wishes that others leave in the catalog, or the end of the lease."""
        own = RunStop(self.holds, self.recovers, self._file(self._worker_id), self.terms.lease_s)
        with self._changed:
            self._held[run_id] = own
            self._changed.notify_all()
        try:
            with stop.followed_by(own):
                yield own
        finally:
            with self._changed:
                del self._held[run_id]
                self._changed.notify_all()

    def abandon(self, run_id: int) -> None:
        """Gives back a run whose end could not be recorded, as soon as the catalog can be written again."""
        with self._changed:
            self._abandoned.add(run_id)
            self._hurry()

    def recovers(self) -> bool:
        """Waits for the next sign that the catalog can be written; whether there was one, and this worker goes on.

        A command in the foreground waits no longer than its lease holds.
        """
        with self._changed:
            before = self._beaten_at
            self._hurry()
            while self._beaten_at == before and self._state is not State.LOST and self._threads:
                if self.card.kind is Kind.FOREGROUND and not self._is_current():
                    return False
                self._changed.wait(_LOOK_EVERY_S)
            return self._beaten_at != before and self._state is not State.LOST

    def drain(self) -> None:
        """Says to all that this worker takes nothing new."""
        if self._worker_id and self._state is State.ACTIVE:
            with self._catalog.write() as tx:
                tx.drain_worker(self._worker_id)
            self._state = State.DRAINING

    def close(self) -> None:
        """Says goodbye. A worker that has not been registered leaves nothing behind."""
        with self._changed:
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        for thread in threads:
            # one that is stuck in a call to the catalog ends with the process
            thread.join(_LAST_CHANCE_S)
        if threads and self._state is not State.LOST:
            with suppress(LandformError):
                self._give_back()
                with self._catalog.write() as tx:
                    tx.end_worker(self._worker_id)
            self._file(self._worker_id).unlink(missing_ok=True)
        self._state = State.ENDED

    def _register(self) -> None:
        from importlib import metadata

        began = self.terms.clock()
        card = self.card
        with self._catalog.write() as tx:
            worker = tx.add_worker(
                name=card.name,
                kind=card.kind.value,
                identity=dict(card.identity),
                labels=list(card.labels),
                capacity=card.capacity,
                lease_s=self.terms.promised_s,
                version=metadata.version("landform"),
            )
        assert worker.id is not None
        logger.info("a worker has begun", extra={"worker": worker.id})
        self._worker_id, self._state, self._steady_since = worker.id, State.ACTIVE, began
        self._beat_came(began)
        if not self._threads:
            self._threads = [
                threading.Thread(target=keep, name=name, daemon=True)
                for name, keep in (("beats", self._keep), ("watchdog", self._watch))
            ]
            for thread in self._threads:
                thread.start()

    def _keep(self) -> None:
        """Beats, and looks at wishes while there are runs to be stopped."""
        while self._threads:
            with self._changed:
                now = self.terms.clock()
                is_due = now >= self._next_beat
                if not is_due:
                    pause_s = self._next_beat - now
                    self._changed.wait(min(pause_s, _LOOK_EVERY_S) if self._held else pause_s)
                    is_due = self.terms.clock() >= self._next_beat
            if self._threads:
                self._once(is_due=is_due)

    def _once(self, *, is_due: bool) -> None:
        if self._state is State.LOST:
            self._next_beat = self.terms.clock() + self.terms.lease_s
            return
        try:
            if is_due:
                self._beat()
            if self._held:
                self._look()
        except (LandformError, OSError) as error:
            self._steady_since = self.terms.clock()
            self._next_beat = self.terms.clock() + _LOOK_EVERY_S
            logger.warning("a worker cannot renew its lease: %s", error, extra={"worker": self._worker_id})

    def _hurry(self) -> None:
        """Has the next beat come soon, but not at once: whoever waits for it may have failed for another reason."""
        self._next_beat = min(self._next_beat, self.terms.clock() + _LOOK_EVERY_S)
        self._changed.notify_all()

    def _beat(self) -> None:
        began = self.terms.clock()
        with self._catalog.quick() as tx:
            state = tx.beat(self._worker_id)
        if state is State.LOST:
            self._lost()
            return
        self._state = state
        self._beat_came(began)
        self._give_back()

    def _beat_came(self, began: float) -> None:
        """Takes the time from before the beat was sent: it may have been on its way for long."""
        file = self._file(self._worker_id)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch()
        with self._changed:
            self._beaten_at = began
            self._next_beat = began + self.terms.lease_s / BEATS
            self._changed.notify_all()

    def _look(self) -> None:
        with self._catalog.read() as tx:
            state, wishes = tx.worker_state(self._worker_id), tx.wishes(self._worker_id)
        if state is State.LOST:
            self._lost()
            return
        for run_id, at_once in wishes.items():
            stop = self._held.get(run_id)
            if stop is not None and at_once and not stop.forced:
                stop.force()
            elif stop is not None and not stop.is_asked:
                stop.request()

    def _give_back(self) -> None:
        if not self._abandoned:
            return
        with suppress(Conflict), self._catalog.write() as tx:
            for run in tx.runs_of_worker(self._worker_id):
                if run.id in self._abandoned and run.id not in self._held:
                    lose(tx, run, "Its worker failed to record how it ended.", fence=run.fence)
        self._abandoned -= set(self._abandoned) - self._held.keys()

    def _lost(self) -> None:
        """Others have given this worker up, and may have begun what it still does: it must be gone at once."""
        with self._changed:
            self._state = State.LOST
            held = tuple(self._held.values())
            self._changed.notify_all()
        logger.error("a worker was given up by others", extra={"worker": self._worker_id})
        for stop in held:
            stop.expire()
            stop.force()

    def _watch(self) -> None:
        """Stops everything when no beat has come for too long, whatever the other thread is stuck in."""
        while self._threads:
            with self._changed:
                left = self._beaten_at + self.terms.lease_s - self.terms.clock()
                if left > 0 or not self._held:
                    self._changed.wait(left if left > 0 else None)
                    continue
            if not self.holds():
                self._expire()

    def _expire(self) -> None:
        logger.error("a worker has lost its lease and stops", extra={"worker": self._worker_id})
        until = self._beaten_at + self.terms.promised_s
        for stop in tuple(self._held.values()):
            stop.expire()
        with self._changed:
            left = until - self.terms.clock()
            self._changed.wait_for(lambda: not self._held or not self._threads, max(0.0, left))
            held = tuple(self._held.values())
        for stop in held:
            stop.force()
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._is_current() or not self._threads)

    def _is_current(self) -> bool:
        is_ours = self._state is not State.LOST
        return is_ours and self.terms.clock() < self._beaten_at + self.terms.lease_s

    def _file(self, worker_id: int) -> Path:
        return lease_file(self._folder, worker_id)
