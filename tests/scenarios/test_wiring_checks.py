"""Wiring is checked before it can fail: at registration, at each deploy, and before an environment loses an output.

The environment is one whose inputs are its outputs, so that none of this takes a Terraform.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, MANIFEST, REGISTRATION, SERVICE_CODE, SERVICE_SCHEMA, World

NET = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "Net"
  types:
    Net:
      type: object
      properties:
"""
PIPELINE = """\
locals {
  zones = var.service_instances[*].environment.outputs.zone
}
"""
WHOLE = """\
locals {
  env  = var.environment.outputs
  tier = try(var.environment.outputs.tier, "none")
}
"""


def net(world: World, *outputs: str) -> Path:
    properties = "".join(f"        {name}: {{type: string}}\n" for name in outputs)
    return world.bundle("net", {"schema/schema.yaml": NET + properties})


def web(world: World, code: str = SERVICE_CODE, pipeline: str = "") -> Path:
    of_pipeline = {"pipeline_infrastructure/manifest.yaml": MANIFEST, "pipeline_infrastructure/main.tf": pipeline}
    typed = SERVICE_SCHEMA.replace(
        "  types:\n", '  pipeline_input_type: "Pipeline"\n  types:\n    Pipeline: {type: object}\n'
    )
    files = {
        "schema/schema.yaml": typed if pipeline else SERVICE_SCHEMA,
        "instance_infrastructure/manifest.yaml": MANIFEST,
        "instance_infrastructure/main.tf": code,
        ".template-registration.yaml": REGISTRATION.format(environment="net:1"),
    }
    return world.bundle("web", files | (of_pipeline if pipeline else {}))


@pytest.fixture
def lab(world: World) -> World:
    """Environment prod of net@1.0, which offers zone and size."""
    world.publish("net", net(world, "zone", "size"))
    world.do("env", "create", "prod", "-t", "net", "--set", "zone=a", "--set", "size=1")
    return world


def reading(output: str) -> str:
    return SERVICE_CODE.replace("outputs.zone", f"outputs.{output}")


def test_a_service_version_that_reads_what_no_version_offers_is_refused_and_uses_up_no_number(lab: World) -> None:
    refused = lab.run("template", "register", "web", web(lab, reading("zome"), PIPELINE.replace("zone\n", "zoo\n")))
    label = lab.publish("web", web(lab))

    assert (refused.code, refused.err) == (
        1,
        "Error: This bundle reads 2 outputs that no environment will have that it may run in:\n"
        "  instance_infrastructure/main.tf:5: environment.outputs.zome: "
        'No version of net:1 has this output. On offer: size and zone. Did you mean "zone"?\n'
        "    If it may be absent, guard the read with try().\n"
        "  pipeline_infrastructure/main.tf:2: service_instances[].environment.outputs.zoo: "
        "No version of net:1 has this output. On offer: size and zone.\n"
        "    If it may be absent, guard the read with try().\n"
        "Hint: Mend the names, or register an environment template that offers them first.\n",
    )
    assert label == "web@1.0"


def test_an_output_that_came_later_is_a_warning_that_says_since_when(lab: World) -> None:
    lab.publish("net", net(lab, "zone", "size", "tier"), "--major", 1)

    result = lab.do("template", "register", "web", web(lab, reading("tier")))

    assert result.err.splitlines()[0] == (
        "warning: instance_infrastructure/main.tf:5: environment.outputs.tier: "
        "net:1 has it from net@1.1 on; environments of 1.0 have no such output."
    )


def test_an_environment_version_names_who_reads_what_it_does_not_offer(world: World) -> None:
    world.publish("web", web(world))

    result = world.do("template", "register", "net", net(world, "size"))

    assert result.err.splitlines()[:2] == [
        "warning: infrastructure: output.zone: Not declared, and read by web@1.0 (instance_infrastructure/main.tf:5).",
        "  Instances of those cannot live in environments of this version.",
    ]


def test_a_service_is_told_of_a_missing_output_before_its_environment_was_ever_deployed(lab: World) -> None:
    lab.publish("net", net(lab, "zone", "size", "tier"), "--major", 1)
    lab.publish("web", web(lab, reading("tier")))
    lab.do("env", "create", "dev", "-t", "net@1.0", "--set", "zone=a", "--no-wait")

    early = lab.run("service", "create", "orders", "-t", "web", "--env", "dev", "--no-wait")
    later = lab.run("service", "create", "orders", "-t", "web", "--env", "prod", "--no-wait")

    assert early.code == later.code == 9
    assert early.err == later.err.replace("prod", "dev")
    assert early.err.startswith("Error: Environment dev (net@1.0) has no output that web@1.0 needs:\n")


