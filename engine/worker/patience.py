"""How often, and how long apart, a command is tried again that failed for a reason which passes by itself."""

from __future__ import annotations

import random
import select
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.transient import RULES, Kind, Rule, wait_s
from engine.external.stop import Stop

_REPEATABLE = frozenset({"init", "plan"})
"""They change nothing. What an apply has done by the time it fails, only a new plan can tell."""


def pause(stop: Stop, seconds: float) -> None:
    """Returns after so many seconds, or as soon as the stop is pulled."""
    with stop.attached() as pulled:
        if not stop.requested:
            select.select([pulled], [], [], seconds)


@dataclass(frozen=True)
class Patience:
    """How failures that pass are waited for."""

    retries: int = 0
    """How often a command is repeated at most."""
    chance: Callable[[], float] = random.SystemRandom().random
    """From 0 to 1, for core.transient.wait_s()."""
    pause: Callable[[Stop, float], None] = pause

    def wait_s(self, phase: str, kind: Kind, attempt: int) -> float | None:
        """Seconds to wait after the `attempt`-th try, from 1, has failed; None for not trying again."""
        is_repeated = phase in _REPEATABLE and RULES[kind] is Rule.AGAIN and attempt <= self.retries
        return wait_s(attempt, self.chance()) if is_repeated else None


NONE = Patience()
"""Nothing is tried again."""
