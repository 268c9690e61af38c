"""A home whose environments lie in accounts of an AWS of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import aws_provider
from tests.scenarios.world import World
from tests.terraform.aws._cloud import REGION, serving
from tests.terraform.aws._platform import Platform

SETTINGS = """\
offline = "yes"
provider_mirror = "{mirror}"
region = "{region}"
pipeline_credentials = "tools"

[provider_overrides.aws]
endpoint = "{endpoint}"
s3_force_path_style = true
skip_get_ec2_platforms = true
"""
CREDENTIALS = """
[credentials.{name}]
source = "static"
access_key_id_file = "keys/id"
secret_access_key_file = "keys/secret"
role_arn = "arn:aws:iam::{account}:role/landform"
region = "{region}"
account_id = "{account}"
"""


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Where the AWS of this process answers."""
    with serving() as address:
        yield address


@pytest.fixture
def platform(tmp_path: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """A home with credentials for the accounts dev, prod and tools, in which nothing has happened yet."""
    found = Platform(World(tmp_path, tmp_path / "home"), endpoint)
    text = SETTINGS.format(mirror=aws_provider.mirror(), region=REGION, endpoint=endpoint)
    for name, account in found.accounts.items():
        text += CREDENTIALS.format(name=name, account=account.id, region=REGION)
    found.world.write("landform.toml", text)
    found.world.write("keys/id", "test")
    found.world.write("keys/secret", "test")
    monkeypatch.chdir(tmp_path)
    return found
