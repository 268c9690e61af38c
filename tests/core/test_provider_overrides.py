"""What landform.toml lays over the providers of any bundle."""

from __future__ import annotations

import pytest

from engine.core.provider_overrides import AWS_SERVICES, content, parse
from engine.errors import Invalid

SKIP = {"aws": {"skip_credentials_validation": True}}
PLAIN = b'resource "aws_vpc" "a" {\n}\n'


def aws(*files: tuple[str, bytes], required: dict[str, str] | None = None) -> object:
    found = content(SKIP, dict(files), required).get("provider")
    return found["aws"] if isinstance(found, dict) else None


def problems(table: object) -> list[str]:
    with pytest.raises(Invalid) as caught:
        parse(table, "landform.toml")
    return [str(problem) for problem in caught.value.problems]


def test_a_provider_is_overridden_where_a_resource_uses_it_and_no_block_configures_it() -> None:
    assert aws(("main.tf", PLAIN)) == [{"skip_credentials_validation": True}]


@pytest.mark.parametrize(
    "files",
    [
        [("main.tf", b'data "aws_region" "here" {}')],
        [("main.tf", b'module "net" {\n  source = "./net"\n}'), ("net/main.tf", PLAIN)],
        [("main.tf", b'module "net" {\n  source = "elsewhere/net/aws"\n}')],
        [("main.tf.json", b'{"resource": {"aws_vpc": {"a": {}}}}')],
        [("main.tf", b'provider "aws" {\n  region = "eu-west-1"\n}')],
    ],
    ids=["data", "own module", "module from elsewhere", "json", "block"],
)
def test_a_provider_is_overridden_however_it_is_used(files: list[tuple[str, bytes]]) -> None:
    assert aws(*files) == [{"skip_credentials_validation": True}]


@pytest.mark.parametrize(
    "code",
    [
        b'resource "terraform_data" "a" {}',
        b'# resource "aws_vpc" "a" {}',
        b'/* provider "aws" {} */',
        b'locals {\n  text = <<-END\n    provider "aws" {\n  END\n}',
        b'output "x" {\n  value = "resource aws_vpc ${1 == 1 ? "{" : ""} a"\n}',
        b"\xff not code",
    ],
)
def test_a_bundle_that_does_not_use_the_provider_is_left_alone(code: bytes) -> None:
    assert aws(("main.tf", code)) is None


def test_a_provider_that_is_only_required_is_overridden() -> None:
    assert aws(required={"aws": "hashicorp/aws ~> 3.0"}) == [{"skip_credentials_validation": True}]


def test_every_aliased_configuration_is_overridden_too() -> None:
    code = b"""
provider "aws" {
  default_tags {
    tags = { alias = "none" }
  }
}
provider aws {
  alias = "west" # not east
  assume_role {
    alias = "inner"
  }
}
"""
    json = b'{"provider": {"aws": [{"region": "x"}, {"alias": "north"}]}}'

    found = aws(("main.tf", code), ("more.tf.json", json), ("module/main.tf", b'provider "aws" {\n alias = "m"\n}'))

    assert found == [
        {"skip_credentials_validation": True},
        {"alias": "north", "skip_credentials_validation": True},
        {"alias": "west", "skip_credentials_validation": True},
    ]


def test_one_endpoint_stands_for_all_services_of_aws_but_those_named() -> None:
    found = parse({"aws": {"endpoint": "http://moto:1", "endpoints": {"s3": "http://s3:2"}}}, "landform.toml")

    endpoints = {**dict.fromkeys(AWS_SERVICES, "http://moto:1"), "s3": "http://s3:2"}
    assert found == {"aws": {"endpoints": endpoints}}


def test_without_the_table_nothing_is_overridden() -> None:
    assert parse(None, "landform.toml") == {}
    assert content({}, {"main.tf": PLAIN}, None) == {}


def test_all_that_is_wrong_is_said_at_once() -> None:
    table = {
        "AWS": {},
        "google": "x",
        "aws": {"alias": "x", "secret_key": "s", "a b": 1, "endpoint": "moto", "endpoints": 5, "x": float("nan")},
    }

    assert problems(table) == [
        "landform.toml: provider_overrides.AWS: is not the local name of a provider, like aws.",
        "landform.toml: provider_overrides.google: must be a table of the provider's arguments.",
        "landform.toml: provider_overrides.aws.alias: cannot be given: all configurations of the provider are meant.",
        "landform.toml: provider_overrides.aws.secret_key: is a secret, which this file must not have.",
        "landform.toml: provider_overrides.aws.a b: is not the name of an argument.",
        "landform.toml: provider_overrides.aws.x: must be made of strings, numbers, true or false, lists and tables.",
        "landform.toml: provider_overrides.aws.endpoint: must be an address that begins with http:// or https://.",
        'landform.toml: provider_overrides.aws.endpoints: must be a table, like {s3 = "http://127.0.0.1:5000"}.',
    ]
    assert problems("x") == [
        "landform.toml: provider_overrides: must be a table of tables, as in [provider_overrides.aws]."
    ]
