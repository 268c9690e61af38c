"""The only place that looks after a catalog as a whole: whether it is sound, and bringing it up to date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError

from engine.catalog import engines, schema
from engine.catalog.metadata import METADATA
from engine.catalog.places import Place
from engine.core.workers import ALIVE
from engine.errors import Conflict

# references that the database does not guard: where they lead nowhere, history is missing that should be there
_UNGUARDED = (
    ("template", "recommended_id", "version"),
    ("instance", "last_run_id", "run"),
    ("instance", "deployed_run_id", "run"),
    ("run", "worker_id", "worker"),
    ("approval", "run_id", "run"),
    ("logchunk", "run_id", "run"),
    ("delivery", "notice_id", "notice"),
)
_ALIVE = ", ".join(f"'{state.value}'" for state in sorted(ALIVE))
# only databases that machines share are asked
_HAS_WORKERS = "SELECT to_regclass('worker')"
_AT_WORK = (
    f"SELECT name FROM worker WHERE state IN ({_ALIVE})"  # noqa: S608 -- words of ours
    " AND beat_at > clock_timestamp() - lease_s * interval '1 second' ORDER BY name"
)
_RESTORE = "Restore the catalog from a backup, or report how it came to be."


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    ok: bool
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Upgraded:
    """What became of a catalog."""

    before: str
    """"" where there was none."""
    after: str


def upgrade(place: Place, *, force: bool = False) -> Upgraded:
    """Brings the schema up to date; makes a catalog where there is none.

    Raises Conflict when the catalog is newer than this program, or shared and still worked with, unless `force`.
    """
    found = schema.revision(place)
    if found is None or not place.is_shared:
        schema.ensure(place)
        return Upgraded(found or "", schema.HEAD)
    if found == schema.HEAD or found not in schema.REVISIONS:
        schema.expect(place, found)
        return Upgraded(found, found)
    if not force:
        _refuse_at_work(place)
    with place.alone():
        schema.upgrade(place)
    return Upgraded(found, schema.HEAD)


def findings(place: Place) -> list[Finding]:
    """Whether the schema fits, the database is whole, and every reference leads somewhere; how many rows there are.

    Raises LandformError when the database cannot be reached or is no catalog.
    """
    found = schema.revision(place)
    if found is None:
        return [Finding("schema", False, f"There is no catalog at {place}.", "Make one: landform db upgrade")]
    try:
        schema.expect(place, found)
    except Conflict as error:
        return [Finding("schema", False, error.message, error.hint)]
    if found != schema.HEAD:
        hint = "Bring it up to date: landform db upgrade"
        return [Finding("schema", False, f"{place} has schema {found}, not {schema.HEAD}.", hint)]
    return [Finding("schema", True, f"{found} at {place}"), *_looked_at(place)]


def _refuse_at_work(place: Place) -> None:
    with place.door() as door:
        assert door is not None
        # there are workers since the second revision
        [[has_workers]] = door.rows(_HAS_WORKERS, {})[1]
        names = [name for (name,) in door.rows(_AT_WORK, {})[1]] if has_workers else []
    if names:
        raise Conflict(
            f"The catalog {place} is in use by {', '.join(names)}.",
            hint="Let them finish first: landform worker drain. Or give --force when they are gone.",
        )


def _looked_at(place: Place) -> list[Finding]:
    used = engines.of(place)
    try:
        with used.reading.connect() as connection:
            return [
                _integrity(connection),
                *(_rows(connection, table) for table in METADATA.sorted_tables),
                *(_references(connection, *reference) for reference in _all_references()),
            ]
    except DBAPIError as error:
        raise place.explain(error.orig) or error from error
    finally:
        used.dispose()


def _integrity(connection: Connection) -> Finding:
    if connection.dialect.name == "postgresql":
        broken = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready)"
        wrong = [f"The index {name} is not valid." for name in connection.scalars(text(broken))]
        hint = "Build it again: REINDEX INDEX, in psql."
    else:
        told: list[str] = list(connection.scalars(text("PRAGMA integrity_check")))
        wrong = [] if told == ["ok"] else told
        hint = _RESTORE
    return Finding("integrity", not wrong, " ".join(wrong) or "The database is whole.", hint if wrong else "")


def _rows(connection: Connection, table: Table) -> Finding:
    count = connection.scalar(select(func.count()).select_from(table))
    return Finding(f"rows {table.name}", True, str(count))


def _all_references() -> Iterator[tuple[Column[object], Column[object]]]:
    """Which column refers to which."""
    for table in METADATA.sorted_tables:
        for key in sorted(table.foreign_keys, key=lambda key: key.parent.name):
            yield key.parent, key.column
    for name, column, target in _UNGUARDED:
        yield METADATA.tables[name].c[column], METADATA.tables[target].c.id


def _references(connection: Connection, column: Column[object], target: Column[object]) -> Finding:
    there = target.table.alias()
    leads = select(there.c[target.name]).where(there.c[target.name] == column).exists()
    dangling = select(func.count()).select_from(column.table).where(column.is_not(None), ~leads)
    count = connection.scalar(dangling) or 0
    name = f"references {column.table.name}.{column.name}"
    detail = f"{count} lead to no {target.table.name}." if count else "All lead to a row."
    return Finding(name, count == 0, detail, _RESTORE if count else "")
