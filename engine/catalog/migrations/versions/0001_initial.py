"""The catalog begins: templates, their versions, services, instances and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# as core.runs.ACTIVE was: a migration never changes, whatever the table of states becomes
_ACTIVE = sa.text("status IN ('applying', 'approved', 'planned', 'planning', 'queued')")


def upgrade() -> None:
    _template()
    _version()
    _service()
    _instance()
    _run()


def _template() -> None:
    op.create_table(
        "template",
        _number("id"),
        *_texts("kind", "name", "display_name", "description", "provisioning", "pipeline_provisioning"),
        _json("highest"),
        _number("recommended_id", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_template"),
    )
    op.create_index("uq_template_kind_name", "template", ["kind", "name"], unique=True)


def _version() -> None:
    op.create_table(
        "version",
        *_numbers("id", "template_id", "major", "minor"),
        *_texts("status", "message", "description", "source", "bundle", "schema_text"),
        _json("facts"),
        _json("compatible"),
        _json("component_sources"),
        _time("created_at"),
        _time("published_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_version_template_id"),
        sqlite_autoincrement=True,
    )
    columns = ["template_id", "major", "minor"]
    op.create_index("uq_version_template_id_major_minor", "version", columns, unique=True)


def _service() -> None:
    op.create_table(
        "service",
        _number("id"),
        *_texts("name"),
        *_numbers("template_id", "major"),
        *_texts("description", "repository_connection", "repository", "branch"),
        _json("pipeline_inputs", nullable=True),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
        sa.UniqueConstraint("name", name="uq_service_name"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_service_template_id"),
    )
    op.create_index("ix_service_template_id", "service", ["template_id"])


def _instance() -> None:
    op.create_table(
        "instance",
        _number("id"),
        *_texts("address", "kind", "name"),
        _number("service_id", nullable=True),
        _number("environment_id", nullable=True),
        *_numbers("template_id", "version_id"),
        *_texts("description"),
        _json("inputs"),
        _json("outputs", nullable=True),
        _json("upstream"),
        _json("stale"),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        _json("run_env"),
        _number("last_run_id", nullable=True),
        *_texts("last_status"),
        _number("deployed_run_id", nullable=True),
        _time("created_at"),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
        sa.UniqueConstraint("address", name="uq_instance_address"),
        sa.ForeignKeyConstraint(["service_id"], ["service.id"], name="fk_instance_service_id"),
        sa.ForeignKeyConstraint(["environment_id"], ["instance.id"], name="fk_instance_environment_id"),
        sa.ForeignKeyConstraint(["template_id"], ["template.id"], name="fk_instance_template_id"),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk_instance_version_id"),
        sqlite_autoincrement=True,
    )
    for column in ("kind", "service_id", "environment_id", "is_stale"):
        op.create_index(f"ix_instance_{column}", "instance", [column])
    op.create_index("ix_instance_version_id_address", "instance", ["version_id", "address"])


def _run() -> None:
    op.create_table(
        "run",
        *_numbers("id", "instance_id"),
        *_texts("address", "operation", "status"),
        _number("version_id"),
        *_texts("template"),
        _json("inputs"),
        *_texts("update_kind", "auto_approve", "reason", "requested_by", "approved_by", "approval_reason"),
        _number("retry_of", nullable=True),
        _json("summary", nullable=True),
        _json("fingerprint"),
        _json("upstream"),
        _json("outputs", nullable=True),
        *_texts("message"),
        _json("executor", nullable=True),
        *_numbers("fence", "attempt"),
        _time("cancel_requested_at", nullable=True),
        _time("created_at"),
        *(_time(name, nullable=True) for name in ("planned_at", "approved_at", "applied_at", "ended_at")),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_run_active", "run", ["instance_id"], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    for column in ("instance_id", "address", "status"):
        op.create_index(f"ix_run_{column}_id", "run", [column, "id"])


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [_number(name) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
