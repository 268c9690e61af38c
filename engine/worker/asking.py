"""Asks the instances of campaigns whether they are well, side by side: a slow answer keeps nobody else waiting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Thread

from engine.errors import Cancelled, LandformError
from engine.external.process import Stop

logger = logging.getLogger(__name__)


@dataclass
class Asking:
    """What a worker does about campaigns, as often as it is asked to look."""

    advance: Callable[[], Iterable[int]]
    """Brings campaigns forward; the steps whose instance is to be asked."""
    ask: Callable[[int, Stop], object]
    """Asks the instance of a step, and records the answer."""
    stop: Stop = field(default_factory=Stop)
    """Ends the asking: whoever goes on with the campaign asks again."""
    _asked: set[int] = field(default_factory=set)

    def look(self) -> None:
        """Brings campaigns forward, and begins to ask whoever is not being asked by this worker."""
        for step_id in set(self.advance()) - self._asked:
            self._asked.add(step_id)
            Thread(target=self._ask, args=(step_id,), name=f"asking-{step_id}", daemon=True).start()

    def _ask(self, step_id: int) -> None:
        try:
            self.ask(step_id, self.stop)
        except Cancelled:
            return
        except LandformError as error:
            logger.warning("the answer of an instance is not recorded: %s", error.message, extra={"step": step_id})
        finally:
            self._asked.discard(step_id)