def test_an_environment_loses_no_output_that_somebody_reads_or_is_about_to(lab: World) -> None:
    lab.publish("web", web(lab, pipeline=PIPELINE))
    lab.publish("whole", web(lab, WHOLE))
    lab.do("service", "create", "orders", "-t", "web", "--env", "prod", "--no-wait")
    lab.do("service", "create", "all", "-t", "whole", "--env", "prod", "--no-wait")
    lab.do("template", "register", "net", net(lab, "size"), "--new-major")

    spec = lab.write("size.yaml", "proton: EnvironmentSpec\nspec: {size: '1'}\n")

    lost = lab.run("env", "update", "prod", "--version", "2.0", "-f", spec)
    unset = lab.run("env", "update", "prod", "--kind", "current-version", "-f", spec)
    speculative = lab.run("run", "plan", "environment/prod", "--version", "2.0", "-f", spec, "--speculative")

    assert (lost.code, lost.err) == (
        9,
        "Error: net@2.0 lacks outputs that live instances read:\n"
        "  zone, read by orders/prod (web@1.0, instance_infrastructure/main.tf:5)\n"
        "  zone, read by pipeline/orders (web@1.0, pipeline_infrastructure/main.tf:2)\n"
        "  zone, read by all/prod (whole@1.0, instance_infrastructure/main.tf:2)\n"
        "Hint: Bring those instances to a version that does without, or delete them first.\n",
    )
    assert speculative.err == lost.err
    assert unset.err == lost.err.replace("net@2.0", "net@1.0")


def test_a_pipeline_needs_its_outputs_in_every_environment_of_its_service(lab: World) -> None:
    lab.publish("net", net(lab, "zone", "size", "tier"), "--major", 1)
    lab.publish("web", web(lab, pipeline=PIPELINE.replace("zone\n", "tier\n")))
    lab.do("env", "create", "new", "-t", "net", "--set", "zone=a", "--set", "tier=b")
    lab.do("service", "create", "orders", "-t", "web", "--env", "new", "--no-wait")
    spec = "proton: ServiceSpec\npipeline: {}\ninstances:\n"
    spec += "  - {name: new, environment: new, spec: {}}\n  - {name: old, environment: prod, spec: {}}\n"

    result = lab.run("service", "update", "orders", "-f", "-", "--no-wait", stdin=spec)

    assert (result.code, result.err.splitlines()[:2]) == (
        9,
        [
            "Error: Environment prod (net@1.0) has no output that web@1.0 needs:",
            "  service_instances[].environment.outputs.tier (read in pipeline_infrastructure/main.tf:2)",
        ],
    )
    assert [row["name"] for row in lab.rows("instance", "list")] == ["new"]


def test_the_wiring_is_shown_of_instances_and_of_versions(lab: World) -> None:
    lab.publish("web", web(lab, pipeline=PIPELINE))
    lab.publish("net", net(lab, "zone", "size", "tier"), "--major", 1)
    lab.do("service", "create", "orders", "-t", "web", "--env", "prod", "--no-wait")

    table = lab.do("wiring").out
    graph = lab.row("wiring", "pipeline/orders")
    versions = lab.do("wiring", "--templates", "web@1", "-o", "name").out
    mistaken = lab.run("wiring", "prod")

    assert table == (
        "FROM               TO                    OUTPUTS   STALE   MISSING\n"
        "environment/prod   pipeline/orders       zone      -       -\n"
        "environment/prod   service/orders/prod   zone      -       -\n"
    )
    assert [node["name"] for node in graph["nodes"]] == ["environment/prod", "pipeline/orders"]
    assert graph["wires"] == [
        {"source": "environment/prod", "target": "pipeline/orders", "outputs": ["zone"], "stale": [], "missing": []}
    ]
    assert versions.split() == ["environment/net@1.0", "environment/net@1.1", "service/web@1.0"]
    assert mistaken.err == "Error: There is no template prod.\nHint: If you mean environment/prod, write it whole.\n"


def test_names_that_mean_nothing_are_told(lab: World) -> None:
    wrong = [lab.run("wiring", *words) for words in (["a/b/c/d"], ["service/no/where"], ["--templates", "net@1.7"])]

    assert [(result.code, result.err.partition("\n")[0]) for result in wrong] == [
        (1, "Error: 'a/b/c/d' does not name a service instance."),
        (8, "Error: There is no service instance no/where."),
        (8, "Error: net@1.7 names no version that something may be made from."),
    ]


def test_an_environment_that_jinja_writes_may_offer_anything(world: World) -> None:
    files = {
        "schema/schema.yaml": NET + "        zone: {type: string, default: a}\n",
        "infrastructure/manifest.yaml": MANIFEST.replace("hcl", "jinja"),
        "infrastructure/main.tf.j2": ENVIRONMENT_CODE.replace("var.environment.inputs.size", "1"),
    }
    world.publish("net", world.bundle("net", files))

    assert world.publish("web", web(world, reading("anything"))) == "web@1.0"
