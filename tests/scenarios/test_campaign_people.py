"""What people do in the middle of a campaign, and what it does with what they did."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine import app, settings
from engine.core.runs import Event
from tests.scenarios.workers import claim, living
from tests.scenarios.world import SERVICE_CODE, World

SLOW = (
    SERVICE_CODE
    + """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "sleep 1.5"
  }
}
"""
)
QUICK = ("--auto-approve", "--concurrency", "1")


@pytest.fixture(scope="module")
def fleet_home(tmp_path_factory: pytest.TempPathFactory, new_home: Path) -> Path:
    """Services a and b of web@1.0 in prod; web@1.1 changes nothing, web@1.2 takes its time."""
    root = tmp_path_factory.mktemp("fleet")
    shutil.copytree(new_home, root / "home")
    world = World(root, root / "home")
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    for name in ("a", "b"):
        world.do("service", "create", name, "-t", "web", "--env", "prod", "--auto-approve")
    for code in (SERVICE_CODE + "\n", SLOW):
        world.publish("web", world.service_bundle(code=code), "--major", 1)
    return world.home


@pytest.fixture
def fleet(tmp_path: Path, fleet_home: Path) -> World:
    shutil.copytree(fleet_home, tmp_path / "home", symlinks=True)
    return World(tmp_path, tmp_path / "home")


def standing(world: World, campaign: int) -> tuple[str, dict[str, int]]:
    row = world.row("campaign", "status", campaign)
    return row["status"], row["statuses"]


def tamper(world: World, statement: str) -> None:
    with closing(sqlite3.connect(world.home / "catalog.db")) as catalog, catalog:
        catalog.execute(statement)


@pytest.mark.terraform
def test_what_was_not_well_is_asked_again_and_belongs_to_what_is_taken_back(fleet: World) -> None:
    sign = fleet.root / "well"
    ask = ("--health-command", f"test -e {sign}", "--health-timeout", "1s")
    halted = fleet.run("campaign", "start", "web@1.1", *ask, *QUICK)
    again = fleet.run("campaign", "retry", 1)
    runs = fleet.rows("run", "list", "a/prod")
    sign.touch()
    fleet.do("campaign", "retry", 1)
    sign.unlink()
    fleet.run("campaign", "rollback", 1, *ask, *QUICK)

    taken_back = fleet.row("campaign", "rollback", 2, "--no-wait")["steps"]

    assert (halted.code, again.code, len(runs)) == (1, 1, 2)
    assert standing(fleet, 1) == ("succeeded", {"succeeded": 2})
    assert standing(fleet, 2) == ("aborted", {"failed": 1, "called off": 1})
    assert [(step["address"], step["template_before"]) for step in taken_back] == [("service/b/prod", "web@1.0")]


@pytest.mark.terraform
def test_a_campaign_supersedes_nobodys_plan_and_ends_with_waiting_for_it(fleet: World) -> None:
    fleet.run("instance", "update", "a/prod", "--set", "port=81")

    waiting = fleet.run("campaign", "start", "web@1.1", *QUICK)
    fleet.do("run", "approve", 4)
    fleet.do("campaign", "resume", 1)

    assert waiting.code == 3
    assert "Waiting: Campaign 1 waits for people. service/a/prod is held by run 4 (planned).\n" in waiting.err
    assert standing(fleet, 1) == ("succeeded", {"succeeded": 2})
    found = fleet.row("instance", "show", "a/prod")
    assert (found["version"], found["inputs"]) == ("1.1", {"port": 81})


@pytest.mark.terraform
def test_a_rollback_leaves_alone_what_was_changed_after_it_was_asked_for(fleet: World) -> None:
    fleet.do("campaign", "start", "web@1.1", *QUICK)
    fleet.do("campaign", "rollback", 1, "--no-wait", *QUICK)
    fleet.do("instance", "update", "a/prod", "--set", "port=81", "--auto-approve")

    fleet.do("campaign", "resume", 2)

    steps = [(step["address"], step["message"]) for step in fleet.row("campaign", "status", 2)["steps"]]
    assert steps == [("service/b/prod", ""), ("service/a/prod", "It was changed since, by run 6.")]
    assert fleet.row("instance", "show", "a/prod")["inputs"] == {"port": 81}


@pytest.mark.terraform
def test_when_the_time_is_up_what_has_begun_comes_to_its_end(fleet: World) -> None:
    late = fleet.run("campaign", "start", "web@1.2", "--timeout", 1, *QUICK)

    assert (late.code, standing(fleet, 1)) == (124, ("paused", {"succeeded": 1, "pending": 1}))
    assert "Time is up: finishing what is under way.\n" in late.err


def test_no_retry_takes_an_instance_from_another_campaign(fleet: World) -> None:
    fleet.do("campaign", "start", "web@1.1", "--max-failures", 2, "--no-wait")
    tamper(fleet, "UPDATE step SET status = 'failed' WHERE position = 0")
    fleet.do("campaign", "start", "web@1.2", "--select", "service=a", "--no-wait")

    refused = fleet.run("campaign", "retry", 1, "-o", "json")

    assert (refused.code, refused.error["message"]) == (9, "Another campaign has service/a/prod: campaign 2.")


def test_one_refusal_too_many_is_the_last_one(fleet: World) -> None:
    fleet.do("campaign", "start", "web@1.1", "--no-wait")
    tamper(fleet, "UPDATE version SET status = 'failed' WHERE minor = 1")

    fleet.run("campaign", "resume", 1)

    assert standing(fleet, 1) == ("halted", {"failed": 1, "pending": 1})


def test_what_was_being_planned_when_a_campaign_was_aborted_is_discarded_once_nobody_works_on_it(fleet: World) -> None:
    fleet.do("campaign", "start", "web@1.1", "--concurrency", 1, "--no-wait")
    opened = app.build(settings.load(home=str(fleet.home)))
    opened.driver().advance(1)
    claim(fleet, 4, living())

    fleet.do("campaign", "abort", 1)
    before = standing(fleet, 1)
    with opened.catalog.write() as tx:
        tx.move(4, Event.LOSE)
    opened.driver().advance(1)
    opened.close()

    assert before == ("aborted", {"running": 1, "called off": 1})
    assert standing(fleet, 1) == ("aborted", {"called off": 2})
    assert fleet.row("run", "show", 4)["status"] == "discarded"
