"""What can be seen of templates before anything is made from them: versions, differences, files."""

from __future__ import annotations

import pytest
import yaml

from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

NEXT_SCHEMA = SERVICE_SCHEMA.replace("maximum: 65535", "maximum: 70000").replace("title:", "name:")
NEXT_CODE = (
    SERVICE_CODE.replace("inputs.title", "inputs.name").replace('"app"', '"web"').replace("data.app", "data.web")
    + 'output "url" {\n  value = "http://localhost"\n}\n'
)


@pytest.fixture
def two(world: World) -> World:
    """Versions 1.0 and 2.0 of web, published."""
    world.publish("web", world.service_bundle())
    world.publish("web", world.service_bundle(schema=NEXT_SCHEMA, code=NEXT_CODE), "--new-major")
    return world


def test_templates_are_listed_with_what_is_recommended(two: World) -> None:
    table = two.do("template", "list").out

    assert [line.split() for line in table.splitlines()] == [
        ["NAME", "KIND", "RECOMMENDED", "VERSIONS", "DESCRIPTION"],
        ["web", "service", "2.0", "2", "-"],
    ]


def test_a_list_is_the_same_in_every_form(two: World) -> None:
    as_json = two.do("template", "versions", "web", "-o", "json").json
    as_yaml = yaml.safe_load(two.do("template", "versions", "web", "-o", "yaml").out)
    names = two.do("template", "versions", "web", "-o", "name").out

    assert as_yaml == as_json
    assert as_json["schema"] == "landform.version/1"
    assert names == "web@1.0\nweb@2.0\n"


def test_a_version_says_what_it_takes_gives_and_reads(two: World) -> None:
    text = two.do("template", "show", "web@1.0").out

    assert text.partition("Inputs:\n")[2] == (
        "  port (integer, 1 to 65535, default 80)\n"
        "  title (string, default untitled)\n"
        "\n"
        "instance_infrastructure:\n"
        "  reads:\n"
        "    environment.outputs.zone\n"
        "    service_instance.inputs.port\n"
        "    service_instance.inputs.title\n"
        "  outputs:\n"
        "    port  Where it listens.\n"
    )


def test_a_version_in_json_has_its_inputs_and_facts(two: World) -> None:
    version = two.row("template", "show", "web@1.0")

    assert (version["label"], version["status"], version["compatible"]) == ("web@1.0", "published", ["lab:1"])
    assert [(item["name"], item["default"]) for item in version["inputs"]] == [("port", 80), ("title", "untitled")]
    assert list(version["facts"]["parts"]) == ["instance_infrastructure"]


def test_a_difference_names_inputs_outputs_and_resources(two: World) -> None:
    text = two.do("template", "diff", "web@1.0", "web@2.0").out

    assert text.splitlines()[:17] == [
        "Verdict: major (compared with web@1.0)",
        "  major  Resource terraform_data.app is gone without a moved or removed block: an upgrade destroys it. "
        "[instance_infrastructure/main.tf:1 of web@1.0]",
        '  major  Input "title" was removed. [schema/schema.yaml:14 of web@1.0]',
        "  minor  Resource terraform_data.web is new. [instance_infrastructure/main.tf:1]",
        "  minor  Output url is new. [instance_infrastructure/main.tf:13]",
        '  minor  Input "port" takes more than before. [schema/schema.yaml:9]',
        '  minor  Input "name" is new. [schema/schema.yaml:14]',
        "",
        "inputs of service_instance.inputs:",
        "  + name",
        "  - title",
        "  ~ port (maximum)",
        "outputs of instance_infrastructure:",
        "  + url",
        "resources of instance_infrastructure:",
        "  + terraform_data.web",
        "  - terraform_data.app",
    ]


def test_a_difference_ends_with_the_text(two: World) -> None:
    text = two.do("template", "diff", "web@1.0", "web@2.0").out

    assert '-resource "terraform_data" "app" {\n+resource "terraform_data" "web" {\n' in text
    assert "-          maximum: 65535\n+          maximum: 70000\n" in text


def test_a_difference_in_json_says_what_was_and_what_is(two: World) -> None:
    found = two.row("template", "diff", "web@1.0", "web@2.0")

    [port] = found["inputs"]["service_instance.inputs"]["changed"]
    assert (port["name"], port["before"]["maximum"], port["after"]["maximum"]) == ("port", 65535, 70000)
    assert found["providers"] == {}
    assert sorted(found["text"]) == ["instance_infrastructure/main.tf", "schema/schema.yaml"]


def test_a_difference_in_providers_is_named(world: World) -> None:
    world.publish("web", world.service_bundle())
    code = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws", version = "~> 6.0" }\n  }\n}\n'
    bundle = world.service_bundle(code=code + SERVICE_CODE)

    found = world.row("template", "diff", "web@1.0", bundle)

    assert found["providers"]["instance_infrastructure"]["added"] == ["aws"]


def test_versions_of_the_same_files_do_not_differ(world: World) -> None:
    world.publish("web", world.service_bundle())
    world.publish("web", world.service_bundle(), "--new-major")

    assert world.do("template", "diff", "web@1.0", "web@2.0").out == "No difference.\n"


def test_a_bundle_on_disk_is_rendered_with_placeholders_for_outputs(world: World) -> None:
    files = world.row("template", "render", world.service_bundle(), "--set", "port=8080")["files"]

    assert sorted(files) == ["main.tf", "proton.auto.tfvars.json", "proton.service_instance.variables.tf"]
    assert '"zone" : "<zone>"' in files["proton.auto.tfvars.json"]
    assert '"port" : 8080,' in files["proton.auto.tfvars.json"]
    assert world.rows("template", "list") == []


def test_a_version_is_rendered_with_the_outputs_of_a_live_environment(deployed: World) -> None:
    files = deployed.row("template", "render", "web", "--env", "prod")["files"]

    assert (
        '"name" : "prod",\n    "outputs" : {\n      "size" : "1",\n      "zone" : "a"\n'
        in (files["proton.auto.tfvars.json"])
    )


def test_a_sensitive_output_is_masked_in_what_is_rendered(world: World) -> None:
    secret = ENVIRONMENT_CODE.replace('description = "Where it is."', "sensitive = true")
    world.publish("lab", world.environment_bundle(code=secret))
    world.publish("web", world.service_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--set", "zone=hush", "--auto-approve")

    files = world.row("template", "render", "web", "--env", "prod")["files"]

    assert '"zone" : "(sensitive)"' in files["proton.auto.tfvars.json"]


def test_rendered_files_can_be_written_to_a_folder(world: World) -> None:
    world.do("template", "render", world.service_bundle(), "--dir", "out")

    assert (world.root / "out/main.tf").read_text().endswith(SERVICE_CODE)


def test_a_render_refuses_inputs_that_do_not_fit(world: World) -> None:
    result = world.run("template", "render", world.service_bundle(), "--set", "port=0")

    assert result.code == 1
    assert "  --set: port: 0 is less than the minimum 1.\n" in result.err
