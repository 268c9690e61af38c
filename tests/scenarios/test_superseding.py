"""A newer change makes an older one pointless that nobody has begun and nobody has said yes to; both say so."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


@pytest.fixture
def held(deployed: World) -> World:
    """As `deployed`, where run 3 holds orders/prod with a plan that waits."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    return deployed


def statuses(world: World, *run_ids: int) -> list[str]:
    return [world.row("run", "show", run_id)["status"] for run_id in run_ids]


def test_a_plan_that_waits_for_approval_is_superseded(held: World) -> None:
    result = held.run("instance", "update", "orders/prod", "--set", "port=82")

    older, newer = held.row("run", "show", 3), held.row("run", "show", 4)
    assert result.code == 3
    assert "orders/prod: Supersedes run 3, whose plan was waiting for approval.\n" in result.err
    assert (older["status"], older["superseded_by"], older["message"]) == ("discarded", 4, "Superseded by run 4.")
    assert older["next_actions"] == []
    assert (newer["status"], newer["supersedes"]) == ("planned", 3)
    assert newer["message"] == "Supersedes run 3, whose plan was waiting for approval."


def test_both_say_so_to_people(held: World) -> None:
    held.run("instance", "update", "orders/prod", "--set", "port=82")

    assert "  superseded by      4\n" in held.do("run", "show", 3).out
    assert "  supersedes         3\n" in held.do("run", "show", 4).out


def test_a_yes_to_a_superseded_plan_names_the_newer_one(held: World) -> None:
    held.run("instance", "update", "orders/prod", "--set", "port=82")

    result = held.run("run", "approve", 3)

    assert (result.code, result.err) == (
        9,
        "Error: Cannot approve run 3: run 4 superseded it.\nHint: See the newer one: landform run show 4\n",
    )


def test_a_run_that_has_not_begun_is_superseded(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")

    deployed.do("instance", "update", "orders/prod", "--set", "port=82", "--yes")

    older, newer = deployed.row("run", "show", 3), deployed.row("run", "show", 4)
    assert (older["status"], older["message"]) == ("discarded", "Superseded by run 4.")
    assert (newer["status"], newer["message"]) == ("succeeded", "Supersedes run 3, which had not begun.")


def test_a_newer_change_starts_from_what_is_deployed(held: World) -> None:
    held.do("instance", "update", "orders/prod", "--set", "title=new", "--yes")

    assert held.row("instance", "show", "orders/prod")["inputs"] == {"title": "new"}


def test_what_somebody_said_yes_to_is_not_superseded(held: World) -> None:
    held.do("run", "approve", 3, "--no-wait")

    result = held.run("instance", "update", "orders/prod", "--set", "port=82")

    assert (result.code, statuses(held, 3)) == (6, ["approved"])


def test_what_has_some_of_its_approvals_is_superseded_all_the_same(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--rule", "approvals=2")
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.run("run", "approve", 3)

    result = deployed.run("instance", "update", "orders/prod", "--set", "port=82")

    assert (result.code, statuses(deployed, 3, 4)) == (3, ["discarded", "planned"])


def test_a_superseded_plan_is_neither_approved_nor_applied_nor_retried(held: World) -> None:
    held.run("instance", "update", "orders/prod", "--set", "port=82")

    approved, applied, retried = (held.run("run", verb, 3) for verb in ("approve", "apply", "retry"))

    assert (approved.code, applied.code, retried.code) == (9, 9, 9)
    assert retried.err == (
        "Error: Run 3 is not the last one of service/orders/prod: run 4 came after it.\n"
        "Hint: See what is there now: landform run show 4\n"
    )


def test_whoever_carries_out_what_is_superseded_meanwhile_is_told(held: World) -> None:
    """The run is there already, by its idempotency key, so that nothing new is asked for."""
    change = ("instance", "update", "orders/prod", "--set", "port=82", "--idempotency-key", "k")
    held.run(*change)
    held.run("instance", "update", "orders/prod", "--set", "port=83")

    result = held.run(*change)

    assert result.code == 7
    assert result.err == (
        "orders/prod: Superseded by run 5.\n"
        "Error: Run 4 came to nothing: a newer run superseded it.\n"
        "Hint: See which: landform run show 4\n"
    )


def test_what_is_deployed_stays_in_sight(held: World) -> None:
    held.run("instance", "update", "orders/prod", "--set", "port=82")
    held.do("run", "discard", 4)

    instance = held.row("instance", "show", "orders/prod")
    assert (instance["status"], instance["last_run_id"], instance["deployed_run_id"]) == ("succeeded", 2, 2)


def test_a_destroy_supersedes_an_update_and_the_other_way_round(held: World) -> None:
    held.run("service", "delete", "orders")
    held.do("instance", "update", "orders/prod", "--set", "port=82", "--yes")

    operations = [held.row("run", "show", run_id)["operation"] for run_id in (3, 4, 5)]
    assert operations == ["deploy", "destroy", "deploy"]
    assert statuses(held, 3, 4, 5) == ["discarded", "discarded", "succeeded"]


def test_a_service_that_is_deleted_twice_is_deleted_by_the_second(deployed: World) -> None:
    deployed.run("service", "delete", "orders")

    deployed.do("service", "delete", "orders", "--yes")

    assert statuses(deployed, 3, 4) == ["discarded", "succeeded"]
    assert deployed.rows("service", "list") == []


def test_an_edit_of_a_service_supersedes_the_plan_of_what_it_takes_away(deployed: World) -> None:
    one = "proton: ServiceSpec\ninstances: [{name: prod, environment: prod}]\n"
    both = one.replace("}]", "}, {name: two, environment: prod}]")
    deployed.do("service", "update", "orders", "-f", "-", "--yes", stdin=both)
    deployed.run("instance", "update", "orders/two", "--set", "port=81")

    deployed.do("service", "update", "orders", "-f", "-", "--yes", stdin=one)

    assert statuses(deployed, 4, 5) == ["discarded", "succeeded"]
    assert [row["name"] for row in deployed.rows("instance", "list")] == ["prod"]


def test_the_plan_of_an_environment_is_superseded_too(deployed: World) -> None:
    deployed.run("env", "update", "prod", "--set", "size=2")

    deployed.do("env", "update", "prod", "--set", "size=3", "--yes")

    assert statuses(deployed, 3, 4) == ["discarded", "succeeded"]
    assert deployed.row("env", "show", "prod")["inputs"] == {"size": 3}


def test_the_first_run_of_an_instance_can_be_superseded(deployed: World) -> None:
    deployed.run("service", "create", "shop", "-t", "web", "--env", "prod", "--set", "port=81")

    deployed.do("instance", "update", "shop/prod", "--set", "title=new", "--yes")

    assert statuses(deployed, 3, 4) == ["discarded", "succeeded"]
    assert deployed.row("instance", "show", "shop/prod")["inputs"] == {"port": 81, "title": "new"}


def test_with_queue_nothing_is_superseded(held: World) -> None:
    held.do("instance", "update", "orders/prod", "--set", "title=new", "--queue", "--no-wait")

    assert statuses(held, 3, 4) == ["planned", "queued"]
    assert held.row("run", "show", 4)["supersedes"] is None


def test_a_change_that_is_refused_supersedes_nothing(held: World) -> None:
    result = held.run("instance", "update", "orders/prod", "--set", "port=0")

    assert (result.code, statuses(held, 3)) == (1, ["planned"])
