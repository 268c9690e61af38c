"""Buckets for states: the only place that makes them and changes how they are set up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from engine.core import buckets
from engine.core.buckets import Json, Judged, Standing, Wish
from engine.errors import Conflict, ExternalFailure, Usage
from engine.external.aws import Access, AwsRefusal
from engine.external.aws_s3 import ELSEWHERE, elsewhere

_FIRST_REGION = "us-east-1"
"""The one that S3 does not want to be named."""
_HOW_EXPIRED = "So S3 answers when credentials have expired, as a rule. See whose they are: aws sts get-caller-identity"
_THEIRS = frozenset({"403", "AccessDenied", "BucketAlreadyExists"})


@dataclass(frozen=True)
class Finding:
    """One thing about a bucket, and what became of it."""

    item: str
    standing: Standing
    detail: str

    @property
    def is_right(self) -> bool:
        """Whether it is now as it was wished for."""
        return self.standing in (Standing.RIGHT, Standing.CHANGED)


@dataclass(frozen=True)
class _Item:
    """One thing about a bucket: how S3 is asked for it, what it should be, how S3 is told."""

    name: str
    call: str
    """What the names of S3's methods end with, after `get_` and `put_`."""
    parameter: str
    judge: Callable[[Json, Wish], Judged]
    nothing: str = ""
    """S3's word where nothing is set."""
    permission: str = ""

    def read(self, client: Any, bucket: str) -> Json:
        """What S3 says of it; {} where nothing is set."""
        try:
            answer: Json = getattr(client, f"get_{self.call}")(Bucket=bucket)
        except client.exceptions.ClientError as error:
            if error.response.get("Error", {}).get("Code") != self.nothing:
                raise
            return {}
        return json.loads(str(answer["Policy"])) if self.parameter == "Policy" else answer

    def write(self, client: Any, bucket: str, change: Json) -> None:
        """Makes it so."""
        value = json.dumps(change) if self.parameter == "Policy" else change
        getattr(client, f"put_{self.call}")(Bucket=bucket, **{self.parameter: value})


_ITEMS = (
    _Item(
        "versioning", "bucket_versioning", "VersioningConfiguration", buckets.versioning, permission="BucketVersioning"
    ),
    _Item(
        "encryption",
        "bucket_encryption",
        "ServerSideEncryptionConfiguration",
        buckets.encryption,
        "ServerSideEncryptionConfigurationNotFoundError",
        "EncryptionConfiguration",
    ),
    _Item(
        "public access",
        "public_access_block",
        "PublicAccessBlockConfiguration",
        buckets.public_access,
        "NoSuchPublicAccessBlockConfiguration",
        "BucketPublicAccessBlock",
    ),
    _Item("transport", "bucket_policy", "Policy", buckets.transport, "NoSuchBucketPolicy", "BucketPolicy"),
)
_LIFECYCLE = _Item(
    "former versions",
    "bucket_lifecycle_configuration",
    "LifecycleConfiguration",
    buckets.lifecycle,
    nothing="NoSuchLifecycleConfiguration",
    permission="LifecycleConfiguration",
)


def set_up(wish: Wish, access: Access, *, check: bool = False) -> Iterator[Finding]:
    """Makes the bucket if need be, and sets up what is missing, in steps that may be broken off and taken again; each
    is told when it is done. With `check` nothing is changed.

    Raises Conflict when the bucket is somebody else's, Usage when nobody says in which region to make it,
    ExternalFailure for what S3 refuses.
    """
    exists = _exists(wish, access)
    yield _bucket(wish, access, exists=exists, check=check)
    for item in (*_ITEMS, *((_LIFECYCLE,) if wish.keep_days is not None else ())):
        if not exists and check:
            judged = item.judge({}, wish)
        else:
            judged = _settled(item, wish, access, check=check)
        yield Finding(item.name, judged.standing, judged.detail)


def _settled(item: _Item, wish: Wish, access: Access, *, check: bool) -> Judged:
    bucket = wish.place.bucket
    with _asking(access, wish, f"The {item.name} of bucket {bucket} cannot be read", f"s3:Get{item.permission}") as s3:
        judged = item.judge(item.read(s3, bucket), wish)
    if check or judged.change is None:
        return judged
    with _asking(access, wish, f"The {item.name} of bucket {bucket} cannot be set", f"s3:Put{item.permission}") as s3:
        item.write(s3, bucket, judged.change)
    return replace(judged, standing=Standing.CHANGED)


def _exists(wish: Wish, access: Access) -> bool:
    bucket = wish.place.bucket
    try:
        with access.asking("s3", f"Bucket {bucket} cannot be looked at") as client:
            client.head_bucket(Bucket=bucket)
    except AwsRefusal as refusal:
        if refusal.code in ("404", "NoSuchBucket"):
            return False
        if refusal.code in _THEIRS:
            raise _theirs(wish) from refusal
        if refusal.code in ELSEWHERE or refusal.region:
            raise elsewhere(refusal, "Nothing was done", wish.place) from refusal
        if refusal.code == "400":
            # S3 answers this question without words
            raise ExternalFailure(refusal.message, hint=_HOW_EXPIRED) from refusal
        raise
    return True


def _bucket(wish: Wish, access: Access, *, exists: bool, check: bool) -> Finding:
    bucket = wish.place.bucket
    if exists or check:
        return Finding("bucket", Standing.RIGHT if exists else Standing.MISSING, bucket)
    region = access.named_region
    if not region:
        raise Usage(f"In which region is bucket {bucket} to be made?", hint=f"Type s3://{bucket}?region=REGION.")
    where = {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        with access.asking("s3", f"Bucket {bucket} cannot be made") as client:
            client.create_bucket(Bucket=bucket, **where)
    except AwsRefusal as refusal:
        if refusal.code == "BucketAlreadyExists":
            raise _theirs(wish) from refusal
        # somebody else of ours was faster
        if refusal.code != "BucketAlreadyOwnedByYou":
            raise ExternalFailure(refusal.message, hint="Credentials for it need s3:CreateBucket.") from refusal
    return Finding("bucket", Standing.CHANGED, f"{bucket} in {region}")


@contextmanager
def _asking(access: Access, wish: Wish, doing: str, permission: str) -> Iterator[Any]:
    try:
        with access.asking("s3", doing) as client:
            yield client
    except AwsRefusal as refusal:
        if refusal.code in ELSEWHERE:
            raise elsewhere(refusal, doing, wish.place) from refusal
        hint = f"Credentials for it need {permission}." if refusal.code in _THEIRS else ""
        raise ExternalFailure(refusal.message, hint=hint) from refusal


def _theirs(wish: Wish) -> Conflict:
    return Conflict(
        f"Bucket {wish.place.bucket} is somebody else's, or these credentials may not look at it.",
        hint="Names of buckets are the world's: choose another one, or credentials that have s3:ListBucket for it.",
    )
