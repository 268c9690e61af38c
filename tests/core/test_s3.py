"""Addresses of places in S3."""

from __future__ import annotations

import pytest

from engine.core.s3 import S3, parse, region_of_host


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://states", S3("states", "")),
        ("s3://states/", S3("states", "")),
        ("s3://states/team/a/", S3("states", "team/a/")),
        ("s3://states/team?region=eu-west-1", S3("states", "team/", "eu-west-1")),
        ("s3://states?endpoint=http://127.0.0.1:1&region=x", S3("states", "", "x", "http://127.0.0.1:1")),
        ("s3://states/a?kms=alias/landform", S3("states", "a/", kms="alias/landform")),
    ],
)
def test_an_address_names_bucket_prefix_region_endpoint_and_key(address: str, place: S3) -> None:
    assert parse(address) == place


def test_a_place_is_written_as_the_address_that_names_it() -> None:
    address = "s3://states/a?region=eu-west-1&kms=arn:aws:kms:eu-west-1:111122223333:key/1234"

    assert str(parse(address)) == address


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("states.s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("s3-us-west-2.amazonaws.com", "us-west-2"),
        ("s3.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("s3.amazonaws.com", ""),
        ("127.0.0.1:9000", ""),
    ],
)
def test_a_host_of_amazon_says_its_region(host: str, region: str) -> None:
    assert region_of_host(host) == region
