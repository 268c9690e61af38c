"""The only place that opens the catalog and its transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from engine.catalog import engines, schema, sqlite
from engine.catalog.tx import Tx
from engine.errors import Invalid


def url_of(path: Path) -> str:
    """The URL of the catalog file at `path`, whatever characters its name has."""
    return URL.create("sqlite", database=str(path)).render_as_string()


class Catalog:
    """What Landform knows, behind transactions. May be shared by threads; each process opens its own."""

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        """Opens the catalog, making or upgrading it first where needed. `now` tells aware times.

        Raises Invalid for an URL that names no SQLite file, Conflict when the catalog is newer than this program,
        LandformError when the file cannot be used.
        """
        self._path = _file(url)
        self._now = now
        schema.ensure(self._path)
        self._reading = engines.reading(self._path)
        self._writing = engines.writing(self._path)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One unchanging view of the catalog, which waits for no writer. Rows stay readable afterwards."""
        with self._session(self._reading) as session:
            yield Tx(session, self._now)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """The one writer: everything is kept at the end, nothing when an exception leaves the block.

        Must take milliseconds: do no I/O inside. Raises LandformError when the file cannot be written.
        """
        with self._session(self._writing) as session:
            yield Tx(session, self._now)
            session.commit()

    def close(self) -> None:
        """Gives its connections back; the catalog may be used again afterwards."""
        self._reading.dispose()
        self._writing.dispose()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            # closing without a commit rolls back and, unlike rollback(), leaves the rows as they were read
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except DBAPIError as error:
            raise sqlite.explain(self._path, error.orig) or error from error


def _file(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Invalid("The URL of the catalog cannot be understood.", hint="It looks like sqlite:////path.") from None
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise Invalid(
            f"The catalog {parsed.render_as_string()} cannot be opened: it is not an SQLite file.",
            hint="It looks like sqlite:////path.",
        )
    return Path(parsed.database)
