"""Processes that are stopped or killed while Terraform applies: nothing runs on, is lost, or is made up."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.external.process import group_alive
from tests.scenarios import slow, workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


@pytest.fixture
def applying(deployed: World) -> Iterator[tuple[World, subprocess.Popen[str]]]:
    """As `deployed`, with a process in the middle of applying run 3, the first of slow/prod."""
    slow.publish(deployed)
    with slow.applying(deployed) as landform:
        yield deployed, landform


def test_no_terraform_is_left_when_landform_is_killed(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying
    terraform = workers.terraform_of(world, slow.ADDRESS, 3)

    landform.kill()
    landform.wait()

    workers.until(lambda: not group_alive(terraform))


def test_a_killed_apply_is_told_as_interrupted_with_its_state_kept(
    applying: tuple[World, subprocess.Popen[str]],
) -> None:
    world, landform = applying
    slow.lose(world, landform)

    [run] = world.rows("run", "list", "--limit", 1)

    assert (run["status"], run["message"]) == ("interrupted", f"process {landform.pid} died while applying.")
    assert slow.finished(world) == ["first"]


def test_a_killed_apply_can_be_retried_and_goes_on_from_its_state(
    applying: tuple[World, subprocess.Popen[str]],
) -> None:
    world, landform = applying
    slow.lose(world, landform)
    slow.mend(world)

    world.do("run", "retry", 3, "--yes")

    run = world.row("run", "show", 4)
    assert (run["status"], [change["address"] for change in run["summary"]["changes"]]) == (
        "succeeded",
        ["terraform_data.slow"],
    )
    assert slow.finished(world) == ["first", "slow"]


def test_a_killed_apply_can_be_destroyed(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying
    slow.lose(world, landform)
    world.do("run", "recover", 3, "--mark", "failed", "--reason", "killed")

    world.do("service", "delete", "slow", "--yes")

    assert [row["name"] for row in world.rows("service", "list")] == ["orders"]
    assert not Path(world.home / slow.WORKSPACE).exists()


def test_ctrl_c_ends_a_run_as_cancelled(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying

    landform.send_signal(signal.SIGINT)
    _, said = landform.communicate()

    run = world.row("run", "show", 3)
    assert landform.returncode == 7
    assert "Asking Terraform to stop; a third signal kills it.\n" in said
    assert said.endswith("Error: Run 3 stopped because you asked.\nHint: Start again: landform run retry 3\n")
    assert (run["status"], run["next_actions"]) == ("cancelled", ["retry"])
    assert slow.finished(world) == ["first"]
    assert not group_alive(workers.terraform_of(world, slow.ADDRESS, 3))


def test_a_cancelled_run_can_be_retried(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying
    landform.send_signal(signal.SIGINT)
    landform.wait()
    slow.mend(world)

    world.do("run", "retry", 3, "--yes")

    assert world.row("instance", "show", "slow/prod")["outputs"]["port"]["value"] == 80


def test_an_apply_whose_terraform_is_killed_ends_interrupted(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying

    os.kill(workers.terraform_of(world, slow.ADDRESS, 3), signal.SIGKILL)
    landform.communicate()

    run = world.row("run", "show", 3)
    assert landform.returncode == 10
    assert (run["status"], run["message"]) == (
        "interrupted",
        "terraform apply was killed: what it was doing then is not known.",
    )
    assert slow.finished(world) == ["first"]
    assert not group_alive(workers.terraform_of(world, slow.ADDRESS, 3))


def test_while_a_run_is_applied_others_see_so(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying

    [run] = world.rows("run", "list", "--limit", 1)
    update = world.run("instance", "update", "slow/prod", "--set", "port=81")

    assert (run["status"], run["is_terminal"], run["waiting_on"]) == ("applying", False, "")
    assert (update.code, update.err.splitlines()[0]) == (
        6,
        "Error: service/slow/prod is held by run 3 (applying).",
    )
    assert landform.poll() is None


@pytest.fixture
def preparing(deployed: World) -> Iterator[World]:
    """As `deployed`, and web@1.1 has to be prepared while another process prepares something."""
    deployed.publish("web", deployed.service_bundle(code=slow.CODE), "--major", 1, "--force")
    with (deployed.home / "prepared" / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield deployed


def test_ctrl_c_ends_waiting_for_another_process_that_prepares_a_version(preparing: World) -> None:
    with workers.start(preparing, "instance", "update", "orders/prod", "--auto-approve") as landform:
        workers.until(lambda: preparing.rows("run", "list", "--limit", 1)[0]["status"] == "planning")
        landform.send_signal(signal.SIGINT)
        landform.communicate()

    run = preparing.row("run", "show", 3)
    assert (landform.returncode, run["status"]) == (7, "cancelled")
    assert run["message"] == "Stopped while another process was preparing a template version."


def test_waiting_for_another_process_that_prepares_a_version_ends_with_the_time_given(preparing: World) -> None:
    result = preparing.run("instance", "update", "orders/prod", "--auto-approve", "--timeout", "1")

    assert (result.code, preparing.row("run", "show", 3)["status"]) == (124, "cancelled")


def test_a_third_signal_kills_what_does_not_stop_and_says_that_nobody_knows(deployed: World) -> None:
    slow.publish(deployed)
    with slow.applying(deployed) as landform, slow.frozen(deployed) as terraform:
        heard = iter(landform.stderr or ())
        landform.send_signal(signal.SIGINT)
        asked = next(line for line in heard if line.startswith("Asking"))
        landform.send_signal(signal.SIGTERM)
        reminded = next(line for line in heard if line.startswith("Terraform has"))
        landform.send_signal(signal.SIGTERM)
        said = landform.communicate()[1]

    assert (asked, reminded) == (
        "Asking Terraform to stop; a third signal kills it.\n",
        "Terraform has been asked to stop and is not done yet. Once more kills it.\n",
    )
    assert "Killing Terraform. Its state is kept.\n" in said
    assert (landform.returncode, deployed.row("run", "show", 3)["status"]) == (10, "interrupted")
    assert group_alive(terraform) is False
    assert slow.finished(deployed) == ["first"]
