"""What a worker does about instances whose time is over, and says of it once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from engine.core.lifetimes import Expired

logger = logging.getLogger(__name__)


@dataclass
class Expiring:
    """Looks for what is due, as often as it is asked to."""

    expire: Callable[[], Iterable[Expired]]
    """Does what is due now."""
    _said: dict[str, str] = field(default_factory=dict)

    def look(self) -> None:
        """Does what is due; what cannot be done is logged when it is new, and tried again with the next look."""
        before, self._said = self._said, {}
        for found in self.expire():
            who = {"address": found.address}
            if found.error is None:
                done = "is hibernated" if found.run_ids else "ends soon: its people were told"
                logger.info("the time of an instance %s", done, extra=who)
                continue
            self._said[found.address] = found.error.message
            if before.get(found.address) != found.error.message:
                logger.warning("an instance outlives its time: %s", found.error.message, extra=who)
