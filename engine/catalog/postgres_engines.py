"""The only place that makes SQLAlchemy engines for PostgreSQL: its transactions, times and text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, DateTime, Engine, Integer, Pool, create_engine, event, text
from sqlalchemy.engine import Dialect
from sqlalchemy.pool import NullPool
from sqlmodel import Session

from engine.catalog.metadata import METADATA
from engine.catalog.postgres import IDLE_TIMEOUT_S, WRITING, Database

_NOW = "now"
_CLOCK = text("SELECT clock_timestamp()")
# READ COMMITTED and one lock for all who write are what BEGIN IMMEDIATE is on SQLite: every statement after the lock
# sees all that was committed before it, and nobody else writes until we commit, so that what was read stays true. To
# lock rows instead would need every reader of a rule to know which rows the rule rests upon; to be SERIALIZABLE would
# need every writer to be repeated. A transaction takes milliseconds, a run takes seconds.
_WRITE = text(
    f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_TIMEOUT_S}s', true),"
    f" pg_advisory_xact_lock({WRITING}), clock_timestamp()"
)
_MIGRATE = text(
    "SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true),"
    f" pg_advisory_xact_lock({WRITING})"
)
_LINGUISTIC = text(
    "SELECT quote_ident(table_name), quote_ident(column_name) FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND data_type = 'character varying' AND collation_name IS DISTINCT FROM 'C'"
    " ORDER BY 1, 2"
)


class _Utc(DateTime):
    """Aware times: PostgreSQL would take a naive one for its own zone's."""

    render_bind_cast = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        def process(value: datetime | None) -> datetime | None:
            if value is not None and value.utcoffset() is None:
                raise ValueError(f"{value!r} has no time zone.")
            return value

        return process


class _Number(BigInteger):
    """A number as large as a user may type is compared with a column, and not refused."""

    render_bind_cast = True


class Engines:
    """Three kinds of transactions on one pool of connections."""

    def __init__(self, database: Database) -> None:
        pool = _engine(database)
        pool.dialect.colspecs = {**pool.dialect.colspecs, DateTime: _Utc, Integer: _Number}
        self.reading = pool.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        """One unchanging view; a write is an error."""
        self.writing = pool.execution_options(isolation_level="READ COMMITTED")
        """One at a time."""
        self.quick = pool.execution_options(isolation_level="READ COMMITTED")
        """Beside whoever writes."""
        event.listen(self.reading, "begin", _begin)
        event.listen(self.quick, "begin", _begin)
        event.listen(self.writing, "begin", _begin_to_write)


def migrating(database: Database) -> Engine:
    """For migrations, which nobody writes beside."""
    _say_which_rows()
    engine = _engine(database, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.execute(_MIGRATE)

    @event.listens_for(engine, "commit")
    def _finish(connection: Connection) -> None:
        _order_by_bytes(connection)

    return engine


def now(session: Session) -> datetime:
    """The database's time, the same throughout a transaction."""
    known = session.connection().info
    if _NOW not in known:
        known[_NOW] = session.scalar(_CLOCK)
    found: datetime = known[_NOW]
    return found


def _begin(connection: Connection) -> None:
    connection.info.pop(_NOW, None)


def _begin_to_write(connection: Connection) -> None:
    connection.info[_NOW] = connection.execute(_WRITE).one()[2]


def _say_which_rows() -> None:
    """Gives an index of a table that is about some rows only the same condition here as on SQLite.

    Not where the table is declared: to name it there would import this dialect, which costs everybody's start-up.
    """
    for table in METADATA.tables.values():
        for index in table.indexes:
            if (where := index.dialect_options["sqlite"]["where"]) is not None:
                index.dialect_options["postgresql"]["where"] = where


def _order_by_bytes(connection: Connection) -> None:
    """Text is compared as SQLite and Python compare it, whatever the language of the database: pages depend on it."""
    for table, column in connection.execute(_LINGUISTIC).all():
        connection.execute(text(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE VARCHAR COLLATE "C"'))


def _engine(database: Database, poolclass: type[Pool] | None = None) -> Engine:
    # a thread that waits for its turn to write must not run into a limit on connections first; and a connection that
    # the server has ended meanwhile is found out before a transaction begins on it
    pool: dict[str, Any] = {"poolclass": poolclass} if poolclass else {"max_overflow": -1, "pool_pre_ping": True}
    # the URL says nothing, so that no message can quote a password; nor may messages quote parameters
    return create_engine(
        "postgresql+psycopg://", creator=database.connect, hide_parameters=True, use_native_hstore=False, **pool
    )
