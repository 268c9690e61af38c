"""Pipelines of services: deployed after their instances, again when the set of these changes, gone with the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.world import MANIFEST, REGISTRATION, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "ServiceInput"
  pipeline_input_type: "PipelineInput"
  types:
    ServiceInput:
      type: object
      properties:
        port:
          type: integer
          default: 80
        title:
          type: string
          default: "untitled"
        note:
          type: string
        works:
          type: boolean
          default: true
    PipelineInput:
      type: object
      properties:
        test:
          type: string
          default: "make test"
"""
INSTANCE = (
    SERVICE_CODE
    + """
resource "terraform_data" "works" {
  lifecycle {
    precondition {
      condition     = var.service_instance.inputs.works
      error_message = "It was told not to work."
    }
  }
}
"""
)
PIPELINE = """\
resource "terraform_data" "stages" {
  input = {
    test   = var.pipeline.inputs.test
    branch = var.service.branch_name
    stages = { for one in var.service_instances : one.name => "${one.outputs.port} in ${one.environment.outputs.zone}" }
  }
}

output "stages" {
  value = join(",", [for name, stage in terraform_data.stages.output.stages : "${name}:${stage}"])
}

output "test" {
  value = terraform_data.stages.output.test
}
"""
SPEC = """\
proton: ServiceSpec
pipeline:
  test: pytest
instances:
"""


def entry(name: str, *lines: str) -> str:
    inputs = "".join(f"      {line}\n" for line in lines)
    return f"  - name: {name}\n    environment: prod\n    spec:\n{inputs or '      {}'}\n".replace("\n\n", "\n")


def bundle(world: World, pipeline: str = PIPELINE) -> Path:
    files = {
        "schema/schema.yaml": SCHEMA,
        "instance_infrastructure/manifest.yaml": MANIFEST,
        "instance_infrastructure/main.tf": INSTANCE,
        "pipeline_infrastructure/manifest.yaml": MANIFEST,
        "pipeline_infrastructure/main.tf": pipeline,
        ".template-registration.yaml": REGISTRATION.format(environment="lab:1"),
    }
    return world.bundle("web", files)


@pytest.fixture
def lab(world: World) -> World:
    """Environment prod, and the template web, whose services have a pipeline."""
    published(world)
    return world


