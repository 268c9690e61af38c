"""S3 as moto plays it, with keys of KMS; and S3 that is asked in the wrong region, played by a few lines of our own."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import boto3
import pytest

from engine.core.buckets import Wish
from engine.core.s3 import S3, Object
from engine.errors import Conflict, ExternalFailure
from engine.external.aws import Access
from engine.external.aws_buckets import set_up
from engine.external.aws_s3 import Place, fetch_object
from engine.external.contents import S3Bundles
from tests.bucket import CREDENTIALS, REGION, Bucket, bucket

ANSWERS = {
    "moved": (301, "<Code>PermanentRedirect</Code><Endpoint>moved.s3.eu-west-1.amazonaws.com</Endpoint>"),
    "signed": (400, "<Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>"),
    "silent": (301, "<Code>PermanentRedirect</Code>"),
}


class Elsewhere(BaseHTTPRequestHandler):
    """Answers of S3 for buckets that are in another region."""

    def do_GET(self) -> None:
        status, words = ANSWERS[self.path.split("/")[1]]
        content = f"<Error>{words}<Message>-</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        if self.path.startswith("/moved/"):
            self.send_header("x-amz-bucket-region", "eu-west-1")
        self.end_headers()
        self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture(scope="module")
def kms(s3: Bucket) -> str:
    """ARN of a key."""
    client = boto3.client(
        "kms", endpoint_url=s3.endpoint, region_name=REGION, aws_access_key_id="t", aws_secret_access_key="t"
    )
    arn: str = client.create_key()["KeyMetadata"]["Arn"]
    client.close()
    return arn


@pytest.mark.parametrize("name", ["moved", "signed"])
def test_a_bucket_in_another_region_is_said_with_the_region(elsewhere: str, name: str) -> None:
    with pytest.raises(ExternalFailure) as caught:
        fetch_object(Object(name, "web.tar.gz", "", "us-east-1", elsewhere), CREDENTIALS)

    assert caught.value.message == (
        f"s3://{name}/web.tar.gz cannot be read: bucket {name} is in eu-west-1, not in us-east-1."
    )
    assert caught.value.hint == f"Name its region: s3://{name}/...?region=eu-west-1"


def test_a_state_in_another_region_is_said_with_the_region(elsewhere: str) -> None:
    with pytest.raises(ExternalFailure, match=r"cannot be read: bucket moved is in eu-west-1, not in us-east-1\.$"):
        Place("moved", "team/", elsewhere, "us-east-1", CREDENTIALS).get("state")


def test_a_bucket_in_a_region_that_nobody_names_is_said(elsewhere: str) -> None:
    with pytest.raises(ExternalFailure, match=r"^s3://silent/x cannot be read: bucket silent is in another region\.$"):
        fetch_object(Object("silent", "x", "", "us-east-1", elsewhere), CREDENTIALS)


def test_a_bucket_of_somebody_else_is_not_touched(elsewhere: str) -> None:
    with pytest.raises(Conflict, match=r"^Bucket theirs is somebody else's, or these"):
        list(set_up(Wish(S3("theirs", "")), Access(CREDENTIALS, "us-east-1", elsewhere)))


def test_what_is_put_is_encrypted_with_the_key_that_is_named(s3: Bucket, kms: str) -> None:
    place = Place(s3.name, "sealed/", s3.endpoint, REGION, CREDENTIALS, kms)

    place.put("state", b"content")

    with s3.client() as client:
        head = client.head_object(Bucket=s3.name, Key="sealed/state")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", kms)
    wanted = Object(s3.name, "sealed/state", "", REGION, s3.endpoint)
    assert fetch_object(wanted, CREDENTIALS) == (b"content", "")


def test_a_bundle_is_put_once_and_again_when_it_was_changed(s3: Bucket) -> None:
    place = Place(s3.name, "shelf/", s3.endpoint, REGION, CREDENTIALS)
    bundles = S3Bundles(place)

    bundles.keep("bundles/ab", b"content")
    first = place.stamp("bundles/ab.tar.gz")
    bundles.keep("bundles/ab", b"content")
    again = place.stamp("bundles/ab.tar.gz")
    place.put("bundles/ab.tar.gz", b"changed")
    bundles.keep("bundles/ab", b"content")

    assert (again == first, bundles.fetch("bundles/ab"), bundles.fetch("bundles/cd")) == (True, b"content", None)
