"""Objects in S3: the only place that reads and writes them, and that says in words what S3 refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.core import s3
from engine.errors import ExternalFailure, Invalid, LandformError, NotFound
from engine.external.aws import Access, AwsRefusal

_LIMIT_BYTES = 10 * 1024 * 1024
_NO_BUCKET = "NoSuchBucket"
_NO_OBJECT = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_DENIED = frozenset({"AccessDenied", "403", "KMS.AccessDeniedException"})
_NOT_VALID = {
    "ExpiredToken": "The credentials in use have expired: log in again, or put new ones in their place.",
    "InvalidAccessKeyId": "AWS does not know the access key in use: see AWS_PROFILE, or AWS_ACCESS_KEY_ID.",
    "SignatureDoesNotMatch": "The secret key in use is not that of the access key: see AWS_SECRET_ACCESS_KEY.",
}
"""S3's word for credentials that no permission would help -> what to do about it."""
ELSEWHERE = frozenset(
    {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
)
_EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_NEEDED = "s3:ListBucket, and s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix"
_NEEDED_KMS = f"{_NEEDED}; kms:GenerateDataKey and kms:Decrypt for the key"


@dataclass(frozen=True)
class Place:
    """Objects below a prefix of a bucket. Every method raises ExternalFailure for what S3 refuses."""

    bucket: str
    prefix: str = ""
    """What keys begin with; "" or ending in /."""
    endpoint: str = ""
    """"" means AWS itself, or what `env` says."""
    region: str = ""
    """"" means what `env` says."""
    env: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Variables like AWS_PROFILE; what they leave open is looked for where every AWS program looks."""
    kms: str = ""
    """The key with which what is put is encrypted; "" leaves that to the bucket, whose default is one of S3's own."""

    def get(self, name: str) -> bytes | None:
        """The content; None when there is no such object."""
        with self._asking(name, "read") as client:
            try:
                with client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"] as body:
                    content: bytes = body.read()
                    return content
            except client.exceptions.NoSuchKey:
                return None

    def stamp(self, name: str) -> str:
        """What changes whenever the object is written; "" when there is none."""
        with self._asking(name, "read") as client:
            found = client.list_objects_v2(Bucket=self.bucket, Prefix=self._key(name), MaxKeys=2)
        whole = (each for each in found.get("Contents", ()) if each["Key"] == self._key(name))
        return next((f"{each['ETag']} {each['LastModified'].isoformat()}" for each in whole), "")

    def put(self, name: str, content: bytes, *, anew: bool = False) -> bool:
        """Writes the object. With `anew` only where there is none: False when there is one."""
        condition = {"IfNoneMatch": "*"} if anew else {}
        sealing = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms} if self.kms else {}
        try:
            with self._refusing(name, "written") as client:
                client.put_object(Bucket=self.bucket, Key=self._key(name), Body=content, **condition, **sealing)
        except AwsRefusal as refusal:
            if anew and refusal.code in _EXISTS:
                return False
            raise self._in_words(refusal, name, "written") from refusal
        return True

    def delete(self, name: str) -> None:
        """Removes the object; that there is none is fine."""
        with self._asking(name, "removed") as client:
            client.delete_object(Bucket=self.bucket, Key=self._key(name))

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """The names of all objects that begin with `prefix`, in order."""
        with self._asking(prefix, "listed") as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._key(prefix))
            return tuple(each["Key"][len(self.prefix) :] for page in pages for each in page.get("Contents", ()))

    def _key(self, name: str) -> str:
        return f"{self.prefix}{name}"

    @contextmanager
    def _asking(self, name: str, doing: str) -> Iterator[Any]:
        """A client, whose errors are said in words."""
        try:
            with self._refusing(name, doing) as client:
                yield client
        except AwsRefusal as refusal:
            raise self._in_words(refusal, name, doing) from refusal

    @contextmanager
    def _refusing(self, name: str, doing: str) -> Iterator[Any]:
        with Access(self.env, self.region, self.endpoint).asking("s3", self._failed(name, doing)) as client:
            yield client

    def _failed(self, name: str, doing: str) -> str:
        return f"s3://{self.bucket}/{self._key(name)} cannot be {doing}"

    def _in_words(self, refusal: AwsRefusal, name: str, doing: str) -> ExternalFailure:
        failed = self._failed(name, doing)
        if refusal.code == _NO_BUCKET:
            hint = f"Make it, and set it up for states: landform state bootstrap s3://{self.bucket}"
            return ExternalFailure(f"{failed}: there is no bucket {self.bucket}.", hint=hint)
        if refusal.code in ELSEWHERE:
            return elsewhere(refusal, failed, s3.S3(self.bucket, self.prefix, self.region, self.endpoint, self.kms))
        needed = _NEEDED_KMS if self.kms or refusal.code.startswith("KMS") else _NEEDED
        hint = f"Credentials for it need {needed}." if refusal.code in _DENIED else _NOT_VALID.get(refusal.code, "")
        return ExternalFailure(f"{failed}: S3 answers {refusal.code or 'with an error'}.", hint=hint)


