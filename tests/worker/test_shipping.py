"""What journals write reaches a shared catalog while they write it: whole, in order, once, and from nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.catalog.tables import Run
from engine.catalog.tx import Tx
from engine.core.runs import Event, Status
from engine.errors import ExternalFailure
from engine.worker.shipping import CHUNK_BYTES, Shipping
from tests.catalog.world import NOW, World, opened

KINDS = {"log": "log", "events": "events.jsonl"}


class Flaky(Catalog):
    """A catalog that cannot be reached, as often as it is told to; `is_tried` is set at each try."""

    outages = 0
    is_tried: threading.Event

    @contextmanager
    def quick(self) -> Iterator[Tx]:
        self.is_tried.set()
        if self.outages:
            self.outages -= 1
            raise ExternalFailure("The database cannot be reached.")
        with super().quick() as tx:
            yield tx


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    catalog = opened(places.url_of(tmp_path / "catalog.db"))
    yield World(catalog)
    catalog.close()


@pytest.fixture
def run(world: World) -> Run:
    """A run that a worker plans; its fence is 1."""
    return world.run(world.environment(), Status.PLANNING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run's folder on this machine."""
    found = tmp_path / "here"
    found.mkdir()
    return found


def shipping(catalog: Catalog, patience_s: float = 20) -> Shipping:
    return Shipping(catalog, KINDS, every_s=0.01, patience_s=patience_s)


def shipped(world: World, run: Run, folder: Path, *lines: bytes, fence: int = 1) -> None:
    """Writes the lines into the run's log as its journal does."""
    assert run.id is not None
    with shipping(world.catalog).of(run.id, fence, folder), (folder / "log").open("ab", buffering=0) as log:
        for line in lines:
            log.write(line)


def read(world: World, run: Run, kind: str = "log") -> bytes:
    assert run.id is not None
    content = b""
    with world.catalog.read() as tx:
        while piece := tx.log(run.id, kind, len(content)):
            content += piece
    return content


def until(happened: Callable[[], bool]) -> None:
    """Returns when it has happened, which takes as long as a thread needs for its next turn."""
    waiting = threading.Event()
    for _ in range(3000):
        if happened():
            return
        waiting.wait(0.01)
    raise AssertionError("it has not happened")


def test_what_is_written_is_in_the_catalog_when_the_journal_is_closed(world: World, run: Run, folder: Path) -> None:
    shipped(world, run, folder, b"one\n", b"two\n")

    assert read(world, run) == b"one\ntwo\n"


def test_what_is_written_is_in_the_catalog_soon(world: World, run: Run, folder: Path) -> None:
    assert run.id is not None
    with shipping(world.catalog).of(run.id, 1, folder), (folder / "log").open("ab", buffering=0) as log:
        log.write(b"begun\n")
        until(lambda: read(world, run) == b"begun\n")
        log.write(b"more\n")
        until(lambda: read(world, run) == b"begun\nmore\n")


def test_log_and_events_are_both_shipped(world: World, run: Run, folder: Path) -> None:
    assert run.id is not None
    with shipping(world.catalog).of(run.id, 1, folder):
        (folder / "log").write_bytes(b"for people\n")
        (folder / "events.jsonl").write_bytes(b"{}\n")

    assert (read(world, run), read(world, run, "events")) == (b"for people\n", b"{}\n")


def test_what_is_long_is_cut_into_chunks(world: World, run: Run, folder: Path) -> None:
    line = b"x" * 1000 + b"\n"

    shipped(world, run, folder, *[line] * 200)

    assert run.id is not None
    with world.catalog.read() as tx:
        assert tx.last_log(run.id, "log")[0] == 3 * CHUNK_BYTES
    assert read(world, run) == line * 200


def test_a_phase_goes_on_where_the_one_before_it_stopped(world: World, run: Run, folder: Path) -> None:
    shipped(world, run, folder, b"plan\n")
    shipped(world, run, folder, b"apply\n")

    assert read(world, run) == b"plan\napply\n"


def test_what_a_crash_left_unshipped_is_shipped_when_the_run_goes_on_here(world: World, run: Run, folder: Path) -> None:
    shipped(world, run, folder, b"plan\n")
    with (folder / "log").open("ab") as log:
        log.write(b"last words\n")

    shipped(world, run, folder, b"apply\n")

    assert read(world, run) == b"plan\nlast words\napply\n"


