"""What a bucket for states must be like, and that nothing stricter is ever loosened."""

from __future__ import annotations

import pytest

from engine.core import buckets
from engine.core.buckets import Judged, Standing, Wish
from engine.core.s3 import S3

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"
PLAIN, SEALED = Wish(S3("states", "team/")), Wish(S3("states", "team/", kms=KEY), keep_days=30)
ALLOW = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": "arn"}, "Action": "s3:Get*", "Resource": "*"}
HTTP = {"Bool": {"aws:SecureTransport": "false"}}
DENY = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": ["s3:*"],
    "Resource": ["arn:aws:s3:::states/*", "arn:aws:s3:::states"],
    "Condition": HTTP,
}


def encrypted(algorithm: str, key: str = "", *, bucket_key: bool = False) -> dict[str, object]:
    """As S3 answers."""
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


@pytest.mark.parametrize("status", ["off", "Suspended"])
def test_versions_are_turned_on(status: str) -> None:
    found = buckets.versioning({} if status == "off" else {"Status": status}, PLAIN)

    assert found == Judged(Standing.MISSING, f"{status} -> Enabled", {"Status": "Enabled"})


@pytest.mark.parametrize(
    ("answer", "wish", "standing"),
    [
        ({}, PLAIN, Standing.MISSING),
        (encrypted("AES256"), PLAIN, Standing.RIGHT),
        (encrypted("aws:kms", KEY), PLAIN, Standing.RIGHT),
        (encrypted("AES256"), SEALED, Standing.MISSING),
        (encrypted("aws:kms", KEY), SEALED, Standing.MISSING),
        (encrypted("aws:kms", "1234", bucket_key=True), SEALED, Standing.RIGHT),
        (encrypted("aws:kms:dsse", KEY), SEALED, Standing.RIGHT),
        (encrypted("aws:kms", "other", bucket_key=True), SEALED, Standing.KEPT),
    ],
)
def test_objects_are_encrypted_as_asked_or_better(answer: dict[str, object], wish: Wish, standing: Standing) -> None:
    assert buckets.encryption(answer, wish).standing is standing


def test_a_key_of_kms_comes_with_a_bucket_key() -> None:
    found = buckets.encryption(encrypted("AES256"), SEALED)

    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    assert (found.detail, found.change) == (f"AES256 -> aws:kms {KEY}", {"Rules": [rule]})


def test_all_that_could_make_it_public_is_blocked() -> None:
    found = buckets.public_access({"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}, PLAIN)

    assert found.detail == "+ IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets"
    assert set((found.change or {}).values()) == {True}


def test_a_policy_that_is_there_stays_and_gets_one_statement_more() -> None:
    found = buckets.transport({"Version": "2008-10-17", "Id": "x", "Statement": ALLOW}, PLAIN)

    change = found.change or {}
    ours = {**DENY, "Sid": "LandformRefusesPlainHttp", "Principal": "*", "Action": "s3:*"}
    ours["Resource"] = ["arn:aws:s3:::states", "arn:aws:s3:::states/*"]
    assert (change["Version"], change["Id"], change["Statement"]) == ("2008-10-17", "x", [ALLOW, ours])
    assert buckets.transport(change, PLAIN).standing is Standing.RIGHT


@pytest.mark.parametrize(
    ("statement", "standing"),
    [
        (DENY, Standing.RIGHT),
        ({**DENY, "Resource": "arn:aws:s3:::states/*"}, Standing.MISSING),
        ({**DENY, "Action": "s3:PutObject"}, Standing.MISSING),
        ({**DENY, "Effect": "Allow"}, Standing.MISSING),
        ({**DENY, "Condition": {**HTTP, "StringEquals": {"aws:x": "y"}}}, Standing.MISSING),
    ],
)
def test_only_a_statement_that_refuses_everybody_everything_counts(
    statement: dict[str, object], standing: Standing
) -> None:
    assert buckets.transport({"Statement": [statement]}, PLAIN).standing is standing


def test_a_bucket_in_china_has_a_name_of_its_own() -> None:
    assert Wish(S3("states", "", "cn-north-1")).arns[0] == "arn:aws-cn:s3:::states"


def test_former_versions_are_never_kept_for_less_than_before() -> None:
    theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 9}}

    asked = buckets.lifecycle({"Rules": [theirs]}, SEALED).change or {}
    longer = buckets.lifecycle({"Rules": [theirs, ours(90)]}, SEALED)
    shorter = buckets.lifecycle({"Rules": [ours(7), theirs]}, SEALED)

    assert asked["Rules"] == [theirs, ours(30)]
    assert (longer.standing, longer.detail) == (Standing.RIGHT, "former versions are kept for 90 days")
    assert shorter.change == {"Rules": [theirs, ours(30)]}


def ours(days: int) -> dict[str, object]:
    expiry = {"NoncurrentVersionExpiration": {"NoncurrentDays": days}}
    return {"ID": "landform-former-versions", "Status": "Enabled", "Filter": {"Prefix": "team/"}, **expiry}
