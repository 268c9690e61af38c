"""Whoever looks after the dead takes nothing from the living, and nothing on a guess."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.catalog.tables import Run
from engine.core.runs import Event, Status
from engine.core.workers import State
from engine.external import process
from engine.external.process import group_alive
from engine.worker.reaping import Reaper
from tests.catalog.world import World, now

LONG_AGO = "2026-05-04 03:00:00.000000"
"""Of a beat: 121.5 seconds before now, when 70 are enough to be given up."""
STEADY_S = 71.0
Identity = Mapping[str, object]


@pytest.fixture
def world(tmp_path: Path, blank: Path) -> Iterator[World]:
    shutil.copy(blank, tmp_path / "catalog.db")
    catalog = Catalog(places.url_of(tmp_path / "catalog.db"), now)
    yield World(catalog)
    catalog.close()


@pytest.fixture
def reaper(world: World, tmp_path: Path) -> Reaper:
    return Reaper(world.catalog, tmp_path)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, as Terraform has one."""
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as started:
        yield started
        started.kill()


def dead() -> Identity:
    """A process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", "open(0).read()"], stdin=subprocess.PIPE)
    identity = process.identity(ended.pid)
    ended.communicate()
    return identity


ELSEWHERE: Identity = {"host": "c1", "boot_id": "b", "pid": 7, "started": "1"}
LIVING = process.identity(1)


def working(world: World, who: Identity, *, applies: bool = False, silent: bool = False) -> Run:
    """A run of environment prod that a worker of that identity has claimed."""
    with world.catalog.write() as tx:
        tx.add_worker(name="w", kind="service", identity=dict(who), labels=[], capacity=1, lease_s=60.0, version="1")
    if silent:
        world.execute(f"UPDATE worker SET beat_at = '{LONG_AGO}'")
    run = world.run(world.environment(), Status.APPROVED if applies else Status.QUEUED)
    return world.move(run, Event.CLAIM, executor=dict(who), worker_id=1)


def started(home: Path, who: Identity) -> None:
    """Notes that this process was started for the run."""
    folder = home / "environment/prod/runs/1"
    folder.mkdir(parents=True)
    (folder / "process.json").write_text(json.dumps(who))


def state(world: World) -> State:
    with world.catalog.read() as tx:
        return tx.worker_state(1)


def test_a_plan_of_a_process_that_has_ended_is_queued_again(world: World, reaper: Reaper) -> None:
    who = dead()
    run = working(world, who)

    [moved] = reaper.reap()

    assert (moved.status, moved.message) == (Status.QUEUED, f"process {who['pid']} died while planning.")
    assert world.reload(run).worker_id is None
    assert state(world) is State.LOST


def test_an_apply_of_a_process_that_has_ended_is_interrupted_and_says_who_did_it(world: World, reaper: Reaper) -> None:
    who = dead()
    working(world, who, applies=True)

    [moved] = reaper.reap()

    assert (moved.status, moved.message) == (Status.INTERRUPTED, f"process {who['pid']} died while applying.")
    assert (moved.executor, moved.worker_id) == (who, 1)


def test_what_was_taken_once_is_not_taken_again(world: World, reaper: Reaper) -> None:
    working(world, dead())
    reaper.reap()

    assert reaper.reap() == []


def test_a_worker_that_had_no_run_is_given_up_too(world: World, reaper: Reaper) -> None:
    world.move(working(world, dead()), Event.FAIL)

    assert reaper.reap() == []
    assert state(world) is State.LOST


def test_a_machine_that_has_booted_since_runs_nothing_of_before(world: World, reaper: Reaper) -> None:
    working(world, {**LIVING, "boot_id": "another/pid:[1]"}, applies=True)

    assert [run.status for run in reaper.reap()] == [Status.INTERRUPTED]


def test_a_run_whose_terraform_still_works_is_left_to_its_guard(
    world: World, reaper: Reaper, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    working(world, dead(), applies=True)
    started(tmp_path, process.identity(sleeper.pid))

    assert reaper.reap() == []
    assert group_alive(sleeper.pid)
    assert state(world) is State.ACTIVE


def test_a_terraform_that_outlives_worker_guard_and_lease_is_ended(
    world: World, reaper: Reaper, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    working(world, dead(), applies=True, silent=True)
    started(tmp_path, process.identity(sleeper.pid))

    assert [run.status for run in reaper.reap()] == [Status.INTERRUPTED]
    assert not group_alive(sleeper.pid)


def test_a_worker_keeps_its_runs_where_it_said_that_it_does(
    world: World, reaper: Reaper, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    elsewhere = tmp_path / "another home"
    working(world, {**dead(), "home": str(elsewhere)}, applies=True)
    started(elsewhere, process.identity(sleeper.pid))

    assert reaper.reap() == []


@pytest.mark.parametrize("who", [LIVING, ELSEWHERE], ids=["here", "elsewhere"])
def test_a_worker_that_has_been_heard_of_is_left_alone(world: World, reaper: Reaper, who: Identity) -> None:
    run = working(world, who)

    assert reaper.reap(STEADY_S) == []
    assert world.reload(run).status == Status.PLANNING


@pytest.mark.parametrize("who", [LIVING, ELSEWHERE], ids=["here", "elsewhere"])
def test_a_worker_that_was_not_heard_of_for_long_is_given_up(world: World, reaper: Reaper, who: Identity) -> None:
    working(world, who, silent=True)

    [moved] = reaper.reap(STEADY_S)

    assert (moved.status, moved.message) == (
        Status.QUEUED,
        f"worker 1 on host {who['host']} was not heard of any more while planning.",
    )


@pytest.mark.parametrize("steady_s", [0.0, 70.0])
def test_whoever_comes_back_from_an_outage_does_not_judge_at_once(
    world: World, reaper: Reaper, steady_s: float
) -> None:
    working(world, ELSEWHERE, silent=True)

    assert reaper.reap(steady_s) == []


def test_the_terraform_of_a_suspended_worker_is_ended_before_it_is_given_up(
    world: World, reaper: Reaper, tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    working(world, LIVING, applies=True, silent=True)
    started(tmp_path, process.identity(sleeper.pid))

    assert [run.status for run in reaper.reap(STEADY_S)] == [Status.INTERRUPTED]
    assert not group_alive(sleeper.pid)


def test_a_worker_that_says_goodbye_with_a_run_in_hand_has_lost_it(world: World, reaper: Reaper) -> None:
    working(world, LIVING)
    with world.catalog.write() as tx:
        tx.end_worker(1)

    assert [run.status for run in reaper.reap()] == [Status.QUEUED]


def test_a_run_of_nobody_who_registered_is_judged_by_its_process_alone(world: World, reaper: Reaper) -> None:
    lost = world.run(world.environment("a"))
    kept = world.run(world.environment("b"))
    world.move(lost, Event.CLAIM, executor=dict(dead()))
    world.move(kept, Event.CLAIM, executor=dict(ELSEWHERE))

    assert [run.id for run in reaper.reap(STEADY_S)] == [lost.id]


def test_whoever_looks_hears_of_interrupted_runs_afterwards(world: World, tmp_path: Path) -> None:
    told: list[str] = []
    working(world, dead())

    Reaper(world.catalog, tmp_path, lambda: told.append("looked")).reap()

    assert told == ["looked"]


def test_the_file_of_a_lost_lease_goes_with_it(world: World, reaper: Reaper, tmp_path: Path) -> None:
    working(world, dead())
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp/lease-1").touch()

    reaper.reap()

    assert list((tmp_path / "tmp").iterdir()) == []
