"""Fleets: campaigns, guards, drift, calendars, and how long an instance lives."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# as core.campaigns.UNFINISHED was: a migration never changes, whatever becomes of the table of statuses
_UNFINISHED = sa.text("status IN ('checking', 'pending', 'running')")


def upgrade() -> None:
    _templates()
    _instance()
    _run()
    with op.batch_alter_table("approval") as table:
        table.add_column(_json("exceptions", "[]"))
    _campaign()
    _step()


def _templates() -> None:
    with op.batch_alter_table("template") as table:
        table.add_column(_json("minimums"))
        table.add_column(_json("guards"))
        table.add_column(sa.Column("requires_tests", sa.Boolean(), nullable=False, server_default="0"))
    with op.batch_alter_table("version") as table:
        table.add_column(sa.Column("verdict", sa.JSON(), nullable=True))
        table.add_column(sa.Column("test_report", sa.JSON(), nullable=True))


def _instance() -> None:
    with op.batch_alter_table("instance") as table:
        table.add_column(_json("guards"))
        table.add_column(_json("calendar"))
        table.add_column(sa.Column("drift", sa.JSON(), nullable=True))
        table.add_column(sa.Column("drift_level", sa.String(), nullable=False, server_default=""))
        table.add_column(_json("drift_ignored", "[]"))
        for name in ("drift_checked_at", "expires_at", "expiry_told_at", "hibernated_at"):
            table.add_column(_time(name, nullable=True))
        table.add_column(sa.Column("ttl_s", sa.Integer(), nullable=True))


def _run() -> None:
    with op.batch_alter_table("run") as table:
        table.add_column(sa.Column("campaign_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("hibernates", sa.Boolean(), nullable=False, server_default="0"))
        table.add_column(_json("refusals", "[]"))


def _campaign() -> None:
    op.create_table(
        "campaign",
        _number("id"),
        *_texts("title", "status"),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("manner", sa.JSON(), nullable=False),
        *_texts("message"),
        _number("wave"),
        _number("forgiven"),
        _time("due_at", nullable=True),
        sa.Column("after_run_id", sa.Integer(), nullable=True),
        sa.Column("rollback_of", sa.Integer(), nullable=True),
        *_texts("created_by"),
        _time("created_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaign"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_campaign_status_id", "campaign", ["status", "id"])


def _step() -> None:
    op.create_table(
        "step",
        _number("id"),
        _number("campaign_id"),
        _number("instance_id"),
        *_texts("address"),
        _number("wave"),
        _number("position"),
        *_texts("status"),
        sa.Column("run_id", sa.Integer(), nullable=True),
        *_texts("template_before"),
        sa.Column("deployed_before", sa.Integer(), nullable=True),
        *_texts("message"),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_step"),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_step_campaign_id_instance_id", "step", ["campaign_id", "instance_id"], unique=True)
    op.create_index(
        "uq_step_active",
        "step",
        ["instance_id"],
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )
    op.create_index("ix_step_run_id", "step", ["run_id"])


def _json(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=False, server_default=default)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
