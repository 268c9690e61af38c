"""Adding instances to a service and taking them away, all by one spec that lists those that shall be there."""

from __future__ import annotations

import pytest

from tests.scenarios.world import SERVICE_CODE, World

pytestmark = pytest.mark.terraform

ONE = "- name: one\n  environment: prod\n  spec:\n    port: 8001\n"
TWO = "- name: two\n  environment: prod\n  spec: {}\n"
THREE = "- name: three\n  environment: prod\n  spec: {}\n"
FRAGILE_CODE = SERVICE_CODE.replace(
    "\n  }\n}\n",
    """
  }

  lifecycle {
    precondition {
      condition     = var.service_instance.inputs.title != "bad"
      error_message = "The title is bad."
    }
  }
}
""",
    1,
)


def spec(*entries: str) -> str:
    """A ServiceSpec of these instances."""
    return "proton: ServiceSpec\ninstances:\n" + "".join(entries)


@pytest.fixture
def shop(deployed: World) -> World:
    """As `deployed`, and service `shop` of fragile@1.0 with instances one and two; its runs are 3 and 4."""
    deployed.publish("fragile", deployed.service_bundle("fragile", code=FRAGILE_CODE))
    deployed.do("service", "create", "shop", "-t", "fragile", "-f", "-", "--auto-approve", stdin=spec(ONE, TWO))
    return deployed


def instances(world: World) -> list[tuple[str, str]]:
    """Name and status of every instance of the service."""
    return [(row["name"], row["status"]) for row in world.rows("instance", "list", "--service", "shop")]


def runs(world: World) -> list[tuple[str, str, str]]:
    """What was done after the service had been created, oldest first."""
    found = [run for run in world.rows("run", "list") if run["id"] > 4]
    return [(run["address"], run["operation"], run["status"]) for run in reversed(found)]


