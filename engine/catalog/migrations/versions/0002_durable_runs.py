"""Runs can wait in line, be cancelled, lost and recovered by many workers; states, logs and requests are remembered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# as core.runs.HOLDING was: a migration never changes, whatever the table of states becomes
_HOLDING = sa.text("status IN ('applying', 'approved', 'interrupted', 'planned', 'planning')")


def upgrade() -> None:
    _run()
    _instance()
    _worker()
    _approval()
    _state_version()
    _blob()
    _log_chunk()
    _request()


def _run() -> None:
    # an interrupted run holds its instance from now on: those that something came after have been decided upon, but not
    # by a plan that was looked at and discarded
    op.execute(
        "UPDATE run SET status = 'failed' WHERE status = 'interrupted' AND EXISTS (SELECT 1 FROM run r "
        "WHERE r.instance_id = run.instance_id AND r.id > run.id AND r.status <> 'discarded')"
    )
    op.execute(
        "UPDATE run SET status = 'failed' WHERE status = 'interrupted' "
        "AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.id = run.instance_id)"
    )
    # nor has it ended
    op.execute("UPDATE run SET ended_at = NULL WHERE status = 'interrupted'")
    op.drop_index("uq_run_active", "run")
    with op.batch_alter_table("run") as table:
        for name in ("environment_id", "supersedes", "superseded_by", "worker_id"):
            table.add_column(sa.Column(name, sa.Integer(), nullable=True))
        table.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("after_run_ids", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("force_requested_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("cancelled_by", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("evidence", sa.JSON(), nullable=True))
    op.execute(
        "UPDATE run SET environment_id = (SELECT coalesce(i.environment_id, i.id) FROM instance i "
        "WHERE i.id = run.instance_id)"
    )
    op.create_index(
        "uq_run_active", "run", ["instance_id"], unique=True, sqlite_where=_HOLDING, postgresql_where=_HOLDING
    )
    op.create_index("ix_run_environment_id_status", "run", ["environment_id", "status"])
    op.create_index("ix_run_worker_id_status", "run", ["worker_id", "status"])


def _instance() -> None:
    with op.batch_alter_table("instance") as table:
        table.add_column(sa.Column("rules", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("backend", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("diverged", sa.String(), nullable=False, server_default=""))


def _worker() -> None:
    op.create_table(
        "worker",
        _number("id"),
        *_texts("name", "kind", "state"),
        _json("identity"),
        _json("labels"),
        _number("capacity"),
        sa.Column("lease_s", sa.Float(), nullable=False),
        *_texts("version"),
        _time("started_at"),
        _time("beat_at"),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_worker_state", "worker", ["state"])


def _approval() -> None:
    op.create_table(
        "approval",
        _number("id"),
        _number("run_id"),
        *_texts("user_name", "reason"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_approval"),
    )
    op.create_index("uq_approval_run_id_user_name", "approval", ["run_id", "user_name"], unique=True)


def _state_version() -> None:
    op.create_table(
        "stateversion",
        _number("id"),
        _number("instance_id"),
        *_texts("address"),
        _number("run_id"),
        *_texts("lineage"),
        _number("serial"),
        *_texts("digest"),
        _number("size_bytes"),
        _number("resources"),
        *_texts("note"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("id", name="pk_stateversion"),
        sqlite_autoincrement=True,
    )
    columns = ["instance_id", "lineage", "serial", "digest"]
    op.create_index("uq_state_version_instance_id_lineage_serial_digest", "stateversion", columns, unique=True)
    op.create_index("ix_state_version_address_id", "stateversion", ["address", "id"])


def _blob() -> None:
    op.create_table(
        "blob",
        *_texts("name"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("name", name="pk_blob"),
    )


def _log_chunk() -> None:
    op.create_table(
        "logchunk",
        _number("id"),
        _number("run_id"),
        *_texts("kind"),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_logchunk"),
    )
    op.create_index("uq_log_chunk_run_id_kind_start", "logchunk", ["run_id", "kind", "start"], unique=True)


def _request() -> None:
    op.create_table(
        "request",
        *_texts("key", "digest"),
        _json("run_ids"),
        *_texts("user_name"),
        _time("created_at"),
        sa.PrimaryKeyConstraint("key", name="pk_request"),
    )


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _json(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
