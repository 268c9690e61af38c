"""A key of KMS, as moto plays it, makes data keys and opens them, and refuses in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from moto import mock_aws

from engine.errors import ExternalFailure
from engine.external.aws import Access
from engine.external.aws_kms import Kms
from engine.external.keyring import Wrapped

ENV = {"AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t"}


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        found = boto3.client("kms", region_name="eu-west-1", aws_access_key_id="t", aws_secret_access_key="t")
        yield found
        found.close()


def kms(key: str) -> Kms:
    return Kms(Access(ENV, "eu-west-1"), key)


@contextmanager
def refused(message: str, hint: str) -> Iterator[None]:
    with pytest.raises(ExternalFailure) as caught:
        yield
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_a_data_key_is_opened_by_the_key_that_made_it(client: Any) -> None:
    arn = client.create_key()["KeyMetadata"]["Arn"]
    client.create_alias(AliasName="alias/landform", TargetKeyId=arn)

    wrapped, secret = kms("alias/landform").new("d1")

    assert (wrapped.id, wrapped.master, len(secret), secret in wrapped.wrapped) == ("d1", arn, 32, False)
    assert kms(arn).unwrapped(wrapped) == secret


def test_a_key_that_is_not_there_is_named(client: Any) -> None:
    arn = client.create_key()["KeyMetadata"]["Arn"]
    elsewhere = arn[:-1] + ("0" if arn[-1] != "0" else "1")

    with refused(
        f"The KMS key {elsewhere} cannot make a data key: KMS answers NotFoundException.",
        "See those that are there: aws kms list-aliases. Region and endpoint stand after a ? in the setting kms_key.",
    ):
        kms(elsewhere).new("d2")


class Refusing(BaseHTTPRequestHandler):
    """KMS, as it answers where moto does not."""

    code = ""

    def do_POST(self) -> None:
        body = json.dumps({"__type": self.code, "message": "no"}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("DisabledException", "Somebody has disabled it: aws kms enable-key"),
        (
            "AccessDeniedException",
            "The credentials of Landform need kms:GenerateDataKey and kms:Decrypt for that key.",
        ),
    ],
)
def test_what_kms_refuses_is_said_with_what_to_do(code: str, hint: str) -> None:
    with HTTPServer(("127.0.0.1", 0), type("Saying", (Refusing,), {"code": code})) as server:
        Thread(target=server.handle_request, daemon=True).start()
        access = Access(ENV, "eu-west-1", f"http://127.0.0.1:{server.server_port}")

        with refused(f"The KMS key k cannot open the data key d1: KMS answers {code}.", hint):
            Kms(access, "k").unwrapped(Wrapped("d1", "k", b"x"))


def test_what_was_changed_is_not_opened(client: Any) -> None:
    arn = client.create_key()["KeyMetadata"]["Arn"]
    wrapped, _ = kms(arn).new("d1")

    with refused(
        f"The KMS key {arn} cannot open the data key d1: KMS answers InvalidCiphertextException.",
        "It was changed, or was wrapped for something else than Landform.",
    ):
        kms(arn).unwrapped(Wrapped("d1", arn, wrapped.wrapped[:-1] + b"x"))
