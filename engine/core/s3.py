"""Addresses of places in S3, as settings and the catalog have them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class S3:
    """A bucket, and where in it."""

    bucket: str
    prefix: str
    """What keys begin with: "" or ending in /."""
    region: str = ""
    """"" means what the environment says."""
    endpoint: str = ""
    """"" means AWS itself, or what the environment says."""


def parse(address: str) -> S3:
    """The place that `s3://bucket/prefix?region=..&endpoint=..` names; its form has been checked before."""
    place, _, query = address.removeprefix("s3://").partition("?")
    bucket, _, path = place.partition("/")
    options = dict(option.split("=", 1) for option in query.split("&") if option)
    prefix = path.strip("/")
    return S3(bucket, f"{prefix}/" if prefix else "", options.get("region", ""), options.get("endpoint", ""))
