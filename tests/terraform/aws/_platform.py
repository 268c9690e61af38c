"""A platform on AWS as its people use it: the product, and the accounts that it works in."""

from __future__ import annotations

from itertools import count

import pytest

from tests import aws_provider
from tests.scenarios.world import World
from tests.terraform._shipped import MODULES, TERRAFORM
from tests.terraform.aws._cloud import Account

ON_AWS = [
    pytest.mark.terraform,
    pytest.mark.skipif(not TERRAFORM, reason="there is no Terraform here"),
    pytest.mark.skipif(aws_provider.archive() is None, reason="the AWS provider's wheel is not installed"),
]
"""What a test needs that deploys with the real provider."""
_numbers = count(111_111_111_111)
"""Each test has accounts of its own: all that a process has of AWS is in one place."""


class Platform:
    """A home, with the accounts dev, prod and tools."""

    def __init__(self, world: World, endpoint: str) -> None:
        self.world = world
        self.accounts = {name: Account(str(next(_numbers)), endpoint) for name in ("dev", "prod", "tools")}

    @property
    def dev(self) -> Account:
        """Where environment dev lies."""
        return self.accounts["dev"]

    @property
    def prod(self) -> Account:
        """Where environment prod lies."""
        return self.accounts["prod"]

    @property
    def tools(self) -> Account:
        """Where pipelines lie."""
        return self.accounts["tools"]

    def publish(self, *bundles: str) -> None:
        """Registers and publishes version 1.0 of shipped bundles, like `service/fargate-web`."""
        for bundle in bundles:
            self.world.publish(bundle.rpartition("/")[2], MODULES / bundle / "v1")

    def outputs(self, address: str) -> dict[str, str]:
        """What an instance has put out."""
        noun, _, name = address.partition("/")
        row = self.world.row({"environment": "env"}.get(noun, noun), "show", name)
        found: dict[str, str] = {each: value["value"] for each, value in row["outputs"].items()}
        return found
