"""The rows of the catalog. SQLModel does not validate table rows: what enters has passed core/ before.

Statuses and kinds are stored as the `.value` of their enum. JSON columns are replaced, never changed in place.
Times are aware UTC. No relationships: a row may be read after its session has ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKey, Index, Integer, text
from sqlmodel import Field, SQLModel

from engine.core import runs

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_IDS_NEVER_COME_BACK = {"sqlite_autoincrement": True}
"""Runs outlive their instance and version: its id must not lead to another one."""


def in_statuses(statuses: frozenset[runs.Status]) -> str:
    """An SQL condition that a run's status is one of `statuses`."""
    return "status IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(statuses)))


def _json(*, nullable: bool = False) -> Any:
    return Column(JSON(none_as_null=True), nullable=nullable)


def _time(*, nullable: bool = True) -> Any:
    return Column(DateTime(timezone=True), nullable=nullable)


def _ref(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    return Column(Integer, ForeignKey(target), nullable=nullable, index=index)


class Template(SQLModel, table=True):
    """A named line of versions."""

    __table_args__ = (Index("uq_template_kind_name", "kind", "name", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """core.versions.TemplateKind; a component's is for that component alone, and its versions are its files."""
    name: str
    display_name: str = ""
    description: str = ""
    provisioning: str = "managed"
    """`managed` (Landform runs Terraform) or `customer` (environments whose outputs are given as inputs)."""
    pipeline_provisioning: str = "managed"
    """`managed` or `customer` (service templates without a pipeline of ours)."""
    highest: dict[str, int] = Field(default_factory=dict, sa_column=_json())
    """Major -> highest minor ever registered, deleted ones included: numbers never come back."""
    recommended_id: int | None = None
    """The version that is recommended now; kept with every publish and delete so that lists need no scan."""
    created_at: datetime = Field(sa_column=_time(nullable=False))


class Version(SQLModel, table=True):
    """One immutable version of a template."""

    __table_args__ = (
        Index("uq_version_template_id_major_minor", "template_id", "major", "minor", unique=True),
        _IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    template_id: int = Field(sa_column=_ref("template.id"))
    major: int
    minor: int
    status: str
    """core.versions.VersionStatus"""
    message: str = ""
    """Why the registration failed: one problem a line; "" otherwise."""
    description: str = ""
    source: str = ""
    """Where the bundle came from, as the user named it."""
    bundle: str = ""
    """Digest of the stored bundle, `sha256` in hex; "" when it could not be read."""
    schema_text: str = ""
    """schema.yaml, to the letter."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """What was learned from the bundle once, at registration: core.bundle.Facts.to_json()."""
    compatible: list[str] = Field(default_factory=list, sa_column=_json())
    """Environment templates a service version may run in, as `name:major`; empty for environment templates."""
    component_sources: list[str] = Field(default_factory=list, sa_column=_json())
    created_at: datetime = Field(sa_column=_time(nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=_time())


class Service(SQLModel, table=True):
    """A developer's service: one template, one instance per environment."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    template_id: int = Field(sa_column=_ref("template.id", index=True))
    major: int
    """The major version it was created with: instances added later start on that major's recommended minor."""
    description: str = ""
    repository_connection: str = ""
    repository: str = ""
    branch: str = ""
    pipeline_inputs: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """The `pipeline:` section of the spec; None when the template has no pipeline of ours."""
    tags: dict[str, str] = Field(default_factory=dict, sa_column=_json())
    """What its people tag it with; all its instances and its pipeline get them."""
    created_at: datetime = Field(sa_column=_time(nullable=False))


class Instance(SQLModel, table=True):
    """Anything that has a workspace: environment, service instance, pipeline or component."""

    __table_args__ = (Index("ix_instance_version_id_address", "version_id", "address"), _IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    kind: str = Field(index=True)
    """core.address.Kind"""
    name: str
    service_id: int | None = Field(default=None, sa_column=_ref("service.id", nullable=True, index=True))
    environment_id: int | None = Field(default=None, sa_column=_ref("instance.id", nullable=True, index=True))
    """The environment a service instance or component lives in."""
    attached_id: int | None = Field(default=None, index=True)
    """The service instance that a component is attached to, since its last successful deploy; before the first, as
    asked for at creation. None: detached, or no component. No foreign key: a component never outlives its instance.
    """
    template_id: int = Field(sa_column=_ref("template.id"))
    version_id: int = Field(sa_column=_ref("version.id"))
    """The version of the last successful deploy; before the first, the version asked for at creation."""
    description: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Inputs as given, without defaults; of the last successful deploy; before the first, as asked for at creation."""
    outputs: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """Output name -> {"type", "sensitive", "fingerprint", "value"} of the last successful deploy; None before it.

    The fingerprint is keyed with the home's secret; a sensitive output has no "value".
    """
    upstream: dict[str, dict[str, str]] = Field(default_factory=dict, sa_column=_json())
    """Upstream address -> what the last successful deploy read of its outputs (core.wiring.read)."""
    stale: list[str] = Field(default_factory=list, sa_column=_json())
    """The read outputs whose value has changed since, as `environment/prod vpc_id`; [] when up to date."""
    is_stale: bool = Field(default=False, index=True)
    run_env: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Environment variables for Terraform, of an environment; its instances get them too: name ->
    core.run_env.EnvValue, which is the value or, of a secret, the file that holds it.
    """
    rules: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Of an environment: what its runs must keep to, core.rules.Rules.to_json(); {} otherwise."""
    credentials: str = ""
    """Of an environment: the profile in `[credentials.NAME]` of landform.toml that its runs work with; "" is the one
    that everybody gets.
    """
    tags: dict[str, str] = Field(default_factory=dict, sa_column=_json())
    """What its people tag it with, beside `proton_tags`."""
    provisioning: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Of an environment or a pipeline whose Terraform others run: the repository that gets a pull request for each
    run, as core.provisioning.Repository.to_json(); {} where Landform runs it.
    """
    backend: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Where Terraform keeps its state: {"kind": "s3", ...} as terraform.backends reads it; {} means managed."""
    diverged: str = ""
    """Why nobody may touch it: its state could not be kept after an apply. "" when all is well."""
    last_run_id: int | None = None
    last_status: str = ""
    """core.runs.Status of the last run; kept with it so that lists need no second table."""
    deployed_run_id: int | None = None
    """The last successful deploy; None before it."""
    created_at: datetime = Field(sa_column=_time(nullable=False))
    updated_at: datetime = Field(sa_column=_time(nullable=False))


class Run(SQLModel, table=True):
    """One try to bring an instance to what was asked. Outlives its instance: it names it by address too."""

    __table_args__ = (
        Index(
            "uq_run_active",
            "instance_id",
            unique=True,
            sqlite_where=text(in_statuses(runs.HOLDING)),
        ),
        Index("ix_run_environment_id_status", "environment_id", "status"),
        Index("ix_run_worker_id_status", "worker_id", "status"),
        Index("ix_run_instance_id_id", "instance_id", "id"),
        Index("ix_run_address_id", "address", "id"),
        Index("ix_run_status_id", "status", "id"),
        _IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: int
    """No foreign key: the history of a deleted instance stays."""
    address: str
    environment_id: int | None = None
    """The environment it works in: of an environment's own run, that environment. No foreign key either."""
    operation: str
    """core.runs.Operation"""
    status: str
    """core.runs.Status"""
    version_id: int
    """The version it deploys (or destroys with). No foreign key: a deleted version's history stays."""
    template: str
    """The version in words, `web@1.2`, for history that outlives the row."""
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Inputs it deploys, as given, without defaults."""
    update_kind: str = ""
    """core.updates.UpdateKind of an update; "" for a first deploy, a retry or a destroy."""
    auto_approve: str = "none"
    """core.plans.AutoApprove"""
    reason: str = ""
    requested_by: str
    approved_by: str = ""
    approval_reason: str = ""
    retry_of: int | None = None
    supersedes: int | None = None
    """The run whose waiting plan it made pointless."""
    superseded_by: int | None = None
    priority: int = 0
    """core.runs.Priority"""
    after_run_ids: list[int] = Field(default_factory=list, sa_column=_json())
    """Runs that must still succeed before this one may begin; when one of them does not, it is discarded, or a
    pipeline's failed.
    """
    attached_id: int | None = None
    """As Instance.attached_id, of what a component's run deploys."""
    summary: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """core.plans.Summary.to_json(); None before the plan is made."""
    fingerprint: dict[str, str] = Field(default_factory=dict, sa_column=_json())
    """What the plan was made from, part -> digest (core.plans.moved)."""
    upstream: dict[str, dict[str, str]] = Field(default_factory=dict, sa_column=_json())
    """As Instance.upstream, as read by this run's plan."""
    outputs: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """As Instance.outputs, after this run; None unless it succeeded in a deploy, or others carry it out and have told
    of outputs on the way.
    """
    message: str = ""
    """Why it ended as it did, in a sentence; "" while it has not, or when there is nothing to say."""
    executor: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """Who works on it: {"host", "boot_id", "pid", "started"}; None while nobody does, but for an interrupted run, which
    says who did.
    """
    worker_id: int | None = None
    """The Worker that works on it; as `executor`."""
    fence: int = 0
    """Counts the claims: a write with an older number changes nothing."""
    attempt: int = 0
    """How many times its plan was begun."""
    proposal: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """Where others were asked to carry it out, core.provisioning.Proposal.to_json(); None where Landform does."""
    cancel_requested_at: datetime | None = Field(default=None, sa_column=_time())
    force_requested_at: datetime | None = Field(default=None, sa_column=_time())
    """Somebody wants its processes killed, the grace over or not."""
    cancelled_by: str = ""
    evidence: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """What is known of an interrupted run: core.evidence.Evidence.to_json(); None before anybody has looked."""
    created_at: datetime = Field(sa_column=_time(nullable=False))
    planned_at: datetime | None = Field(default=None, sa_column=_time())
    approved_at: datetime | None = Field(default=None, sa_column=_time())
    applied_at: datetime | None = Field(default=None, sa_column=_time())
    """When the apply began."""
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class Worker(SQLModel, table=True):
    """A process that executes runs, or did: a command in the foreground, or `landform worker`."""

    __table_args__ = (_IDS_NEVER_COME_BACK,)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    kind: str
    """`foreground` or `service`."""
    state: str = Field(index=True)
    """core.workers.State"""
    identity: dict[str, Any] = Field(sa_column=_json())
    """{"host", "boot_id", "pid", "started"}"""
    labels: list[str] = Field(default_factory=list, sa_column=_json())
    capacity: int
    """Runs it executes side by side at most."""
    lease_s: float
    """Seconds after a beat in which nobody may think it dead."""
    version: str
    """Of Landform."""
    started_at: datetime = Field(sa_column=_time(nullable=False))
    beat_at: datetime = Field(sa_column=_time(nullable=False))
    """Its last sign of life, by the database's clock."""
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class Approval(SQLModel, table=True):
    """One person's yes to a plan."""

    __table_args__ = (Index("uq_approval_run_id_user_name", "run_id", "user_name", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    user_name: str
    reason: str = ""
    created_at: datetime = Field(sa_column=_time(nullable=False))


class StateVersion(SQLModel, table=True):
    """One state of an instance that was harvested; its content lies in the store of states under `digest`."""

    __table_args__ = (
        Index(
            "uq_state_version_instance_id_lineage_serial_digest",
            "instance_id",
            "lineage",
            "serial",
            "digest",
            unique=True,
        ),
        Index("ix_state_version_address_id", "address", "id"),
        _IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: int
    """No foreign key: the history of a deleted instance stays."""
    address: str
    run_id: int
    """The run that wrote it."""
    lineage: str
    serial: int
    digest: str
    """`sha256` of the state's bytes, in hex."""
    size_bytes: int
    resources: int
    """How many resources it knows of."""
    note: str = ""
    """What it is beside the result of a run: `rolled back to 3`, `migrated from s3`."""
    created_at: datetime = Field(sa_column=_time(nullable=False))


class Blob(SQLModel, table=True):
    """A file that travels between machines through the catalog, encrypted."""

    name: str = Field(primary_key=True)
    """Like `runs/42/plan.tfplan`, `states/<digest>`, `bundles/<digest>`."""
    content: bytes
    created_at: datetime = Field(sa_column=_time(nullable=False))


class LogChunk(SQLModel, table=True):
    """A piece of a run's log, where readers cannot look into the worker's folder."""

    __table_args__ = (Index("uq_log_chunk_run_id_kind_start", "run_id", "kind", "start", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    kind: str
    """`log` or `events`."""
    start: int
    """Offset of its first byte."""
    content: bytes


class Request(SQLModel, table=True):
    """A change that was asked for with an idempotency key, so that asking again does not make it twice."""

    key: str = Field(primary_key=True)
    digest: str
    """Of what was asked: the same key for something else is a mistake."""
    run_ids: list[int] = Field(default_factory=list, sa_column=_json())
    """The runs it recorded, in order; of a registration, the version."""
    user_name: str
    created_at: datetime = Field(sa_column=_time(nullable=False))


class Sync(SQLModel, table=True):
    """A branch of a Git repository that something in the catalog follows."""

    __table_args__ = (Index("uq_sync_kind_name", "kind", "name", unique=True), _IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """core.syncs.Kind: `template` (`name` is `environment/vpc` or `service/web`) or `service`."""
    name: str
    repository: str
    """Its address, without any password."""
    branch: str
    path: str = ""
    """Of templates the folder that they lie below, "" is the root; of a service the ops file."""
    revision: str = ""
    """The commit that was looked at last; "" before the first."""
    created_by: str
    created_at: datetime = Field(sa_column=_time(nullable=False))


class SyncAttempt(SQLModel, table=True):
    """What became of one thing in one commit."""

    __table_args__ = (Index("ix_sync_attempt_sync_id_target_id", "sync_id", "target", "id"), _IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    sync_id: int
    target: str
    """Of templates the major version, `1`; of a service the instance, `prod`."""
    revision: str
    """The commit."""
    digest: str = ""
    """Of what lay there: the same is not taken twice."""
    status: str
    """core.syncs.Status"""
    message: str = ""
    """Why it failed; else what came of it, as `web@1.4` or `run 12`."""
    started_at: datetime = Field(sa_column=_time(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class SyncBlocker(SQLModel, table=True):
    """Why a service, or an instance of it, is not followed any more: somebody changed it by hand."""

    __table_args__ = (Index("ix_sync_blocker_service_instance", "service", "instance"), _IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    service: str
    instance: str = ""
    """"" blocks the whole service."""
    reason: str
    created_by: str
    created_at: datetime = Field(sa_column=_time(nullable=False))
    resolved_reason: str = ""
    resolved_by: str = ""
    resolved_at: datetime | None = Field(default=None, sa_column=_time())
    """None while it blocks."""


class Notice(SQLModel, table=True):
    """An event that somebody outside is to hear of, written in the transaction that made it true."""

    __table_args__ = (_IDS_NEVER_COME_BACK,)

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    """The id that receivers see, a UUID: the same when it is sent twice."""
    kind: str
    """The `detail-type`."""
    resource: str
    """ARN of what it is about."""
    detail: dict[str, Any] = Field(sa_column=_json())
    created_at: datetime = Field(sa_column=_time(nullable=False))


class Delivery(SQLModel, table=True):
    """One notice on its way to one target."""

    __table_args__ = (
        Index("uq_delivery_notice_id_target", "notice_id", "target", unique=True),
        Index("ix_delivery_state_due_at", "state", "due_at"),
        _IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    notice_id: int
    target: str
    """Its name in landform.toml."""
    state: str
    """core.notices.State: `waiting`, `delivered` or `dead`."""
    attempts: int = 0
    message: str = ""
    """Why the last attempt failed."""
    due_at: datetime = Field(sa_column=_time(nullable=False))
    """When it is tried next."""
    ended_at: datetime | None = Field(default=None, sa_column=_time())


class DataKey(SQLModel, table=True):
    """A key that values are encrypted with, itself encrypted by a key management service."""

    id: str = Field(primary_key=True)
    """Stands at the head of whatever it sealed."""
    master: str
    """ARN of the key in KMS that it is wrapped with."""
    wrapped: bytes
    created_at: datetime = Field(sa_column=_time(nullable=False))
