"""Amazon's services: the only user of boto3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.errors import ExternalFailure, Invalid, LandformError, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MISSING_OBJECT = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_DENIED = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})
_EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_NEEDED = "s3:ListBucket, and s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix"
_VARIABLES = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION"),
)
"""What a session is made from."""
_CREDENTIALS_HINT = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws sso login"


@dataclass(frozen=True)
class Access:
    """How services of AWS are reached. What is left open is looked for where every AWS program looks."""

    env: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Variables like AWS_PROFILE or AWS_ACCESS_KEY_ID."""
    region: str = ""
    """"" means what `env` says."""
    endpoint: str = ""
    """"" means AWS itself, or what `env` says."""

    @contextmanager
    def asking(self, service: str, doing: str) -> Iterator[Any]:
        """A client of the service (`sts`, `ssm`...). What AWS refuses inside is raised as AwsRefusal.

        `doing` begins the message: "Role arn:... cannot be assumed".
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = self._client(service)
            try:
                yield client
            finally:
                client.close()
        except ClientError as error:
            raise AwsRefusal(doing, _code(error), str(error.response.get("Error", {}).get("Message", ""))) from error
        except BotoCoreError as error:
            raise ExternalFailure(f"{doing}: {error}", hint=_CREDENTIALS_HINT) from error

    def _client(self, service: str) -> Any:
        from botocore.config import Config

        variable = f"AWS_ENDPOINT_URL_{service.upper()}"
        endpoint = self.endpoint or self.env.get(variable) or self.env.get("AWS_ENDPOINT_URL") or None
        # as Terraform's backend does it where it is given an endpoint
        config = Config(s3={"addressing_style": "path"}) if endpoint else Config()
        session = _session(self.region, frozenset((name, self.env[name]) for name in _VARIABLES if name in self.env))
        return session.client(service, endpoint_url=endpoint, config=config)


class AwsRefusal(ExternalFailure):
    """AWS said no; `code` is its word for why, like `AccessDenied`."""

    def __init__(self, doing: str, code: str, words: str = "") -> None:
        super().__init__(f"{doing}: AWS answers {code or 'with an error'}{f' ({words})' if words else ''}.")
        self.code = code


def fetch_object(
    bucket: str, key: str, version_id: str | None, limit_bytes: int = 10 * 1024 * 1024, endpoint: str | None = None
) -> tuple[bytes, str]:
    """Content and version id of an S3 object ("" in a bucket without versions).

    `version_id` None means the newest; `endpoint` None means AWS itself, or what its own settings say. Raises NotFound,
    Invalid when the object is larger than `limit_bytes`, and ExternalFailure for everything S3 refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

    address = f"s3://{bucket}/{key}"
    try:
        return _fetched(bucket, key, version_id, limit_bytes, endpoint)
    except NoCredentialsError as error:
        raise ExternalFailure(f"{address} cannot be read: no AWS credentials.", hint=_CREDENTIALS_HINT) from error
    except ParamValidationError as error:
        raise Invalid(f"{address} is not the address of an S3 object.", hint="Write s3://bucket/key.") from error
    except ClientError as error:
        raise _refusal(bucket, key, version_id, error) from error
    except BotoCoreError as error:
        raise ExternalFailure(f"{address} cannot be read: {error}", hint=_CREDENTIALS_HINT) from error


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
        from botocore.exceptions import ClientError

        condition = {"IfNoneMatch": "*"} if anew else {}
        with self._asking(name, "written") as client:
            try:
                client.put_object(Bucket=self.bucket, Key=self._key(name), Body=content, **condition)
            except ClientError as error:
                if anew and _code(error) in _EXISTS:
                    return False
                raise
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
        refused = f"s3://{self.bucket}/{self._key(name)} cannot be {doing}"
        try:
            with Access(self.env, self.region, self.endpoint).asking("s3", refused) as client:
                yield client
        except AwsRefusal as error:
            hint = f"Credentials for it need {_NEEDED}." if error.code in _DENIED else ""
            answer = error.code or "with an error"
            raise ExternalFailure(f"{refused}: S3 answers {answer}.", hint=hint) from error


@lru_cache(maxsize=32)
def _session(region: str, given: frozenset[tuple[str, str]]) -> Any:
    """A session with credentials `given` as variables; kept, as reading the descriptions of AWS takes 0.1 s."""
    import boto3
    import botocore.session

    env = dict(given)
    core = botocore.session.Session(profile=env.get("AWS_PROFILE"))
    for variable, name in (("AWS_CONFIG_FILE", "config_file"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials_file")):
        if variable in env:
            core.set_config_variable(name, env[variable])
    return boto3.session.Session(
        aws_access_key_id=env.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=env.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=env.get("AWS_SESSION_TOKEN"),
        region_name=region or env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
        botocore_session=core,
    )


def _fetched(
    bucket: str, key: str, version_id: str | None, limit_bytes: int, endpoint: str | None
) -> tuple[bytes, str]:
    import boto3
    from botocore.config import Config

    # buckets with dots in their name, and test servers, are reached by path
    config = Config(s3={"addressing_style": "path"}) if endpoint else Config()
    # the default session would keep the credentials of its first use
    client: Any = boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
    try:
        wanted = {"VersionId": version_id} if version_id else {}
        answer = client.get_object(Bucket=bucket, Key=key, **wanted)
        with answer["Body"] as body:
            content: bytes = body.read(limit_bytes + 1)
    finally:
        client.close()
    if len(content) > limit_bytes:
        raise Invalid(f"s3://{bucket}/{key} has {answer['ContentLength']:,} bytes; {limit_bytes:,} are the most.")
    version = str(answer.get("VersionId", ""))
    return content, "" if version == "null" else version


def _refusal(bucket: str, key: str, version_id: str | None, error: ClientError) -> LandformError:
    code = _code(error)
    address = f"s3://{bucket}/{key}"
    if code == "NoSuchBucket":
        return NotFound(f"There is no bucket {bucket}.", hint="See them all: aws s3 ls")
    if code in _MISSING_OBJECT or (version_id and code in ("InvalidArgument", "400")):
        which = f"version {version_id} of {address}" if version_id else address
        return NotFound(f"There is no {which}.", hint=f"See what is there: aws s3 ls s3://{bucket}/")
    if code in _DENIED:
        hint = "The credentials in use need s3:GetObject for it, and s3:ListBucket to tell whether it exists."
        return ExternalFailure(f"{address} cannot be read: S3 denies it ({code}).", hint=hint)
    return ExternalFailure(f"{address} cannot be read: S3 answers {code or 'with an error'}.")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
