"""Where the states lie that other tools have written: by name, or as Proton's public workflow names them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from engine.core.address import Address, Kind
from engine.core.s3 import S3, parse

STATE_FILE = "terraform.tfstate"


@dataclass(frozen=True)
class Source:
    """A bucket with states, or one state in it."""

    place: S3
    key: str = ""
    """Of the one state; "" where each is looked for by its address."""

    def key_of(self, where: Address, environment: str) -> str:
        """The key of the object that holds the state of an instance; `environment` is the one that it runs in."""
        return self.key or f"{self.place.prefix}{workflow_key(where, environment)}"

    def named(self, key: str) -> str:
        """The object's name in messages."""
        return f"s3://{self.place.bucket}/{key}"


def source(address: str) -> Source:
    """What `s3://bucket/prefix` names, or `s3://bucket/key.tfstate`; its form has been checked before."""
    place = parse(address)
    key = place.prefix.removesuffix("/")
    return Source(replace(place, prefix=""), key) if key.endswith(".tfstate") else Source(place)


def workflow_key(where: Address, environment: str) -> str:
    """The key that Proton's public workflow (proton_run.yml) has given to the state of an instance."""
    folder = {
        Kind.ENVIRONMENT: f"{where.name}/",
        Kind.SERVICE_INSTANCE: f"{environment}/{where.service}-{where.name}/",
        # the workflow lacks the slash here, and what it has written is to be found
        Kind.PIPELINE: f"{where.service}/pipeline",
        Kind.COMPONENT: f"{environment}/{where.name}/",
    }
    return f"{folder[where.kind]}{STATE_FILE}"
