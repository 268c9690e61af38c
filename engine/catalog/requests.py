"""Facts about changes that were asked for with an idempotency key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col

from engine.catalog.records import Records
from engine.catalog.tables import Request
from engine.errors import Conflict

KEPT = timedelta(days=30)
"""Longer than any pipeline is started again after."""


class Requests(Records):
    """The part of a transaction that speaks of requests."""

    def request(self, key: str) -> Request | None:
        """What was asked for with that key; None when nothing was, or too long ago."""
        found = self._session.get(Request, key)
        return found if found and found.created_at > self._now() - KEPT else None

    def add_request(self, key: str, digest: str, run_ids: Sequence[int], user: str) -> Request:
        """The memory that this was asked for, and which runs came of it; what is too old is forgotten meanwhile.

        Raises Conflict when the key has been used.
        """
        now = self._now()
        self._session.execute(delete(Request).where(col(Request.created_at) <= now - KEPT))
        row = Request(key=key, digest=digest, run_ids=list(run_ids), user_name=user, created_at=now)
        used = Conflict("The idempotency key has been used.")
        return self._insert(row, lambda: used if self._session.get(Request, key) else None)
