"""Options of every command, and what is said where there is nothing yet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def test_every_flag_has_a_variable(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_ENV_LIST_OUTPUT", "name")

    assert deployed.do("env", "list").out == "prod\n"


def test_a_flag_goes_before_its_variable(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_ENV_LIST_OUTPUT", "name")

    assert json.loads(deployed.do("env", "list", "-o", "json").out)["schema"] == "landform.environment/1"


def test_a_home_that_is_not_there_is_said_to_be_empty_for_that_reason(world: World, tmp_path: Path) -> None:
    nowhere = World(world.root, tmp_path / "nowhere")

    result = nowhere.do("env", "list", "-o", "name")

    assert (result.out, result.err) == ("", f"There is no home at {tmp_path / 'nowhere'} yet.\n")


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_the_result_of_a_failed_run_is_on_stdout_all_the_same(deployed: World, output: str) -> None:
    result = deployed.run("instance", "update", "orders/prod", "--set", "port=81", "-o", output)

    assert result.code == 3
    assert "landform.run/1" in result.out
    assert "planned" in result.out
