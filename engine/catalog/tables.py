"""The rows of the catalog that people know: templates, instances, runs. SQLModel does not validate table rows: what
enters has passed core/ before.

Statuses and kinds are stored as the `.value` of their enum. JSON columns are replaced, never changed in place.
Times are aware UTC. No relationships: a row may be read after its session has ended.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from engine.catalog.columns import IDS_NEVER_COME_BACK, json_column, ref_column, time_column
from engine.core import runs


def in_statuses(statuses: frozenset[runs.Status]) -> str:
    """An SQL condition that a run's status is one of `statuses`."""
    return "status IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(statuses)))


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
    highest: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    """Major -> highest minor ever registered, deleted ones included: numbers never come back."""
    recommended_id: int | None = None
    """The version that is recommended now; kept with every publish and delete so that lists need no scan."""
    minimums: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    """Major -> the lowest minor that may still be deployed; a major that is absent has no minimum."""
    guards: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What plans of its instances must keep to: core.guards.Guards.to_json(); {} asks for nothing."""
    requires_tests: bool = False
    """Whether a version must have passed its contract tests before it is published."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class Version(SQLModel, table=True):
    """One immutable version of a template."""

    __table_args__ = (
        Index("uq_version_template_id_major_minor", "template_id", "major", "minor", unique=True),
        IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    template_id: int = Field(sa_column=ref_column("template.id"))
    major: int
    minor: int
    status: str
    """core.versions.VersionStatus"""
    message: str = ""
    """Why the registration failed, one problem a line; of a deprecated or yanked version, why it is; "" otherwise."""
    description: str = ""
    source: str = ""
    """Where the bundle came from, as the user named it."""
    bundle: str = ""
    """Digest of the stored bundle, `sha256` in hex; "" when it could not be read."""
    schema_text: str = ""
    """schema.yaml, to the letter."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What was learned from the bundle once, at registration: core.bundle.Facts.tojson_column()."""
    compatible: list[str] = Field(default_factory=list, sa_column=json_column())
    """Environment templates a service version may run in, as `name:major`; empty for environment templates."""
    component_sources: list[str] = Field(default_factory=list, sa_column=json_column())
    verdict: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """How it compares to the minors before it: core.verdicts.Verdict.to_json(); None for the first of its major."""
    test_report: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """What its contract tests came to: core.contracts.Report.to_json(); None when they were not run."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    published_at: datetime | None = Field(default=None, sa_column=time_column())


class Service(SQLModel, table=True):
    """A developer's service: one template, one instance per environment."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    template_id: int = Field(sa_column=ref_column("template.id", index=True))
    major: int
    """The major version it was created with: instances added later start on that major's recommended minor."""
    description: str = ""
    repository_connection: str = ""
    repository: str = ""
    branch: str = ""
    pipeline_inputs: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """The `pipeline:` section of the spec; None when the template has no pipeline of ours."""
    tags: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    """What its people tag it with; all its instances and its pipeline get them."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class Instance(SQLModel, table=True):
    """Anything that has a workspace: environment, service instance, pipeline or component."""

    __table_args__ = (Index("ix_instance_version_id_address", "version_id", "address"), IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    address: str = Field(unique=True)
    kind: str = Field(index=True)
    """core.address.Kind"""
    name: str
    service_id: int | None = Field(default=None, sa_column=ref_column("service.id", nullable=True, index=True))
    environment_id: int | None = Field(default=None, sa_column=ref_column("instance.id", nullable=True, index=True))
    """The environment a service instance or component lives in."""
    attached_id: int | None = Field(default=None, index=True)
    """The service instance that a component is attached to, since its last successful deploy; before the first, as
    asked for at creation. None: detached, or no component. No foreign key: a component never outlives its instance.
    """
    template_id: int = Field(sa_column=ref_column("template.id"))
    version_id: int = Field(sa_column=ref_column("version.id"))
    """The version of the last successful deploy; before the first, the version asked for at creation."""
    description: str = ""
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Inputs as given, without defaults; of the last successful deploy; before the first, as asked for at creation."""
    outputs: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """Output name -> {"type", "sensitive", "fingerprint", "value"} of the last successful deploy; None before it.

    The fingerprint is keyed with the home's secret; a sensitive output has no "value".
    """
    upstream: dict[str, dict[str, str]] = Field(default_factory=dict, sa_column=json_column())
    """Upstream address -> what the last successful deploy read of its outputs (core.wiring.read)."""
    stale: list[str] = Field(default_factory=list, sa_column=json_column())
    """The read outputs whose value has changed since, as `environment/prod vpc_id`; [] when up to date."""
    is_stale: bool = Field(default=False, index=True)
    run_env: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Environment variables for Terraform, of an environment; its instances get them too: name ->
    core.run_env.EnvValue, which is the value or, of a secret, the file that holds it.
    """
    rules: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Of an environment: what its runs must keep to, core.rules.Rules.tojson_column(); {} otherwise."""
    credentials: str = ""
    """Of an environment: the profile in `[credentials.NAME]` of landform.toml that its runs work with; "" is the one
    that everybody gets.
    """
    tags: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    """What its people tag it with, beside `proton_tags`."""
    provisioning: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Of an environment or a pipeline whose Terraform others run: the repository that gets a pull request for each
    run, as core.provisioning.Repository.tojson_column(); {} where Landform runs it.
    """
    backend: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Where Terraform keeps its state: {"kind": "s3", ...} as terraform.backends reads it; {} means managed."""
    diverged: str = ""
    """Why nobody may touch it: its state could not be kept after an apply. "" when all is well."""
    guards: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Of an environment: what plans in it must keep to, core.guards.Guards.to_json(); {} asks for nothing."""
    calendar: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """Of an environment: when campaigns may change what lives in it, core.calendars.Calendar.to_json(); {} is always.
    """
    drift: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """What the last drift check found: core.drift.Finding.to_json(); None before the first, and after a deploy."""
    drift_level: str = ""
    """core.drift.Level of what was found and is not ignored; "" when nothing is known to have drifted."""
    drift_ignored: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """Which drift is not told of, and until when: core.drift.Ignored.to_json() of each."""
    drift_checked_at: datetime | None = Field(default=None, sa_column=time_column())
    """When somebody last began to look, whatever came of it; None before the first look, and after a deploy."""
    expires_at: datetime | None = Field(default=None, sa_column=time_column())
    """When it is hibernated by itself; None: never."""
    ttl_s: int | None = None
    """How many seconds it lives at a time, counted anew when it is woken; None: for ever."""
    expiry_told_at: datetime | None = Field(default=None, sa_column=time_column())
    """When its people were warned of that; None while they were not."""
    hibernated_at: datetime | None = Field(default=None, sa_column=time_column())
    """Since when its infrastructure is gone while version and inputs are kept; None while it is awake."""
    last_run_id: int | None = None
    last_status: str = ""
    """core.runs.Status of the last run; kept with it so that lists need no second table."""
    deployed_run_id: int | None = None
    """The last successful deploy; None before it."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    updated_at: datetime = Field(sa_column=time_column(nullable=False))


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
        IDS_NEVER_COME_BACK,
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
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
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
    after_run_ids: list[int] = Field(default_factory=list, sa_column=json_column())
    """Runs that must still succeed before this one may begin; when one of them does not, it is discarded, or a
    pipeline's failed.
    """
    attached_id: int | None = None
    """As Instance.attached_id, of what a component's run deploys."""
    campaign_id: int | None = None
    """The campaign that asked for it. No foreign key: history may go on its own."""
    hibernates: bool = False
    """Of a destroy: whether the instance stays, with its version and inputs."""
    refusals: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """Which guards its plan breaks: core.guards.Refusal.to_json() of each; [] when none."""
    summary: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """core.plans.Summary.tojson_column(); None before the plan is made."""
    fingerprint: dict[str, str] = Field(default_factory=dict, sa_column=json_column())
    """What the plan was made from, part -> digest (core.plans.moved)."""
    upstream: dict[str, dict[str, str]] = Field(default_factory=dict, sa_column=json_column())
    """As Instance.upstream, as read by this run's plan."""
    outputs: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """As Instance.outputs, after this run; None unless it succeeded in a deploy, or others carry it out and have told
    of outputs on the way.
    """
    message: str = ""
    """Why it ended as it did, in a sentence; "" while it has not, or when there is nothing to say."""
    executor: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """Who works on it: {"host", "boot_id", "pid", "started"}; None while nobody does, but for an interrupted run, which
    says who did.
    """
    worker_id: int | None = None
    """The Worker that works on it; as `executor`."""
    fence: int = 0
    """Counts the claims: a write with an older number changes nothing."""
    attempt: int = 0
    """How many times its plan was begun."""
    proposal: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """Where others were asked to carry it out, core.provisioning.Proposal.tojson_column(); None where Landform does."""
    cancel_requested_at: datetime | None = Field(default=None, sa_column=time_column())
    force_requested_at: datetime | None = Field(default=None, sa_column=time_column())
    """Somebody wants its processes killed, the grace over or not."""
    cancelled_by: str = ""
    evidence: dict[str, Any] | None = Field(default=None, sa_column=json_column(nullable=True))
    """What is known of an interrupted run: core.evidence.Evidence.tojson_column(); None before anybody has looked."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    planned_at: datetime | None = Field(default=None, sa_column=time_column())
    approved_at: datetime | None = Field(default=None, sa_column=time_column())
    applied_at: datetime | None = Field(default=None, sa_column=time_column())
    """When the apply began."""
    ended_at: datetime | None = Field(default=None, sa_column=time_column())


class Approval(SQLModel, table=True):
    """One person's yes to a plan."""

    __table_args__ = (Index("uq_approval_run_id_user_name", "run_id", "user_name", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int
    user_name: str
    reason: str = ""
    exceptions: list[str] = Field(default_factory=list, sa_column=json_column())
    """The rules of guards that the plan breaks and this person lets it break, for that reason."""
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class Request(SQLModel, table=True):
    """A change that was asked for with an idempotency key, so that asking again does not make it twice."""

    key: str = Field(primary_key=True)
    digest: str
    """Of what was asked: the same key for something else is a mistake."""
    run_ids: list[int] = Field(default_factory=list, sa_column=json_column())
    """The runs it recorded, in order; of a registration, the version."""
    user_name: str
    created_at: datetime = Field(sa_column=time_column(nullable=False))
