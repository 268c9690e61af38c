"""Asks the instances of campaigns whether they are well, side by side: a slow answer keeps nobody else waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from engine.errors import Cancelled
from engine.external.process import Stop

logger = logging.getLogger(__name__)
_AT_ONCE = 32


@dataclass
class Asking:
    """What a worker does about campaigns, as often as it is asked to look."""

    advance: Callable[[], Iterable[int]]
    """Brings campaigns forward; the steps whose instance is to be asked."""
    ask: Callable[[int, Stop], object]
    """Asks the instance of a step, and records the answer."""
    stop: Stop = field(default_factory=Stop)
    """Ends the asking: whoever goes on asks again."""
    _asked: set[int] = field(default_factory=set)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="asking"))

    def look(self) -> None:
        """Brings campaigns forward, and begins to ask whoever is not being asked by this worker."""
        for step_id in set(self.advance()) - self._asked:
            self._asked.add(step_id)
            self._pool.submit(self.ask, step_id, self.stop).add_done_callback(partial(self._done, step_id))

    def _done(self, step_id: int, asked: Future[object]) -> None:
        error = asked.exception()
        if error is not None and not isinstance(error, Cancelled):
            logger.error("the answer of an instance is not recorded", exc_info=error, extra={"step": step_id})
        self._asked.discard(step_id)
