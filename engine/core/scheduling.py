"""Which run goes next, and why another one does not: the rules that decide are the rules that explain.

Order: lower `priority` first, then what is approved before what is queued, then by number. An instance has one run at a
time, the one that holds it or else the one with the lowest number; no priority changes that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from engine.core.rules import Rules, missing_labels
from engine.core.runs import EXECUTING, HOLDING, TABLE, Event, Operation, Status, is_terminal

TAKEABLE = frozenset(TABLE[Event.CLAIM])
"""A worker may be able to take it."""


class Why(StrEnum):
    """What kind of obstacle keeps a run from being taken."""

    ENDED = "ended"
    WORKING = "working"
    APPROVAL = "approval"
    DECISION = "decision"
    PULL_REQUEST = "pull request"
    BEHIND = "behind"
    AFTER = "after"
    DIVERGED = "diverged"
    ENVIRONMENT = "environment"
    ENVIRONMENT_LIMIT = "environment limit"
    LIMIT = "limit"
    NO_WORKER = "no worker"
    LABELS = "labels"
    DRAINING = "draining"
    NO_SLOT = "no slot"


@dataclass(frozen=True)
class Obstacle:
    """One reason why a run waits."""

    why: Why
    text: str
    run_id: int | None = None
    """The run that is in the way, where one is."""


@dataclass(frozen=True)
class Entry:
    """A run, as far as its turn is concerned."""

    run_id: int
    instance_id: int
    environment_id: int | None
    """The environment it works in; of an environment's own run, the same as `instance_id`."""
    operation: Operation
    status: Status
    priority: int = 0
    approvals: int = 0
    """Yeses that its plan has so far."""
    worker_id: int | None = None
    """Who works on it."""
    diverged: str = ""
    """Why nobody may touch its instance; "" when all is well."""
    after: tuple[int, ...] = ()
    """Runs that must have succeeded before."""


@dataclass(frozen=True)
class Taker:
    """A worker, as far as taking runs is concerned."""

    worker_id: int
    """0 for one that is not registered yet."""
    labels: tuple[str, ...] = ()
    free: int = 1
    """Runs it could begin now."""
    draining: bool = False


@dataclass(frozen=True)
class Snapshot:
    """All that the next turn depends on, at one moment."""

    entries: tuple[Entry, ...]
    """Every run that has not ended, by number."""
    rules: Mapping[int, Rules] = field(default_factory=dict)
    """Environment -> its rules; environments without any may be absent."""
    names: Mapping[int, str] = field(default_factory=dict)
    """Environment -> its name."""
    workers: tuple[Taker, ...] = ()
    """The living workers that take whatever comes."""
    max_runs: int = 0
    """Runs executed side by side at most, in all; 0 means any number."""

    @cached_property
    def by_id(self) -> dict[int, Entry]:
        """Run number -> run."""
        return {entry.run_id: entry for entry in self.entries}

    @cached_property
    def first(self) -> dict[int, Entry]:
        """Instance -> the run that has it: its holder, or else the first that waits for it."""
        found: dict[int, Entry] = {}
        for entry in self.entries:
            if entry.instance_id not in found or entry.status in HOLDING:
                found[entry.instance_id] = entry
        return found

    @cached_property
    def executed(self) -> Counter[int | None]:
        """Environment -> how many runs are executed in it."""
        return Counter(entry.environment_id for entry in self.entries if entry.status in EXECUTING)

    def rules_of(self, entry: Entry) -> Rules:
        """The rules that a run must keep to."""
        return self.rules.get(entry.environment_id or 0, Rules())


def next_run(snapshot: Snapshot, taker: Taker) -> Entry | None:
    """The run that a worker takes next; None when there is none for it."""
    candidates = sorted((entry for entry in snapshot.entries if entry.status in TAKEABLE), key=_turn)
    return next((entry for entry in candidates if may_take(snapshot, entry, taker)), None)


def may_take(snapshot: Snapshot, entry: Entry, taker: Taker) -> bool:
    """Whether a worker may take that very run now."""
    return not refusals(snapshot, entry, taker)


def refusals(snapshot: Snapshot, entry: Entry, taker: Taker) -> tuple[Obstacle, ...]:
    """Why a worker may not take that very run now; () exactly when it may."""
    unfit = _unfit(snapshot, entry, taker) if entry.status in TAKEABLE else None
    return (*in_the_way(snapshot, entry), *((unfit,) if unfit else ()))


def obstacles(snapshot: Snapshot, run_id: int) -> tuple[Obstacle, ...]:
    """Why no worker can take the run now; () exactly when one can."""
    entry = snapshot.by_id.get(run_id)
    if entry is None:
        return (Obstacle(Why.ENDED, "it has ended"),)
    found = tuple(in_the_way(snapshot, entry))
    if entry.status not in TAKEABLE:
        return found
    return found + tuple(_unmanned(snapshot, entry))


def able(snapshot: Snapshot, run_id: int) -> tuple[int, ...]:
    """The workers that could ever take the run, as their labels and their will to go on are now."""
    entry = snapshot.by_id.get(run_id)
    if entry is None:
        return ()
    needed = snapshot.rules_of(entry).labels
    fit = (taker for taker in snapshot.workers if not taker.draining and not missing_labels(needed, taker.labels))
    return tuple(taker.worker_id for taker in fit)


