"""One damaged thing in a home stops nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


@pytest.fixture
def lost(deployed: World) -> Path:
    """The folder of run 3 of orders/prod, whose worker died in its apply."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, workers.dead())
    return deployed.home / "service/orders/prod/runs/3"


@pytest.mark.parametrize("text", ["", "not json", "[]"])
def test_a_note_of_a_process_that_cannot_be_read_is_as_good_as_none(deployed: World, lost: Path, text: str) -> None:
    (lost / "process.json").write_text(text)

    deployed.do("env", "create", "dev", "-t", "lab", "--auto-approve")

    assert deployed.row("run", "show", 3)["status"] == "interrupted"


def test_a_run_folder_behind_a_link_stops_only_its_own_instance(deployed: World, lost: Path) -> None:
    lost.parent.rename(lost.parent.with_name("elsewhere"))
    lost.parent.symlink_to(lost.parent.with_name("elsewhere"))

    deployed.do("env", "create", "dev", "-t", "lab", "--auto-approve")

    assert deployed.row("env", "show", "dev")["status"] == "succeeded"


def test_a_workspace_that_cannot_be_removed_undoes_no_delete(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")
    (deployed.home / "environment/prod/.landform.removed").symlink_to(deployed.root)

    result = deployed.run("env", "delete", "prod", "--yes", "-o", "json")

    assert (result.code, result.json["items"][0]["status"]) == (0, "succeeded")
    assert deployed.rows("env", "list") == []