def test_a_service_has_no_more_instances_than_the_setting_allows(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_INSTANCES_PER_SERVICE", "2")

    grown = shop.run("service", "update", "shop", "-f", "-", "-o", "json", stdin=spec(ONE, TWO, THREE))
    new = shop.run("service", "create", "mall", "-t", "fragile", "-f", "-", "-o", "json", stdin=spec(ONE, TWO, THREE))
    shop.do("service", "update", "shop", "-f", "-", "--auto-approve", "--allow-destroy", stdin=spec(ONE, THREE))

    assert (grown.code, new.code) == (4, 4)
    assert grown.error["message"] == "Service shop would have 3 instances; 2 are the most."
    assert new.error["message"] == "Service mall would have 3 instances; 2 are the most."
    assert new.error["hint"] == "Make another service, or raise the setting instances_per_service."
    assert [row["name"] for row in shop.rows("service", "list")] == ["orders", "shop"]


def test_an_instance_that_the_spec_has_more_is_created(shop: World) -> None:
    shop.do("service", "update", "shop", "-f", "-", "--auto-approve", stdin=spec(ONE, TWO, THREE))

    assert instances(shop) == [("one", "succeeded"), ("three", "succeeded"), ("two", "succeeded")]
    assert runs(shop) == [("service/shop/three", "deploy", "succeeded")]


def test_an_instance_that_the_spec_has_no_longer_is_destroyed(shop: World) -> None:
    shop.do("service", "update", "shop", "-f", "-", "--yes", stdin=spec(ONE))

    assert instances(shop) == [("one", "succeeded")]
    assert runs(shop) == [("service/shop/two", "destroy", "succeeded")]
    assert not (shop.home / "service/shop/two/workspace").exists()


def test_a_destroy_waits_for_approval(shop: World) -> None:
    result = shop.run("service", "update", "shop", "-f", "-", "--auto-approve", stdin=spec(ONE))

    assert result.code == 3
    assert instances(shop) == [("one", "succeeded"), ("two", "planned")]


def test_destroys_begin_after_the_new_instances_have_succeeded(shop: World) -> None:
    shop.do("service", "update", "shop", "-f", "-", "--yes", stdin=spec(ONE, THREE))

    [destroy, create] = [shop.row("run", "show", number) for number in (6, 5)]
    assert (create["address"], destroy["address"]) == ("service/shop/three", "service/shop/two")
    assert destroy["planned_at"] > create["ended_at"]


def test_workers_begin_destroys_after_the_new_instances_have_succeeded(shop: World) -> None:
    shop.do("service", "update", "shop", "-f", "-", "--yes", "--no-wait", stdin=spec(ONE, THREE))
    [waits] = shop.row("run", "explain", 6)["obstacles"][:1]
    assert waits["text"] == "begins after run 5, which is queued"

    shop.do("worker", "run", "--once", "--parallel", 4)

    [destroy, create] = [shop.row("run", "show", number) for number in (6, 5)]
    assert (create["status"], destroy["status"]) == ("succeeded", "succeeded")
    assert destroy["planned_at"] > create["ended_at"]


def test_destroys_stay_queued_while_a_new_instance_waits_for_approval(shop: World) -> None:
    result = shop.run("service", "update", "shop", "-f", "-", stdin=spec(ONE, THREE))

    assert result.code == 3
    assert instances(shop) == [("one", "succeeded"), ("three", "planned"), ("two", "queued")]


def test_an_edit_that_waits_is_carried_out_step_by_step(shop: World) -> None:
    shop.run("service", "update", "shop", "-f", "-", stdin=spec(ONE, THREE))

    shop.do("run", "approve", 5)
    shop.do("run", "apply", 6, "--yes")

    assert runs(shop) == [("service/shop/three", "deploy", "succeeded"), ("service/shop/two", "destroy", "succeeded")]


def test_nothing_is_destroyed_when_a_new_instance_fails(shop: World) -> None:
    bad = THREE.replace("{}", "{title: bad}")

    result = shop.run("service", "update", "shop", "-f", "-", "--yes", stdin=spec(ONE, bad))

    assert result.code == 1
    assert instances(shop) == [("one", "succeeded"), ("three", "failed"), ("two", "succeeded")]
    assert runs(shop) == [("service/shop/three", "deploy", "failed"), ("service/shop/two", "destroy", "discarded")]
    assert (shop.home / "service/shop/two/workspace/terraform.tfstate.sealed").exists()


def test_an_edit_that_failed_can_be_repeated_with_what_is_right(shop: World) -> None:
    bad = THREE.replace("{}", "{title: bad}")
    shop.run("service", "update", "shop", "-f", "-", "--yes", stdin=spec(ONE, bad))
    shop.do("instance", "update", "shop/three", "--set", "title=good", "--yes")
    stored = shop.do("service", "spec", "shop").out

    shop.do("service", "update", "shop", "-f", "-", "--yes", stdin=stored.replace(TWO, ""))

    assert instances(shop) == [("one", "succeeded"), ("three", "succeeded")]


def test_an_instance_that_stays_may_not_change(shop: World) -> None:
    changed = ONE.replace("8001", "8002")

    result = shop.run("service", "update", "shop", "-f", "-", stdin=spec(changed, TWO, THREE))

    assert result.code == 1
    assert result.err == (
        "Error: The spec cannot be applied to service shop:\n"
        "  standard input:6: instances[0].spec.port: "
        "cannot change here: an edit of the service adds and removes instances.\n"
        "    Update instance one by itself.\n"
    )
    assert runs(shop) == []


def test_an_instance_that_stays_may_be_written_with_its_current_values(shop: World) -> None:
    kept = ONE.replace("8001", '"${Proton::CURRENT_VAL}"')

    shop.do("service", "update", "shop", "-f", "-", "--auto-approve", stdin=spec(kept, TWO, THREE))

    assert runs(shop) == [("service/shop/three", "deploy", "succeeded")]


def test_the_last_instance_cannot_be_removed_by_an_edit(shop: World) -> None:
    result = shop.run("service", "update", "shop", "-f", "-", "--yes", stdin="proton: ServiceSpec\ninstances: []\n")

    assert result.code == 1
    assert result.err.splitlines()[1:] == [
        "  standard input:2: instances: must keep at least one instance.",
        "    Delete the service instead.",
    ]


def test_the_last_instance_cannot_be_deleted(shop: World) -> None:
    one = shop.run("instance", "delete", "orders/prod", "--yes")
    both = shop.run("instance", "delete", "shop/one", "shop/two", "--yes")

    assert (one.code, both.code) == (9, 9)
    assert one.err == (
        "Error: orders/prod is the last instance of service orders; one must stay.\n"
        "Hint: Delete the service: landform service delete orders\n"
    )
    assert runs(shop) == []


def test_an_instance_is_deleted_by_a_plan_and_its_apply(shop: World) -> None:
    planned = shop.run("instance", "delete", "shop/two")
    before = instances(shop)

    shop.do("run", "approve", 5)

    assert planned.code == 3
    assert before == [("one", "succeeded"), ("two", "planned")]
    assert instances(shop) == [("one", "succeeded")]


def test_an_instance_that_is_being_deleted_does_not_count_as_one_that_stays(shop: World) -> None:
    shop.run("instance", "delete", "shop/two")

    result = shop.run("instance", "delete", "shop/one", "--yes")

    assert result.code == 9


def test_a_new_instance_gets_the_recommended_minor_version_of_the_services_major(shop: World) -> None:
    bundle = shop.service_bundle("fragile", code=FRAGILE_CODE)
    shop.publish("fragile", bundle, "--major", 1)
    shop.publish("fragile", bundle, "--new-major")

    shop.do("service", "update", "shop", "-f", "-", "--auto-approve", stdin=spec(ONE, TWO, THREE))

    assert [(row["name"], row["version"]) for row in shop.rows("instance", "list", "--service", "shop")] == [
        ("one", "1.0"),
        ("three", "1.1"),
        ("two", "1.0"),
    ]


def test_an_environment_that_something_lives_in_cannot_be_deleted(shop: World) -> None:
    result = shop.run("env", "delete", "prod", "--yes")

    assert result.code == 9
    assert result.err == (
        "Error: Environment prod is in use by orders/prod, shop/one and shop/two.\n"
        "Hint: Delete them first: landform service delete orders and landform service delete shop\n"
    )
