"""Facts about data keys that a master key has wrapped."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import col, select

from engine.catalog.records import Records
from engine.catalog.worker_tables import DataKey
from engine.external.keyring import Wrapped


class WrappedKeys(Records):
    """The part of a transaction that speaks of data keys."""

    def data_keys(self) -> list[tuple[Wrapped, datetime]]:
        """All of them, with when they were made, oldest first."""
        query = select(DataKey).order_by(col(DataKey.created_at), DataKey.id)
        return [(Wrapped(row.id, row.master, row.wrapped), row.created_at) for row in self._session.exec(query)]

    def add_data_key(self, key: Wrapped) -> None:
        """Keeps a new one."""
        self._session.add(DataKey(id=key.id, master=key.master, wrapped=key.wrapped, created_at=self._now()))
        self._session.flush()
