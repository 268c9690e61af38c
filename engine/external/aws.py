"""Amazon's services: the only user of boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.errors import ExternalFailure, Invalid, LandformError, NotFound

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MISSING_OBJECT = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
_DENIED = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"})
_CREDENTIALS_HINT = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws sso login"


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
    code = str(error.response.get("Error", {}).get("Code", ""))
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
