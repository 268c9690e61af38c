"""Short-lived credentials from AWS's Security Token Service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.core.credentials import Keys
from engine.external.aws import Access, AwsRefusal

_UNSIGNED = Keys("unsigned", "unsigned").variables()
"""For questions that are asked without credentials: else they would be looked for all over the machine."""


@dataclass(frozen=True)
class Request:
    """A session of a role, as it is asked for."""

    arn: str
    name: str
    """Of the session."""
    duration_s: int
    external_id: str = field(default="", repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)
    passed_on: tuple[str, ...] = ()
    """Keys of tags, of this session or one before, that go along to sessions after it."""


def assumed(access: Access, request: Request) -> Keys:
    """The credentials of a role, for whoever `access` stands for. Raises ExternalFailure saying what to change."""
    optional: dict[str, object] = {
        "ExternalId": request.external_id,
        "Tags": [{"Key": key, "Value": value} for key, value in request.tags.items()],
        "TransitiveTagKeys": list(request.passed_on),
    }
    given = {name: value for name, value in optional.items() if value}
    with _asking(access, request) as client:
        answer = client.assume_role(**_common(request), **given)
    return _keys(answer)


def assumed_with(access: Access, request: Request, token: str) -> Keys:
    """The credentials that a role gives for a token of an OIDC provider. Raises as assumed().

    Such a session has the tags that the token brings.
    """
    with _asking(Access({**access.env, **_UNSIGNED}, access.region, access.endpoint), request) as client:
        answer = client.assume_role_with_web_identity(**_common(request), WebIdentityToken=token)
    return _keys(answer)


def _common(request: Request) -> dict[str, object]:
    return {"RoleArn": request.arn, "RoleSessionName": request.name, "DurationSeconds": request.duration_s}


def _keys(answer: Mapping[str, Any]) -> Keys:
    found = answer["Credentials"]
    return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"])


@contextmanager
def _asking(access: Access, request: Request) -> Iterator[Any]:
    try:
        with access.asking("sts", f"The role {request.arn} cannot be assumed") as client:
            yield client
    except AwsRefusal as error:
        error.hint = _hint(error, request)
        raise


def _hint(error: AwsRefusal, request: Request) -> str:
    if error.code == "AccessDenied":
        also = " and sts:TagSession (or set session_tags = false)" if request.tags else ""
        which = "with this external id" if request.external_id else "without an external id"
        return f"Its trust policy must allow sts:AssumeRole{also} to whoever asks, {which}; and so must their policies."
    if error.code == "ValidationError" and "DurationSeconds" in error.words:
        return f"Make duration_s ({request.duration_s}) smaller, or the role's maximum session duration larger."
    return _HINTS.get(error.code, "")


_NOT_VALID = "The keys that the role is to be assumed with are not valid: see the files that the profile names."
_BAD_IDENTITY = "The token in token_file is too old, or not meant for this role: have it written anew."
_HINTS = {
    "InvalidClientTokenId": _NOT_VALID,
    "SignatureDoesNotMatch": _NOT_VALID,
    "ExpiredToken": "The credentials that the role is to be assumed with are no longer valid: put new ones in place.",
    "ExpiredTokenException": _BAD_IDENTITY,
    "InvalidIdentityToken": _BAD_IDENTITY,
    "IDPRejectedClaim": _BAD_IDENTITY,
    "RegionDisabledException": "Turn STS on for the region, or give the profile another region.",
}
