"""Which failures of Terraform and its providers pass by themselves, told from the words of their error messages.

Wrong in one direction only: a lasting failure that is taken for a passing one costs some seconds, while a passing one
that is not known here ends its run. So words that both use are left out where nothing around them decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

_LOOKED_AT = 20_000
"""Characters of a message that are looked at: what it is about stands at its beginning."""
_BASE_S = 2.0
_MOST_S = 60.0


class Kind(StrEnum):
    """Why something failed that may well succeed a little later."""

    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    UNSETTLED = "unsettled"
    REGISTRY = "registry"
    LOCKED = "locked"


class Rule(StrEnum):
    """What is done about it."""

    AGAIN = "again"
    """Init and plan, which change nothing, are repeated after a while; an apply only by way of a new plan."""
    WAIT = "wait"
    """Nothing is repeated: Terraform itself has waited for it (-lock-timeout), and whoever has it may need hours."""


RULES: Mapping[Kind, Rule] = {kind: Rule.WAIT if kind is Kind.LOCKED else Rule.AGAIN for kind in Kind}
WORDS: Mapping[Kind, str] = {
    Kind.THROTTLED: "a service was asked too often",
    Kind.TIMEOUT: "a connection failed or took too long",
    Kind.UNAVAILABLE: "a service had an error of its own",
    Kind.BUSY: "a service was still busy with the same thing",
    Kind.UNSETTLED: "something new was not yet known everywhere",
    Kind.REGISTRY: "providers or modules could not be fetched",
    Kind.LOCKED: "another Terraform holds the state",
}
"""What happened, for people."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    kind: Kind
    pattern: str
    """Must be found in the message; the case of letters does not count."""
    beside: str = ""
    """Must be found too; "" for nothing."""

    def fits(self, text: str) -> bool:
        """Whether the message speaks of this."""
        return _found(self.pattern, text) and (not self.beside or _found(self.beside, text))


