"""Addresses of places in S3."""

from __future__ import annotations

import pytest

from engine.core.s3 import S3, parse


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("s3://states", S3("states", "")),
        ("s3://states/", S3("states", "")),
        ("s3://states/team/a/", S3("states", "team/a/")),
        ("s3://states/team?region=eu-west-1", S3("states", "team/", "eu-west-1")),
        ("s3://states?endpoint=http://127.0.0.1:1&region=x", S3("states", "", "x", "http://127.0.0.1:1")),
    ],
)
def test_an_address_names_bucket_prefix_region_and_endpoint(address: str, place: S3) -> None:
    assert parse(address) == place
