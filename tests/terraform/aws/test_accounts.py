"""Environments in accounts of their own, side by side, on the real AWS provider: credentials for a run, and tags."""

from __future__ import annotations

import shutil

import pytest

from tests import aws_provider
from tests.terraform.aws._platform import Platform

pytestmark = [
    pytest.mark.terraform,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
    pytest.mark.skipif(aws_provider.archive() is None, reason="the AWS provider's wheel is not installed"),
]
CODE = """\
provider "aws" {
  default_tags {
    tags = var.proton_tags
  }
}

provider "aws" {
  alias  = "other"
  region = "us-west-2"
}

data "aws_caller_identity" "here" {
  provider = aws.other
}

resource "terraform_data" "seen" {
  provisioner "local-exec" {
    command = "env | grep ^AWS_ | cut -d= -f1 | sort > seen"
  }
}

resource "aws_ssm_parameter" "name" {
  name  = "/landform/name"
  type  = "String"
  value = var.environment.name
}

output "account" {
  value = data.aws_caller_identity.here.account_id
}
"""
MADE_BY_MOTO = b"FQoGZXIvYXdzE"
"""What session tokens begin with."""


def test_environments_lie_in_accounts_of_their_own_side_by_side(platform: Platform) -> None:
    world, dev, prod = platform.world, platform.dev, platform.prod
    world.publish("lab", world.environment_bundle(code=CODE))

    world.do("env", "create", "dev", "-t", "lab", "--credentials", "dev", "--tag", "team=shop", "--auto-approve")
    world.do("env", "create", "prod", "-t", "lab", "--credentials", "prod", "--auto-approve")

    assert platform.outputs("environment/dev") == {"account": dev.id}
    assert platform.outputs("environment/prod") == {"account": prod.id}
    for account, name in ((dev, "dev"), (prod, "prod")):
        found = account.ask("ssm", "get_parameter", Name="/landform/name")["Parameter"]
        assert (found["Value"], found["ARN"].split(":")[4]) == (name, account.id)
    tags = dev.ask("ssm", "list_tags_for_resource", ResourceType="Parameter", ResourceId="/landform/name")["TagList"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "proton:account": dev.id,
        "proton:template": f"arn:aws:proton:us-east-1:{dev.id}:environment-template/lab",
        "proton:environment": f"arn:aws:proton:us-east-1:{dev.id}:environment/dev",
        "team": "shop",
    }
    # a session of an hour may be too short for an apply: it was renewed by way of a file, which is gone
    assert (world.home / "environment/dev/workspace/seen").read_text().split() == [
        *("AWS_CONFIG_FILE", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED"),
        *("AWS_PROFILE", "AWS_REGION", "AWS_SDK_LOAD_CONFIG"),
    ]
    files = [path for path in world.home.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if MADE_BY_MOTO in path.read_bytes()[:2_000_000]] == []
