"""The rows of the catalog that workers keep: themselves, states, files that travel, logs, keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from engine.catalog.columns import IDS_NEVER_COME_BACK, json_column, time_column


class Worker(SQLModel, table=True):
    """A process that executes runs, or did: a command in the foreground, or `landform worker`."""

    __table_args__ = (IDS_NEVER_COME_BACK,)

    id: int | None = Field(default=None, primary_key=True)
    name: str
    kind: str
    """`foreground` or `service`."""
    state: str = Field(index=True)
    """core.workers.State"""
    identity: dict[str, Any] = Field(sa_column=json_column())
    """{"host", "boot_id", "pid", "started"}"""
    labels: list[str] = Field(default_factory=list, sa_column=json_column())
    capacity: int
    """Runs it executes side by side at most."""
    lease_s: float
    """Seconds after a beat in which nobody may think it dead."""
    version: str
    """Of Landform."""
    started_at: datetime = Field(sa_column=time_column(nullable=False))
    beat_at: datetime = Field(sa_column=time_column(nullable=False))
    """Its last sign of life, by the database's clock."""
    ended_at: datetime | None = Field(default=None, sa_column=time_column())


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
        IDS_NEVER_COME_BACK,
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
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class Blob(SQLModel, table=True):
    """A file that travels between machines through the catalog, encrypted."""

    name: str = Field(primary_key=True)
    """Like `runs/42/plan.tfplan`, `states/<digest>`, `bundles/<digest>`."""
    content: bytes
    created_at: datetime = Field(sa_column=time_column(nullable=False))


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


class DataKey(SQLModel, table=True):
    """A key that values are encrypted with, itself encrypted by a key management service."""

    id: str = Field(primary_key=True)
    """Stands at the head of whatever it sealed."""
    master: str
    """ARN of the key in KMS that it is wrapped with."""
    wrapped: bytes
    created_at: datetime = Field(sa_column=time_column(nullable=False))
