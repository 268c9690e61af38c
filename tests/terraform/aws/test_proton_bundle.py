"""A bundle as AWS Proton's users have them is registered and deployed without an edit, on the real AWS provider."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile

from tests.scenarios.world import MANIFEST
from tests.terraform.aws._cloud import REGION
from tests.terraform.aws._platform import ON_AWS, Platform

pytestmark = ON_AWS

CONFIG = """\
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.0"
    }
  }

  backend "s3" {}
}

provider "aws" {
  region = var.aws_region

  default_tags {
    tags = var.proton_tags
  }
}

variable "aws_region" {
  type = string
}
"""
MAIN = """\
resource "aws_ssm_parameter" "code" {
  name  = "/${var.environment.name}/code"
  type  = "String"
  value = filebase64sha256("${path.module}/function.zip")
}

resource "aws_sns_topic" "ping" {
  name         = "${var.environment.name}-ping"
  display_name = contains(keys(var.environment.inputs), "title") ? var.environment.inputs.title : "untitled"
}
"""
OUTPUTS = """\
output "topic_arn" {
  value = aws_sns_topic.ping.arn
}
"""
SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "EnvironmentInput"
  types:
    EnvironmentInput:
      type: object
      description: "Input properties for my environment"
      properties:
        title:
          type: string
          description: "What the topic is called"
"""


def zipped() -> bytes:
    """A zip file, as people put them beside their code."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("index.js", "exports.handler = async () => ({ statusCode: 200 })\n")
    return file.getvalue()


def test_a_bundle_written_for_proton_is_deployed_without_an_edit(platform: Platform) -> None:
    world, dev, content = platform.world, platform.dev, zipped()
    files = {"manifest.yaml": MANIFEST, "config.tf": CONFIG, "main.tf": MAIN, "outputs.tf": OUTPUTS}
    code = {f"infrastructure/{name}": text for name, text in files.items()}
    bundle = world.bundle("network", {"schema/schema.yaml": SCHEMA, **code})
    (bundle / "infrastructure/function.zip").write_bytes(content)
    world.publish("network", bundle)

    world.do("env", "create", "dev", "-t", "network", "--credentials", "dev", "--auto-approve")

    arn = f"arn:aws:sns:{REGION}:{dev.id}:dev-ping"
    assert platform.outputs("environment/dev") == {"topic_arn": arn}
    assert dev.ask("sns", "get_topic_attributes", TopicArn=arn)["Attributes"]["DisplayName"] == "untitled"
    tags = dev.ask("sns", "list_tags_for_resource", ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags}["proton:account"] == dev.id
    code_sum = dev.ask("ssm", "get_parameter", Name="/dev/code")["Parameter"]["Value"]
    assert code_sum == base64.b64encode(hashlib.sha256(content).digest()).decode()

    world.do("env", "delete", "dev", "--auto-approve", "--allow-destroy")
    assert dev.everything() == {}
