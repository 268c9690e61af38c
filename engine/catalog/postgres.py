"""The only place that knows PostgreSQL: how a catalog on it is named, reached and locked, and what its errors mean.

psycopg is imported where it is used: it comes with the package's extra `postgres`, and costs what needs none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from engine.errors import Invalid, LandformError, Unreachable

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
LOCK_TIMEOUT_S = 30
STATEMENT_TIMEOUT_S = 60
IDLE_TIMEOUT_S = 20
"""A writing transaction that stands still for longer (its process was stopped) is ended, so that others can go on."""
WRITING, MAKING = 0x1A4DF0, 0x1A4DF1
"""Keys of advisory locks: of the one transaction that writes, and of whoever makes or upgrades the schema."""
_SETTINGS = {
    "TimeZone": "UTC",
    "lock_timeout": f"{LOCK_TIMEOUT_S}s",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
    "idle_in_transaction_session_timeout": "10min",
    # the server must notice a machine that was cut off, as its locks stay held until then
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20s",
}
_CONNECTION = {
    "application_name": "landform",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
_WAIT = "Wait a moment and try again."
_MEANINGS = {
    "25006": ("cannot be written: the database is read-only.", "Name the primary server in LANDFORM_CATALOG."),
    "25P03": (
        f"ended a transaction that stood still for more than {IDLE_TIMEOUT_S} seconds.",
        "Nothing of it was kept: try again.",
    ),
    "40001": ("could not put two changes in order.", _WAIT),
    "40P01": ("could not put two changes in order.", _WAIT),
    "42501": ("refuses what was asked: the role lacks a right.", "The role must own the schema it works in."),
    "3F000": ("has no schema to work in.", "The role must own a schema on its search_path."),
    "53100": ("cannot grow: the disk of the server is full.", "Free some space and try again."),
    "53200": ("cannot answer: the server has no memory left.", _WAIT),
    "53300": ("takes no more connections.", "Raise max_connections of the server, or run fewer workers."),
    "55P03": (
        f"was held by another process for more than {LOCK_TIMEOUT_S} seconds.",
        "Look for a landform process that is stopped (Ctrl-Z), and try again.",
    ),
    "57014": (f"took longer than {STATEMENT_TIMEOUT_S} seconds to answer.", "Look at what the server is doing."),
}
_LOST = re.compile("08...|57P0[123]")
_REACH = "Check that the server runs and that LANDFORM_CATALOG names it."
_BEFORE_THE_REASON = re.compile(r"^(connection (failed|is bad): )?(connection to server .*? failed: )?(FATAL: +)?")
_WORDS = (
    (re.compile(r"(?<!:):([a-z_]+)"), r"%(\1)s"),
    (re.compile(r"json_group_array\("), "json_agg("),
    (
        re.compile(r"""json_extract\((\S+), '\$\."' \|\| (\S+) \|\| '"'\)"""),
        r"CAST(\1 ->> CAST(\2 AS TEXT) AS INTEGER)",
    ),
    (re.compile(r"julianday\((\S+)\) - julianday\((\S+)\)"), r"extract(epoch FROM \1 - \2) / 86400"),
)


@dataclass(frozen=True)
class Database:
    """A catalog in a database that other machines may share."""

    parameters: Mapping[str, str] = field(repr=False)
    """libpq's, the password included."""
    is_shared = True

    @classmethod
    def of(cls, url: str) -> Database:
        """That of an URL as libpq reads it. Raises Invalid, or LandformError when psycopg is missing."""
        _expect_psycopg()
        from psycopg import Error, conninfo

        _, _, rest = url.partition("://")
        try:
            found = {name: str(value) for name, value in conninfo.conninfo_to_dict(f"postgresql://{rest}").items()}
        except Error:
            # its words would quote a part of the URL, which may be of the password
            hint = "Write postgresql://user:password@host/database, special characters of the password as %XX."
            raise Invalid("The URL of the catalog cannot be understood.", hint=hint) from None
        given = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        options = " ".join(filter(None, (given, found.get("options"))))
        return cls({**_CONNECTION, **found, "options": options})

    def __str__(self) -> str:
        name = self.parameters.get("dbname") or self.parameters.get("user") or "of this user"
        host = self.parameters.get("host") or self.parameters.get("hostaddr") or "this machine"
        return f"{name} on {host}" + (f":{self.parameters['port']}" if "port" in self.parameters else "")

    def connect(self, *, autocommit: bool = False) -> Connection[tuple[Any, ...]]:
        """A new connection. Raises psycopg's errors."""
        import psycopg

        parameters: dict[str, Any] = dict(self.parameters)
        return psycopg.connect(autocommit=autocommit, **parameters)

    @contextmanager
    def door(self) -> Iterator[Opened]:
        """A connection that waits for no writer. Raises LandformError when the server cannot be reached."""
        import psycopg

        try:
            with closing(self.connect(autocommit=True)) as connection:
                connection.read_only = True
                yield Opened(connection, self)
        except psycopg.Error as error:
            raise self.explain(error) or error from error

    def make(self) -> None:
        """Nothing: whoever owns the server makes databases."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time, on whatever machine; the lock goes with its holder's connection."""
        import psycopg

        try:
            with closing(self.connect(autocommit=True)) as connection:
                # migrations take as long as they take, and who waits for them waits
                connection.execute("SELECT set_config('lock_timeout', '0', false)")
                connection.execute("SELECT set_config('statement_timeout', '0', false)")
                connection.execute("SELECT pg_advisory_lock(%s)", (MAKING,))
                yield
        except psycopg.Error as error:
            raise self.explain(error) or error from error

    def explain(self, error: BaseException | None) -> LandformError | None:
        """What an error of psycopg means to the user; None for those that are mistakes of ours."""
        import psycopg

        if not isinstance(error, psycopg.Error):
            return None
        if error.sqlstate in _MEANINGS:
            message, hint = _MEANINGS[error.sqlstate]
            return LandformError(f"The catalog {self} {message}", hint=hint)
        if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
            return Unreachable(f"The catalog {self} cannot be reached: {self._reason(error)}.", hint=_REACH)
        if error.sqlstate is None and isinstance(error, psycopg.DataError):
            # psycopg itself refuses: SQLite would have kept it
            return LandformError(f"The catalog {self} cannot keep text with a NUL character.", hint="Take it out.")
        if error.sqlstate and _LOST.fullmatch(error.sqlstate):
            return Unreachable(f"The catalog {self} ended the connection.", hint=_WAIT)
        return None

    def _reason(self, error: BaseException) -> str:
        """The first line of libpq's words, without what has been said already, and without the password."""
        line = str(error).partition("\n")[0]
        reason = _BEFORE_THE_REASON.sub("", line).strip().rstrip(".")
        password = self.parameters.get("password")
        return reason.replace(password, "***") if password else reason


