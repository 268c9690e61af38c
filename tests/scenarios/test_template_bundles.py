"""Kinds of bundles, from the folder or archive they come in to the infrastructure they make."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from tests.scenarios.world import MANIFEST, REGISTRATION, SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

NETWORK_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "NetworkInput"
  types:
    NetworkInput:
      type: object
      required: [zone]
      properties:
        zone:
          type: string
        note:
          type: string
"""
PIPELINE_SCHEMA = SERVICE_SCHEMA.replace("  types:\n", '  pipeline_input_type: "PipelineInput"\n  types:\n') + (
    "    PipelineInput:\n"
    "      type: object\n"
    "      properties:\n"
    "        branch:\n"
    "          type: string\n"
    '          default: "main"\n'
)
PIPELINE_CODE = """\
resource "terraform_data" "builder" {
  input = [var.pipeline.inputs.branch, [for instance in var.service_instances : instance.name]]
}

output "branch" {
  value = terraform_data.builder.output[0]
}
"""
ZONES_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "ZonesInput"
  types:
    ZonesInput:
      type: object
      properties:
        zones:
          type: array
          items:
            type: string
            pattern: "^[a-z]+$"
          default: ["a"]
"""
ZONES_CODE = """\
{% for zone in environment.inputs.zones %}
resource "terraform_data" "net_{{ zone }}" {
  input = "{{ zone }}"
}
{% endfor %}
output "zone" {
  value = "{{ environment.inputs.zones | join('-') }}"
}
"""


def network(world: World) -> Path:
    """A customer-managed environment template's bundle."""
    return world.bundle("net", {"schema/schema.yaml": NETWORK_SCHEMA})


def piped(world: World) -> Path:
    """A service template's bundle with a pipeline."""
    files = {
        "schema/schema.yaml": PIPELINE_SCHEMA,
        "instance_infrastructure/manifest.yaml": MANIFEST,
        "instance_infrastructure/main.tf": SERVICE_CODE,
        "pipeline_infrastructure/manifest.yaml": MANIFEST,
        "pipeline_infrastructure/main.tf": PIPELINE_CODE,
        ".template-registration.yaml": REGISTRATION.format(environment="lab:1"),
    }
    return world.bundle("piped", files)


def zones(world: World) -> Path:
    """An environment template's bundle that Jinja renders."""
    files = {
        "schema/schema.yaml": ZONES_SCHEMA,
        "infrastructure/manifest.yaml": MANIFEST.replace("hcl", "jinja"),
        "infrastructure/main.tf.j2": ZONES_CODE,
    }
    return world.bundle("zones", files)


def archive(world: World, bundle: Path, inside: str) -> Path:
    """The bundle as a .tar.gz, wrapped in the folders `inside`."""
    path = world.root / "bundle.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(bundle, inside)
    return path


def test_the_inputs_of_a_customer_managed_environment_are_its_outputs(world: World) -> None:
    world.publish("net", network(world))

    world.do("env", "create", "legacy", "-t", "net", "--set", "zone=b")

    outputs = world.row("env", "show", "legacy")["outputs"]
    assert {name: output["value"] for name, output in outputs.items()} == {"zone": "b"}


def test_no_terraform_is_run_for_a_customer_managed_environment(world: World) -> None:
    world.publish("net", network(world))
    world.do("env", "create", "legacy", "-t", "net", "--set", "zone=b")
    world.do("env", "update", "legacy", "--set", "zone=c")
    world.do("env", "delete", "legacy")

    log = world.run("run", "logs", 1)

    assert [run["status"] for run in world.rows("run", "list")] == ["succeeded", "succeeded", "succeeded"]
    assert (log.out, log.err) == ("", "Run 1 has no log: Terraform was not started.\n")
    assert not (world.home / "environment").exists()


def test_services_run_in_a_customer_managed_environment(world: World) -> None:
    world.publish("net", network(world))
    world.publish("web", world.service_bundle(environment="net:1"))
    world.do("env", "create", "legacy", "-t", "net", "--set", "zone=b")

    world.do("service", "create", "orders", "-t", "web", "--env", "legacy", "--auto-approve")

    assert world.given("service/orders/legacy")["environment"]["outputs"] == {"zone": "b"}


def test_a_customer_managed_template_stays_without_infrastructure(world: World) -> None:
    world.publish("net", network(world))

    result = world.run("template", "register", "net", world.environment_bundle("net"), "--major", 1)

    assert result.code == 9
    assert result.err.startswith("infrastructure: The template was created without infrastructure/; that cannot change")


def test_the_pipeline_of_a_service_template_is_read_and_kept(world: World) -> None:
    world.publish("piped", piped(world))

    part = world.row("template", "show", "piped")["facts"]["parts"]["pipeline_infrastructure"]

    assert [output["name"] for output in part["outputs"]] == ["branch"]
    assert sorted(read["path"] for read in part["reads"]) == ["pipeline.inputs.branch", "service_instances"]
    assert next(world.home.glob("bundles/*/files/pipeline_infrastructure/main.tf")).read_text() == PIPELINE_CODE