def ahead(snapshot: Snapshot, run_id: int) -> tuple[int, ...]:
    """The runs that a worker could take now and would take before this one, in order."""
    entry = snapshot.by_id.get(run_id)
    if entry is None or entry.status not in TAKEABLE:
        return ()
    free = [one for one in snapshot.entries if one.status in TAKEABLE and not any(in_the_way(snapshot, one))]
    return tuple(one.run_id for one in sorted(free, key=_turn) if _turn(one) < _turn(entry))


def in_the_way(snapshot: Snapshot, entry: Entry) -> Iterator[Obstacle]:
    """Why nobody could take the run now, whatever workers there are."""
    if entry.status not in TAKEABLE:
        yield _not_waiting_for_a_worker(snapshot, entry)
        return
    holder = snapshot.first[entry.instance_id]
    if holder is not entry:
        yield Obstacle(Why.BEHIND, f"behind run {holder.run_id}, which is {holder.status}", holder.run_id)
    for earlier in (snapshot.by_id[run_id] for run_id in entry.after if run_id in snapshot.by_id):
        yield Obstacle(Why.AFTER, f"begins after run {earlier.run_id}, which is {earlier.status}", earlier.run_id)
    if entry.diverged:
        yield Obstacle(Why.DIVERGED, f"its instance is frozen: {entry.diverged}")
    changing = _changes_environment(snapshot, entry)
    if changing is not None:
        name = f"environment {_name(snapshot, entry)}"
        yield Obstacle(Why.ENVIRONMENT, f"{name} is being changed by run {changing.run_id}", changing.run_id)
    yield from _limits(snapshot, entry)


def _limits(snapshot: Snapshot, entry: Entry) -> Iterator[Obstacle]:
    most, executed = snapshot.rules_of(entry).max_runs, snapshot.executed[entry.environment_id]
    if most and executed >= most:
        text = f"environment {_name(snapshot, entry)} executes {executed} of at most {most} runs"
        yield Obstacle(Why.ENVIRONMENT_LIMIT, text)
    total = snapshot.executed.total()
    if snapshot.max_runs and total >= snapshot.max_runs:
        yield Obstacle(Why.LIMIT, f"{total} of at most {snapshot.max_runs} runs in all are executed")


def _turn(entry: Entry) -> tuple[int, bool, int]:
    return entry.priority, entry.status is not Status.APPROVED, entry.run_id


def _changes_environment(snapshot: Snapshot, entry: Entry) -> Entry | None:
    """The run that changes the environment whose outputs this one reads; one that came later has to wait itself."""
    # what goes needs no outputs that will last
    if entry.environment_id == entry.instance_id or entry.operation is Operation.DESTROY:
        return None
    holder = snapshot.first.get(entry.environment_id or 0)
    if holder is None or (holder.status is Status.QUEUED and holder.run_id > entry.run_id):
        return None
    return holder


def _not_waiting_for_a_worker(snapshot: Snapshot, entry: Entry) -> Obstacle:
    if entry.status is Status.PLANNED:
        needed = snapshot.rules_of(entry).approvals
        return Obstacle(Why.APPROVAL, f"waits for approval ({entry.approvals} of {needed})")
    if entry.status is Status.INTERRUPTED:
        return Obstacle(Why.DECISION, "waits for a decision: what it did is not known")
    if entry.status is Status.PROPOSED:
        return Obstacle(Why.PULL_REQUEST, "waits for others to carry it out, and to say how it ended")
    if is_terminal(entry.status):
        return Obstacle(Why.ENDED, "it has ended")
    return Obstacle(Why.WORKING, f"{f'worker {entry.worker_id}' if entry.worker_id else 'somebody'} works on it")


def _unmanned(snapshot: Snapshot, entry: Entry) -> Iterator[Obstacle]:
    """Why none of the workers would take it; nothing when one would."""
    refusals = [_unfit(snapshot, entry, taker) for taker in snapshot.workers]
    found = [refusal for refusal in refusals if refusal is not None]
    if not refusals:
        labels = ",".join(snapshot.rules_of(entry).labels)
        yield Obstacle(
            Why.NO_WORKER, "no worker is running" + (f"; it needs one with labels {labels}" if labels else "")
        )
    elif len(found) == len(refusals):
        lacking = [refusal for refusal in found if refusal.why is Why.LABELS]
        if len(lacking) == len(found):
            yield Obstacle(Why.LABELS, f"no worker has labels {','.join(snapshot.rules_of(entry).labels)}")
        else:
            yield from (refusal for refusal in found if refusal.why is not Why.LABELS)


def _unfit(snapshot: Snapshot, entry: Entry, taker: Taker) -> Obstacle | None:
    """Why that worker would not take the run, whoever is in the way; None when it would."""
    missing = missing_labels(snapshot.rules_of(entry).labels, taker.labels)
    if missing:
        return Obstacle(Why.LABELS, f"worker {taker.worker_id} lacks labels {','.join(missing)}")
    if taker.draining:
        return Obstacle(Why.DRAINING, f"worker {taker.worker_id} takes nothing new")
    if taker.free < 1:
        return Obstacle(Why.NO_SLOT, f"worker {taker.worker_id} has no free slot")
    return None


def _name(snapshot: Snapshot, entry: Entry) -> str:
    return snapshot.names.get(entry.environment_id or 0, str(entry.environment_id))
