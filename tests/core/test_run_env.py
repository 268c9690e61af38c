"""What Terraform is told of the region a run works in."""

from __future__ import annotations

import pytest

from engine.core.bundle import Part, PartName, Variable
from engine.core.run_env import region

PLAIN = Part(PartName.INFRASTRUCTURE, "hcl", (), ())
WITH_REGION = Part(PartName.INFRASTRUCTURE, "hcl", (), (), variables=(Variable("aws_region", "main.tf", 1),))


@pytest.mark.parametrize(
    ("part", "env", "given"),
    [
        (WITH_REGION, {"AWS_REGION": "eu-west-1"}, {"TF_VAR_aws_region": "eu-west-1"}),
        (WITH_REGION, {"AWS_DEFAULT_REGION": "eu-west-1"}, {"TF_VAR_aws_region": "eu-west-1"}),
        (WITH_REGION, {}, {}),
        (PLAIN, {"AWS_REGION": "eu-west-1"}, {}),
        (None, {"AWS_REGION": "eu-west-1"}, {}),
    ],
    ids=["declared", "by the older name", "no region", "not declared", "no code"],
)
def test_a_bundle_that_declares_aws_region_is_given_the_region_of_the_run(
    part: Part | None, env: dict[str, str], given: dict[str, str]
) -> None:
    assert region(part, env) == given
