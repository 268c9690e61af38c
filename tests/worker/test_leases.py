"""A worker says that it lives, hears what others want, and stops by itself before anybody may think it dead."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.catalog.tables import Run
from engine.core.runs import Event, Status
from engine.core.workers import Kind, State
from engine.errors import Conflict
from engine.external.process import Command, Stop
from engine.worker.leases import Lease
from engine.worker.terms import Card, Terms
from tests.catalog.world import WORKER, World, now
from tests.worker.fickle import PATIENCE_S, Clock, Fickle, until


@pytest.fixture
def catalog(tmp_path: Path, blank: Path) -> Iterator[Fickle]:
    shutil.copy(blank, tmp_path / "catalog.db")
    found = Fickle(places.url_of(tmp_path / "catalog.db"), now)
    yield found
    found.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(catalog: Fickle, clock: Clock, tmp_path: Path) -> Iterator[Lease]:
    """One that holds for 30 wound seconds, with 5 of grace."""
    found = Lease(catalog, Card(WORKER, "w", labels=("eu",), capacity=3), Terms(30, 5, clock), tmp_path / "tmp")
    yield found
    catalog.is_away = False
    found.close()


@pytest.fixture
def hasty(catalog: Fickle, tmp_path: Path) -> Iterator[Lease]:
    """One that holds for a fifth of a real second."""
    terms = Terms(0.2, 0.1, time.monotonic)
    found = Lease(catalog, Card(WORKER, "w", Kind.SERVICE), terms, tmp_path / "tmp")
    yield found
    catalog.is_away = False
    found.close()


def claimed(catalog: Catalog, lease: Lease, name: str = "prod") -> Run:
    """A run of an environment that this worker has claimed."""
    world = World(catalog)
    run = world.run(world.environment(name))
    return world.move(run, Event.CLAIM, executor=WORKER, worker_id=lease.worker_id())


def give_up(catalog: Catalog, lease: Lease) -> None:
    with catalog.write() as tx:
        worker = tx.worker(lease.number)
        assert tx.give_up_worker(lease.number, worker.beat_at)


def state(catalog: Catalog, worker_id: int) -> State:
    with catalog.read() as tx:
        return tx.worker_state(worker_id)


def test_a_worker_registers_at_its_first_run_and_not_before(catalog: Fickle, lease: Lease) -> None:
    with catalog.read() as tx:
        before = tx.living_workers()

    assert (lease.worker_id(), lease.worker_id()) == (1, 1)

    with catalog.read() as tx:
        [worker] = tx.living_workers()
    assert before == []
    assert (worker.kind, worker.labels, worker.capacity, worker.lease_s) == ("foreground", ["eu"], 3, 35.0)


def test_a_worker_that_never_worked_leaves_nothing_behind(catalog: Fickle, lease: Lease) -> None:
    lease.close()

    assert state(catalog, 1) is State.LOST


def test_a_worker_that_closes_says_goodbye_and_takes_its_file_away(
    catalog: Fickle, lease: Lease, tmp_path: Path
) -> None:
    lease.worker_id()
    was_there = (tmp_path / "tmp" / "lease-1").exists()

    lease.close()

    assert was_there
    assert list((tmp_path / "tmp").iterdir()) == []
    assert state(catalog, 1) is State.ENDED


def test_whoever_runs_a_program_for_a_run_has_it_guarded_by_the_lease(
    catalog: Fickle, lease: Lease, tmp_path: Path
) -> None:
    run = claimed(catalog, lease)
    command = Command(("true",), tmp_path, {}, 1, 1)

    with lease.holding(run.id or 0, Stop()) as own:
        guarded = own.guarded(command)

    assert (guarded.lease, guarded.lease_s) == (tmp_path / "tmp" / "lease-1", 30)


def test_what_stops_the_caller_stops_the_run_but_not_the_other_way_round(catalog: Fickle, lease: Lease) -> None:
    first, second = claimed(catalog, lease, "a"), claimed(catalog, lease, "b")
    callers = Stop()

    with lease.holding(first.id or 0, callers) as one, lease.holding(second.id or 0, callers) as two:
        one.request()
        alone = (one.requested, two.requested, callers.requested)
        callers.force()

        assert alone == (True, False, False)
        assert (one.forced, two.forced, two.is_asked) == (True, True, True)


def test_a_caller_that_was_stopped_before_stops_the_run_at_once(catalog: Fickle, lease: Lease) -> None:
    run, callers = claimed(catalog, lease), Stop()
    callers.request()

    with lease.holding(run.id or 0, callers) as own:
        assert (own.requested, own.forced) == (True, False)


def test_a_wish_that_others_leave_in_the_catalog_reaches_its_run_and_no_other(catalog: Fickle, lease: Lease) -> None:
    first, second = claimed(catalog, lease, "a"), claimed(catalog, lease, "b")

    with lease.holding(first.id or 0, Stop()) as one, lease.holding(second.id or 0, Stop()) as two:
        with catalog.write() as tx:
            tx.request_cancel(first.id or 0, "ana")
        until(lambda: one.requested)
        asked = (one.is_asked, one.forced)
        with catalog.write() as tx:
            tx.request_cancel(first.id or 0, "ana", force=True)
        until(lambda: one.forced)

        assert asked == (True, False)
        assert two.requested is False


def test_a_worker_that_is_suspended_goes_on_when_nobody_gave_it_up(catalog: Fickle, clock: Clock, lease: Lease) -> None:
    run = claimed(catalog, lease)

    with lease.holding(run.id or 0, Stop()) as own:
        clock.now_s += 1000

        assert own.requested is False
        assert lease.holds()


def test_a_worker_that_is_suspended_and_given_up_stops_at_once_and_writes_nothing(
    catalog: Fickle, clock: Clock, lease: Lease
) -> None:
    run = claimed(catalog, lease)

    with lease.holding(run.id or 0, Stop()) as own:
        give_up(catalog, lease)
        clock.now_s += 1000

        assert own.requested is True
        until(lambda: own.forced)
        assert own.is_asked is False
    with pytest.raises(Conflict) as refused, catalog.write() as tx:
        tx.note(run.id or 0, fence=run.fence)
    assert refused.value.message == "Run 1 has been taken over by another worker."


def test_a_worker_hears_that_it_was_given_up_while_it_works(catalog: Fickle, lease: Lease) -> None:
    run = claimed(catalog, lease)

    with lease.holding(run.id or 0, Stop()) as own:
        give_up(catalog, lease)

        until(lambda: own.forced)
        with pytest.raises(Conflict) as refused:
            lease.worker_id()

    assert refused.value.message == "Worker 1 was given up, and is still stopping what it had begun."


def test_a_worker_that_was_given_up_goes_on_as_another_when_all_has_stopped(catalog: Fickle, lease: Lease) -> None:
    run = claimed(catalog, lease)
    with lease.holding(run.id or 0, Stop()) as own:
        give_up(catalog, lease)
        until(lambda: own.forced)

    assert lease.worker_id() == 2
    assert lease.holds()


def test_a_worker_that_reaches_nobody_stops_by_itself_within_what_it_promised(catalog: Fickle, hasty: Lease) -> None:
    run = claimed(catalog, hasty)

    with hasty.holding(run.id or 0, Stop()) as own:
        catalog.is_away = True

        until(lambda: own.forced)
        assert (own.requested, own.is_asked) == (True, False)


def test_a_worker_that_reaches_nobody_for_less_than_its_lease_goes_on(
    catalog: Fickle, clock: Clock, lease: Lease
) -> None:
    run = claimed(catalog, lease)

    with lease.holding(run.id or 0, Stop()) as own:
        catalog.is_away = True
        clock.now_s += 29

        assert own.requested is False


def test_a_worker_is_steady_for_as_long_as_no_beat_fails(catalog: Fickle, clock: Clock, lease: Lease) -> None:
    lease.worker_id()
    clock.now_s += 40
    lease.holds()
    until(lambda: lease.steady_s == 40)

    catalog.is_away = True
    clock.now_s += 40
    assert lease.holds() is False
    catalog.is_away = False
    assert lease.holds()

    assert lease.steady_s < 40


def test_whoever_could_not_write_waits_until_the_catalog_is_there_again(catalog: Fickle, hasty: Lease) -> None:
    hasty.worker_id()
    catalog.is_away = True
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(hasty.recovers()))
    waiting.start()

    catalog.is_away = False
    waiting.join(PATIENCE_S)

    assert answers == [True]


def test_a_command_in_the_foreground_does_not_wait_longer_than_its_lease(
    catalog: Fickle, clock: Clock, lease: Lease
) -> None:
    lease.worker_id()
    catalog.is_away = True
    clock.now_s += 31

    assert lease.recovers() is False


def test_a_run_whose_end_could_not_be_recorded_is_given_back(catalog: Fickle, hasty: Lease) -> None:
    run = claimed(catalog, hasty)
    with hasty.holding(run.id or 0, Stop()):
        hasty.abandon(run.id or 0)

    until(lambda: World(catalog).reload(run).status == Status.QUEUED)

    assert World(catalog).reload(run).message == "Its worker failed to record how it ended."


def test_a_worker_that_drains_says_so(catalog: Fickle, lease: Lease) -> None:
    lease.worker_id()

    lease.drain()

    assert (lease.state, state(catalog, 1)) == (State.DRAINING, State.DRAINING)


def test_a_worker_hears_that_it_shall_drain(catalog: Fickle, hasty: Lease) -> None:
    hasty.worker_id()
    with catalog.write() as tx:
        tx.drain_worker(1)

    until(lambda: hasty.state is State.DRAINING)
