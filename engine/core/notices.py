"""What others are told of: which change of a status is an event, in the shape EventBridge gave Proton's (section 7.8).

Nothing secret is in an event: no inputs, outputs or messages, only names, numbers and statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engine.core import arns, campaigns
from engine.core.address import Address, Kind
from engine.core.arns import Owner
from engine.core.drift import Level
from engine.core.runs import ACTIVE, EXECUTING, Operation, Status, is_terminal, next_actions, waiting_on
from engine.core.versions import REGISTERED, Number, TemplateKind, VersionStatus
from engine.errors import ExternalFailure

SOURCE = "landform"
"""What an event says it comes from, unless a target asks for another word."""
MOST_ATTEMPTS = 20
"""After so many a notice is dead for its target: with the pauses in between, half a day of trying."""
_BASE = timedelta(seconds=10)
_LONGEST = timedelta(hours=1)
DELETED = "DELETED"
"""What an event says of something that was removed."""
DELETING = "DELETE_IN_PROGRESS"


class State(StrEnum):
    """Where a notice stands on its way to one target."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Subject(StrEnum):
    """What an event is about; a target may ask for some of them."""

    ENVIRONMENT = "environment"
    INSTANCE = "instance"
    PIPELINE = "pipeline"
    COMPONENT = "component"
    TEMPLATE = "template"
    VERSION = "version"
    RUN = "run"
    CAMPAIGN = "campaign"
    DRIFT = "drift"
    TEST = "test"
    """Only sent when somebody asks whether a target can be reached."""


HIBERNATED = "HIBERNATED"
"""What an event says of an instance whose infrastructure is gone for a while: Proton knows no such thing."""
EXPIRING = "EXPIRING"
RUN_KIND = "Landform Run Status Change"
EXPIRY_KIND = "Landform Instance Expiry"
CAMPAIGN_KIND = "Landform Campaign Status Change"
DRIFT_KIND = "Landform Drift Status Change"
TEST_KIND = "Landform Test"
_OF_INSTANCE = {
    Kind.ENVIRONMENT: (Subject.ENVIRONMENT, "AWS Proton Environment Status Change"),
    Kind.SERVICE_INSTANCE: (Subject.INSTANCE, "AWS Proton Service Instance Status Change"),
    Kind.PIPELINE: (Subject.PIPELINE, "AWS Proton Service Pipeline Status Change"),
    Kind.COMPONENT: (Subject.COMPONENT, "AWS Proton Component Status Change"),
}
_OF_VERSION = {
    VersionStatus.DRAFT: "DRAFT",
    VersionStatus.PUBLISHED: "PUBLISHED",
    VersionStatus.FAILED: "REGISTRATION_FAILED",
    # Proton knows neither: to its receivers, one is as usable as before, and the other was never published
    VersionStatus.DEPRECATED: "PUBLISHED",
    VersionStatus.YANKED: "DRAFT",
}
_OURS = (VersionStatus.DEPRECATED, VersionStatus.YANKED)
_DEPLOYED = {
    Status.SUCCEEDED: "SUCCEEDED",
    Status.FAILED: "FAILED",
    Status.DISCARDED: "CANCELLED",
    Status.CANCELLED: "CANCELLED",
}
_DESTROYED = _DEPLOYED | {Status.SUCCEEDED: DELETED, Status.FAILED: "DELETE_FAILED"}
_UNDER_WAY = {Operation.DEPLOY: "IN_PROGRESS", Operation.DESTROY: DELETING}
_CANCELLING = "CANCELLING"
_OF_DRIFT = {level: f"DRIFT_{level.name}" for level in Level}
STATUSES = frozenset(
    {*_OF_VERSION.values(), *_DEPLOYED.values(), *_DESTROYED.values(), *_UNDER_WAY.values()}
    | {_CANCELLING, HIBERNATED, EXPIRING}
    | {status.value for status in (*Status, *campaigns.Status)}
    | {*_OF_DRIFT.values()}
)
"""Every `status` that an event may have."""


