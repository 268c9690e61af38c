"""Pipelines, components, Git, credentials, events and keys: what a home has beyond its own machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# as core.runs.HOLDING was: a migration never changes, whatever the table of states becomes
_HOLDING = sa.text("status IN ('applying', 'approved', 'interrupted', 'planned', 'planning', 'proposed')")


def upgrade() -> None:
    _run()
    _instance()
    with op.batch_alter_table("service") as table:
        table.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="{}"))
    _sync()
    _sync_attempt()
    _sync_blocker()
    _notice()
    _delivery()
    _data_key()


def _run() -> None:
    op.drop_index("uq_run_active", "run")
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("attached_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("proposal", sa.JSON(), nullable=True))
    op.create_index(
        "uq_run_active", "run", ["instance_id"], unique=True, sqlite_where=_HOLDING, postgresql_where=_HOLDING
    )


def _instance() -> None:
    with op.batch_alter_table("instance") as table:
        table.add_column(sa.Column("attached_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("credentials", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("provisioning", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index("ix_instance_attached_id", "instance", ["attached_id"])


def _sync() -> None:
    op.create_table(
        "sync",
        _number("id"),
        *_texts("kind", "name", "repository", "branch", "path", "revision", "created_by"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_sync"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_sync_kind_name", "sync", ["kind", "name"], unique=True)


def _sync_attempt() -> None:
    op.create_table(
        "syncattempt",
        _number("id"),
        _number("sync_id"),
        *_texts("target", "revision", "digest", "status", "message"),
        _time("started_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_syncattempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sync_attempt_sync_id_target_id", "syncattempt", ["sync_id", "target", "id"])


def _sync_blocker() -> None:
    op.create_table(
        "syncblocker",
        _number("id"),
        *_texts("service", "instance", "reason", "created_by"),
        _time("created_at"),
        *_texts("resolved_reason", "resolved_by"),
        _time("resolved_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_syncblocker"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sync_blocker_service_instance", "syncblocker", ["service", "instance"])


def _notice() -> None:
    op.create_table(
        "notice",
        _number("id"),
        *_texts("uid", "kind", "resource"),
        sa.Column("detail", sa.JSON(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_notice"),
        sqlite_autoincrement=True,
    )


def _delivery() -> None:
    op.create_table(
        "delivery",
        _number("id"),
        _number("notice_id"),
        *_texts("target", "state"),
        _number("attempts"),
        *_texts("message"),
        _time("due_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_delivery_notice_id_target", "delivery", ["notice_id", "target"], unique=True)
    op.create_index("ix_delivery_state_due_at", "delivery", ["state", "due_at"])


def _data_key() -> None:
    op.create_table(
        "datakey",
        *_texts("id", "master"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_datakey"),
    )


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
