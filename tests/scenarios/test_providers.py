"""Providers as a user meets them: fetched ahead of time, listed, and the same in plan and apply."""

from __future__ import annotations

import pytest

from engine.terraform import seal
from tests import aws_provider
from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform
needs_aws = pytest.mark.skipif(aws_provider.archive() is None, reason="the AWS provider's wheel is not installed")

AWS = "registry.terraform.io/hashicorp/aws"
NEEDS_AWS = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.0"
    }
  }
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

"""
JINJA_MANIFEST = """\
infrastructure:
  templates:
    - file: "*"
      rendering_engine: jinja
      template_language: terraform
"""
JINJA_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "EnvironmentInput"
  types:
    EnvironmentInput:
      type: object
      required: [zone]
      properties:
        zone:
          type: string
"""


@pytest.fixture
def offline(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home that reaches no network, with a mirror that has the AWS provider."""
    monkeypatch.setenv("LANDFORM_OFFLINE", "yes")
    if aws_provider.archive() is not None:
        monkeypatch.setenv("LANDFORM_PROVIDER_MIRROR", str(aws_provider.mirror()))
    world.publish("lab", world.environment_bundle(code=NEEDS_AWS + ENVIRONMENT_CODE))
    return world


def log(world: World, run: int) -> str:
    return world.do("run", "logs", run).out


@needs_aws
def test_after_a_version_was_warmed_its_first_run_needs_no_init(offline: World) -> None:
    warmed = offline.row("providers", "warm", "lab")["items"]

    offline.do("env", "create", "prod", "-t", "lab", "--auto-approve")

    assert [(row["provider"], row["version"], row["used_by"]) for row in warmed] == [(AWS, "3.39.0", ["lab@1.0"])]
    assert "Initializing provider plugins" not in log(offline, 1)


@needs_aws
def test_a_list_says_which_versions_use_a_provider(offline: World) -> None:
    before = offline.rows("providers", "list")
    offline.do("providers", "warm", "lab@1.0")
    offline.publish("lab", offline.environment_bundle(code=NEEDS_AWS + ENVIRONMENT_CODE + "# more\n"), "--major", 1)
    offline.do("providers", "warm", "lab@1.1")

    rows = offline.rows("providers", "list")

    assert before == []
    assert [(row["provider"], row["platform"], row["size"], row["used_by"]) for row in rows] == [
        (AWS, "linux_amd64", "177 MB", ["lab@1.0", "lab@1.1"])
    ]


@needs_aws
def test_a_plan_is_stale_when_the_lock_file_of_its_providers_has_changed(offline: World) -> None:
    offline.run("env", "create", "prod", "-t", "lab")
    lock = offline.home / "environment/prod/workspace/.terraform.lock.hcl"
    lock.write_text(lock.read_text().replace("3.39.0", "3.38.0"))

    result = offline.run("run", "approve", 1)

    assert (result.code, offline.row("run", "show", 1)["message"]) == (
        5,
        "The plan is stale. Changed since it was made: provider lock.",
    )


@needs_aws
def test_a_plan_is_applied_although_its_version_has_to_be_made_ready_again(offline: World) -> None:
    offline.run("env", "create", "prod", "-t", "lab")
    seal.discard(offline.home / "prepared")

    offline.do("run", "approve", 1)

    assert offline.row("run", "show", 1)["status"] == "succeeded"


def test_offline_a_missing_provider_is_said_with_what_to_type(offline: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANDFORM_PROVIDER_MIRROR", raising=False)

    result = offline.run("env", "create", "prod", "-t", "lab", "--auto-approve")

    message = offline.row("run", "show", 1)["message"]
    assert result.code == 1
    assert f"provider {AWS} was not found in any of the search locations" in message
    assert message.endswith("or fetch it where there is a network with: landform providers warm lab")


def test_a_version_without_providers_has_nothing_to_fetch(world: World) -> None:
    world.publish("lab", world.environment_bundle())

    warmed = world.do("providers", "warm", "lab")

    assert warmed.err.splitlines()[-1] == "lab@1.0 needs no provider that has to be fetched."
    assert world.rows("providers", "list") == []


def test_code_that_jinja_writes_may_need_inputs_to_be_warmed(world: World) -> None:
    code = 'output "zone" {\n  value = "{{ environment.inputs.zone }}"\n}\n'
    files = {"infrastructure/manifest.yaml": JINJA_MANIFEST, "infrastructure/main.tf.j2": code}
    world.publish("lab", world.bundle("lab", {"schema/schema.yaml": JINJA_SCHEMA, **files}))

    bare = world.run("providers", "warm", "lab")
    world.do("providers", "warm", "lab", "--set", "zone=a")

    assert bare.code == 1
    assert "Code that Jinja writes may need inputs: give them with --spec or --set." in bare.err


def test_an_unknown_template_is_not_found(world: World) -> None:
    assert world.run("providers", "warm", "nothing").code == 8
