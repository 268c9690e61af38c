"""The only place that opens the catalog and its transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from engine.catalog import bells, engines, places, schema
from engine.catalog.bells import Bell
from engine.catalog.tx import Tx
from engine.core.targets import NOBODY, Audience
from engine.errors import ExternalFailure


class Catalog:
    """What Landform knows, behind transactions. May be shared by threads; each process opens its own."""

    def __init__(self, url: str, now: Callable[[], datetime], audience: Audience = NOBODY) -> None:
        """Opens the catalog, making it first where there is none. `now` tells aware times; a database that machines
        share goes by its own clock. `audience` is to hear of what is changed.

        Raises Invalid for an URL that names no catalog, Conflict when the catalog does not fit this program,
        LandformError when the database cannot be used, ExternalFailure when its server cannot be reached.
        """
        self._place = places.place(url)
        schema.ensure(self._place)
        self._engines = engines.of(self._place)
        self._now = now
        self._audience = audience

    def __str__(self) -> str:
        """Its name in messages, without a password."""
        return str(self._place)

    @property
    def is_shared(self) -> bool:
        """Whether other machines may look at it too."""
        return self._place.is_shared

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One unchanging view of the catalog, which waits for no writer. Rows stay readable afterwards."""
        with self._session(self._engines.reading) as session:
            yield self._tx(session)

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """The one writer: everything is kept at the end, nothing when an exception leaves the block.

        What it has read stays true until then. Must take milliseconds: do no I/O inside. Raises LandformError when the
        database cannot be written.
        """
        with self._session(self._engines.writing) as session:
            tx = self._tx(session)
            yield tx
            tx.keep_told()
            self._commit(session)

    @contextmanager
    def quick(self) -> Iterator[Tx]:
        """As write(), but without waiting for the one writer where the database can do that.

        Only for a single statement that changes a row of one's own (a worker's sign of life), whatever else is true:
        what it reads may be outdated by the time it commits.
        """
        with self._session(self._engines.quick) as session:
            yield self._tx(session)
            self._commit(session)

    def listen(self) -> AbstractContextManager[Bell]:
        """A bell that rings after Tx.ring(), wherever that was; for one thread."""
        return bells.listening(self._place)

    def close(self) -> None:
        """Gives its connections back; the catalog may be used again afterwards."""
        self._engines.dispose()

    def _tx(self, session: Session) -> Tx:
        now = partial(self._engines.now, session) if self._engines.now else self._now
        return Tx(session, now, self._audience)

    def _commit(self, session: Session) -> None:
        try:
            session.commit()
        except DBAPIError as error:
            explained = self._place.explain(error.orig)
            if isinstance(explained, ExternalFailure):
                hint = "Nobody can tell whether the last change was kept: look before you try again."
                raise ExternalFailure(explained.message, hint=hint) from error
            raise

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            # closing without a commit rolls back and, unlike rollback(), leaves the rows as they were read
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except DBAPIError as error:
            raise self._place.explain(error.orig) or error from error
