"""How settings name a key in AWS KMS."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import arns


@dataclass(frozen=True)
class KmsKey:
    """A key, and where it is."""

    key: str
    """ARN, id or alias."""
    region: str = ""
    """"" means what the environment says."""
    endpoint: str = ""
    """"" means AWS itself, or what the environment says."""


def parse(text: str) -> KmsKey:
    """The key that `alias/name?region=..&endpoint=..` names; its form has been checked before."""
    key, _, query = text.partition("?")
    options = dict(option.split("=", 1) for option in query.split("&") if option)
    return KmsKey(key, options.get("region") or region_of(key), options.get("endpoint", ""))


def region_of(key: str) -> str:
    """The region that an ARN names; "" for an id or an alias."""
    parts = key.split(":")
    return parts[3] if arns.is_arn(key) and len(parts) > 3 else ""
