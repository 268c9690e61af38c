"""The rows of the catalog about the world outside: branches that are followed, and events on their way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from engine.catalog.columns import IDS_NEVER_COME_BACK, json_column, time_column


class Sync(SQLModel, table=True):
    """A branch of a Git repository that something in the catalog follows."""

    __table_args__ = (Index("uq_sync_kind_name", "kind", "name", unique=True), IDS_NEVER_COME_BACK)

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
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class SyncAttempt(SQLModel, table=True):
    """What became of one thing in one commit."""

    __table_args__ = (Index("ix_sync_attempt_sync_id_target_id", "sync_id", "target", "id"), IDS_NEVER_COME_BACK)

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
    started_at: datetime = Field(sa_column=time_column(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=time_column())


class SyncBlocker(SQLModel, table=True):
    """Why a service, or an instance of it, is not followed any more: somebody changed it by hand."""

    __table_args__ = (Index("ix_sync_blocker_service_instance", "service", "instance"), IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    service: str
    instance: str = ""
    """"" blocks the whole service."""
    reason: str
    created_by: str
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    resolved_reason: str = ""
    resolved_by: str = ""
    resolved_at: datetime | None = Field(default=None, sa_column=time_column())
    """None while it blocks."""


class Notice(SQLModel, table=True):
    """An event that somebody outside is to hear of, written in the transaction that made it true."""

    __table_args__ = (IDS_NEVER_COME_BACK,)

    id: int | None = Field(default=None, primary_key=True)
    uid: str
    """The id that receivers see, a UUID: the same when it is sent twice."""
    kind: str
    """The `detail-type`."""
    resource: str
    """ARN of what it is about."""
    detail: dict[str, Any] = Field(sa_column=json_column())
    created_at: datetime = Field(sa_column=time_column(nullable=False))


class Delivery(SQLModel, table=True):
    """One notice on its way to one target."""

    __table_args__ = (
        Index("uq_delivery_notice_id_target", "notice_id", "target", unique=True),
        Index("ix_delivery_state_due_at", "state", "due_at"),
        IDS_NEVER_COME_BACK,
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
    due_at: datetime = Field(sa_column=time_column(nullable=False))
    """When it is tried next."""
    ended_at: datetime | None = Field(default=None, sa_column=time_column())
