"""A worker died: the next command says what is known, and no more than that."""

from __future__ import annotations

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


@pytest.fixture
def lost_plan(deployed: World) -> World:
    """As `deployed`, with an update of orders/prod as run 3, whose worker died while planning."""
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve", "--no-wait")
    workers.claim(deployed, 3, workers.dead())
    return deployed


@pytest.fixture
def lost_apply(deployed: World) -> World:
    """As `deployed`, with an update of orders/prod as run 3, whose worker died while applying."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, workers.dead())
    return deployed


def test_a_lost_plan_is_queued_again(lost_plan: World) -> None:
    [row] = lost_plan.rows("run", "list", "--limit", 1)

    assert (row["status"], row["next_actions"]) == ("queued", ["apply", "discard", "cancel"])
    assert row["message"].endswith(" died while planning.")


def test_a_lost_plan_is_made_again_by_whoever_carries_the_run_out(lost_plan: World) -> None:
    lost_plan.do("run", "apply", 3)

    run = lost_plan.row("run", "show", 3)
    assert (run["status"], run["attempt"], run["message"]) == ("succeeded", 2, "")
    assert lost_plan.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_a_lost_apply_is_interrupted_and_waits_for_a_decision(lost_apply: World) -> None:
    [row] = lost_apply.rows("run", "list", "--limit", 1)

    assert (row["status"], row["is_terminal"], row["waiting_on"]) == ("interrupted", False, "decision")
    assert row["next_actions"] == ["recover"]
    assert row["message"].endswith(" died while applying.")


def test_a_lost_apply_leaves_the_instance_on_what_is_known(lost_apply: World) -> None:
    instance = lost_apply.row("instance", "show", "orders/prod")

    assert (instance["status"], instance["inputs"], instance["last_run_id"]) == ("interrupted", {}, 3)


def test_an_interrupted_run_is_not_applied_again(lost_apply: World) -> None:
    applied = lost_apply.run("run", "apply", 3)
    approved = lost_apply.run("run", "approve", 3)

    assert (applied.code, approved.code) == (10, 9)
    assert applied.err == (
        "Error: Run 3 was interrupted: what it did is not known.\n"
        "Hint: See what is known, and decide: landform run recover 3\n"
    )
    assert "applying" not in lost_apply.do("run", "logs", 3).out


def test_a_retry_of_an_interrupted_run_plans_anew(lost_apply: World) -> None:
    result = lost_apply.run("run", "retry", 3)

    run = lost_apply.row("run", "show", 4)
    assert result.code == 3
    assert (run["status"], run["retry_of"], run["plan"]) == (
        "planned",
        3,
        "0 to add, 1 to change, 0 to destroy, 1 output changes.",
    )


def test_an_instance_whose_apply_was_lost_is_held_until_somebody_decides(lost_apply: World) -> None:
    result = lost_apply.run("instance", "update", "orders/prod", "--set", "port=82", "--yes")

    assert result.code == 10
    assert result.err == (
        "Error: service/orders/prod is held by run 3 (interrupted).\n"
        "Hint: See it: landform run show 3. Then: landform run recover 3\n"
    )


def test_an_instance_whose_apply_was_lost_can_be_deleted_once_somebody_has_decided(lost_apply: World) -> None:
    lost_apply.do("run", "recover", 3, "--mark", "failed", "--reason", "looked at it")

    lost_apply.do("instance", "update", "orders/prod", "--set", "port=82", "--yes")
    lost_apply.do("service", "delete", "orders", "--yes")

    assert lost_apply.rows("service", "list") == []


def test_a_run_of_a_living_worker_is_left_alone(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, workers.living())

    [row] = deployed.rows("run", "list", "--limit", 1)

    assert row["status"] == "planning"


def test_a_run_of_another_machine_is_left_alone(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, {**workers.dead(), "host": "elsewhere"})

    [row] = deployed.rows("run", "list", "--limit", 1)

    assert row["status"] == "planning"
