"""The only place that decides whether a catalog's schema fits, and brings it up to date.

A catalog that fits is recognised without Alembic, which would cost every command its start-up.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalog import sqlite
from engine.errors import Conflict, LandformError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

REVISIONS = ("0001", "0002")
"""Every revision of the schema, oldest first, as in migrations/versions."""
HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"


def ensure(path: Path) -> None:
    """Leaves a catalog at `path` whose schema is HEAD: made when there is none, upgraded when it is older.

    Safe when several processes do it at once. Raises Conflict when the catalog is newer than this program,
    LandformError when the file cannot be a catalog.
    """
    if revision(path) == HEAD:
        return
    sqlite.make(path)
    with _alone(path):
        # somebody else may have done it while we waited
        if revision(path) != HEAD:
            upgrade(path)


def fits(connection: sqlite3.Connection) -> bool:
    """Whether the catalog behind the connection has the schema HEAD; when not, ensure() says why or mends it."""
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return False
    return bool(found == (HEAD,))


def revision(path: Path) -> str | None:
    """The schema revision of the catalog; None when there is no file yet, or an empty one.

    Raises Conflict for a revision that this program does not know, LandformError when the file is no catalog.
    """
    if not sqlite.exists(path):
        return None
    try:
        found = _stored(path)
    except sqlite3.Error as error:
        raise sqlite.explain(path, error) or error from error
    if found is not None and found not in REVISIONS:
        raise Conflict(
            f"The catalog {path} has schema {found}; this Landform knows {REVISIONS[0]} to {HEAD}.",
            hint="A newer Landform wrote it: use that one, or a newer one.",
        )
    return found


def upgrade(path: Path, to: str = HEAD) -> None:
    """Runs the migrations up to revision `to` in one transaction: all of them, or nothing."""
    from alembic import command

    from engine.catalog import engines

    with engines.migrating(path) as connection:
        command.upgrade(_config(connection, MIGRATIONS), to)


def draft(path: Path, sentence: str, number: str, migrations: Path = MIGRATIONS) -> Path:
    """A new migration file that leads from the catalog at `path` to tables.py; `sentence` is its reason."""
    from alembic import command

    from engine.catalog import engines

    with engines.migrating(path) as connection:
        script = command.revision(_config(connection, migrations), sentence, autogenerate=True, rev_id=number)
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


def _stored(path: Path) -> str | None:
    with closing(sqlite.read_only(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return None
        rows = connection.execute("SELECT version_num FROM alembic_version") if "alembic_version" in tables else ()
        found = next((str(number) for (number,) in rows), None)
    if found is None:
        raise LandformError(
            f"The database {path} is not a Landform catalog.", hint="Choose another home with LANDFORM_HOME."
        )
    return found


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with its holder."""
    lock = path.with_name(path.name + ".lock")
    sqlite.make(lock)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _config(connection: Connection, migrations: Path) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # the option is read with interpolation: a % in a folder's name would be taken for a reference
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config
