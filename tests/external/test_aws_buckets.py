"""Buckets for states, made and set up on moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from engine.core.buckets import Standing, Wish
from engine.core.s3 import S3
from engine.errors import Usage
from engine.external.aws import Access
from engine.external.aws_buckets import set_up
from tests.bucket import CREDENTIALS, REGION, Bucket, bucket

RIGHT, MISSING, CHANGED = Standing.RIGHT, Standing.MISSING, Standing.CHANGED


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


def access(s3: Bucket, region: str = REGION) -> Access:
    return Access(CREDENTIALS, region, s3.endpoint)


def standings(wish: Wish, how: Access, *, check: bool = False) -> list[Standing]:
    return [finding.standing for finding in set_up(wish, how, check=check)]


def test_a_bucket_is_made_and_set_up_once(s3: Bucket) -> None:
    name = f"fresh-{uuid4().hex}"
    wish, how = Wish(S3(name, "", "eu-west-1", kms="alias/states"), 30), access(s3, "eu-west-1")

    before = standings(wish, how, check=True)
    made = standings(wish, how)
    again = standings(wish, how)

    assert (before, made, again) == ([MISSING] * 6, [CHANGED] * 6, [RIGHT] * 6)
    with s3.client() as client:
        assert client.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
        assert client.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
        [rule] = client.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == "alias/states"
        assert set(client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
        [statement] = json.loads(client.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_bucket_that_is_there_is_set_up_where_something_is_missing(s3: Bucket) -> None:
    wish = Wish(S3(s3.name, ""))
    with s3.client() as client:
        client.put_bucket_versioning(Bucket=s3.name, VersioningConfiguration={"Status": "Enabled"})

    checked = standings(wish, access(s3), check=True)
    done = standings(wish, access(s3))

    assert checked[:2] == [RIGHT, RIGHT]
    assert done == [CHANGED if each is MISSING else each for each in checked]
    assert standings(wish, access(s3), check=True) == [RIGHT] * 5


def test_the_region_of_a_new_bucket_must_be_said(s3: Bucket) -> None:
    with pytest.raises(Usage, match=r"^In which region is bucket nowhere-yet to be made\?$"):
        list(set_up(Wish(S3("nowhere-yet", "")), access(s3, "")))