def test_the_inputs_of_a_pipeline_are_kept_with_the_service(deployed: World) -> None:
    deployed.publish("piped", piped(deployed))
    spec = "proton: ServiceSpec\npipeline:\n  branch: next\ninstances:\n- name: a\n  environment: prod\n  spec: {}\n"

    deployed.do("service", "create", "billing", "-t", "piped", "-f", "-", "--auto-approve", stdin=spec)

    assert deployed.do("service", "spec", "billing").out == spec


def test_a_pipeline_is_looked_at_when_the_bundle_is_registered(world: World) -> None:
    bundle = piped(world)
    world.write("bundles/piped/pipeline_infrastructure/main.tf", PIPELINE_CODE.replace("branch, [", "brunch, ["))

    result = world.run("template", "register", "piped", bundle)

    assert result.code == 9
    assert result.err.startswith("pipeline_infrastructure/main.tf:2: ")


def test_jinja_writes_what_variables_cannot_say(world: World) -> None:
    world.publish("zones", zones(world))

    world.do("env", "create", "prod", "-t", "zones", "--set", "zones=[a, b]", "--auto-approve")

    assert world.row("env", "show", "prod")["outputs"]["zone"]["value"] == "a-b"
    assert sorted(resource["name"] for resource in world.state("environment/prod")["resources"]) == ["net_a", "net_b"]


def test_the_filter_hcl_writes_a_value_that_code_can_hold(world: World) -> None:
    code = ZONES_CODE.replace('input = "{{ zone }}"', "input = {{ zone | hcl }}")
    bundle = zones(world)
    world.write("bundles/zones/infrastructure/main.tf.j2", code)

    checked = world.run("template", "check", bundle)
    world.publish("zones", bundle)
    rendered = world.do("template", "render", "zones", "--set", "zones=[a]").out

    assert (checked.code, checked.out) == (0, "")
    assert 'resource "terraform_data" "net_a" {\n  input = "a"\n}\n' in rendered


def test_an_update_renders_a_jinja_bundle_anew(world: World) -> None:
    world.publish("zones", zones(world))
    world.do("env", "create", "prod", "-t", "zones", "--set", "zones=[a, b]", "--auto-approve")

    world.do("env", "update", "prod", "--set", "zones=[b]", "--yes")

    assert [resource["name"] for resource in world.state("environment/prod")["resources"]] == ["net_b"]


@pytest.mark.parametrize("inside", [".", "web", "bundles/service/web", "web/v1"])
def test_a_bundle_is_found_wherever_its_archive_wraps_it(world: World, inside: str) -> None:
    folder = world.service_bundle()
    world.publish("web", folder)

    label = world.publish("web", archive(world, folder, inside), "--major", 1)

    [first, second] = world.rows("template", "versions", "web")
    assert label == "web@1.1"
    assert second["bundle"] == first["bundle"]


def test_an_archive_with_two_bundles_is_refused_naming_both(world: World) -> None:
    world.bundle("both/v1", {"schema/schema.yaml": NETWORK_SCHEMA})
    world.bundle("both/v2", {"schema/schema.yaml": NETWORK_SCHEMA})

    result = world.run("template", "register", "net", archive(world, world.root / "bundles/both", "."))

    assert result.code == 1
    assert "v1" in result.err
    assert "v2" in result.err
    assert world.rows("template", "list") == []


def test_a_changed_byte_in_a_stored_bundle_is_found_before_it_is_used(deployed: World) -> None:
    digest = deployed.row("template", "show", "web")["bundle"]
    stored = deployed.home / f"bundles/{digest}/files/instance_infrastructure/main.tf"
    stored.write_text(SERVICE_CODE.replace("app", "apq"))

    result = deployed.run("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    run = deployed.row("run", "show", 3)
    assert result.code == 1
    assert run["status"] == "failed"
    assert run["message"] == (
        f"The bundle {digest} cannot be used: instance_infrastructure/main.tf was changed on disk.\n"
        "Register the same files again to repair it, and find out who changed it."
    )


def test_registering_the_same_files_again_repairs_a_stored_bundle(deployed: World) -> None:
    digest = deployed.row("template", "show", "web")["bundle"]
    (deployed.home / f"bundles/{digest}/files/instance_infrastructure/main.tf").write_text("")
    deployed.publish("web", deployed.service_bundle(), "--major", 1)

    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_a_draft_is_used_only_when_it_is_named(deployed: World) -> None:
    deployed.do("template", "register", "web", deployed.service_bundle(), "--major", 1)

    deployed.do("service", "create", "unnamed", "-t", "web", "--env", "prod", "--auto-approve")
    deployed.do("service", "create", "named", "-t", "web@1.1", "--env", "prod", "--auto-approve")

    assert deployed.row("instance", "show", "unnamed/prod")["version"] == "1.0"
    assert deployed.row("instance", "show", "named/prod")["version"] == "1.1"
