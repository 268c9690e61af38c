"""The only place that knows how a catalog wakes whoever waits for news in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from engine.catalog.places import Place
from engine.catalog.postgres import Database
from engine.catalog.sqlite import File

if TYPE_CHECKING:
    from psycopg import Connection

CHANNEL = "landform"
_LOOK_EVERY_S = 0.1
_RECONNECT_EVERY_S = 1.0


class Bell(Protocol):
    """Rings when there may be news: once too often rather than once too seldom."""

    def wait(self, timeout_s: float) -> bool:
        """Whether it has rung since the last call; waits until it does, but `timeout_s` seconds at most."""


@contextmanager
def listening(place: Place) -> Iterator[Bell]:
    """A bell of that catalog, to be used by one thread. Raises LandformError when the catalog cannot be reached.

    Later it does not: an outage is waited out, and rings when it is over.
    """
    if isinstance(place, Database):
        with closing(_Notices(place)) as notices:
            yield notices
        return
    assert isinstance(place, File)
    with closing(place.read_only()) as connection:
        yield _Changes(connection)


class _Changes:
    """Every commit of another connection rings: SQLite can say no more, and that cheaply."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._seen = self._version()

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while not self._has_changed():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _LOOK_EVERY_S))
        return True

    def _has_changed(self) -> bool:
        before, self._seen = self._seen, self._version()
        return before != self._seen

    def _version(self) -> int:
        found: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return found


class _Notices:
    """What was rung for with Tx.ring() rings, when its transaction has committed."""

    def __init__(self, database: Database) -> None:
        import psycopg

        self._database = database
        self._connection: Connection[tuple[Any, ...]] | None = None
        try:
            self._connect()
        except psycopg.Error as error:
            raise database.explain(error) or error from error

    def wait(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self._connection is None:
            if self._is_connected_again():
                # nobody knows what was rung for meanwhile
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _RECONNECT_EVERY_S))
        return self._has_rung(self._connection, max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _has_rung(self, connection: Connection[tuple[Any, ...]], timeout_s: float) -> bool:
        from psycopg import OperationalError

        try:
            rung = list(connection.notifies(timeout=timeout_s, stop_after=1))
            # all that was rung for until now is one piece of news
            rung += connection.notifies(timeout=0)
        except OperationalError:
            self.close()
            return self._is_connected_again()
        return bool(rung)

    def _is_connected_again(self) -> bool:
        from psycopg import OperationalError

        try:
            self._connect()
        except OperationalError:
            return False
        return True

    def _connect(self) -> None:
        connection = self._database.connect(autocommit=True)
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self._connection = connection
