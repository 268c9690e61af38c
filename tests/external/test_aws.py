"""S3 as moto's server plays it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from engine.core.s3 import Object
from engine.errors import ExternalFailure, Invalid, NotFound
from engine.external.aws_s3 import Place, fetch_object

LIMIT = 1000


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture(scope="module")
def versions(endpoint: str) -> Iterator[list[str]]:
    """Bucket `plain` with `web.tar.gz`; bucket `kept` with two versions of it, oldest first."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="t", aws_secret_access_key="t"
    )
    client.create_bucket(Bucket="plain")
    client.create_bucket(Bucket="kept")
    client.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    client.put_object(Bucket="plain", Key="web.tar.gz", Body=b"content")
    client.put_object(Bucket="plain", Key="large", Body=bytes(LIMIT + 1))
    yield [client.put_object(Bucket="kept", Key="web.tar.gz", Body=body)["VersionId"] for body in (b"one", b"two")]
    client.close()


def at(bucket: str, key: str, endpoint: str, version: str = "", region: str = "us-east-1") -> Object:
    return Object(bucket, key, version, region, endpoint)


def test_an_object_is_read(endpoint: str, versions: list[str]) -> None:
    assert fetch_object(at("plain", "web.tar.gz", endpoint), limit_bytes=LIMIT) == (b"content", "")


def test_the_newest_version_is_read_unless_one_is_named(endpoint: str, versions: list[str]) -> None:
    assert fetch_object(at("kept", "web.tar.gz", endpoint), limit_bytes=LIMIT) == (b"two", versions[1])
    assert fetch_object(at("kept", "web.tar.gz", endpoint, versions[0])) == (b"one", versions[0])


def test_what_is_not_there_is_named(endpoint: str, versions: list[str]) -> None:
    with pytest.raises(NotFound, match=r"^There is no bucket nowhere\.$"):
        fetch_object(at("nowhere", "web.tar.gz", endpoint), limit_bytes=LIMIT)
    with pytest.raises(NotFound, match=r"^There is no s3://plain/other\.$"):
        fetch_object(at("plain", "other", endpoint), limit_bytes=LIMIT)
    with pytest.raises(NotFound, match=r"^There is no version 1234 of s3://kept/web.tar.gz\.$"):
        fetch_object(at("kept", "web.tar.gz", endpoint, "1234"))


def test_an_object_that_is_too_large_is_refused(endpoint: str, versions: list[str]) -> None:
    with pytest.raises(Invalid, match=r"^s3://plain/large has 1,001 bytes; 1,000 are the most\.$"):
        fetch_object(at("plain", "large", endpoint), limit_bytes=LIMIT)


def test_keys_that_aws_does_not_know_are_told_from_a_lack_of_permissions(endpoint: str, versions: list[str]) -> None:
    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10)

    with pytest.raises(ExternalFailure) as caught:
        fetch_object(at("plain", "web.tar.gz", endpoint), limit_bytes=LIMIT)

    requests.post(f"{endpoint}/moto-api/reset-auth", data=b"1000000", timeout=10)
    assert caught.value.message == "s3://plain/web.tar.gz cannot be read: S3 denies it (InvalidAccessKeyId)."
    assert caught.value.hint == "AWS does not know the access key in use: see AWS_PROFILE, or AWS_ACCESS_KEY_ID."


def test_missing_credentials_are_said(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ExternalFailure, match=r"^s3://plain/web.tar.gz cannot be read: no AWS credentials\.$"):
        # in a region of its own: credentials that were found are kept for the others
        fetch_object(at("plain", "web.tar.gz", endpoint, region="eu-south-2"))


def test_a_service_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(ExternalFailure, match=r"^s3://plain/x cannot be read: Could not connect"):
        fetch_object(at("plain", "x", "http://127.0.0.1:1"))


def test_an_address_that_cannot_be_one_is_refused(endpoint: str) -> None:
    with pytest.raises(Invalid, match=r"^s3://a b/x is not the address of an S3 object\.$"):
        fetch_object(at("a b", "x", endpoint), limit_bytes=LIMIT)


# Place: objects below a prefix, for states


@pytest.fixture
def place(endpoint: str, versions: list[str], tmp_path: Path) -> Place:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return Place("plain", f"{tmp_path.name}/", endpoint, "us-east-1", keys)


def test_an_object_is_there_until_it_is_deleted(place: Place) -> None:
    place.put("a", b"content")
    before = (place.get("a"), place.names())
    place.delete("a")
    place.delete("a")

    assert before == (b"content", ("a",))
    assert (place.get("a"), place.names(), place.stamp("a")) == (None, (), "")


def test_an_object_is_made_anew_only_once(place: Place) -> None:
    assert place.put("lock", b"mine", anew=True) is True
    assert place.put("lock", b"yours", anew=True) is False
    assert place.get("lock") == b"mine"


def test_a_stamp_is_that_of_the_object_and_not_of_one_beside_it(place: Place) -> None:
    place.put("state.tflock", b"1")
    alone = place.stamp("state")
    place.put("state", b"1")
    first = place.stamp("state")
    place.put("state", b"2")

    assert alone == ""
    assert first != place.stamp("state")


def test_a_bucket_that_is_not_there_is_said(place: Place) -> None:
    nowhere = replace(place, bucket="nowhere", prefix="")

    with pytest.raises(ExternalFailure, match=r"^s3://nowhere/a cannot be read: there is no bucket nowhere\.$"):
        nowhere.get("a")
    with pytest.raises(ExternalFailure, match=r"^s3://nowhere/a cannot be written: there is no bucket nowhere\.$"):
        nowhere.put("a", b"")
