"""The moments between two effects of a run come in order, for whoever stops a process there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import app, settings
from engine.worker.following import watch_nothing
from engine.worker.triggers import Point
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

PLANNING = [Point.WORKSPACE_WRITTEN, Point.PLAN_STARTED, Point.PLAN_MADE, Point.PLAN_KEPT]
APPLYING = [Point.APPLY_STARTED, Point.RESOURCE_DONE, Point.APPLY_ENDED, Point.STATE_HARVESTED]
FAILING = """\
resource "terraform_data" "failing" {
  provisioner "local-exec" {
    command = "exit 1"
  }
}
"""


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path / "work", tmp_path / "home")


def moments(world: World) -> list[Point]:
    """Those of run 1 that are the phases' own, as it is carried out now."""
    seen: list[Point] = []
    opened = app.build(settings.load(home=str(world.home)), seen.append)
    opened.executor.execute(1, app.stop(), watch_nothing)
    opened.close()
    return [point for point in seen if point in (*PLANNING, *APPLYING)]


def test_a_run_passes_every_moment_of_its_phases_once_and_in_order(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve", "--no-wait")

    assert moments(world) == [*PLANNING, *APPLYING]


def test_a_plan_that_waits_ends_with_having_been_kept(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")

    assert moments(world) == PLANNING


def test_the_state_of_an_apply_that_failed_is_harvested_too(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=FAILING))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve", "--no-wait")

    assert moments(world) == [*PLANNING, Point.APPLY_STARTED, Point.APPLY_ENDED, Point.STATE_HARVESTED]