@dataclass(frozen=True)
class Told:
    """An event, before anybody knows who is to hear of it."""

    subject: Subject
    kind: str
    """The `detail-type`."""
    resource: str
    """ARN of what it is about."""
    detail: Mapping[str, object]

    @property
    def status(self) -> str:
        """The status that it tells of."""
        return str(self.detail["status"])


@dataclass(frozen=True)
class Seen:
    """A run at one moment."""

    run_id: int
    address: Address
    operation: Operation
    template: str
    """`web@1.2`"""
    status: Status
    is_cancelling: bool = False
    """Whether somebody wants it stopped."""
    hibernates: bool = False
    """Of a destroy: whether the instance stays."""

    @property
    def deployment(self) -> str:
        """What it means for its instance, in Proton's words (section 5.1)."""
        if self.status in ACTIVE:
            is_stopping = self.is_cancelling and self.status in EXECUTING and self.operation is Operation.DEPLOY
            return _CANCELLING if is_stopping else _UNDER_WAY[self.operation]
        if self.hibernates and self.status is Status.SUCCEEDED:
            return HIBERNATED
        return (_DEPLOYED if self.operation is Operation.DEPLOY else _DESTROYED)[self.status]


@dataclass(frozen=True)
class Letter:
    """A notice on its way to one target."""

    number: int
    target: str
    attempts: int
    """This one included; of several who hold the same letter, only who has the highest number may say what came of it.
    """
    uid: str
    kind: str
    resource: str
    detail: Mapping[str, object]
    told_at: datetime
    sent_at: datetime


class Rejected(ExternalFailure):
    """A receiver will never take this notice, however often it is sent."""


def of_run(owner: Owner, run: Seen, before: Seen | None) -> Told | None:
    """That the run has another status; None when it has not. `before` is None for a new run."""
    if before is not None and before.status is run.status:
        return None
    detail = {
        "run": run.run_id,
        "address": str(run.address),
        "operation": run.operation.value,
        "template": run.template,
        **_statuses(run.status.value, before.status.value if before else None),
        "isTerminal": is_terminal(run.status),
        "waitingOn": waiting_on(run.status),
        "nextActions": list(next_actions(run.status)),
    }
    return Told(Subject.RUN, RUN_KIND, arns.arn(owner, run.address), detail)


def of_instance(owner: Owner, run: Seen, previous: str | None) -> Told | None:
    """What the run means for its instance now; None when that is what `previous` says, or when the instance has gone:
    of_removal() tells that. `previous` is None for what has never had a run.
    """
    if run.deployment in (previous, DELETED):
        return None
    extra = {"run": run.run_id, "address": str(run.address), "waitingOn": waiting_on(run.status)}
    return _about(owner, run.address, _statuses(run.deployment, previous), extra)


def of_removal(owner: Owner, address: Address, previous: str | None) -> Told:
    """That the instance is no more."""
    return _about(owner, address, _statuses(DELETED, previous), {"address": str(address)})


def of_expiry(owner: Owner, address: Address, expires_at: str) -> Told:
    """That the instance is hibernated by itself soon; `expires_at` says when."""
    subject, _ = _OF_INSTANCE[address.kind]
    detail = {"address": str(address), **_statuses(EXPIRING, None), "expiresAt": expires_at}
    return Told(subject, EXPIRY_KIND, arns.arn(owner, address), detail)


def of_campaign(owner: Owner, number: int, title: str, now: str, before: str | None) -> Told | None:
    """That a campaign has another status; None when it has not. `before` is None for a new one."""
    if now == before:
        return None
    detail = {"campaign": number, "title": title, **_statuses(now, before)}
    return Told(Subject.CAMPAIGN, CAMPAIGN_KIND, arns.campaign_arn(owner, number), detail)


def of_drift(owner: Owner, address: Address, now: Level, before: str) -> Told:
    """That more of the instance has drifted than was known before; `before` is a level, "" for none."""
    name = {} if address.kind is Kind.PIPELINE else {"name": address.name}
    service = {"serviceName": address.service} if address.service else {}
    statuses = _statuses(_OF_DRIFT[now], _OF_DRIFT[Level(before)] if before else None)
    extra = {"landform": {"address": str(address)}}
    return Told(Subject.DRIFT, DRIFT_KIND, arns.arn(owner, address), {**name, **service, **statuses, **extra})


