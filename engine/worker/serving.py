"""A worker at work: it takes whatever it may, side by side, until it is asked to go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from engine.core.workers import BEATS, State
from engine.errors import LandformError
from engine.external.process import Stop
from engine.worker.following import watch_nothing

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.worker.execution import Executor
    from engine.worker.leases import Lease

logger = logging.getLogger(__name__)
_LOOK_EVERY_S = 5.0
"""What nobody rings for, as the end of an outage, is found within that time."""
_LISTEN_S = 1.0
_OUTAGE_S = 1.0


@dataclass(frozen=True)
class Looks:
    """What a worker looks at now and then, each in a thread of its own."""

    look: Callable[[], object]
    every_s: float
    name: str
    end: Callable[[], object] = lambda: None
    """Asks a look that is under way to come to its end: the worker goes."""


@dataclass
class Shift:
    """The time that one worker works; its methods may be called from any thread and from a signal handler."""

    executor: Executor
    lease: Lease
    reap: Callable[[float], object]
    """Looks after the runs of workers that are gone; gets the seconds for which the lease has been renewed steadily."""
    say: Callable[[str], None] = lambda _: None
    """Told of every run that begins here, and of how it ends or comes to rest."""
    looks: Sequence[Looks] = ()
    stop: Stop = field(default_factory=Stop)
    """Stops all that is under way."""
    _is_over: threading.Event = field(default_factory=threading.Event)
    _news: SimpleQueue[None] = field(default_factory=SimpleQueue)
    """Something may have to be done. Unlike an event, a signal handler may use it in the very thread that waits."""
    _drains: bool = False
    _busy: int = 0
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def work(self, *, once: bool = False) -> None:
        """Takes runs and carries them out; returns when it was asked to drain and has finished what it had.

        `once`: when there is nothing more to take, too. Raises LandformError when the worker cannot be registered.
        """
        self.lease.worker_id()
        with ThreadPoolExecutor(self.lease.card.capacity, thread_name_prefix="run") as pool, self._helpers():
            while not self._is_done(took=self._fill(pool), once=once):
                self._pause()

    @property
    def is_draining(self) -> bool:
        """Whether it takes nothing new."""
        return self._drains

    def drain(self) -> None:
        """Takes nothing new from now on."""
        self._drains = True
        self._news.put(None)

    def _pause(self) -> None:
        with suppress(Empty):
            self._news.get(timeout=_LOOK_EVERY_S)
            # all that has come until now is one piece of news
            while True:
                self._news.get_nowait()

    def _fill(self, pool: ThreadPoolExecutor) -> bool:
        """Whether there was anything to take; takes as much as there are free slots."""
        took = False
        while self.has_room and (run := self._next()) is not None:
            took = True
            self._count(1)
            pool.submit(self._carry_out, run).add_done_callback(_report)
        return took

    def _next(self) -> Run | None:
        try:
            return self.executor.take()
        except LandformError as error:
            logger.warning("a worker can take nothing: %s", error.message, extra=self._who())
            return None

    def _carry_out(self, run: Run) -> None:
        who = {"run": run.id, "address": run.address, **self._who()}
        logger.info("a run begins: %s", run.status, extra=who)
        self._tell(run)
        try:
            ended = self.executor.carry_out(run, self.stop, watch_nothing)
        except LandformError as error:
            # what it came to could not be recorded, or is none of ours any more
            logger.error("a run was left: %s", error.message, extra=who)
        else:
            logger.info("a run rests: %s", ended.status, extra=who)
            self._tell(ended)
        finally:
            self._count(-1)
            self._news.put(None)

    def _tell(self, run: Run) -> None:
        # nobody may be listening any more, and the run matters more
        with suppress(OSError):
            self.say(f"Run {run.id}, {run.address.partition('/')[2]}: {run.status}")

    @property
    def has_room(self) -> bool:
        """Whether it could take another run now."""
        return not self._drains and not self.stop.requested and self._busy < self.lease.card.capacity

    def _is_done(self, *, took: bool, once: bool) -> bool:
        if self.lease.state is State.DRAINING or self.stop.requested:
            self._drains = True
        if self._drains and self.lease.state is State.ACTIVE:
            self._say_draining()
        return self._busy == 0 and (self._drains or (once and not took))

    def _say_draining(self) -> None:
        try:
            self.lease.drain()
        except LandformError as error:
            logger.warning("a worker cannot say that it drains: %s", error.message, extra=self._who())

    def _count(self, by: int) -> None:
        with self._counting:
            self._busy += by

    def _who(self) -> dict[str, object]:
        return {"worker": self.lease.number}

    @contextmanager
    def _helpers(self) -> Iterator[None]:
        """What goes on beside the taking: somebody listens for news, somebody looks after the dead."""
        work = {"listener": self._listen, "reaper": self._reap}
        work |= {looks.name: partial(self._look, looks) for looks in self.looks}
        helpers = [threading.Thread(target=helper, name=name, daemon=True) for name, helper in work.items()]
        for helper in helpers:
            helper.start()
        try:
            yield
        finally:
            self._is_over.set()
            for looks in self.looks:
                looks.end()
            for helper in helpers:
                helper.join(_LISTEN_S)

    def _listen(self) -> None:
        while not self._is_over.is_set():
            try:
                with self.executor.catalog.listen() as bell:
                    while not self._is_over.is_set():
                        if bell.wait(_LISTEN_S):
                            self._news.put(None)
            except LandformError as error:
                logger.warning("a worker cannot listen for news: %s", error.message, extra=self._who())
                self._is_over.wait(_OUTAGE_S)

    def _reap(self) -> None:
        while not self._is_over.wait(min(_LOOK_EVERY_S, self.lease.terms.lease_s / BEATS)):
            try:
                self.reap(self.lease.steady_s)
            except LandformError as error:
                logger.warning("a worker cannot look after others: %s", error.message, extra=self._who())

    def _look(self, looks: Looks) -> None:
        while not self._is_over.wait(looks.every_s):
            try:
                looks.look()
            except LandformError as error:
                logger.warning("a worker cannot look at %s: %s", looks.name, error.message, extra=self._who())


def _report(carried_out: Future[None]) -> None:
    error = carried_out.exception()
    if error is not None:
        logger.error("a worker met an unexpected error", exc_info=error)
