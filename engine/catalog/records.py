"""What every noun of the catalog needs: adding rows, keeping them, and telling a taken name from a mistake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from engine.catalog import bells
from engine.errors import LandformError

Row = TypeVar("Row", bound=SQLModel)


class Records:
    """One transaction's session and clock."""

    def __init__(self, session: Session, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now

    def now(self) -> datetime:
        """The time, as all rows have it: by the database's clock where several machines write, else by our own."""
        return self._now()

    def ring(self) -> None:
        """Wakes whoever listens to the catalog, once the transaction has committed; nobody when it has not."""
        # SQLite's listeners see every commit by themselves
        if self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(select(func.pg_notify(bells.CHANNEL, "")))

    def _insert(self, row: Row, refusal: Callable[[], LandformError | None]) -> Row:
        """The row with its id. When the database refuses it, what `refusal` then finds is raised.

        The database is asked by trying: a look beforehand may be outdated by the time of the insert.
        """
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError as error:
            raise refusal() or error from error
        return row

    def _delete(self, row: SQLModel) -> None:
        self._session.delete(row)
        self._session.flush()
