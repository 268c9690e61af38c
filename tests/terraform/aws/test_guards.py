"""Guards on plans of the real AWS provider."""

from __future__ import annotations

from tests.terraform.aws._platform import ON_AWS, Platform

pytestmark = ON_AWS
CODE = """\
variable "aws_region" { type = string }

provider "aws" {
  region = var.aws_region
}

resource "aws_security_group" "web" {
  name = "web"

  ingress {
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "empty" {
  name = "empty"
  tags = { owner = "shop" }
}
"""
GUARDS = """\
providers: [aws]
regions: [eu-*]
required_tags: [owner]
public_ingress: {ports: [443]}
local_exec: false
"""


def test_a_plan_of_aws_is_judged_by_what_it_would_make(platform: Platform) -> None:
    world = platform.world
    world.publish("lab", world.environment_bundle(code=CODE))
    world.do("template", "guards", "set", "lab", "-", stdin=GUARDS)

    refused = world.run("env", "create", "dev", "-t", "lab", "--credentials", "dev", "--yes")

    unsure = "as far as can be told: some of its tags cannot be known before it is made."
    assert refused.code == 4
    assert [each["sentence"] for each in world.row("run", "show", 1)["refusals"]] == [
        "aws_security_group.empty would be in the region us-east-1.",
        "aws_security_group.web would be in the region us-east-1.",
        f"aws_security_group.web has no tag owner, {unsure}",
        "aws_security_group.web lets the whole world in on port 22.",
    ]
