"""Failure ends a run, never an instance: what can be done after a deployment that did not succeed."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

FRAGILE = """\
resource "terraform_data" "first" {
  input = var.service_instance.inputs.title
}

resource "terraform_data" "app" {
  input = var.service_instance.inputs.port

  lifecycle {
    precondition {
      condition     = terraform_data.first.output != "bad"
      error_message = "The title is bad."
    }
  }
}

output "port" {
  value = terraform_data.app.output
}
"""
PICKY = """\
resource "terraform_data" "app" {
  input = var.service_instance.inputs.port

  lifecycle {
    precondition {
      condition     = fileexists(var.service_instance.inputs.title)
      error_message = "The file is not there."
    }
  }
}
"""
FRAGILE_ENVIRONMENT = """\
resource "terraform_data" "net" {
  input = var.environment.inputs.zone
}

resource "terraform_data" "size" {
  input = var.environment.inputs.size

  lifecycle {
    precondition {
      condition     = terraform_data.net.output != "bad"
      error_message = "The zone is bad."
    }
  }
}

output "zone" {
  value = terraform_data.net.output
}
"""


@pytest.fixture
def fragile(deployed: World) -> World:
    """As `deployed`, and service `shop` of fragile@1.0, whose first deployment failed half way in run 3."""
    deployed.publish("fragile", deployed.service_bundle("fragile", code=FRAGILE))
    result = deployed.run("service", "create", "shop", "-t", "fragile", "--env", "prod", "--set", "title=bad", "--yes")
    assert result.code == 1
    return deployed


def resources(world: World, address: str) -> list[str]:
    """Names of the resources in the state of an instance."""
    return sorted(resource["name"] for resource in world.state(address)["resources"] if resource["instances"])


def test_a_deployment_that_fails_says_why_in_terraforms_words(fragile: World) -> None:
    run = fragile.row("run", "show", 3)

    assert run["status"] == "failed"
    assert run["message"] == (
        "terraform apply ended with exit code 1:\nmain.tf:10: Resource precondition failed: The title is bad."
    )
    assert run["next_actions"] == ["retry"]


def test_a_failed_first_deployment_keeps_what_it_made_and_gives_no_outputs(fragile: World) -> None:
    instance = fragile.row("instance", "show", "shop/prod")

    assert (instance["status"], instance["outputs"], instance["deployed_run_id"]) == ("failed", None, None)
    assert resources(fragile, "service/shop/prod") == ["first"]


def test_a_failed_first_deployment_can_be_updated(fragile: World) -> None:
    fragile.do("instance", "update", "shop/prod", "--set", "title=good", "--yes")

    instance = fragile.row("instance", "show", "shop/prod")
    assert (instance["status"], instance["inputs"]) == ("succeeded", {"title": "good"})
    assert instance["outputs"]["port"]["value"] == 80


def test_a_failed_first_deployment_can_be_updated_to_a_version_that_works(fragile: World) -> None:
    mended = FRAGILE.replace('!= "bad"', '!= ""')
    fragile.publish("fragile", fragile.service_bundle("fragile", code=mended), "--major", 1)

    fragile.do("instance", "update", "shop/prod", "--yes")

    instance = fragile.row("instance", "show", "shop/prod")
    assert (instance["version"], instance["status"], instance["inputs"]) == ("1.1", "succeeded", {"title": "bad"})


def test_a_failed_first_deployment_can_be_deleted_with_what_it_made(fragile: World) -> None:
    fragile.do("service", "delete", "shop", "--yes")

    run = fragile.row("run", "show", 4)
    assert (run["operation"], run["status"], run["changes"]["destroy"]) == ("destroy", "succeeded", 1)
    assert [row["name"] for row in fragile.rows("service", "list")] == ["orders"]
    assert not (fragile.home / "service/shop/prod/workspace").exists()


def test_a_run_that_failed_can_be_retried(deployed: World) -> None:
    deployed.publish("picky", deployed.service_bundle("picky", code=PICKY))
    marker = deployed.root / "marker"
    create = ("service", "create", "shop", "-t", "picky", "--env", "prod", "--set", f"title={marker}", "--yes")
    failed = deployed.run(*create)
    marker.touch()

    deployed.do("run", "retry", 3, "--yes")

    retried = deployed.row("run", "show", 4)
    assert failed.code == 1
    assert (retried["status"], retried["retry_of"], retried["inputs"]) == ("succeeded", 3, {"title": str(marker)})


def test_a_plan_that_fails_leaves_nothing_to_destroy(deployed: World) -> None:
    deployed.publish("picky", deployed.service_bundle("picky", code=PICKY))
    deployed.run("service", "create", "shop", "-t", "picky", "--env", "prod", "--yes")

    deployed.do("service", "delete", "shop", "--yes")

    run = deployed.row("run", "show", 4)
    assert (run["status"], run["plan"]) == ("succeeded", "No changes.")
    assert [row["name"] for row in deployed.rows("service", "list")] == ["orders"]


def test_a_failed_update_leaves_the_instance_on_its_version_and_inputs(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(code=FRAGILE), "--major", 1)

    result = deployed.run("instance", "update", "orders/prod", "--version", "1.1", "--set", "title=bad", "--yes")

    instance = deployed.row("instance", "show", "orders/prod")
    assert result.code == 1
    assert (instance["version"], instance["inputs"], instance["status"]) == ("1.0", {}, "failed")
    assert instance["outputs"]["port"]["value"] == 80
    assert (instance["last_run_id"], instance["deployed_run_id"]) == (3, 2)


def test_after_a_failed_update_the_next_one_brings_it_right(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(code=FRAGILE), "--major", 1)
    deployed.run("instance", "update", "orders/prod", "--version", "1.1", "--set", "title=bad", "--yes")

    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--yes")

    instance = deployed.row("instance", "show", "orders/prod")
    assert (instance["version"], instance["status"]) == ("1.0", "succeeded")
    assert resources(deployed, "service/orders/prod") == ["app"]


def test_one_instance_that_fails_does_not_hold_up_the_others(deployed: World) -> None:
    deployed.publish("fragile", deployed.service_bundle("fragile", code=FRAGILE))
    spec = (
        "proton: ServiceSpec\ninstances:\n"
        "- {name: bad, environment: prod, spec: {title: bad}}\n"
        "- {name: good, environment: prod, spec: {title: good}}\n"
    )

    result = deployed.run("service", "create", "shop", "-t", "fragile", "-f", "-", "--yes", stdin=spec)

    rows = deployed.rows("instance", "list", "--service", "shop")
    assert result.code == 1
    assert [(row["name"], row["status"]) for row in rows] == [("bad", "failed"), ("good", "succeeded")]


def test_nothing_is_deployed_into_an_environment_that_has_failed_so_far(deployed: World) -> None:
    deployed.publish("weak", deployed.environment_bundle("weak", code=FRAGILE_ENVIRONMENT))
    deployed.publish("web", deployed.service_bundle(environment="weak:1"), "--new-major")
    deployed.publish("shop", deployed.service_bundle("shop", environment="weak:1"))
    deployed.run("env", "create", "test", "-t", "weak", "--set", "zone=bad", "--yes")

    result = deployed.run("service", "create", "shop", "-t", "shop", "--env", "test")

    assert result.code == 9
    assert result.err == (
        "Error: Environment test has not been deployed yet.\nHint: Deploy it first: landform run retry 3\n"
    )


def test_an_environment_that_failed_can_be_mended_and_used(deployed: World) -> None:
    deployed.publish("weak", deployed.environment_bundle("weak", code=FRAGILE_ENVIRONMENT))
    deployed.publish("web", deployed.service_bundle(environment="weak:1"), "--new-major")
    deployed.run("env", "create", "test", "-t", "weak", "--set", "zone=bad", "--yes")

    deployed.do("env", "update", "test", "--set", "zone=good", "--yes")
    deployed.do("service", "create", "shop", "-t", "web", "--env", "test", "--auto-approve")

    assert deployed.given("service/shop/test")["environment"]["outputs"] == {"zone": "good"}


def test_an_environment_that_failed_can_be_deleted(deployed: World) -> None:
    deployed.publish("weak", deployed.environment_bundle("weak", code=FRAGILE_ENVIRONMENT))
    deployed.run("env", "create", "test", "-t", "weak", "--set", "zone=bad", "--yes")

    deployed.do("env", "delete", "test", "--yes")

    assert [row["name"] for row in deployed.rows("env", "list")] == ["prod"]
