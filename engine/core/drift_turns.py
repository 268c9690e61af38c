"""Which instances are looked at for drift, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from engine.core import rules
from engine.core.rules import Rules
from engine.core.runs import HOLDING, Status

BUSY = HOLDING - {Status.PLANNED}
"""A run in one of these may change what is looked at, or has left it half done; one that waits for a yes does not."""


@dataclass(frozen=True)
class Watched:
    """An instance, as far as it matters for whether and when it is looked at."""

    instance_id: int
    address: str
    environment_id: int | None
    """The one it lives in, or is; None for a pipeline."""
    rules: Rules = field(default_factory=Rules)
    """Of that environment."""
    looked_at: datetime | None = None
    """When somebody last began to look, or it was deployed since; None for neither."""
    is_deployed: bool = True
    is_hibernated: bool = False
    is_frozen: bool = False
    is_bare: bool = False
    """Whether there is no infrastructure: its inputs are its outputs."""
    is_of_others: bool = False
    """Whether others run its Terraform, and keep its state."""
    busy: tuple[int, str] | None = None
    """Number and status of a run that may change it (BUSY); None when there is none."""

    @property
    def obstacle(self) -> str:
        """Why it cannot be checked now, as a sentence; "" when it can."""
        reasons = (
            (self.is_bare, "It has no infrastructure: its inputs are its outputs."),
            (self.is_hibernated, "It is hibernated: there is nothing to look at."),
            (not self.is_deployed, "It has not been deployed yet."),
            (self.is_of_others, "Others carry it out, and keep its state."),
            (self.is_frozen, "It is frozen until its state is kept."),
            (self.busy is not None, "Run {} is {}.".format(*self.busy or ("", ""))),
        )
        return next((text for is_so, text in reasons if is_so), "")

    def is_due(self, now: datetime) -> bool:
        """Whether the rules of its environment ask for a look, and nothing is in the way."""
        if not self.rules.drift_every_s or self.obstacle:
            return False
        return self.looked_at is None or now - self.looked_at >= timedelta(seconds=self.rules.drift_every_s)


def in_turn(watched: Iterable[Watched]) -> list[Watched]:
    """The same, longest unchecked first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(watched, key=lambda found: (found.looked_at or never, found.address))


def due(watched: Iterable[Watched], labels: Sequence[str], now: datetime) -> list[Watched]:
    """Those that a worker with these labels is to look at, longest unchecked first; of an environment, as many as its
    rules allow at a time.
    """
    chosen: list[Watched] = []
    left: dict[int | None, int] = {}
    for found in in_turn(watched):
        if not found.is_due(now) or rules.missing_labels(found.rules.labels, labels):
            continue
        budget = left.setdefault(found.environment_id, found.rules.drift_budget)
        if budget > 0:
            chosen.append(found)
            left[found.environment_id] = budget - 1
    return chosen
