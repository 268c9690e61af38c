"""The only place that copies a catalog from one database to another, and proves that nothing was lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, LargeBinary, Select, Table, exists, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from engine.catalog import engines, schema
from engine.catalog.metadata import METADATA
from engine.catalog.places import Place
from engine.core.runs import EXECUTING
from engine.errors import Busy, Conflict, LandformError

_AT_ONCE, _FILES_AT_ONCE = 500, 8
"""Rows that are in memory at a time; of tables that hold files, fewer."""


@dataclass(frozen=True)
class Copied:
    """A table that is now in both catalogs."""

    table: str
    rows: int
    sha256: str
    """Of all that its rows say, in order; the same on every database."""


@dataclass(frozen=True)
class Contents:
    """What a catalog names by digest and does not hold itself."""

    bundles: tuple[str, ...]
    states: tuple[str, ...]


def contents(source: Place) -> Contents:
    """What the catalog names. Raises as copy()."""
    _expect_current(source)
    columns = (METADATA.tables["version"].c.bundle, METADATA.tables["stateversion"].c.digest)
    with _opened(source) as read, _explained(source), read.reading.connect() as here:
        found = [
            tuple(here.scalars(select(digest).where(digest != "").distinct().order_by(digest))) for digest in columns
        ]
    return Contents(*found)


def copy(source: Place, target: Place, files: Iterable[tuple[str, bytes]] = ()) -> tuple[Copied, ...]:
    """Every table of the catalog at `source`, with all its rows, in the one at `target`, which is made if need be.

    `files` are (name, content) of blobs that `target` has besides. One transaction, which sees nothing of what happens
    to the source meanwhile: all of it, or nothing.
    Raises Conflict when a schema does not fit or `target` is not empty, Busy while a run is worked on, LandformError
    when what arrived is not what was sent.
    """
    _expect_current(source)
    schema.ensure(target)
    with (
        _opened(source) as read,
        _opened(target) as written,
        _explained(source, target),
        read.reading.connect() as here,
        written.writing.begin() as there,
    ):
        _refuse_executing(here)
        _refuse_rows(there, target)
        copied = tuple(_copied(here, there, table) for table in METADATA.sorted_tables)
        _add(there, files)
        return copied


@contextmanager
def _opened(place: Place) -> Iterator[engines.Engines]:
    used = engines.of(place)
    try:
        yield used
    finally:
        used.dispose()


@contextmanager
def _explained(*involved: Place) -> Iterator[None]:
    """An error of a database, in words about the place it comes from."""
    try:
        yield
    except DBAPIError as error:
        explained = (place.explain(error.orig) for place in involved)
        raise next(filter(None, explained), error) from error


def _expect_current(source: Place) -> None:
    found = schema.revision(source)
    schema.expect(source, found)
    if found != schema.HEAD:
        hint = "Bring it up to date: landform db upgrade" if found else "Make one first: landform init"
        raise Conflict(f"There is no catalog of schema {schema.HEAD} at {source}.", hint=hint)


def _refuse_executing(here: Connection) -> None:
    run = METADATA.tables["run"].c
    executing = select(run.id).where(run.status.in_([status.value for status in sorted(EXECUTING)]))
    numbers = [str(number) for number in here.scalars(executing.order_by(run.id))]
    if numbers:
        raise Busy(
            f"Somebody works on run {', '.join(numbers)}: its end would be missing from the copy.",
            hint="Wait until nobody works: landform run list --status applying",
        )


def _refuse_rows(there: Connection, target: Place) -> None:
    filled = [table.name for table in METADATA.sorted_tables if there.scalar(select(exists(select(table))))]
    if filled:
        raise Conflict(
            f"The catalog {target} is not empty: it has rows in {', '.join(filled)}.",
            hint="Copy to a new database, or to a file that is not there yet.",
        )


def _copied(here: Connection, there: Connection, table: Table) -> Copied:
    sent, arrived, count = sha256(), sha256(), 0
    for rows in _batches(here, table):
        there.execute(insert(table), rows)
        sent.update(_said(rows))
        count += len(rows)
    _go_on_counting(here, there, table)
    for rows in _batches(there, table):
        arrived.update(_said(rows))
    if arrived.digest() != sent.digest():
        raise LandformError(f"The rows of {table.name} did not arrive as they were sent: nothing was copied.")
    return Copied(table.name, count, arrived.hexdigest())


def _add(there: Connection, files: Iterable[tuple[str, bytes]]) -> None:
    blob = METADATA.tables["blob"]
    known = set(there.scalars(select(blob.c.name)))
    for name, content in files:
        if name not in known:
            there.execute(insert(blob).values(name=name, content=content, created_at=func.current_timestamp()))


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table in the order of their keys, but first those that others refer to."""
    holds_files = any(isinstance(column.type, LargeBinary) for column in table.columns)
    inward = [key.parent.is_not(None) for key in table.foreign_keys if key.column.table is table]
    query: Select[Any] = select(table).order_by(*inward, *table.primary_key)
    options = {"yield_per": _FILES_AT_ONCE if holds_files else _AT_ONCE}
    for rows in connection.execute(query, execution_options=options).mappings().partitions():
        yield [dict(row) for row in rows]


def _said(rows: list[dict[str, Any]]) -> bytes:
    """The same bytes for the same rows, wherever they come from."""
    return "".join(json.dumps(row, sort_keys=True, default=_plain) + "\n" for row in rows).encode()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    assert isinstance(value, bytes | memoryview)
    return sha256(value).hexdigest()


def _go_on_counting(here: Connection, there: Connection, table: Table) -> None:
    """Numbers that were given out are not given again, even where their rows have gone: history names them."""
    if table.autoincrement_column is None:
        return
    last = max(_last_number(here, table), here.scalar(select(func.max(table.c.id))) or 0)
    values = {"name": table.name, "last": last}
    if last and there.dialect.name == "postgresql":
        there.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"), values)
    elif last and table.dialect_options["sqlite"]["autoincrement"]:
        # a row is there only when the table has had one
        there.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
        there.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


def _last_number(here: Connection, table: Table) -> int:
    """The highest number that was given out, as the database remembers it; 0 when it does not."""
    name = {"name": table.name}
    if here.dialect.name == "postgresql":
        sequence = here.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), name)
        last, is_called = here.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608
        return int(last) if is_called else 0
    return int(here.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), name) or 0)
