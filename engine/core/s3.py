"""Addresses of places and objects in S3, as settings, commands and the catalog have them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}", re.ASCII)
"""Very old buckets have names that no new one may have."""


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
    kms: str = ""
    """ARN, id or alias of the key with which objects are encrypted; "" means as the bucket does it by default."""

    def __str__(self) -> str:
        """The address that parse() reads."""
        options = {"region": self.region, "endpoint": self.endpoint, "kms": self.kms}
        query = "&".join(f"{name}={value}" for name, value in options.items() if value)
        place = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{place}?{query}" if query else place


@dataclass(frozen=True)
class Object:
    """One object of a bucket."""

    bucket: str
    key: str
    version_id: str = ""
    """"" means the newest."""
    region: str = ""
    """"" means what the environment says."""
    endpoint: str = ""
    """"" means AWS itself, or what the environment says."""

    def __str__(self) -> str:
        """Its name in messages."""
        return f"s3://{self.bucket}/{self.key}"


def parse(address: str) -> S3:
    """The place that `s3://bucket/prefix?region=..&endpoint=..&kms=..` names; its form has been checked before."""
    place, _, query = address.removeprefix("s3://").partition("?")
    bucket, _, path = place.partition("/")
    options = dict(option.split("=", 1) for option in query.split("&") if option)
    prefix = path.strip("/")
    given = {name: options.get(name, "") for name in ("region", "endpoint", "kms")}
    return S3(bucket, f"{prefix}/" if prefix else "", **given)


def is_bucket(name: str) -> bool:
    """Whether a bucket may have the name."""
    return _BUCKET.fullmatch(name) is not None


def region_of_host(host: str) -> str:
    """The region in the name of one of Amazon's hosts, like bucket.s3.eu-west-1.amazonaws.com; "" when it has none."""
    found = re.search(r"(?:^|\.)s3[.-]([a-z0-9-]+)\.amazonaws\.", host)
    return found[1] if found else ""
