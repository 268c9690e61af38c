"""Runs that somebody wants stopped: those that wait are over at once; of others nothing runs on, the state is kept."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

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


@pytest.fixture
def stubborn(deployed: World) -> Iterator[tuple[World, subprocess.Popen[str]]]:
    """As `applying`, with an apply that does not stop when it is asked to."""
    slow.publish(deployed)
    with slow.applying(deployed) as landform, slow.frozen(deployed):
        yield deployed, landform


def test_a_plan_that_waits_for_approval_is_cancelled_at_once(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    [row] = deployed.rows("run", "cancel", 3)

    run = deployed.row("run", "show", 3)
    assert (row["status"], run["next_actions"]) == ("cancelled", ["retry"])
    assert run["message"].startswith("Cancelled by ")


def test_what_has_not_begun_is_cancelled_at_once(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")

    deployed.do("run", "cancel", 3)

    assert deployed.row("run", "show", 3)["status"] == "cancelled"
    assert deployed.do("instance", "update", "orders/prod", "--set", "port=82", "--auto-approve").code == 0


def test_what_is_approved_is_cancelled_at_once(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")

    deployed.do("run", "cancel", 3)

    assert deployed.row("run", "show", 3)["status"] == "cancelled"


def test_what_is_cancelled_can_be_cancelled_again(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    deployed.do("run", "cancel", 3)

    assert deployed.do("run", "cancel", 3).code == 0


def test_what_has_ended_cannot_be_cancelled_and_the_others_are_all_the_same(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")

    result = deployed.run("run", "cancel", 2, 3)

    assert result.code == 9
    assert "Error: Cannot cancel a run that is succeeded.\n" in result.err
    assert deployed.row("run", "show", 3)["status"] == "cancelled"


def test_an_apply_is_asked_to_stop_and_waited_for(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying
    terraform = workers.terraform_of(world, slow.ADDRESS, 3)

    [row] = world.rows("run", "cancel", 3)

    assert (row["status"], group_alive(terraform)) == ("cancelled", False)
    assert slow.finished(world) == ["first"]
    landform.communicate()
    assert landform.returncode == 7


def test_a_cancelled_apply_says_who_wanted_it_so(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, _ = applying

    world.do("run", "cancel", 3)

    run = world.row("run", "show", 3)
    assert run["cancelled_by"] == run["requested_by"]


def test_without_waiting_only_the_wish_is_recorded(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying

    [row] = world.rows("run", "cancel", 3, "--no-wait")

    assert row["cancel_requested_at"] is not None
    landform.communicate()
    assert world.row("run", "show", 3)["status"] == "cancelled"


def test_nothing_is_killed_that_nobody_has_asked_to_stop(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, _ = applying

    result = world.run("run", "cancel", 3, "--force")

    assert (result.code, result.err) == (
        4,
        "Error: Nobody has asked run 3 to stop yet: killed in mid-apply, it leaves what nobody can know.\n"
        "Hint: Ask first: landform run cancel 3\n",
    )
    assert world.row("run", "show", 3)["status"] == "applying"


def test_what_was_asked_just_now_is_not_killed_yet(stubborn: tuple[World, subprocess.Popen[str]]) -> None:
    world, _ = stubborn
    world.do("run", "cancel", 3, "--no-wait")

    result = world.run("run", "cancel", 3, "--force")

    assert result.code == 4
    assert result.err.endswith("Hint: Then: landform run cancel 3 --force\n")


def test_after_a_while_it_can_be_killed_and_what_it_did_is_not_known(
    stubborn: tuple[World, subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, landform = stubborn
    terraform = workers.terraform_of(world, slow.ADDRESS, 3)
    monkeypatch.setenv("LANDFORM_COOL_OFF_S", "0")
    world.do("run", "cancel", 3, "--no-wait")

    result = world.run("run", "cancel", 3, "--force")

    assert (result.code, result.err.splitlines()[-2:]) == (
        10,
        [
            "Error: Run 3 was stopped in mid-apply, and what it did is not known.",
            "Hint: See what is known, and decide: landform run recover 3",
        ],
    )
    assert group_alive(terraform) is False
    landform.communicate()
    assert landform.returncode == 10


def test_waiting_for_the_end_ends_with_the_time_given(stubborn: tuple[World, subprocess.Popen[str]]) -> None:
    world, _ = stubborn

    result = world.run("run", "cancel", 3, "--timeout", 1)

    assert (result.code, result.err.splitlines()[-2:]) == (
        124,
        [
            "Error: Run 3 did not stop within 1 seconds.",
            "Hint: Kill its Terraform: landform run cancel 3 --force",
        ],
    )


def test_of_a_run_whose_worker_is_dead_the_truth_is_told(applying: tuple[World, subprocess.Popen[str]]) -> None:
    world, landform = applying
    slow.lose(world, landform)

    result = world.run("run", "cancel", 3)

    assert (result.code, result.err.splitlines()[-2:]) == (
        10,
        [
            "Error: Run 3 was interrupted: what it did is not known.",
            "Hint: See what is known, and decide: landform run recover 3",
        ],
    )


def test_a_run_that_waits_in_line_is_cancelled_and_its_holder_goes_on(
    applying: tuple[World, subprocess.Popen[str]],
) -> None:
    world, landform = applying
    world.do("instance", "update", "slow/prod", "--set", "port=81", "--queue", "--no-wait")

    world.do("run", "cancel", 4)

    assert world.row("run", "show", 3)["status"] == "applying"
    slow.mend(world)
    assert landform.poll() is None
