"""A campaign whose process is killed at every moment, and finished by the next one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.campaigns import Moment
from engine.worker.triggers import Point
from tests.scenarios.world import World

CODE = """\
resource "terraform_data" "app" {{
  input = "{word}"

  provisioner "local-exec" {{
    command = "echo made ${{var.service.name}} >> {ledger}"
  }}
}}

resource "terraform_data" "release" {{
  triggers_replace = "{word}"

  provisioner "local-exec" {{
    command = "echo {word} ${{var.service.name}} >> {ledger}"
  }}
}}
"""
NAMES = ("a", "b", "c", "d")
MOMENTS = (
    *(moment for moment in Moment if moment not in (Moment.STEP_REFUSED, Moment.HALTED)),
    *(Point.CLAIMED_TO_PLAN, Point.PLAN_KEPT, Point.OUTCOME_RECORDED),
)
"""Where one campaign is killed, one after the other: a process that comes to none of them ends well."""


@pytest.fixture
def fleet(world: World) -> World:
    """Four services of web@1.0 in one environment, and web@1.1, which writes down what it does."""
    ledger = world.root / "ledger"
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle(code=CODE.format(word="one", ledger=ledger)))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    for name in NAMES:
        world.do("service", "create", name, "-t", "web", "--env", "prod", "--auto-approve")
    ledger.unlink()
    world.publish("web", world.service_bundle(code=CODE.format(word="two", ledger=ledger)), "--major", 1)
    return world


def start(world: World, *options: str) -> None:
    world.do("campaign", "start", "web@1.1", "--auto-approve", "--allow", "replace", "--no-wait", *options)


def drive(world: World, moment: str) -> int:
    program = Path(__file__).with_name("conductor.py")
    return subprocess.run([sys.executable, str(program), str(world.home), "1", moment], check=False).returncode


@pytest.mark.terraform
def test_a_campaign_killed_at_every_moment_does_each_instance_once(fleet: World) -> None:
    start(fleet, "--canary", "1", "--concurrency", "1", "--health-command", "true")

    died = {moment.value: drive(fleet, moment.value) for moment in MOMENTS if moment is not Moment.ENDED}
    last = [drive(fleet, Moment.ENDED.value), drive(fleet, "")]

    assert died == dict.fromkeys(died, -9)
    assert last == [-9, 0]
    row = fleet.row("campaign", "status", 1)
    assert (row["status"], row["statuses"]) == ("succeeded", {"succeeded": 4})
    assert (fleet.root / "ledger").read_text().splitlines() == [f"two {name}" for name in NAMES]
    assert [len(fleet.rows("instance", "history", f"{name}/prod")) for name in NAMES] == [2, 2, 2, 2]


@pytest.mark.terraform
def test_a_campaign_halts_while_nobody_knows_what_a_killed_apply_did(fleet: World) -> None:
    start(fleet, "--concurrency", "1")

    died = drive(fleet, Point.APPLY_STARTED.value)
    halted = fleet.run("campaign", "resume", 1)
    fleet.do(
        "run",
        "recover",
        fleet.row("campaign", "status", 1)["steps"][0]["run_id"],
        "--mark",
        "failed",
        "--reason",
        "x",
        "--yes",
    )
    fleet.do("campaign", "resume", 1, "--no-wait")
    fleet.run("campaign", "retry", 1)

    assert (died, halted.code) == (-9, 1)
    assert "Campaign 1 was halted. 1 step failed, and 1 halts it." in halted.err
    assert fleet.row("campaign", "status", 1)["statuses"] == {"succeeded": 4}


def test_a_refused_step_halts_the_campaign_whoever_dies_over_it(fleet: World) -> None:
    start(fleet)
    with closing(sqlite3.connect(fleet.home / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE version SET status = 'failed' WHERE minor = 1")

    died = [drive(fleet, moment.value) for moment in (Moment.STEP_REFUSED, Moment.HALTED)]

    row = fleet.row("campaign", "status", 1)
    assert (died, drive(fleet, "")) == ([-9, -9], 0)
    assert (row["status"], row["statuses"]) == ("halted", {"failed": 1, "pending": 3})
    assert row["steps"][0]["message"] == "web@1.1 failed its registration and cannot be used."
