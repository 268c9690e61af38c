"""Promises about workers: who is there, who was given up, and that such a one can write nothing any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.catalog.tables import Run
from engine.catalog.worker_tables import Worker
from engine.core import address
from engine.core.rules import Rules
from engine.core.runs import Event, Operation, Status
from engine.core.scheduling import Entry, Taker
from engine.core.workers import State
from engine.errors import Conflict, NotFound
from tests.catalog.world import NOW, WORKER, World, at_once


def add(world: World, kind: str = "service", capacity: int = 2, labels: tuple[str, ...] = ()) -> Worker:
    with world.catalog.write() as tx:
        return tx.add_worker(
            name="w", kind=kind, identity=WORKER, labels=list(labels), capacity=capacity, lease_s=60.0, version="1"
        )


def claimed(world: World, worker: Worker, name: str = "prod") -> Run:
    run = world.run(world.environment(name))
    return world.move(run, Event.CLAIM, executor=WORKER, worker_id=worker.id)


def give_up(world: World, worker: Worker, beat_at: datetime = NOW) -> bool:
    assert worker.id is not None
    with world.catalog.write() as tx:
        return tx.give_up_worker(worker.id, beat_at)


def state(world: World, worker_id: int) -> State:
    with world.catalog.read() as tx:
        return tx.worker_state(worker_id)


def test_a_worker_is_active_from_its_first_moment(world: World) -> None:
    worker = add(world)

    assert (worker.id, worker.state, worker.started_at, worker.beat_at) == (1, "active", NOW, NOW)
    with world.catalog.read() as tx:
        assert tx.living_workers() == [worker]


def test_a_beat_says_where_the_worker_stands(world: World) -> None:
    add(world)

    with world.catalog.quick() as tx:
        assert tx.beat(1) is State.ACTIVE
    with world.catalog.write() as tx:
        tx.drain_worker(1)
    with world.catalog.quick() as tx:
        assert tx.beat(1) is State.DRAINING


def test_a_worker_that_was_given_up_stays_so_whatever_it_says(world: World) -> None:
    worker = add(world)

    assert give_up(world, worker) is True
    with world.catalog.quick() as tx:
        assert tx.beat(1) is State.LOST
    with world.catalog.write() as tx:
        tx.end_worker(1)

    assert state(world, 1) is State.LOST


def test_a_worker_that_nobody_remembers_counts_as_lost(world: World) -> None:
    with world.catalog.quick() as tx:
        assert tx.beat(42) is State.LOST


def test_a_worker_that_has_been_heard_of_since_is_not_given_up(world: World) -> None:
    worker = add(world)

    assert give_up(world, worker, beat_at=NOW - timedelta(seconds=1)) is False
    assert state(world, 1) is State.ACTIVE


def test_of_eight_that_give_up_a_worker_one_does(world: World) -> None:
    worker = add(world)

    assert sorted(map(str, at_once(lambda: give_up(world, worker)))) == ["False"] * 7 + ["True"]


def test_a_worker_that_was_given_up_can_write_nothing_about_its_runs(world: World) -> None:
    worker = add(world)
    run = claimed(world, worker)
    give_up(world, worker)

    with pytest.raises(Conflict) as moved:
        world.move(run, Event.ASK, fence=1)
    with pytest.raises(Conflict) as noted, world.catalog.write() as tx:
        tx.note(1, fence=1, fingerprint={"bundle": "aa"})

    assert moved.value.message == noted.value.message == "Run 1 has been taken over by another worker."
    assert world.reload(run).status == Status.PLANNING


def test_a_worker_that_was_given_up_claims_nothing(world: World) -> None:
    worker = add(world)
    run = world.run(world.environment())
    give_up(world, worker)

    with pytest.raises(Conflict) as refused:
        world.move(run, Event.CLAIM, fence=0, executor=WORKER, worker_id=worker.id)

    assert refused.value.message == "Run 1 has been taken over by another worker."


def test_who_gives_up_a_worker_moves_its_runs_in_the_same_transaction(world: World) -> None:
    worker = add(world)
    planning, applying = claimed(world, worker, "a"), claimed(world, worker, "b")
    world.move(applying, Event.APPROVE, fence=1)
    world.move(applying, Event.CLAIM, fence=1, executor=WORKER, worker_id=1)

    with world.catalog.write() as tx:
        tx.give_up_worker(1, NOW)
        held = [run.id for run in tx.runs_of_worker(1)]
        moved = [tx.move(run_id, Event.LOSE).status for run_id in held if run_id]

    assert (held, moved) == ([1, 2], ["queued", "interrupted"])
    assert world.reload(planning).worker_id is None
    assert world.reload(applying).worker_id == 1


def test_a_worker_hears_the_wishes_about_its_own_runs(world: World) -> None:
    mine, other = add(world), add(world)
    for name, worker in (("a", mine), ("b", mine), ("c", mine), ("d", other)):
        claimed(world, worker, name)

    with world.catalog.write() as tx:
        tx.request_cancel(2, "ana")
        tx.request_cancel(3, "ana", force=True)
        tx.request_cancel(4, "ana")

    with world.catalog.read() as tx:
        assert tx.wishes(1) == {2: False, 3: True}


def test_a_worker_that_ended_cannot_be_drained(world: World) -> None:
    add(world)
    with world.catalog.write() as tx:
        tx.end_worker(1)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.drain_worker(1)
    with pytest.raises(NotFound) as missing, world.catalog.write() as tx:
        tx.drain_worker(2)

    assert refused.value.message == "Worker 1 is ended: there is nothing to drain."
    assert missing.value.message == "There is no worker 2."


def test_a_worker_that_ended_long_ago_is_forgotten_unless_a_run_names_it(world: World) -> None:
    add(world)
    claimed(world, add(world))
    with world.catalog.write() as tx:
        tx.end_worker(1)
        tx.end_worker(2)
    world.execute("UPDATE worker SET ended_at = '2026-05-02 00:00:00+00:00'")

    add(world)

    assert [state(world, worker_id) for worker_id in (2, 3)] == [State.ENDED, State.ACTIVE]
    with pytest.raises(NotFound), world.catalog.read() as tx:
        tx.worker(1)


def test_a_worker_that_was_lost_is_never_forgotten_so_that_they_can_be_counted(world: World) -> None:
    lost = add(world)
    give_up(world, lost)
    world.execute("UPDATE worker SET ended_at = '2026-05-02 00:00:00+00:00'")

    add(world)

    with world.catalog.read() as tx:
        assert tx.worker(1).state == State.LOST


@pytest.mark.parametrize(("silent_s", "expired"), [(70.0, False), (70.1, True)])
def test_a_worker_is_expired_when_its_lease_and_a_margin_are_over(world: World, silent_s: float, expired: bool) -> None:
    worker = add(world)
    worker.beat_at = NOW - timedelta(seconds=silent_s)

    with world.catalog.read() as tx:
        assert tx.is_worker_expired(worker) is expired


def test_the_line_has_every_run_that_has_not_ended_with_what_its_turn_depends_on(world: World) -> None:
    environment = world.environment()
    with world.catalog.write() as tx:
        row = tx.instance(place("environment/prod"))
        row.rules = {"max_runs": 3, "labels": ["eu"]}
        tx.save(row)
    version = world.version(world.template())
    orders = world.instance(version, environment)
    world.run(environment, Status.FAILED)
    planned = world.run(environment, Status.PLANNED)
    world.run(orders)
    with world.catalog.write() as tx:
        tx.add_approval(planned.id or 0, "ana")

    with world.catalog.read() as tx:
        line = tx.whole_line(5)

    assert line.entries == (
        Entry(2, 1, 1, Operation.DEPLOY, Status.PLANNED, approvals=1),
        Entry(3, 2, 1, Operation.DEPLOY, Status.QUEUED),
    )
    assert (line.rules, line.names, line.max_runs) == ({1: Rules(max_runs=3, labels=("eu",))}, {1: "prod"}, 5)


def test_the_line_counts_the_free_slots_of_workers_that_take_whatever_comes(world: World) -> None:
    mine, _, other = add(world, labels=("eu",)), add(world, kind="foreground"), add(world, capacity=1)
    claimed(world, mine)
    give_up(world, other)
    add(world, capacity=4)
    with world.catalog.write() as tx:
        tx.drain_worker(4)

    with world.catalog.read() as tx:
        workers = tx.whole_line(0).workers

    assert workers == (Taker(1, ("eu",), free=1), Taker(4, (), free=4, draining=True))


def place(text: str) -> address.Address:
    return address.parse(text)
