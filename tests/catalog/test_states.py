"""What is known of states that were kept, and who may add to it."""

from __future__ import annotations

import pytest

from engine.catalog.tables import Instance, Run
from engine.catalog.worker_tables import StateVersion
from engine.core.runs import Event, Status
from engine.core.snapshots import Snapshot
from engine.errors import Busy, Conflict, NotFound
from tests.catalog.world import World


def state(serial: int, digest: str = "", lineage: str = "l") -> Snapshot:
    return Snapshot(lineage, serial, digest or f"d{serial}", 100, 2)


@pytest.fixture
def instance(world: World) -> Instance:
    return world.environment()


@pytest.fixture
def run(world: World, instance: Instance) -> Run:
    """A run that is being applied."""
    return world.run(instance, Status.APPLYING)


def add(
    world: World, instance: Instance, run: Run, snapshot: Snapshot, fence: int | None, note: str = ""
) -> StateVersion:
    with world.catalog.write() as tx:
        return tx.add_state(tx.instance_by_id(instance.id or 0), snapshot, run_id=run.id or 0, fence=fence, note=note)


def serials(world: World, instance: Instance) -> list[int]:
    with world.catalog.read() as tx:
        return [version.serial for version in tx.states(instance.address)]


def test_a_worker_adds_the_states_of_its_run(world: World, instance: Instance, run: Run) -> None:
    add(world, instance, run, state(1), run.fence)
    version = add(world, instance, run, state(2), run.fence)

    assert serials(world, instance) == [2, 1]
    assert (version.address, version.run_id, version.lineage, version.digest) == (instance.address, run.id, "l", "d2")
    assert (version.size_bytes, version.resources, version.note) == (100, 2, "")


def test_a_worker_that_was_taken_over_adds_nothing(world: World, instance: Instance, run: Run) -> None:
    with pytest.raises(Conflict, match=r"^Run 1 has been taken over by another worker\.$"):
        add(world, instance, run, state(1), run.fence - 1)

    assert serials(world, instance) == []


def test_a_worker_whose_run_has_ended_adds_nothing(world: World, instance: Instance, run: Run) -> None:
    world.move(run, Event.LOSE, run.fence)

    with pytest.raises(Conflict, match=r"^Run 1 is interrupted: nobody works on it any more\.$"):
        add(world, instance, run, state(1), run.fence)

    assert serials(world, instance) == []


def test_the_same_state_is_known_once(world: World, instance: Instance, run: Run) -> None:
    first = add(world, instance, run, state(1), run.fence)

    again = add(world, instance, run, state(1), run.fence)

    assert (again.id, serials(world, instance)) == (first.id, [1])


def test_two_states_of_one_serial_are_two(world: World, instance: Instance, run: Run) -> None:
    add(world, instance, run, state(1, "a"), run.fence)
    add(world, instance, run, state(1, "b"), run.fence)

    assert serials(world, instance) == [1, 1]


def test_a_person_adds_none_while_somebody_works(world: World, instance: Instance, run: Run) -> None:
    with pytest.raises(Busy) as caught:
        add(world, instance, run, state(1), None)

    assert caught.value.message == "environment/prod is held by run 1 (applying)."


def test_a_person_adds_one_to_an_interrupted_run(world: World, instance: Instance, run: Run) -> None:
    world.move(run, Event.LOSE, run.fence)

    add(world, instance, run, state(1), None, "after a crash")

    assert serials(world, instance) == [1]


def test_a_state_that_a_person_puts_back_is_the_newest_again(world: World, instance: Instance, run: Run) -> None:
    add(world, instance, run, state(1), run.fence)
    add(world, instance, run, state(2), run.fence)
    world.move(run, Event.SUCCEED, run.fence)

    add(world, instance, run, state(1), None, "accepted")

    assert serials(world, instance) == [1, 2]
    with world.catalog.read() as tx:
        assert tx.newest_snapshot(instance.id or 0) == state(1)


def test_the_newest_and_all_are_found_by_instance(world: World, instance: Instance, run: Run) -> None:
    with world.catalog.read() as tx:
        assert (tx.newest_state(instance.id or 0), tx.newest_snapshot(instance.id or 0)) == (None, None)
    add(world, instance, run, state(1), run.fence)
    add(world, instance, run, state(2), run.fence)

    with world.catalog.read() as tx:
        newest = tx.newest_state(instance.id or 0)
        assert newest is not None
        assert (newest.serial, tx.newest_snapshot(instance.id or 0)) == (2, state(2))
        assert [tx.has_state(instance.id or 0, digest) for digest in ("d1", "d2", "d3")] == [True, True, False]
        assert [version.serial for version in tx.newest_states()] == [2]


def test_a_state_is_found_by_its_number_under_its_address_only(world: World, instance: Instance, run: Run) -> None:
    version = add(world, instance, run, state(1), run.fence)

    with world.catalog.read() as tx:
        assert tx.state(instance.address, version.id or 0).serial == 1
        with pytest.raises(NotFound, match=r"^environment/test has no state 1\.$"):
            tx.state("environment/test", version.id or 0)


def test_a_blob_is_what_was_put_last(world: World) -> None:
    with world.catalog.write() as tx:
        tx.put_blob("runs/1/plan", b"one")
        tx.put_blob("runs/1/plan", b"\0two")

    with world.catalog.read() as tx:
        assert (tx.blob("runs/1/plan"), tx.has_blob("runs/1/plan")) == (b"\0two", True)


def test_a_blob_that_was_dropped_is_gone(world: World) -> None:
    with world.catalog.write() as tx:
        tx.put_blob("runs/1/plan", b"one")
        tx.drop_blob("runs/1/plan")
        tx.drop_blob("runs/2/plan")

    with world.catalog.read() as tx:
        assert (tx.blob("runs/1/plan"), tx.has_blob("runs/1/plan")) == (None, False)


def test_the_newest_states_of_many_instances_are_known_at_once(world: World, instance: Instance, run: Run) -> None:
    other, bare = world.environment("test"), world.environment("dev")
    add(world, instance, run, state(1), run.fence)
    add(world, instance, run, state(2), run.fence)
    their_run = world.run(other, Status.APPLYING)
    add(world, other, their_run, state(7), their_run.fence)

    with world.catalog.read() as tx:
        found = tx.newest_snapshots([instance.id or 0, other.id or 0, bare.id or 0])

    assert found == {instance.id: state(2), other.id: state(7)}
