"""Whether a run goes on by itself: what whoever waits for it can expect."""

from __future__ import annotations

from collections.abc import Sequence

from engine.core.scheduling import Obstacle, Snapshot, Why, able, in_the_way

_UP_TO_PEOPLE = frozenset({Why.APPROVAL, Why.DECISION, Why.PULL_REQUEST, Why.DIVERGED})


def stuck(snapshot: Snapshot, run_id: int) -> Obstacle | None:
    """What is in the run's way until a person does something about it, directly or behind others.

    None when it has ended, is worked on, could be taken, or waits for what goes on by itself.
    """
    entry = snapshot.by_id.get(run_id)
    if entry is None:
        return None
    for obstacle in in_the_way(snapshot, entry):
        if obstacle.why in _UP_TO_PEOPLE:
            return obstacle
        if obstacle.run_id is not None and stuck(snapshot, obstacle.run_id) is not None:
            return obstacle
    return None


def waits_for(snapshot: Snapshot, run_id: int) -> str:
    """What the run waits for, in words: other runs and people or, where these are not in its way, a worker."""
    entry = snapshot.by_id.get(run_id)
    if entry is None:
        return ""
    labels = ",".join(snapshot.rules_of(entry).labels)
    worker = f"it needs a worker with labels {labels}" if labels else "it needs a worker"
    return ", ".join(obstacle.text for obstacle in in_the_way(snapshot, entry)) or worker


def is_hopeless(snapshot: Snapshot, run_id: int, own: Sequence[Obstacle]) -> bool:
    """Whether no worker that there is could ever take the run; `own` is why whoever waits cannot."""
    return any(obstacle.why is Why.LABELS for obstacle in own) and not able(snapshot, run_id)
