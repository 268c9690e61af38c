"""The rows of the catalog about what is done to many instances: campaigns, and their steps."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from engine.catalog.columns import IDS_NEVER_COME_BACK, json_column, time_column
from engine.core import campaigns

_IS_UNFINISHED = "status IN ({})".format(", ".join(f"'{status.value}'" for status in sorted(campaigns.UNFINISHED)))


class Campaign(SQLModel, table=True):
    """One change that is brought to many instances, wave by wave."""

    __table_args__ = (Index("ix_campaign_status_id", "status", "id"), IDS_NEVER_COME_BACK)

    id: int | None = Field(default=None, primary_key=True)
    title: str = ""
    """What its people call it."""
    status: str
    """core.campaigns.Status"""
    wish: dict[str, Any] = Field(sa_column=json_column())
    """What is brought to which instances: core.campaigns.Wish.to_json()."""
    manner: dict[str, Any] = Field(sa_column=json_column())
    """In which order and size, under which gates: core.campaigns.Manner.to_json()."""
    message: str = ""
    """Why it does not go on, or how it ended, in a sentence."""
    wave: int = 0
    """The last wave whose steps may begin; the later ones wait."""
    forgiven: int = 0
    """Failures that somebody has looked at: they halt nothing any more."""
    due_at: datetime | None = Field(default=None, sa_column=time_column())
    """When a pause between waves is over; None while there is none."""
    after_run_id: int | None = None
    """The run of an environment that it waits for, whose outputs it brings to those that read them; it has no steps
    before that has succeeded. None: it waits for none. No foreign key.
    """
    rollback_of: int | None = None
    """The campaign whose finished part it takes back. No foreign key: history may go on its own."""
    created_by: str
    created_at: datetime = Field(sa_column=time_column(nullable=False))
    ended_at: datetime | None = Field(default=None, sa_column=time_column())


class Step(SQLModel, table=True):
    """What a campaign does with one instance."""

    __table_args__ = (
        Index("uq_step_campaign_id_instance_id", "campaign_id", "instance_id", unique=True),
        # no two campaigns have the same instance
        Index(
            "uq_step_active",
            "instance_id",
            unique=True,
            sqlite_where=text(_IS_UNFINISHED),
        ),
        Index("ix_step_run_id", "run_id"),
        IDS_NEVER_COME_BACK,
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int
    instance_id: int
    """No foreign key: the instance may be deleted, the step stays."""
    address: str
    wave: int
    """0 is the first."""
    position: int
    """Where it stands in the order of the whole campaign, from 0."""
    status: str
    """core.campaigns.StepStatus"""
    run_id: int | None = None
    """The run that does it now, or did; None before it was recorded. No foreign key."""
    template_before: str
    """The version it was on, in words: `web@1.2`."""
    deployed_before: int | None = None
    """Instance.deployed_run_id when the step began: what a rollback leads back to."""
    message: str = ""
    """Why it ended as it did; "" while it has not, or when there is nothing to say."""
    started_at: datetime | None = Field(default=None, sa_column=time_column())
    ended_at: datetime | None = Field(default=None, sa_column=time_column())
