"""Whose turn it is: one rule for deciding and for explaining."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import runs, scheduling
from engine.core.rules import Rules
from engine.core.runs import EXECUTING, HOLDING, Event, Operation, Status
from engine.core.scheduling import TAKEABLE, Entry, Snapshot, Taker, Why

PROD, BLUE, GREEN = 1, 2, 3
IN_PROD = {"environment_id": PROD, "operation": Operation.DEPLOY}
WORKER = Taker(7, labels=("eu", "prod"))


def queued(run_id: int, instance: int = BLUE, **others: object) -> Entry:
    known = {**IN_PROD, "status": Status.QUEUED, **others}
    return Entry(run_id, instance, **known)  # type: ignore[arg-type]


def seen(
    *entries: Entry, rules: Rules | None = None, workers: tuple[Taker, ...] = (WORKER,), most: int = 0
) -> Snapshot:
    return Snapshot(entries, {PROD: rules or Rules()}, {PROD: "prod"}, workers, most)


def texts(snapshot: Snapshot, run_id: int) -> list[str]:
    return [obstacle.text for obstacle in scheduling.obstacles(snapshot, run_id)]


def next_id(snapshot: Snapshot, taker: Taker = WORKER) -> int | None:
    found = scheduling.next_run(snapshot, taker)
    return found.run_id if found else None


def test_the_oldest_run_goes_first() -> None:
    assert next_id(seen(queued(4, GREEN), queued(5, BLUE))) == 4


def test_people_go_before_campaigns() -> None:
    campaign = queued(5, 12, priority=runs.Priority.CAMPAIGN)
    person = queued(6, 13, priority=runs.Priority.PERSON)

    assert next_id(seen(campaign, person)) == 6


def test_what_is_approved_goes_before_what_is_queued() -> None:
    assert next_id(seen(queued(4, GREEN), queued(5, BLUE, status=Status.APPROVED))) == 5


def test_no_priority_reorders_one_instance() -> None:
    first = queued(4, BLUE, priority=runs.Priority.CAMPAIGN)
    second = queued(5, BLUE, priority=runs.Priority.PERSON)

    assert next_id(seen(first, second)) == 4


@pytest.mark.parametrize("status", sorted(HOLDING - {Status.APPROVED}))
def test_a_run_waits_behind_the_one_that_holds_its_instance(status: Status) -> None:
    snapshot = seen(queued(41, status=status), queued(42))

    assert next_id(snapshot) is None
    assert texts(snapshot, 42) == [f"behind run 41, which is {status.value}"]
    assert [obstacle.run_id for obstacle in scheduling.obstacles(snapshot, 42)] == [41]


def test_a_run_waits_while_its_environment_is_being_changed() -> None:
    snapshot = seen(queued(40, PROD, status=Status.PLANNED), queued(42))

    assert next_id(snapshot) is None
    assert texts(snapshot, 42) == ["environment prod is being changed by run 40"]


def test_a_run_waits_for_a_change_of_its_environment_that_was_asked_for_before() -> None:
    assert texts(seen(queued(40, PROD), queued(42)), 42) == ["environment prod is being changed by run 40"]


def test_a_run_does_not_wait_for_a_change_of_its_environment_that_was_asked_for_later() -> None:
    assert texts(seen(queued(42), queued(43, PROD)), 42) == []


def test_a_destroy_does_not_wait_for_its_environment() -> None:
    assert next_id(seen(queued(40, PROD, status=Status.PLANNED), queued(42, operation=Operation.DESTROY))) == 42


def test_a_run_waits_until_those_that_come_before_it_have_ended() -> None:
    line = seen(queued(4, GREEN, status=Status.PLANNED), queued(5, BLUE, after=(3, 4)))

    assert next_id(line) is None
    assert texts(line, 5) == ["begins after run 4, which is planned"]
    assert next_id(seen(queued(5, BLUE, after=(3, 4)))) == 5


def test_the_limit_of_an_environment_counts_its_own_runs_too() -> None:
    environment = queued(40, PROD, status=Status.APPLYING)
    snapshot = seen(environment, queued(41, GREEN, status=Status.PLANNING), queued(42, 9), rules=Rules(max_runs=2))

    assert texts(snapshot, 42) == [
        "environment prod is being changed by run 40",
        "environment prod executes 2 of at most 2 runs",
    ]


def test_the_limit_in_all_counts_every_environment() -> None:
    elsewhere = queued(40, 9, environment_id=8, status=Status.APPLYING)

    snapshot = seen(elsewhere, queued(42), most=1)

    assert next_id(snapshot) is None
    assert texts(snapshot, 42) == ["1 of at most 1 runs in all are executed"]


def test_runs_go_only_to_workers_with_the_labels_of_their_environment() -> None:
    snapshot = seen(queued(42), rules=Rules(labels=("eu", "prod")), workers=(Taker(3, ("eu",)), Taker(4)))

    assert next_id(snapshot, Taker(3, ("eu",))) is None
    assert next_id(snapshot, WORKER) == 42
    assert texts(snapshot, 42) == ["no worker has labels eu,prod"]
    assert scheduling.able(snapshot, 42) == ()


def test_only_the_workers_that_have_the_labels_are_asked_why_they_do_not_take_it() -> None:
    workers = (Taker(3), Taker(4, ("prod",), free=0), Taker(5, ("prod",), draining=True))

    snapshot = seen(queued(42), rules=Rules(labels=("prod",)), workers=workers)

    assert texts(snapshot, 42) == ["worker 4 has no free slot", "worker 5 takes nothing new"]
    assert scheduling.able(snapshot, 42) == (4,)


def test_without_workers_nobody_takes_anything() -> None:
    assert texts(seen(queued(42), workers=()), 42) == ["no worker is running"]


@pytest.mark.parametrize(
    ("entry", "why", "text"),
    [
        (queued(42, status=Status.PLANNED, approvals=1), Why.APPROVAL, "waits for approval (1 of 2)"),
        (queued(42, status=Status.INTERRUPTED), Why.DECISION, "waits for a decision: what it did is not known"),
        (queued(42, status=Status.APPLYING, worker_id=3), Why.WORKING, "worker 3 works on it"),
        (queued(42, diverged="no disk"), Why.DIVERGED, "its instance is frozen: no disk"),
        (queued(41), Why.ENDED, "it has ended"),
    ],
)
def test_a_run_that_waits_for_something_else_says_for_what(entry: Entry, why: Why, text: str) -> None:
    snapshot = seen(entry, rules=Rules(approvals=2))

    assert [(found.why, found.text) for found in scheduling.obstacles(snapshot, 42)] == [(why, text)]


def test_a_run_that_nothing_keeps_says_who_goes_before_it() -> None:
    snapshot = seen(queued(40, GREEN), queued(41, 9, status=Status.APPROVED), queued(42), queued(43, 11))

    assert scheduling.obstacles(snapshot, 42) == ()
    assert scheduling.ahead(snapshot, 42) == (41, 40)


# A fleet with a wound clock: workers take, runs end, and the rules are kept at every tick

ENVIRONMENTS = {1: Rules(max_runs=2), 2: Rules(labels=("prod",)), 3: Rules()}
INSTANCES = {1: 1, 2: 2, 3: 3, 11: 1, 12: 1, 21: 2, 22: 2, 31: 3}
FLEET = {1: (("prod",), 2), 2: ((), 1), 3: ((), 3)}
MOST = 4
ENDINGS = {
    Status.PLANNING: (Event.ASK, Event.APPROVE, Event.FAIL, Event.FIND_NOTHING, Event.LOSE, Event.CANCEL),
    Status.APPLYING: (Event.SUCCEED, Event.FAIL, Event.LOSE, Event.CANCEL, Event.DISCARD),
}


@dataclass
class Fleet:
    """All runs that have not ended, and who works on what."""

    entries: dict[int, Entry] = field(default_factory=dict)
    begun: dict[int, list[int]] = field(default_factory=dict)
    """Instance -> its runs in the order in which they were first taken."""
    runs: int = 0
    draining: frozenset[int] = frozenset()

    @property
    def snapshot(self) -> Snapshot:
        busy = Counter(entry.worker_id for entry in self.entries.values() if entry.status in EXECUTING)
        workers = tuple(
            Taker(number, labels, capacity - busy[number], number in self.draining)
            for number, (labels, capacity) in FLEET.items()
        )
        return Snapshot(tuple(self.entries.values()), ENVIRONMENTS, {}, workers, MOST)

    def submit(self, instance: int, operation: Operation, priority: int) -> None:
        self.runs += 1
        entry = Entry(self.runs, instance, INSTANCES[instance], operation, Status.QUEUED, priority)
        self.entries[self.runs] = entry

    def take(self, worker: int) -> bool:
        taker = self.snapshot.workers[worker - 1]
        found = scheduling.next_run(self.snapshot, taker)
        if found is None:
            return False
        self.move(found, Event.CLAIM, worker)
        order = self.begun.setdefault(found.instance_id, [])
        order += [] if found.run_id in order else [found.run_id]
        return True

    def move(self, entry: Entry, event: Event, worker: int | None = None) -> None:
        status = runs.after(entry.status, event)
        if runs.is_terminal(status):
            del self.entries[entry.run_id]
        else:
            self.entries[entry.run_id] = replace(entry, status=status, worker_id=worker)

    def check(self) -> None:
        """Everything that must be so at every moment."""
        snapshot = self.snapshot
        held = Counter(entry.instance_id for entry in self.entries.values() if entry.status in HOLDING)
        assert set(held.values()) <= {1}
        executing = [entry for entry in self.entries.values() if entry.status in EXECUTING]
        assert len(executing) <= MOST
        assert Counter(entry.environment_id for entry in executing)[1] <= 2
        assert {entry.worker_id for entry in executing if entry.environment_id == 2} <= {1}
        assert all(worker.free >= 0 for worker in snapshot.workers)
        assert all(order == sorted(order) for order in self.begun.values())
        for entry in self.entries.values():
            takers = [worker for worker in snapshot.workers if takes(snapshot, entry, worker)]
            assert bool(takers) is (scheduling.obstacles(snapshot, entry.run_id) == ())


def takes(snapshot: Snapshot, entry: Entry, worker: Taker) -> bool:
    return entry.status in TAKEABLE and scheduling.may_take(snapshot, entry, worker)


TICKS = st.lists(
    st.one_of(
        st.tuples(
            st.just("submit"), st.sampled_from(sorted(INSTANCES)), st.sampled_from(Operation), st.sampled_from([0, 10])
        ),
        st.tuples(st.just("take"), st.sampled_from(sorted(FLEET))),
        st.tuples(st.just("end"), st.integers(0, 20), st.integers(0, 20)),
        st.tuples(st.just("decide"), st.integers(0, 20), st.booleans()),
        st.tuples(st.just("drain"), st.sampled_from(sorted(FLEET))),
    ),
    max_size=60,
)


def tick(fleet: Fleet, what: tuple[object, ...]) -> None:
    """Lets one thing happen, where it can."""
    match what:
        case "submit", int(instance), Operation() as operation, int(priority):
            fleet.submit(instance, operation, priority)
        case "take", int(worker):
            fleet.take(worker)
        case "drain", int(worker):
            fleet.draining = fleet.draining ^ {worker}
        case "end", int(which), int(how):
            working = [entry for entry in fleet.entries.values() if entry.status in EXECUTING]
            for entry in working[which % max(1, len(working)) :][:1]:
                endings = ENDINGS[entry.status]
                fleet.move(entry, endings[how % len(endings)])
        case "decide", int(which), bool(yes):
            decide(fleet, which, yes=yes)


def decide(fleet: Fleet, which: int, *, yes: bool) -> None:
    """Somebody looks at a run that waits for a person."""
    waiting = [entry for entry in fleet.entries.values() if runs.waiting_on(entry.status) in ("approval", "decision")]
    for entry in waiting[which % max(1, len(waiting)) :][:1]:
        if entry.status is Status.PLANNED:
            fleet.move(entry, Event.APPROVE if yes else Event.DISCARD)
        else:
            fleet.move(entry, Event.MARK_SUCCEEDED if yes else Event.MARK_FAILED)


@settings(deadline=None, max_examples=150)
@given(TICKS)
def test_whatever_happens_the_rules_are_kept_and_nobody_starves(ticks: list[tuple[object, ...]]) -> None:
    fleet = Fleet()

    for what in ticks:
        tick(fleet, what)
        fleet.check()

    settle(fleet)
    assert fleet.entries == {}


def settle(fleet: Fleet) -> None:
    """Nothing new comes, people decide, and everybody works: until nothing moves any more."""
    fleet.draining = frozenset()
    moved = True
    while moved:
        moved = any(fleet.take(worker) for worker in FLEET)
        for entry in list(fleet.entries.values()):
            if entry.status in EXECUTING:
                fleet.move(entry, Event.FAIL)
                moved = True
        moved = moved or any(runs.waiting_on(e.status) in ("approval", "decision") for e in fleet.entries.values())
        decide(fleet, 0, yes=True)
        fleet.check()
