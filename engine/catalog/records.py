"""What every noun of the catalog needs: adding rows, keeping them, and telling a taken name from a mistake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import TypeVar

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm.util import identity_key
from sqlmodel import Session, SQLModel

from engine.catalog import bells
from engine.errors import LandformError

Row = TypeVar("Row", bound=SQLModel)
_READ_OFTEN = ("Template", "Version")
"""What an action looks at again and again, and hardly ever changes."""
_RING = select(func.pg_notify(bells.CHANNEL, ""))


@cache
def _of(row: type[Row]) -> Select[Row]:
    return select(row).where(SQLModel.metadata.tables[row.__name__.lower()].c.id == bindparam("of"))


class Records:
    """One transaction's session and clock."""

    def __init__(self, session: Session, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now
        self._has_rung = False
        self._held: list[object] = []
        """Rows of these: the session itself forgets what nobody holds, and would read them again."""

    def now(self) -> datetime:
        """The time, as all rows have it: by the database's clock where several machines write, else by our own."""
        return self._now()

    def ring(self) -> None:
        """Wakes whoever listens to the catalog, once the transaction has committed; nobody when it has not."""
        # SQLite's listeners see every commit by themselves, and those of PostgreSQL hear a commit once
        if not self._has_rung and self._session.get_bind().dialect.name == "postgresql":
            self._session.execute(_RING)
        self._has_rung = True

    def _insert(self, row: Row, refusal: Callable[[], LandformError | None]) -> Row:
        """The row with its id; what `refusal` finds is raised instead.

        It is asked before: as only one writes, nobody takes the name in between, and to try would cost a savepoint.
        """
        if (refused := refusal()) is not None:
            raise refused
        self._session.add(row)
        self._session.flush()
        return row

    def _by_id(self, row: type[Row], number: int) -> Row | None:
        """The row of that number; None when there is none. Session.get() makes its statement anew each time."""
        known = self._session.identity_map.get(identity_key(row, number))
        if known is not None:
            return known
        found = self._session.execute(_of(row), {"of": number}).scalar_one_or_none()
        if row.__name__ in _READ_OFTEN:
            self._held.append(found)
        return found

    def _delete(self, row: SQLModel) -> None:
        self._session.delete(row)
        self._session.flush()