def published(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.publish("web", bundle(world))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")


def create(world: World, *entries: str) -> list[tuple[str, str]]:
    spec = world.write("spec.yaml", SPEC + "".join(entries))
    world.run("service", "create", "orders", "-t", "web", "-f", spec, "--branch", "main", "--auto-approve")
    return endings(world)


def endings(world: World) -> list[tuple[str, str]]:
    """Address and status of all runs but the environment's, oldest first."""
    return [(run["address"], run["status"]) for run in reversed(world.rows("run", "list"))][1:]


def outputs(world: World) -> dict[str, str]:
    found = world.row("pipeline", "outputs", "orders")
    return {item["name"]: item["value"] for item in found["items"]}


def test_a_pipeline_is_deployed_after_the_instances_and_is_given_what_they_made(lab: World) -> None:
    ended = create(lab, entry("a", "port: 81", "note: here"), entry("b"))

    assert ended == [
        ("service/orders/a", "succeeded"),
        ("service/orders/b", "succeeded"),
        ("pipeline/orders", "succeeded"),
    ]
    given = lab.given("pipeline/orders")
    assert outputs(lab) == {"stages": "a:81 in a,b:80 in a", "test": "pytest"}
    assert given["service"] == {
        "name": "orders",
        "repository_connection_arn": "",
        "repository_id": "",
        "branch_name": "main",
    }
    # what one leaves out is null in the list, so that numbers stay numbers
    assert [one["inputs"] for one in given["service_instances"]] == [
        {"port": 81, "title": "untitled", "works": True, "note": "here"},
        {"port": 80, "title": "untitled", "works": True, "note": None},
    ]


def test_a_pipelines_run_fails_naming_the_instance_that_was_not_deployed(lab: World) -> None:
    ended = create(lab, entry("a"), entry("b", "works: false"))

    assert ended == [
        ("service/orders/a", "succeeded"),
        ("service/orders/b", "failed"),
        ("pipeline/orders", "failed"),
    ]
    message = "Called off: run 3 of service/orders/b, which had to come before it, is failed."
    called_off = lab.row("run", "show", "4")
    assert (called_off["message"], called_off["waiting_on"]) == (message, "")
    too_early = lab.run("pipeline", "update", "orders", "--kind", "current-version", "--auto-approve", "-o", "json")
    why = "pipeline/orders comes after the instances of its service, and service/orders/b has not been deployed yet."
    assert (too_early.code, lab.row("run", "show", "5")["message"].splitlines()[0]) == (1, why)
    # it can be deployed once the instance is
    lab.do("instance", "update", "orders/b", "--set", "works=true", "--auto-approve")
    lab.do("pipeline", "update", "orders", "--kind", "current-version", "--auto-approve")
    assert outputs(lab)["stages"] == "a:80 in a,b:80 in a"


def test_a_pipeline_is_deployed_again_when_the_set_of_instances_changes_and_goes_with_its_service(lab: World) -> None:
    create(lab, entry("a"))
    spec = lab.write("spec.yaml", SPEC + entry("a") + entry("b"))

    lab.do("service", "update", "orders", "-f", spec, "--auto-approve")
    with_two = outputs(lab)["stages"]
    lab.do("instance", "delete", "orders/a", "--yes", "--auto-approve", "--allow-destroy")
    with_one = outputs(lab)["stages"]
    lab.do("service", "delete", "orders", "--yes")

    assert (with_two, with_one) == ("a:80 in a,b:80 in a", "b:80 in a")
    assert lab.rows("service", "list") == []
    assert lab.rows("pipeline", "list") == []


def waiting(world: World) -> list[tuple[int, str, list[int]]]:
    """The runs in line with those that each one waits for, oldest first."""
    rows = [row for row in reversed(world.rows("run", "list")) if row["status"] == "queued"]
    return [(row["id"], row["address"], row["after_run_ids"]) for row in rows]


def test_a_pipeline_waits_for_all_that_come_or_go_whatever_supersedes_what(lab: World) -> None:
    spec = [lab.write(f"{names}.yaml", SPEC + "".join(map(entry, names))) for names in ("a", "ab")]

    lab.do("service", "create", "orders", "-t", "web", "-f", spec[0], "--no-wait")
    lab.do("service", "update", "orders", "-f", spec[1], "--no-wait")
    both = waiting(lab)
    lab.do("instance", "update", "orders/a", "--set", "port=81", "--no-wait")
    newer = waiting(lab)
    lab.do("service", "delete", "orders", "--no-wait")

    instances = [(2, "service/orders/a", []), (4, "service/orders/b", [])]
    assert both == [*instances, (5, "pipeline/orders", [2, 4])]
    assert newer == [instances[1], (5, "pipeline/orders", [4, 6]), (6, "service/orders/a", [])]
    # what reads goes first
    assert waiting(lab) == [
        (7, "pipeline/orders", []),
        (8, "service/orders/a", [7]),
        (9, "service/orders/b", [7]),
    ]


def test_a_pipeline_stays_as_it_is_when_an_instance_is_not_destroyed_after_all(lab: World) -> None:
    create(lab, entry("a"), entry("b"))

    lab.do("run", "plan", "service/orders/a", "--destroy")
    lab.do("run", "discard", "5")

    assert endings(lab)[-2:] == [("service/orders/a", "discarded"), ("pipeline/orders", "discarded")]
    [row] = lab.rows("pipeline", "list")
    assert (row["status"], row["stale"]) == ("succeeded", [])


def test_a_pipeline_is_updated_by_itself_and_stale_when_an_instance_has_changed(lab: World) -> None:
    create(lab, entry("a"))
    lab.publish("web", bundle(lab, PIPELINE + 'output "new" {\n  value = "yes"\n}\n'), "--major", "1")

    lab.do("instance", "update", "orders/a", "--set", "port=8080", "--auto-approve")
    [before] = lab.rows("pipeline", "list")
    lab.do("pipeline", "update", "orders", "--auto-approve")
    [after] = lab.rows("pipeline", "list")
    spec = lab.write("spec.yaml", SPEC.replace("pytest", "tox") + entry("a", "port: 8080"))
    lab.do("pipeline", "update", "orders", "-f", spec, "--auto-approve")

    assert (before["version"], before["outdated"]) == ("1.0", True)
    assert before["stale"] == ["service/orders/a (inputs)", "service/orders/a port"]
    assert (after["version"], after["outdated"], after["stale"]) == ("1.1", False, [])
    assert outputs(lab) == {"new": "yes", "stages": "a:8080 in a", "test": "tox"}
    assert "test: tox" in lab.do("service", "spec", "orders").out


def test_a_plan_of_a_pipeline_is_stale_when_an_instance_has_changed_since(lab: World) -> None:
    create(lab, entry("a"))
    lab.do("run", "plan", "pipeline/orders", "--set", "test=tox")
    lab.do("instance", "update", "orders/a", "--set", "title=other", "--auto-approve")

    stale = lab.run("run", "approve", "4", "-o", "json")

    assert stale.code == 5
    assert "service/orders/a output (inputs)" in lab.row("run", "show", "4")["message"]


def test_a_template_whose_pipelines_are_the_customers_makes_none(lab: World) -> None:
    lab.publish("plain", lab.service_bundle())

    lab.do("service", "create", "shop", "-t", "plain", "--env", "prod", "--auto-approve")

    assert lab.rows("pipeline", "list") == []
    refused = lab.run("pipeline", "update", "shop", "-o", "json")
    assert (refused.code, refused.error["message"]) == (8, "Service shop has no pipeline.")


def test_a_pipeline_that_is_asked_for_again_still_waits_for_every_instance(lab: World) -> None:
    create(lab, entry("a"))
    for names in (("a", "b"), ("a", "b", "c")):
        spec = lab.write("spec.yaml", SPEC + "".join(map(entry, names)))
        lab.do("service", "update", "orders", "-f", spec, "--no-wait")

    [waiting, superseded] = [run for run in lab.rows("run", "list") if run["address"] == "pipeline/orders"][:2]

    assert (superseded["status"], superseded["superseded_by"]) == ("discarded", waiting["id"])
    assert lab.row("run", "show", waiting["id"])["after_run_ids"] == [4, 6]
