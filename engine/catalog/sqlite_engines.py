"""The only place that makes SQLAlchemy engines for SQLite: its settings, transactions and times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, Pool, create_engine, event
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.pool import NullPool

from engine.catalog import sqlite

_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={sqlite.BUSY_TIMEOUT_S * 1000}")


class _Utc(DATETIME):
    """Aware times, kept as UTC: SQLite itself would drop the offset without converting."""

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        store = super().bind_processor(dialect)

        def process(value: datetime | None) -> Any:
            if value is not None and value.utcoffset() is None:
                raise ValueError(f"{value!r} has no time zone.")
            utc = value.astimezone(UTC) if value else None
            return store(utc) if store else utc

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        load = super().result_processor(dialect, coltype)

        def process(value: Any) -> datetime | None:
            found: datetime | None = load(value) if load else value
            return found.replace(tzinfo=UTC) if found else None

        return process


def reading(file: sqlite.File) -> Engine:
    """For transactions that only read: they wait for nobody, and a write in one is an error."""
    return _engine(file, "BEGIN", (*_PRAGMAS, "foreign_keys=ON", "query_only=ON"))


def writing(file: sqlite.File) -> Engine:
    """For transactions that may write: one at a time, so that what one has read stays true until it commits."""
    return _engine(file, "BEGIN IMMEDIATE", (*_PRAGMAS, "foreign_keys=ON"))


def migrating(file: sqlite.File) -> Engine:
    """For migrations: a table that is rebuilt must not be seen to break foreign keys meanwhile."""
    return _engine(file, "BEGIN IMMEDIATE", (*_PRAGMAS, "foreign_keys=OFF"), poolclass=NullPool)


def _engine(file: sqlite.File, begin: str, pragmas: tuple[str, ...], poolclass: type[Pool] | None = None) -> Engine:
    # a thread that waits for its turn to write must not run into a limit on connections first
    pool: dict[str, Any] = {"poolclass": poolclass} if poolclass else {"max_overflow": -1}
    # messages must not quote parameters: inputs may be secret
    engine = create_engine(URL.create("sqlite", database=str(file.path)), hide_parameters=True, **pool)
    engine.dialect.colspecs = {**engine.dialect.colspecs, DateTime: _Utc}

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: object) -> None:
        # the driver would open transactions by itself, and only before the first write
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
