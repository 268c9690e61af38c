"""Many workers at one catalog on PostgreSQL, of which one is killed, or cut off, every few seconds."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.core.runs import Status
from tests import postgres
from tests.scenarios.chaos import networks
from tests.scenarios.chaos.fleet import Fleet
from tests.scenarios.workers import until

WORKERS, INSTANCES, RUNS = 8, 40, 300
KILL_EVERY_S = 5.0
CUT_S = 30.0
PATIENCE_S = 600.0
_UNASKED = "its worker could not renew its lease in time."


@contextmanager
def opened(fleet: Fleet) -> Iterator[Fleet]:
    try:
        yield fleet
    finally:
        fleet.stop()


def line_up(fleet: Fleet) -> dict[str, list[int]]:
    """300 runs over 40 instances; name -> the steps that were asked for, in order."""
    names = [f"svc-{number:02}" for number in range(INSTANCES)]
    fleet.populate(names)
    asked = {name: [0] for name in names}
    for number in range(RUNS - INSTANCES):
        name = names[number % INSTANCES]
        asked[name].append(len(asked[name]))
        fleet.step(name, asked[name][-1])
    return asked


def carry_on(fleet: Fleet, every_s: float, disturb: Callable[[], None]) -> list[int]:
    """Lets the machines work until every run has ended, disturbing them; the runs that were interrupted."""
    interrupted: list[int] = []
    began = disturbed = time.monotonic()
    while fleet.left():
        assert time.monotonic() - began < PATIENCE_S, "the runs do not come to an end"
        interrupted += fleet.decide()
        if time.monotonic() - disturbed > every_s:
            disturb()
            disturbed = time.monotonic()
        time.sleep(0.2)
    return interrupted


def judge(fleet: Fleet, asked: dict[str, Sequence[int]], interrupted: Sequence[int]) -> None:
    """Every effect happened once and in order; only of what was cut short in mid-apply nobody could say so before."""
    runs = fleet.reads.runs()
    cut_short = [row for row in runs if row["id"] in interrupted or stopped_by_its_worker(row)]
    unknown = {(row["address"].split("/")[1], step_of(fleet, row["id"])) for row in cut_short}
    others = [row for row in runs if row not in cut_short and row["status"] != Status.SUCCEEDED]
    assert "\n".join(f"{row['id']} {row['status']} {row['message']}" for row in others) == ""
    for name, steps in asked.items():
        did = fleet.did(name)
        missing = [step for step in steps if step not in did]
        assert did == sorted(set(did)), f"{name}: {did}"
        assert {(name, step) for step in missing} <= unknown, f"{name}: {missing} never happened"


def stopped_by_its_worker(row: Mapping[str, Any]) -> bool:
    """On a busy machine a beat comes too late: the worker stops Terraform itself, and says that the run failed."""
    return row["status"] == Status.FAILED and str(row["message"]).endswith(_UNASKED)


def step_of(fleet: Fleet, run_id: int) -> int:
    return int(fleet.reads.run(run_id)["inputs"].get("number", 0))


@pytest.mark.terraform
@pytest.mark.timeout(900)
def test_runs_happen_once_and_in_order_while_workers_are_killed(tmp_path: Path, postgres_url: str) -> None:
    chance = random.Random(3)
    with opened(Fleet(tmp_path, postgres_url)) as fleet:
        asked = line_up(fleet)
        for number in range(WORKERS):
            fleet.start(number)

        def kill_one() -> None:
            number = chance.choice(sorted(fleet.machines))
            fleet.kill(number)
            fleet.start(number)

        interrupted = carry_on(fleet, KILL_EVERY_S, kill_one)

        judge(fleet, asked, interrupted)


@pytest.mark.terraform
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.geteuid() != 0 or not networks.possible(), reason="network namespaces need root")
def test_runs_happen_once_and_in_order_while_machines_are_cut_off(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(networks.bridge())
        server = stack.enter_context(postgres.own_server(listen=networks.GATEWAY))
        far = [stack.enter_context(networks.network(number)) for number in (1, 2)]
        fleet = stack.enter_context(opened(Fleet(tmp_path, server.tcp_url(), prefixes=[net.prefix for net in far])))
        asked = line_up(fleet)
        for number in range(WORKERS):
            fleet.start(number)
        until(lambda: fleet.left() < RUNS - WORKERS)
        for net in far:
            net.cut()
        interrupted = carry_on(fleet, CUT_S, lambda: [net.mend() for net in far])  # type: ignore[func-returns-value]

        judge(fleet, asked, interrupted)