def at(place: s3.S3, env: Mapping[str, str]) -> Place:
    """The place of an address, reached with the credentials in `env`."""
    return Place(place.bucket, place.prefix, place.endpoint, place.region, env, place.kms)


def fetch_object(
    wanted: s3.Object, env: Mapping[str, str] | None = None, limit_bytes: int = _LIMIT_BYTES
) -> tuple[bytes, str]:
    """Content and version id of an S3 object ("" in a bucket without versions), decrypted by S3 where it is encrypted.

    `env` is as in Place. Raises NotFound, Invalid when the object is larger than `limit_bytes`, and ExternalFailure for
    everything S3 refuses.
    """
    if not s3.is_bucket(wanted.bucket):
        raise Invalid(f"{wanted} is not the address of an S3 object.", hint="Write s3://bucket/key.")
    version = {"VersionId": wanted.version_id} if wanted.version_id else {}
    try:
        with Access(env or {}, wanted.region, wanted.endpoint).asking("s3", f"{wanted} cannot be read") as client:
            answer = client.get_object(Bucket=wanted.bucket, Key=wanted.key, **version)
            with answer["Body"] as body:
                content: bytes = body.read(limit_bytes + 1)
    except AwsRefusal as refusal:
        raise _not_fetched(refusal, wanted) from refusal
    if len(content) > limit_bytes:
        raise Invalid(f"{wanted} has {answer['ContentLength']:,} bytes; {limit_bytes:,} are the most.")
    found = str(answer.get("VersionId", ""))
    return content, "" if found == "null" else found


def elsewhere(refusal: AwsRefusal, failed: str, asked: s3.S3) -> ExternalFailure:
    """For a bucket that is in another region than the one that was asked."""
    if not refusal.region:
        hint = f"Name its region: s3://{asked.bucket}/...?region=REGION"
        return ExternalFailure(f"{failed}: bucket {asked.bucket} is in another region.", hint=hint)
    asked_in = f", not in {asked.region}" if asked.region and asked.region != refusal.region else ""
    return ExternalFailure(
        f"{failed}: bucket {asked.bucket} is in {refusal.region}{asked_in}.",
        hint=f"Name its region: s3://{asked.bucket}/...?region={refusal.region}",
    )


def _not_fetched(refusal: AwsRefusal, wanted: s3.Object) -> LandformError:
    code = refusal.code
    if code == _NO_BUCKET:
        return NotFound(f"There is no bucket {wanted.bucket}.", hint="See them all: aws s3 ls")
    if code in _NO_OBJECT or (wanted.version_id and code in ("InvalidArgument", "400")):
        which = f"version {wanted.version_id} of {wanted}" if wanted.version_id else str(wanted)
        return NotFound(f"There is no {which}.", hint=f"See what is there: aws s3 ls s3://{wanted.bucket}/")
    failed = f"{wanted} cannot be read"
    if code in ELSEWHERE:
        return elsewhere(refusal, failed, s3.S3(wanted.bucket, "", wanted.region, wanted.endpoint))
    if code in _DENIED or code in _NOT_VALID:
        hint = _NOT_VALID.get(
            code,
            "The credentials in use need s3:GetObject for it, s3:ListBucket to tell whether it exists, and kms:Decrypt "
            "where a key of KMS encrypts it.",
        )
        return ExternalFailure(f"{failed}: S3 denies it ({code}).", hint=hint)
    return ExternalFailure(f"{failed}: S3 answers {code or 'with an error'}.")
