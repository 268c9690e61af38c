"""Logs in the catalog: chunks that join without gaps, from the worker that holds the run and from nobody else."""

from __future__ import annotations

import pytest

from engine.catalog.tables import Run
from engine.core.runs import Event, Status
from engine.errors import Conflict
from tests.catalog.world import World, at_once


@pytest.fixture
def run(world: World) -> Run:
    """A run that a worker plans; its fence is 1."""
    return world.run(world.environment(), Status.PLANNING)


def add(world: World, run: Run, start: int, content: bytes, fence: int = 1, kind: str = "log") -> bool:
    assert run.id is not None
    with world.catalog.quick() as tx:
        return tx.add_log(run.id, kind, start, content, fence=fence)


def read(world: World, run: Run, start: int = 0, kind: str = "log") -> bytes:
    assert run.id is not None
    with world.catalog.read() as tx:
        return tx.log(run.id, kind, start)


def size(world: World, run: Run, kind: str = "log") -> int:
    assert run.id is not None
    with world.catalog.read() as tx:
        return tx.log_size(run.id, kind)


def test_a_log_that_nobody_wrote_is_empty(world: World, run: Run) -> None:
    assert (read(world, run), size(world, run)) == (b"", 0)


def test_chunks_join(world: World, run: Run) -> None:
    add(world, run, 0, b"one\n")
    add(world, run, 4, b"t\xffwo\n")

    assert (read(world, run), size(world, run)) == (b"one\nt\xffwo\n", 9)


@pytest.mark.parametrize(
    ("start", "rest"), [(0, b"abcdef"), (1, b"bcdef"), (3, b"def"), (5, b"f"), (6, b""), (99, b"")]
)
def test_a_log_is_read_from_any_byte_on(world: World, run: Run, start: int, rest: bytes) -> None:
    add(world, run, 0, b"abc")
    add(world, run, 3, b"def")

    assert read(world, run, start) == rest


def test_a_long_log_is_read_in_parts(world: World, run: Run) -> None:
    for start in range(40):
        add(world, run, start, b"x")

    parts = [len(read(world, run, 0)), len(read(world, run, 16)), len(read(world, run, 32)), len(read(world, run, 40))]

    assert parts == [16, 16, 8, 0]


def test_log_and_events_are_two(world: World, run: Run) -> None:
    add(world, run, 0, b"for people\n")
    add(world, run, 0, b"{}\n", kind="events")

    assert (read(world, run), read(world, run, kind="events")) == (b"for people\n", b"{}\n")


@pytest.mark.parametrize("start", [0, 3, 5])
def test_a_chunk_that_does_not_join_is_not_added(world: World, run: Run, start: int) -> None:
    add(world, run, 0, b"abcd")

    assert add(world, run, start, b"x") is False
    assert read(world, run) == b"abcd"


def test_of_chunks_that_come_at_once_one_is_added(world: World, run: Run) -> None:
    added = at_once(lambda: add(world, run, 0, b"abc"))

    assert sorted(added, key=bool) == [False] * 7 + [True]
    assert read(world, run) == b"abc"


def test_a_worker_whose_claim_is_old_adds_nothing(world: World, run: Run) -> None:
    world.move(run, Event.LOSE)
    world.move(run, Event.CLAIM)

    with pytest.raises(Conflict, match=f"Run {run.id} has been taken from its worker"):
        add(world, run, 0, b"late", fence=1)
    assert add(world, run, 0, b"mine", fence=2) is True
    assert read(world, run) == b"mine"


@pytest.mark.parametrize("status", [Status.QUEUED, Status.INTERRUPTED])
def test_a_worker_that_was_given_up_adds_nothing_even_while_nobody_else_has_its_run(
    world: World, status: Status
) -> None:
    lost = world.run(world.environment(), status)

    with pytest.raises(Conflict, match="has been taken from its worker"):
        add(world, lost, 0, b"late", fence=lost.fence)


def test_what_came_late_is_added_after_the_worker_has_recorded_the_end(world: World) -> None:
    ended = world.run(world.environment(), Status.SUCCEEDED)

    assert add(world, ended, 0, b"last words\n", fence=ended.fence) is True


def test_a_run_that_was_never_there_has_no_log_to_add_to(world: World, run: Run) -> None:
    with world.catalog.quick() as tx, pytest.raises(Conflict):
        tx.add_log(99, "log", 0, b"x", fence=0)


def test_the_last_chunk_is_told_with_its_place(world: World, run: Run) -> None:
    assert run.id is not None
    add(world, run, 0, b"abc")
    add(world, run, 3, b"de")

    with world.catalog.read() as tx:
        assert (tx.last_log(run.id, "log"), tx.last_log(run.id, "events")) == ((3, b"de"), (0, b""))
