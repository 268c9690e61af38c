"""Outputs flow down: who reads what of an environment, and who has to be deployed again when it changes."""

from __future__ import annotations

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, ENVIRONMENT_SCHEMA, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

SIZE_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.size]
}
"""
ALL_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs]
}
"""
GUARDED_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, try(var.environment.outputs.tier, "none")]
}
"""
LISTED_CODE = """\
output "zones" {
  value = [var.environment.inputs.zone, 1, true]
}

output "zone" {
  value = var.environment.inputs.zone
}
"""


@pytest.fixture
def readers(deployed: World) -> World:
    """As `deployed`, where orders/prod reads `zone`, with sized/prod that reads `size`, and all/prod that reads all."""
    deployed.publish("sized", deployed.service_bundle("sized", code=SIZE_CODE))
    deployed.publish("all", deployed.service_bundle("all", code=ALL_CODE))
    deployed.do("service", "create", "sized", "-t", "sized", "--env", "prod", "--auto-approve")
    deployed.do("service", "create", "all", "-t", "all", "--env", "prod", "--auto-approve")
    return deployed


def stale(world: World) -> list[tuple[str, list[str]]]:
    """Who has to be deployed again, and why."""
    return [(row["address"], row["stale"]) for row in world.rows("instance", "list", "--outdated")]


def test_nobody_is_stale_after_a_deployment(readers: World) -> None:
    assert stale(readers) == []


def test_exactly_those_who_read_an_output_that_changes_are_stale(readers: World) -> None:
    readers.do("env", "update", "prod", "--set", "size=2", "--auto-approve")

    assert stale(readers) == [
        ("service/all/prod", ["environment/prod size"]),
        ("service/sized/prod", ["environment/prod size"]),
    ]


def test_a_stale_instance_says_so_when_it_is_shown(readers: World) -> None:
    readers.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    text = readers.do("instance", "show", "orders/prod").out
    [orders] = [row for row in readers.rows("service", "list") if row["name"] == "orders"]

    assert "  stale              environment/prod zone\n" in text
    assert orders["stale_instances"] == 1


def test_a_stale_instance_gets_the_new_output_with_its_next_run(readers: World) -> None:
    readers.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    readers.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")

    assert stale(readers) == [("service/all/prod", ["environment/prod zone"])]
    assert readers.given("service/orders/prod")["environment"]["outputs"] == {"size": "1", "zone": "b"}


def test_an_output_that_goes_back_to_what_it_was_makes_nobody_stale(readers: World) -> None:
    readers.do("env", "update", "prod", "--set", "size=2", "--auto-approve")

    readers.do("env", "update", "prod", "--set", "size=1", "--auto-approve")

    assert stale(readers) == []


def test_a_run_of_the_environment_that_changes_no_output_makes_nobody_stale(readers: World) -> None:
    code = ENVIRONMENT_CODE + 'resource "terraform_data" "more" {\n}\n'
    readers.publish("lab", readers.environment_bundle(code=code), "--major", 1)

    readers.do("env", "update", "prod", "--auto-approve")

    assert stale(readers) == []


def test_those_who_are_behind_and_those_who_are_stale_are_in_one_list(readers: World) -> None:
    readers.publish("sized", readers.service_bundle("sized", code=SIZE_CODE), "--major", 1)

    readers.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    assert stale(readers) == [
        ("service/all/prod", ["environment/prod zone"]),
        ("service/orders/prod", ["environment/prod zone"]),
        ("service/sized/prod", []),
    ]
    assert readers.rows("instance", "list", "--outdated", "--limit", 1, "--after", "service/all/prod")[0]["name"] == (
        "prod"
    )


def test_an_output_that_appears_makes_those_stale_who_looked_for_it(deployed: World) -> None:
    deployed.publish("guarded", deployed.service_bundle("guarded", code=GUARDED_CODE))
    deployed.do("service", "create", "guarded", "-t", "guarded", "--env", "prod", "--auto-approve")
    code = ENVIRONMENT_CODE + 'output "tier" {\n  value = "gold"\n}\n'
    deployed.publish("lab", deployed.environment_bundle(code=code), "--major", 1)

    deployed.do("env", "update", "prod", "--auto-approve")

    assert stale(deployed) == [("service/guarded/prod", ["environment/prod tier"])]


def test_outputs_reach_services_as_text(world: World) -> None:
    world.publish("lists", world.environment_bundle("lists", code=LISTED_CODE + _SIZED))
    world.publish("web", world.service_bundle(environment="lists:1"))
    world.do("env", "create", "prod", "-t", "lists", "--auto-approve")

    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert world.given("service/orders/prod")["environment"]["outputs"] == {
        "size": "1",
        "zone": "a",
        "zones": '["a",1,true]',
    }


_SIZED = 'output "size" {\n  value = var.environment.inputs.size\n}\n'


def test_a_version_that_reads_what_the_environment_lacks_is_refused_naming_where(deployed: World) -> None:
    more = ENVIRONMENT_CODE + 'output "tier" {\n  value = "gold"\n}\n'
    deployed.publish("lab", deployed.environment_bundle(code=more), "--major", 1)
    code = SERVICE_CODE.replace("environment.outputs.zone", "environment.outputs.tier")
    deployed.publish("web", deployed.service_bundle(code=code), "--major", 1)

    created = deployed.run("service", "create", "shop", "-t", "web", "--env", "prod")
    updated = deployed.run("instance", "update", "orders/prod", "--version", "1.1")

    assert (created.code, updated.code) == (9, 9)
    assert updated.err == created.err
    assert created.err == (
        "Error: Environment prod (lab@1.0) has no output that web@1.1 needs:\n"
        "  environment.outputs.tier (read in instance_infrastructure/main.tf:5)\n"
        "Hint: Update the environment to a version that has it, or choose another one.\n"
    )


def test_a_service_is_refused_in_an_environment_it_is_not_made_for(deployed: World) -> None:
    schema = ENVIRONMENT_SCHEMA
    deployed.publish("lake", deployed.environment_bundle("lake", schema=schema))
    deployed.do("env", "create", "sea", "-t", "lake", "--auto-approve")

    result = deployed.run("service", "create", "shop", "-t", "web", "--env", "sea")

    assert result.code == 9
    assert result.err == (
        "Error: web@1.0 does not run in environments of lake:1, as sea is.\nHint: It runs in: lab:1.\n"
    )
    assert [row["name"] for row in deployed.rows("service", "list")] == ["orders"]