_NETWORK = (
    # Go's net and net/http packages, with which Terraform and nearly all providers are written
    r"TLS handshake timeout|i/o timeout|Client\.Timeout exceeded|context deadline exceeded|request canceled while"
    r"|timeout awaiting response headers|connection reset by peer|connection timed out|: broken pipe"
    r"|http2: (?:server sent GOAWAY|client connection lost|timeout awaiting response headers)"
    # a service on the machine itself that refuses is not there: a kubeconfig was forgotten, say
    r"|dial tcp (?!127\.|\[::1\])\S{1,200} connect: connection refused"
    # EOF alone is also what a function says of an empty document, and a plugin that has crashed
    r"|\b(?:Get|Head|Post|Put|Patch|Delete) \S{1,2000} (?:unexpected )?EOF\b"
    r"|request send failed, \S{1,40} \S{1,2000} (?:unexpected )?EOF\b"
    # name servers that are overloaded; `no such host` is an answer, and stays
    r"|server misbehaving|Temporary failure in name resolution"
)
_SERVER_ERROR = r"\b50[0234] (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)\b"
TABLE = (
    # Terraform's own summary, whatever the backend says below it
    Row(Kind.LOCKED, r"Error acquiring the state lock"),
    # terraform init about providers and modules; 401, 403 and 404 are answers, and stay
    Row(
        Kind.REGISTRY,
        f"{_NETWORK}|{_SERVER_ERROR}|\\b429 Too Many Requests\\b|please try again later",
        r"provider registry|registry service|module registry|discovery document|Failed to install provider"
        r"|Failed to query available provider packages|Failed to download module|provider mirror",
    ),
    # two installers at once, on systems where that is not kept apart
    Row(Kind.REGISTRY, r"text file busy", r"provider|plugin"),
    # the codes that AWS's SDKs repeat as throttling; quotas (LimitExceeded, VpcLimitExceeded) stay
    Row(
        Kind.THROTTLED,
        r"\b(?:EC2|Request)?Thrott(?:led|ling)(?:Exception)?\b|\bTooManyRequests(?:Exception)?\b"
        r"|\bProvisionedThroughputExceeded(?:Exception)?\b|\b(?:RequestLimitExceeded|BandwidthLimitExceeded|SlowDown)\b"
        r"|\bPriorRequestNotComplete\b|\bRate exceeded\b|reduce your request rate",
    ),
    # Google's reasons for 403 and 429; quotas of things that are kept (`Quota 'CPUS' exceeded`) stay
    Row(
        Kind.THROTTLED, r"\b(?:user)?rateLimitExceeded\b|googleapi: Error 429|Quota exceeded for quota (?:metric|group)"
    ),
    # Azure Resource Manager, in the words of its old and its new Go library
    Row(Kind.THROTTLED, r"StatusCode[=:] ?429\b|\bSubscriptionRequestsThrottled\b"),
    # HTTP itself, Kubernetes, GitHub
    Row(
        Kind.THROTTLED,
        r"\b429 Too Many Requests\b|status(?: code)?:? 429\b|server has received too many requests"
        r"|\bAPI rate limit exceeded\b|secondary rate limit",
    ),
    # the codes that EC2's guide on eventual consistency is about: what was made a moment ago is not found
    Row(Kind.UNSETTLED, r"\bInvalid(?:[A-Za-z]{1,40}ID|Group|NetworkInterface|AMIID|Route|KeyPair)\.NotFound\b"),
    # IAM: who was made a moment ago is not known to other services
    Row(
        Kind.UNSETTLED,
        r"\bNoSuchEntity(?:Exception)?\b|cannot be assumed|unable to assume (?:the |this )?role"
        r"|Invalid IAM Instance Profile|Invalid principal in policy",
    ),
    # S3 and others whose guides say that what was just made may not be found at once
    Row(Kind.UNSETTLED, r"\bNoSuchBucket\b|\b(?:NoSuchHostedZone|LoadBalancerNotFound|TargetGroupNotFound)\b"),
    # Google and Azure: the same
    Row(Kind.UNSETTLED, r"\bresourceNotReady\b|\bPrincipalNotFound\b|\bServiceAccount\S{0,200} does not exist"),
    # another operation on the same thing is under way: IAM, Organizations, S3, Lambda, Azure, Google, Kubernetes
    Row(
        Kind.BUSY,
        r"\bConcurrentModification(?:Exception)?\b|\bOperationAborted\b"
        r"|\b(?:ResourceConflict|ResourceInUse|Conflict)Exception: .{0,400}in progress"
        r"|\b(?:AnotherOperationInProgress|RetryableError|operationInProgress)\b|the object has been modified",
    ),
    Row(Kind.TIMEOUT, _NETWORK),
    # the code with which AWS says that it has waited for us
    Row(Kind.TIMEOUT, r"\bRequestTimeout(?:Exception)?\b|timeout while waiting for plugin to start"),
    # 5xx in the words of AWS, Google, Azure, Kubernetes and HTTP
    Row(
        Kind.UNAVAILABLE,
        r"StatusCode[=:] ?50[0234]\b|status code:? 50[0234]\b|googleapi: Error 50[0234]\b"
        r"|\b(?:ServiceUnavailable|InternalFailure|InternalServerError|InternalServiceError)(?:Exception)?\b"
        r"|InternalError: (?:We encountered|An internal)|etcdserver: (?:request timed out|leader changed)"
        f"|{_SERVER_ERROR}",
    ),
)
"""The first row that fits counts."""


def classify(text: str) -> Kind | None:
    """What kind of passing failure the message of an error speaks of; None for a lasting or an unknown one."""
    # as it was wrapped for people, any space may be the end of a line
    plain = " ".join(text[:_LOOKED_AT].split())
    return next((row.kind for row in TABLE if row.fits(plain)), None)


def classify_all(texts: Iterable[str]) -> Kind | None:
    """The same of several errors of one command; None as soon as one of them is here to stay, or without any."""
    kinds = [classify(text) for text in texts]
    if not kinds or None in kinds:
        return None
    # a lock is never waited for by trying again, whatever else went wrong
    return Kind.LOCKED if Kind.LOCKED in kinds else kinds[0]


def wait_s(attempt: int, chance: float) -> float:
    """Seconds to wait before a try after the `attempt`-th one, from 1, has failed: twice as long each time, up to a
    minute, and by up to a half less as `chance` (0 to 1) has it, so that those who failed together do not come back
    together.
    """
    # beyond 2 ** 10 it is a minute anyway, and a power of a large number is slow
    return min(_MOST_S, _BASE_S * 2.0 ** min(attempt - 1, 10)) * (1 - chance / 2)


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None
