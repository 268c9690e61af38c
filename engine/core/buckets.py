"""What a bucket for states must be like: judged from S3's own answers, and what to tell S3 where it is not.

Nothing that is stricter than asked is ever loosened: it is right as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.s3 import S3

Json = Mapping[str, object]
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_SID, _RULE = "LandformRefusesPlainHttp", "landform-former-versions"
_DOUBLE = "aws:kms:dsse"


class Standing(StrEnum):
    """How one thing about a bucket is."""

    RIGHT = "right"
    MISSING = "missing"
    CHANGED = "changed"
    """It was missing, and is right now."""
    KEPT = "kept"
    """It is another than was asked for, and was left alone: to replace it could weaken it."""


@dataclass(frozen=True)
class Judged:
    """One thing about a bucket."""

    standing: Standing
    detail: str
    change: Json | None = None
    """What S3 has to be told to make it right; None where nothing is to be done."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants a bucket for."""

    place: S3
    keep_days: int | None = None
    """After how many days objects that were replaced or deleted are removed for good; None: never."""

    @property
    def arns(self) -> tuple[str, str]:
        """Of the bucket, and of everything in it."""
        regions = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
        partition = next((name for start, name in regions if self.place.region.startswith(start)), "aws")
        arn = f"arn:{partition}:s3:::{self.place.bucket}"
        return arn, f"{arn}/*"


def versioning(answer: Json, wish: Wish) -> Judged:
    """Whether former versions of an object are kept."""
    status = str(answer.get("Status", "off"))
    if status == "Enabled":
        return Judged(Standing.RIGHT, "Enabled")
    return Judged(Standing.MISSING, f"{status} -> Enabled", {"Status": "Enabled"})


def encryption(answer: Json, wish: Wish) -> Judged:
    """How objects are encrypted that nobody says anything else about."""
    rules = _list(_json(answer.get("ServerSideEncryptionConfiguration")).get("Rules"))
    rule = rules[0] if rules else {}
    default = _json(rule.get("ApplyServerSideEncryptionByDefault"))
    algorithm, key = str(default.get("SSEAlgorithm", "")), str(default.get("KMSMasterKeyID", ""))
    now = " ".join(filter(None, (algorithm or "none", key)))
    kms = wish.place.kms
    if not kms:
        return Judged(Standing.RIGHT, now) if algorithm else _encrypt(now, {"SSEAlgorithm": "AES256"})
    if algorithm.startswith("aws:kms") and key and not _are_one_key(key, kms):
        return Judged(Standing.KEPT, f"{now}, not {kms}")
    if key and (rule.get("BucketKeyEnabled") or algorithm == _DOUBLE):
        return Judged(Standing.RIGHT, now)
    wanted = algorithm if algorithm == _DOUBLE else "aws:kms"
    return _encrypt(now, {"SSEAlgorithm": wanted, "KMSMasterKeyID": kms}, bucket_key=wanted != _DOUBLE)


def public_access(answer: Json, wish: Wish) -> Judged:
    """Whether no policy and no ACL can open the bucket to the world."""
    now = _json(answer.get("PublicAccessBlockConfiguration"))
    missing = [name for name in _BLOCKS if now.get(name) is not True]
    if not missing:
        return Judged(Standing.RIGHT, "all blocked")
    return Judged(Standing.MISSING, f"+ {', '.join(missing)}", dict.fromkeys(_BLOCKS, True))


def transport(policy: Json, wish: Wish) -> Judged:
    """Whether the policy of the bucket refuses whoever comes without TLS; what else it says stays."""
    statements = _list(policy.get("Statement"))
    if any(_refuses_http(each, wish.arns) for each in statements):
        return Judged(Standing.RIGHT, "plain http is refused")
    ours = {
        "Sid": _SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": list(wish.arns),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    others = [each for each in statements if each.get("Sid") != _SID]
    whole = {"Version": "2012-10-17", **policy, "Statement": [*others, ours]}
    return Judged(Standing.MISSING, "+ plain http is refused", whole)


def lifecycle(answer: Json, wish: Wish) -> Judged:
    """Whether former versions go after a while, and not sooner; other rules stay."""
    assert wish.keep_days is not None
    rules = _list(answer.get("Rules"))
    before = next((each for each in rules if each.get("ID") == _RULE), {})
    days = _json(before.get("NoncurrentVersionExpiration")).get("NoncurrentDays")
    if before.get("Status") == "Enabled" and isinstance(days, int) and days >= wish.keep_days:
        return Judged(Standing.RIGHT, f"former versions are kept for {days} days")
    # S3 does not take the old form of a rule beside the new one
    is_old = any("Prefix" in each for each in rules)
    where: Json = {"Prefix": wish.place.prefix} if is_old else {"Filter": {"Prefix": wish.place.prefix}}
    expiry = {"NoncurrentVersionExpiration": {"NoncurrentDays": wish.keep_days}}
    ours = {"ID": _RULE, "Status": "Enabled", **where, **expiry}
    others = [each for each in rules if each.get("ID") != _RULE]
    return Judged(Standing.MISSING, f"+ former versions are kept for {wish.keep_days} days", {"Rules": [*others, ours]})


def _encrypt(now: str, default: Mapping[str, str], *, bucket_key: bool = False) -> Judged:
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    return Judged(Standing.MISSING, f"{now} -> {' '.join(default.values())}", {"Rules": [rule]})


def _are_one_key(one: str, other: str) -> bool:
    """Whether two names are of one key; an alias is known by itself only."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _refuses_http(statement: Json, arns: Iterable[str]) -> bool:
    resources = _texts(statement.get("Resource"))
    secure = _json(_json(statement.get("Condition")).get("Bool")).get("aws:SecureTransport")
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
        and bool({"s3:*", "*"} & set(_texts(statement.get("Action"))))
        and ("*" in resources or set(arns) <= set(resources))
        and [text.lower() for text in _texts(secure)] == ["false"]
        and len(_json(statement.get("Condition"))) == 1
        and len(_json(_json(statement.get("Condition")).get("Bool"))) == 1
    )


def _texts(value: object) -> list[str]:
    """What policies write as one text or as a list of them."""
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _json(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Json]:
    """A list of objects; policies write a single one without the list."""
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, Mapping)]
