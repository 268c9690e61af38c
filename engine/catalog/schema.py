"""The only place that decides whether a catalog's schema fits, and brings it up to date.

A catalog that fits is recognised without Alembic, which would cost every command its start-up.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.catalog.places import Place
from engine.errors import Conflict

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

REVISIONS = ("0001", "0002", "0003", "0004")
"""Every revision of the schema, oldest first, as in migrations/versions."""
HEAD = REVISIONS[-1]
MIGRATIONS = Path(__file__).parent / "migrations"


def ensure(place: Place) -> None:
    """Leaves a catalog at `place` whose schema is HEAD: made when there is none, upgraded when it is older.

    One that other machines share is not upgraded behind their back. Safe when several processes do it at once.
    Raises Conflict when the catalog is newer than this program, or older and shared; LandformError when the database
    cannot be a catalog.
    """
    if _is_fit(place):
        return
    place.make()
    with place.alone():
        # somebody else may have done it while we waited
        if not _is_fit(place):
            upgrade(place)


def expect(place: Place, found: str | None) -> None:
    """Raises Conflict when this program cannot work with a catalog of the revision `found`; None is a new one."""
    if found is not None and found not in REVISIONS:
        raise Conflict(
            f"The catalog {place} has schema {found}; this Landform knows {REVISIONS[0]} to {HEAD}.",
            hint="A newer Landform wrote it: use that one, or a newer one.",
        )
    if place.is_shared and found not in (None, HEAD):
        raise Conflict(
            f"The catalog {place} has schema {found}; this Landform works with {HEAD}.",
            hint="Upgrade it when no older Landform uses it any more: landform db upgrade",
        )


def revision(place: Place) -> str | None:
    """The schema revision of the catalog, whatever it is; None when there is none yet, or an empty one.

    Raises LandformError when the database is no catalog.
    """
    with place.door() as door:
        return door.revision() if door else None


def upgrade(place: Place, to: str = HEAD) -> None:
    """Runs the migrations up to revision `to` in one transaction: all of them, or nothing."""
    from alembic import command

    from engine.catalog import engines

    with engines.migrating(place) as connection:
        command.upgrade(_config(connection, MIGRATIONS), to)


def draft(place: Place, sentence: str, number: str, migrations: Path = MIGRATIONS) -> Path:
    """A new migration file that leads from the catalog at `place` to tables.py; `sentence` is its reason."""
    from alembic import command

    from engine.catalog import engines

    with engines.migrating(place) as connection:
        script = command.revision(_config(connection, migrations), sentence, autogenerate=True, rev_id=number)
    assert script is not None
    assert not isinstance(script, list)
    return Path(script.path)


def _is_fit(place: Place) -> bool:
    found = revision(place)
    expect(place, found)
    return found == HEAD


def _config(connection: Connection, migrations: Path) -> Config:
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # the option is read with interpolation: a % in a folder's name would be taken for a reference
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    return config
