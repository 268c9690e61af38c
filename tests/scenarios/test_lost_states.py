"""A state that is not where it was left: never taken for one without resources, whatever is asked."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.external.process import group_alive
from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

NOTHING_YET = """\
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch started; [ -e ready ] || exec sleep 120"
  }
}
"""
FAILING = """\
resource "terraform_data" "first" {
  provisioner "local-exec" {
    command = "exit 1"
  }
}
"""
LEAVES_A_STATE = """\
resource "terraform_data" "app" {
  provisioner "local-exec" {
    when    = destroy
    command = "cp terraform.tfstate errored.tfstate"
  }
}
"""
ORDERS = "service/orders/prod"
DELETE = ("service", "delete", "orders", "--yes")
DEPLOY = ("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")


def workspace(world: World, address: str = ORDERS) -> Path:
    return world.home / address / "workspace"


def forget_kept_states(world: World) -> None:
    """Makes the home one of a time when states were not kept."""
    with closing(sqlite3.connect(world.home / "catalog.db")) as catalog, catalog:
        catalog.execute("DELETE FROM stateversion")


def to_nowhere(state: Path) -> None:
    state.unlink()


def to_nothing(state: Path) -> None:
    os.truncate(state, 0)


def to_another_place(state: Path) -> None:
    state.rename(state.with_name("errored.tfstate"))


def to_another_workspace(state: Path) -> None:
    folder = state.parent / "terraform.tfstate.d" / "evil"
    folder.mkdir(parents=True)
    state.rename(folder / state.name)


LOSSES = [
    (to_another_place, "errored.tfstate holds the state that Terraform could not write to its place"),
    (to_another_workspace, "terraform.tfstate.d holds the state of another Terraform workspace than default"),
]


@pytest.mark.parametrize("command", [DELETE, DEPLOY])
@pytest.mark.parametrize(("lose", "why"), LOSSES)
def test_a_state_that_is_not_in_its_place_stops_every_run(
    deployed: World, lose: Callable[[Path], None], why: str, command: tuple[str, ...]
) -> None:
    lose(deployed.lay_open(ORDERS))

    result = deployed.run(*command)

    run = deployed.row("run", "show", 3)
    assert (result.code, run["status"], run["summary"]) == (1, "failed", None)
    expected = f"{workspace(deployed)}/{why}: nothing is planned or removed until that is cleared up. "
    assert run["message"].startswith(expected)
    assert expected in result.err
    assert [row["name"] for row in deployed.rows("instance", "list")] == ["prod"]
    assert (workspace(deployed) / "main.tf").exists()


@pytest.mark.parametrize("lose", [to_nowhere, to_nothing])
def test_a_state_that_is_lost_is_put_back_as_it_was_kept(deployed: World, lose: Callable[[Path], None]) -> None:
    before = deployed.state_bytes(ORDERS)
    lose(deployed.lay_open(ORDERS))

    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    assert deployed.state_bytes(ORDERS) == before
    assert deployed.row("run", "show", 3)["changes"] == {"add": 0, "change": 1, "destroy": 0}


@pytest.mark.parametrize("command", [DELETE, DEPLOY])
def test_a_state_that_is_lost_and_was_never_kept_stops_every_run(deployed: World, command: tuple[str, ...]) -> None:
    forget_kept_states(deployed)
    deployed.lay_open(ORDERS).unlink()

    result = deployed.run(*command)

    why = "terraform.tfstate, which Terraform has written, is missing or empty"
    expected = f"{workspace(deployed)}/{why}: nothing is planned or removed until that is cleared up. "
    assert (result.code, deployed.row("run", "show", 3)["status"]) == (1, "failed")
    assert expected in result.err


def test_a_state_from_before_states_were_kept_is_kept_with_the_next_plan(deployed: World) -> None:
    forget_kept_states(deployed)

    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    assert [(row["run_id"], row["note"]) for row in deployed.rows("state", "list", "orders/prod")] == [
        (3, "found before a plan")
    ]


def test_a_state_that_is_put_back_is_gone_on_with(deployed: World) -> None:
    state = deployed.lay_open(ORDERS)
    state.rename(state.with_name("errored.tfstate"))
    deployed.run(*DELETE)
    state.with_name("errored.tfstate").rename(state)

    deployed.do("run", "retry", 3, "--yes")

    assert deployed.row("run", "show", 4)["changes"]["destroy"] == 1
    assert not workspace(deployed).exists()


def test_the_state_of_a_first_deployment_that_failed_is_kept_too(deployed: World) -> None:
    deployed.publish("failing", deployed.service_bundle("failing", code=FAILING))
    deployed.run("service", "create", "shop", "-t", "failing", "--env", "prod", "--yes")
    deployed.lay_open("service/shop/prod").unlink()

    deployed.do("service", "delete", "shop", "--yes")

    assert deployed.row("run", "show", 4)["changes"]["destroy"] == 1


def test_the_state_of_a_former_instance_is_not_missed(deployed: World) -> None:
    deployed.do(*DELETE)

    deployed.do("service", "create", "orders", "-t", "web", "--env", "prod", "--yes")

    assert deployed.row("run", "show", 4)["status"] == "succeeded"


def test_a_plan_that_was_found_stale_leaves_no_state_that_could_be_missed(deployed: World) -> None:
    deployed.run("service", "create", "shop", "-t", "web", "--env", "prod")
    deployed.do("env", "update", "prod", "--set", "zone=b", "--yes")
    stale = deployed.run("run", "approve", 3)

    deployed.do("service", "delete", "shop", "--yes")

    assert (stale.code, deployed.row("run", "show", 3)["applied_at"] is None) == (5, False)
    assert deployed.row("run", "show", 5)["plan"] == "No changes."


def test_a_first_apply_that_was_killed_before_its_first_resource_was_done_can_be_retried(deployed: World) -> None:
    deployed.publish("slow", deployed.service_bundle("slow", code=NOTHING_YET))
    create = ("service", "create", "slow", "-t", "slow", "--env", "prod", "--auto-approve")
    with workers.start(deployed, *create) as landform:
        workers.until((workspace(deployed, "service/slow/prod") / "started").exists)
        terraform = workers.terraform_of(deployed, "service/slow/prod", 3)
        os.killpg(terraform, 9)
        landform.communicate()
    workers.until(lambda: not group_alive(terraform))
    (workspace(deployed, "service/slow/prod") / "ready").touch()

    deployed.do("run", "retry", 3, "--yes")

    assert deployed.row("run", "show", 3)["status"] == "failed"
    assert deployed.row("run", "show", 4)["status"] == "succeeded"


def test_a_destroy_that_leaves_a_state_behind_keeps_the_instance(deployed: World) -> None:
    deployed.publish("leaver", deployed.service_bundle("leaver", code=LEAVES_A_STATE))
    deployed.do("service", "create", "shop", "-t", "leaver", "--env", "prod", "--yes")

    result = deployed.run("service", "delete", "shop", "--yes")

    assert (result.code, deployed.row("run", "show", 4)["status"]) == (1, "failed")
    assert [row["name"] for row in deployed.rows("service", "list")] == ["orders", "shop"]
    assert (workspace(deployed, "service/shop/prod") / "errored.tfstate").exists()


def test_a_state_that_a_new_instance_has_not_written_is_left_alone(deployed: World) -> None:
    other = workspace(deployed, "service/shop/prod")
    other.mkdir(parents=True)
    shutil.copy(deployed.lay_open(ORDERS), other)

    result = deployed.run("service", "create", "shop", "-t", "web", "--env", "prod", "--yes")

    assert result.code == 1
    assert "which does not follow any that was kept: nothing is planned" in deployed.row("run", "show", 3)["message"]
    deployed.do("state", "harvest", "service/shop/prod")
    deployed.do("run", "retry", 3, "--yes")