def of_template(
    owner: Owner, kind: TemplateKind, name: str, *, published: bool | None, before: bool | None
) -> Told | None:
    """That a template has a published version now, or none; None for a template that nobody registers.

    `published` is None when it has gone, `before` when it is new.
    """
    if kind not in REGISTERED or published == before:
        return None
    now = DELETED if published is None else _of_template(published=published)
    previous = None if before is None else _of_template(published=before)
    kind_name = f"AWS Proton {kind.value.capitalize()} Template Status Change"
    detail = {"name": name, **_statuses(now, previous)}
    return Told(Subject.TEMPLATE, kind_name, arns.template_arn(owner, kind, name), detail)


@dataclass(frozen=True)
class VersionSeen:
    """A version of a template, by name."""

    kind: TemplateKind
    name: str
    number: Number


def of_version(
    owner: Owner, version: VersionSeen, now: VersionStatus | None, before: VersionStatus | None
) -> Told | None:
    """That a version has another status; None for one of a template that nobody registers.

    `now` is None when it has gone, `before` when it is new.
    """
    if version.kind not in REGISTERED:
        return None
    detail = {
        "name": version.name,
        "majorVersion": str(version.number.major),
        "minorVersion": str(version.number.minor),
        **_statuses(_OF_VERSION[now] if now else DELETED, _OF_VERSION[before] if before else None),
        **({"landform": {"status": now.value}} if now in _OURS else {}),
    }
    resource = f"{arns.template_arn(owner, version.kind, version.name)}:{version.number}"
    kind_name = f"AWS Proton {version.kind.value.capitalize()} Template Version Status Change"
    return Told(Subject.VERSION, kind_name, resource, detail)


def envelope(letter: Letter, source: str = SOURCE) -> dict[str, object]:
    """The whole event as receivers get it: the same each time it is sent.

    EventBridge gives every entry an id of its own, so the one to tell a repetition by is in `detail` too.
    """
    # arn:aws:proton:REGION:ACCOUNT:...: whoever sends it, it says where it was made
    _, _, _, region, account, _ = letter.resource.split(":", 5)
    ours = letter.detail.get("landform")
    return {
        "version": "0",
        "id": letter.uid,
        "detail-type": letter.kind,
        "source": source,
        "account": account,
        "time": letter.told_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [letter.resource],
        "detail": {**letter.detail, "landform": {"event": letter.uid, **(ours if isinstance(ours, Mapping) else {})}},
    }


def trial(owner: Owner, target: str, uid: str, now: datetime) -> Letter:
    """A letter that says no more than that somebody wanted to know whether it arrives."""
    resource = f"arn:aws:proton:{owner.region}:{owner.account_id}:test"
    return Letter(0, target, 1, uid, TEST_KIND, resource, {"status": "TEST"}, now, now)


def pause(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts, the last one included; `jitter` from 0 to 1 takes up to a half away, so
    that what failed together does not come back together.
    """
    # counted before it is multiplied: two to the power of a damaged row would never end
    doubled = _LONGEST if attempts > MOST_ATTEMPTS else min(_LONGEST, _BASE * 2 ** (max(attempts, 1) - 1))
    return doubled * (1 - jitter / 2)


def _about(owner: Owner, address: Address, statuses: Mapping[str, object], extra: Mapping[str, object]) -> Told:
    subject, kind = _OF_INSTANCE[address.kind]
    # Proton names a pipeline by its service alone
    name = {} if address.kind is Kind.PIPELINE else {"name": address.name}
    service = {"serviceName": address.service} if address.service else {}
    return Told(subject, kind, arns.arn(owner, address), {**name, **service, **statuses, "landform": dict(extra)})


def _statuses(now: str, before: str | None) -> dict[str, str]:
    return {"status": now} if before is None else {"status": now, "previousStatus": before}


def _of_template(*, published: bool) -> str:
    return "PUBLISHED" if published else "DRAFT"
