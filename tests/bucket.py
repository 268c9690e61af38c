"""S3 for tests, as moto's server plays it on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
REGION = "us-east-1"


@dataclass(frozen=True)
class Bucket:
    """A bucket, empty when made. Its name is its own: all servers of a process share what they hold."""

    name: str
    endpoint: str

    @property
    def address(self) -> str:
        """As the settings `backend` and `state_store` take it."""
        return f"s3://{self.name}/team?region={REGION}&endpoint={self.endpoint}"

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Of boto3."""
        found = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id="t", aws_secret_access_key="t"
        )
        try:
            yield found
        finally:
            found.close()

    def content(self) -> list[str]:
        """The keys of all objects, in order."""
        with self.client() as client:
            return [each["Key"] for each in client.list_objects_v2(Bucket=self.name).get("Contents", ())]


@contextmanager
def bucket() -> Iterator[Bucket]:
    """A bucket, as long as the block runs."""
    name = f"states-{uuid4().hex[:12]}"
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    found = Bucket(name, f"http://{host}:{port}")
    try:
        with found.client() as client:
            client.create_bucket(Bucket=name)
        yield found
    finally:
        server.stop()
