"""Facts about files that travel between machines. They come encrypted: what is in them is not known here."""

from __future__ import annotations

from sqlmodel import col, select

from engine.catalog.records import Records
from engine.catalog.tables import Blob


class Blobs(Records):
    """The part of a transaction that speaks of blobs."""

    def put_blob(self, name: str, content: bytes) -> None:
        """Keeps the content under the name, in the place of what was there."""
        blob = self._session.get(Blob, name)
        if blob is None:
            blob = Blob(name=name, content=content, created_at=self._now())
        blob.content, blob.created_at = content, self._now()
        self._session.add(blob)
        self._session.flush()

    def blob(self, name: str) -> bytes | None:
        """The content under the name; None when there is none."""
        return self._session.exec(select(Blob.content).where(Blob.name == name)).one_or_none()

    def has_blob(self, name: str) -> bool:
        """Whether there is something under the name."""
        return self._session.exec(select(col(Blob.name)).where(Blob.name == name)).one_or_none() is not None

    def drop_blob(self, name: str) -> None:
        """Takes away what is under the name; that there is nothing is fine."""
        blob = self._session.get(Blob, name)
        if blob is not None:
            self._delete(blob)