def test_another_machine_goes_on_behind_what_is_there(world: World, run: Run, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shipped(world, run, folder, b"plan here\n")

    shipped(world, run, elsewhere, b"apply there\n")
    shipped(world, run, elsewhere, b"and more\n")

    assert read(world, run) == b"plan here\napply there\nand more\n"


def test_a_machine_that_comes_back_adds_what_is_new_behind_what_others_said(
    world: World, run: Run, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shipped(world, run, folder, b"first try\n")
    (folder / "log").write_bytes(b"first try\nnever shipped\n")
    shipped(world, run, elsewhere, b"second try, there\n")

    shipped(world, run, folder, b"third try\n")

    assert read(world, run) == b"first try\nsecond try, there\nthird try\n"


def test_a_worker_that_was_given_up_ships_nothing(world: World, run: Run, folder: Path) -> None:
    world.move(run, Event.LOSE)
    world.move(run, Event.CLAIM)

    shipped(world, run, folder, b"late\n", fence=1)

    assert read(world, run) == b""


@pytest.fixture
def flaky(tmp_path: Path) -> Iterator[Flaky]:
    """The same catalog, on a bad line."""
    catalog = Flaky(places.url_of(tmp_path / "catalog.db"), lambda: NOW)
    catalog.is_tried = threading.Event()
    yield catalog
    catalog.close()


def test_an_outage_delays_a_log_and_takes_nothing_from_it(
    world: World, run: Run, folder: Path, flaky: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    assert run.id is not None
    flaky.outages = 3

    with shipping(flaky).of(run.id, 1, folder), (folder / "log").open("ab", buffering=0) as log:
        log.write(b"before\n")
        flaky.is_tried.wait()
        log.write(b"meanwhile\n")

    assert read(world, run) == b"before\nmeanwhile\n"
    assert [record.getMessage() for record in caplog.records] == [
        "logs cannot be shipped for now: The database cannot be reached."
    ]


def test_a_run_does_not_wait_for_the_end_of_an_outage_and_its_log_is_shipped_then(
    world: World, run: Run, folder: Path, flaky: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    assert run.id is not None
    flaky.outages = 10**9
    ours = shipping(flaky, patience_s=0.05)
    with ours.of(run.id, 1, folder):
        (folder / "log").write_bytes(b"kept\n")

    said = caplog.records[-1].getMessage()
    before = read(world, run)
    flaky.outages = 0
    ours.close()
    until(lambda: read(world, run) == b"kept\n")

    assert (said, before) == ("the log of a run is on this machine only until the catalog can be written again", b"")


def test_a_chunk_whose_answer_was_lost_is_not_added_twice(world: World, run: Run, folder: Path) -> None:
    assert run.id is not None
    with shipping(world.catalog).of(run.id, 1, folder), (folder / "log").open("ab", buffering=0) as log:
        log.write(b"one\n")
        until(lambda: read(world, run) == b"one\n")
        with world.catalog.quick() as tx:
            tx.add_log(run.id, "log", 4, b"two\n", fence=1)
        log.write(b"two\nthree\n")

    assert read(world, run) == b"one\ntwo\nthree\n"


def test_logs_of_many_runs_do_not_get_mixed_up(world: World, folder: Path) -> None:
    version = world.version(world.template())
    environment = world.environment()
    instances = [world.instance(version, environment, f"service/s{i}/prod") for i in range(8)]
    runs = [world.run(instance, Status.PLANNING) for instance in instances]
    ours = shipping(world.catalog)

    def write(run: Run) -> None:
        assert run.id is not None
        own = folder / str(run.id)
        own.mkdir()
        with ours.of(run.id, 1, own), (own / "log").open("ab", buffering=0) as log:
            for number in range(100):
                log.write(f"{run.id} {number}\n".encode())

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for run in runs:
        assert read(world, run) == "".join(f"{run.id} {number}\n" for number in range(100)).encode()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["here", "there", "yonder"]), st.lists(st.binary(min_size=1, max_size=40)))))
def test_whoever_writes_in_whatever_order_the_log_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, phases: list[tuple[str, list[bytes]]]
) -> None:
    root = tmp_path_factory.mktemp("machines")
    catalog = opened(places.url_of(root / "catalog.db"))
    world = World(catalog)
    run = world.run(world.environment(), Status.PLANNING)
    for machine, lines in phases:
        (root / machine).mkdir(exist_ok=True)
        shipped(world, run, root / machine, *lines)

    found = read(world, run)
    catalog.close()
    assert found == b"".join(line for _, lines in phases for line in lines)
