"""Where the states lie that Proton's public workflow has written."""

from __future__ import annotations

import pytest

from engine.core import address
from engine.core.adoption import Source, source
from engine.core.s3 import S3


@pytest.mark.parametrize(
    ("where", "key"),
    [
        ("environment/prod", "prod/terraform.tfstate"),
        ("service/orders/blue", "prod/orders-blue/terraform.tfstate"),
        ("pipeline/orders", "orders/pipelineterraform.tfstate"),
        ("component/cache", "prod/cache/terraform.tfstate"),
    ],
)
def test_a_state_is_looked_for_where_the_workflow_put_it(where: str, key: str) -> None:
    whole = source("s3://states?region=eu-west-1")
    below = source("s3://states/team")

    assert whole.key_of(address.parse(where), "prod") == key
    assert below.key_of(address.parse(where), "prod") == f"team/{key}"


def test_one_state_is_named_by_itself() -> None:
    found = source("s3://states/a/b.tfstate?region=eu-west-1")

    assert found == Source(S3("states", "", "eu-west-1"), "a/b.tfstate")
    assert found.key_of(address.parse("environment/prod"), "") == "a/b.tfstate"
    assert found.named(found.key) == "s3://states/a/b.tfstate"
