"""What the columns of all tables have in common: how JSON, times and references are kept, and how keys are named."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Column, DateTime, ForeignKey, Integer
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

IDS_NEVER_COME_BACK = {"sqlite_autoincrement": True}
"""Runs outlive their instance and version: its id must not lead to another one."""


def json_column(*, nullable: bool = False) -> Any:
    """A JSON value, replaced as a whole, never changed in place."""
    return Column(JSON(none_as_null=True), nullable=nullable)


def time_column(*, nullable: bool = True) -> Any:
    """An aware time in UTC."""
    return Column(DateTime(timezone=True), nullable=nullable)


def ref_column(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    """The number of a row of another table."""
    return Column(Integer, ForeignKey(target), nullable=nullable, index=index)