@dataclass(frozen=True)
class Opened:
    """A database that is being read."""

    connection: Connection[tuple[Any, ...]]
    database: Database

    def revision(self) -> str | None:
        """The revision of the schema; None without tables. Raises LandformError for somebody else's tables."""
        from psycopg.errors import UndefinedTable

        try:
            found = self.connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except UndefinedTable:
            found = None
            here = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LIMIT 1"
            if self.connection.execute(here).fetchone() is None:
                return None
        if found is None:
            hint = "Make a database for it, and name that in LANDFORM_CATALOG."
            raise LandformError(f"The database {self.database} is not a Landform catalog.", hint=hint)
        return str(found[0])

    def rows(self, statement: str, values: Mapping[str, object]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of a statement in SQLite's words; JSON as Python has it, times aware."""
        # SQLite has no word for "all", and -1 stands for it
        limited = {**values, "limit": None} if values.get("limit") == -1 else values
        found = self.connection.execute(_translated(statement), limited)
        return [column.name for column in found.description or ()], found.fetchall()


@cache
def _translated(statement: str) -> bytes:
    """A statement that is written in SQLite's words, in PostgreSQL's."""
    for pattern, replacement in _WORDS:
        statement = pattern.sub(replacement, statement)
    return statement.encode()


def _expect_psycopg() -> None:
    """Raises LandformError when psycopg cannot be imported."""
    try:
        import psycopg
    except ImportError as error:
        hint = "Install it: pip install 'landform[postgres]'"
        raise LandformError(
            "A catalog on PostgreSQL needs the package psycopg, which is missing.", hint=hint
        ) from error
    assert psycopg
