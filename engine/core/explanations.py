"""Why a run waits, whether any worker could ever take it, and what somebody can do about it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import scheduling
from engine.core.scheduling import TAKEABLE, Obstacle, Snapshot, Why

_HERE = "landform run apply {run}"
_ADVICE = {
    Why.APPROVAL: ("landform run show {run}", "landform run approve {run}"),
    Why.DECISION: ("landform run recover {run}",),
    Why.PULL_REQUEST: ("landform run show {run}", "landform run notify {run} --status succeeded"),
    Why.BEHIND: ("landform run explain {other}",),
    Why.AFTER: ("landform run explain {other}",),
    Why.ENVIRONMENT: ("landform run explain {other}",),
    Why.DIVERGED: ("landform state list {address}",),
    Why.ENVIRONMENT_LIMIT: ("landform run list --status applying",),
    Why.LIMIT: ("landform run list --status applying",),
    Why.NO_WORKER: ("landform worker run {labels}", _HERE),
    Why.LABELS: ("landform worker run {labels}",),
    Why.DRAINING: ("landform worker run {labels}",),
    Why.NO_SLOT: ("landform worker list",),
    Why.WORKING: ("landform run logs {run}",),
    Why.ENDED: ("landform run show {run}",),
}


@dataclass(frozen=True)
class Explanation:
    """What is known about the turn of a run."""

    obstacles: tuple[Obstacle, ...]
    """Why no worker can take it now; () when one can."""
    ahead: tuple[int, ...]
    """The runs that go before it, in order."""
    able: tuple[int, ...]
    """The living workers that could ever take it."""
    next_commands: tuple[str, ...]
    """What somebody can type."""


def explanation(snapshot: Snapshot, run_id: int, address: str) -> Explanation:
    """Why the run of that number, of the instance at `address`, is where it is."""
    obstacles = scheduling.obstacles(snapshot, run_id)
    able = scheduling.able(snapshot, run_id)
    whys = [(found.why, found.run_id) for found in obstacles]
    entry = snapshot.by_id.get(run_id)
    if entry is not None and entry.status in TAKEABLE and not able and not _says_why_nobody(obstacles):
        # something else is in the way first, but nobody would come after that either
        whys.append((Why.NO_WORKER if not snapshot.workers else Why.LABELS, None))
    needed = snapshot.rules_of(entry).labels if entry else ()
    words = {"run": run_id, "address": address, "labels": " ".join(f"--label {label}" for label in needed)}
    commands = [
        command.format(other=other, **words).strip()
        for why, other in whys
        for command in _ADVICE[why]
        # a command in the foreground has the labels of its settings only
        if not (needed and command == _HERE)
    ]
    return Explanation(obstacles, scheduling.ahead(snapshot, run_id), able, tuple(dict.fromkeys(commands)))


def _says_why_nobody(obstacles: tuple[Obstacle, ...]) -> bool:
    return any(found.why in (Why.NO_WORKER, Why.LABELS, Why.DRAINING) for found in obstacles)
