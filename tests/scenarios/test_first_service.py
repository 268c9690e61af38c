"""The main job: from a bundle to a running service and back."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def test_an_environments_outputs_flow_into_its_services(world: World) -> None:
    world.deployed()

    instance = world.row("instance", "show", "orders/prod")

    assert instance["status"] == "succeeded"
    assert instance["outputs"]["port"]["value"] == 80
    assert b'"zone": "a"' in world.state_bytes("service/orders/prod")


def test_a_service_with_its_environment_can_be_deleted(world: World) -> None:
    world.deployed()

    world.do("service", "delete", "orders", "--yes")
    world.do("env", "delete", "prod", "--yes")

    assert world.rows("service", "list") == []
    assert world.rows("env", "list") == []
    assert [run["operation"] for run in world.rows("run", "list")] == ["destroy", "destroy", "deploy", "deploy"]
