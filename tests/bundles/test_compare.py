"""Two versions of a bundle side by side."""

from __future__ import annotations

import json

from engine.bundles.compare import Changed, Changes, Comparison, diff
from engine.bundles.load import check
from engine.bundles.scaffold import scaffold
from engine.core.versions import TemplateKind

OLD = scaffold(TemplateKind.SERVICE, "web", pipeline=True)
PART = "instance_infrastructure"
MAIN, TERRAFORM, OUTPUTS = f"{PART}/main.tf", f"{PART}/terraform.tf", f"{PART}/outputs.tf"
SCHEMA = "schema/schema.yaml"


def compared(new: dict[str, bytes]) -> Comparison:
    return diff(OLD, check(OLD), new, check(new))


def test_a_bundle_equals_itself() -> None:
    assert compared(OLD) == Comparison()
    assert compared(OLD).is_empty


def test_inputs_are_compared_type_by_type() -> None:
    schema = OLD[SCHEMA].replace(b"        size:\n", b"        tier:\n").replace(b"65535", b"9999")
    schema = schema.replace(b"test_command", b"command")

    found = compared(OLD | {SCHEMA: schema})

    port = {"type": "integer", "description": "The port it listens on", "default": 8080, "minimum": 1024}
    before = {**port, "maximum": 65535, "required": False}
    after = {**port, "maximum": 9999, "required": False}
    assert found.inputs == {
        "service_instance.inputs": Changes(("tier",), ("size",), (Changed("port", ("maximum",), before, after),)),
        "pipeline.inputs": Changes(("command",), ("test_command",)),
    }


def test_an_input_that_becomes_required_has_changed() -> None:
    required = b"      required: [port]\n    PipelineInput:\n"
    schema = OLD[SCHEMA].replace(b"    PipelineInput:\n", required)

    changed = compared(OLD | {SCHEMA: schema}).inputs["service_instance.inputs"].changed

    assert [(change.name, change.keywords) for change in changed] == [("port", ("required",))]


def test_code_is_compared_part_by_part() -> None:
    terraform = b"""terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
  backend "s3" {}
}
"""
    new = OLD | {
        MAIN: OLD[MAIN].replace(b'"terraform_data" "instance"', b'"terraform_data" "server"'),
        OUTPUTS: OLD[OUTPUTS].replace(b'"instance_id"', b'"server_id"'),
        TERRAFORM: terraform,
    }

    found = compared(new)

    constraint = Changed("terraform", ("value",), {"value": ">= 1.4"}, {"value": ">= 1.5"})
    assert found.outputs == {PART: Changes(("server_id",), ("instance_id",))}
    assert found.resources == {PART: Changes(("terraform_data.server",), ("terraform_data.instance",))}
    assert found.providers == {PART: Changes(("aws",))}
    assert found.settings == {PART: Changes(("backend",), (), (constraint,))}
    assert list(found.text) == [MAIN, OUTPUTS, TERRAFORM]
    assert json.loads(json.dumps(found.to_json()))["outputs"][PART]["added"] == ["server_id"]


def test_text_is_compared_line_by_line() -> None:
    old = {"a.tf": b"one\ntwo\n", "gone": b"x", "image.png": b"\x00\x01"}
    new = {"a.tf": b"one\n2", "new": b"y\n", "image.png": b"\x00\x02\x03"}

    assert diff(old, check(old), new, check(new)).text == {
        "a.tf": "--- a/a.tf\n+++ b/a.tf\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n\\ No newline at end of file\n",
        "gone": "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n",
        "image.png": "image.png differs: 2 bytes and 3 bytes.\n",
        "new": "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+y\n",
    }
