"""The only place that chooses SQLAlchemy engines: one for each kind of transaction, the same on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine.catalog import postgres_engines, sqlite_engines
from engine.catalog.places import Place
from engine.catalog.postgres import Database
from engine.catalog.sqlite import File


@dataclass(frozen=True)
class Engines:
    """What the transactions of a catalog work with."""

    reading: Engine
    """One unchanging view, which waits for nobody; a write in it is an error."""
    writing: Engine
    """One at a time, so that what a transaction has read stays true until it commits."""
    quick: Engine
    """Waits only for whoever changes the same row, where the database can do that."""
    now: Callable[[Session], datetime] | None = None
    """The database's clock; None where the machine's is as good."""

    def dispose(self) -> None:
        """Gives the connections back; new ones are made when the engines are used again."""
        for engine in (self.reading, self.writing, self.quick):
            engine.dispose()


def of(place: Place) -> Engines:
    """Those of a catalog whose schema fits."""
    if isinstance(place, Database):
        made = postgres_engines.Engines(place)
        return Engines(made.reading, made.writing, made.quick, postgres_engines.now)
    assert isinstance(place, File)
    writing = sqlite_engines.writing(place)
    return Engines(sqlite_engines.reading(place), writing, writing)


@contextmanager
def migrating(place: Place) -> Iterator[Connection]:
    """A connection for migrations, which are kept at the end. Raises LandformError when they cannot be."""
    if isinstance(place, Database):
        engine = postgres_engines.migrating(place)
    else:
        assert isinstance(place, File)
        engine = sqlite_engines.migrating(place)
    try:
        with engine.connect() as connection:
            yield connection
            connection.commit()
    except DBAPIError as error:
        raise place.explain(error.orig) or error from error
