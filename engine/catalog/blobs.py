"""Facts about files that travel between machines. They come encrypted: what is in them is not known here."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert
from sqlmodel import col, select

from engine.catalog.metadata import TABLES
from engine.catalog.records import Records
from engine.catalog.worker_tables import Blob

_BLOB = TABLES["blob"]
_TAKE_AWAY = delete(_BLOB).where(_BLOB.c.name == bindparam("of"))
_PUT = insert(_BLOB)


class Blobs(Records):
    """The part of a transaction that speaks of blobs."""

    def put_blob(self, name: str, content: bytes) -> None:
        """Keeps the content under the name, in the place of what was there."""
        # as a table: a plan of megabytes that is replaced need not be read before
        self._session.execute(_TAKE_AWAY, {"of": name})
        self._session.execute(_PUT, {"name": name, "content": content, "created_at": self._now()})

    def blob(self, name: str) -> bytes | None:
        """The content under the name; None when there is none."""
        return self._session.exec(select(Blob.content).where(Blob.name == name)).one_or_none()

    def has_blob(self, name: str) -> bool:
        """Whether there is something under the name."""
        return self._session.exec(select(col(Blob.name)).where(Blob.name == name)).one_or_none() is not None

    def blob_names(self) -> list[str]:
        """The names of all blobs, in order."""
        return list(self._session.exec(select(col(Blob.name)).order_by(Blob.name)))

    def drop_blob(self, name: str) -> None:
        """Takes away what is under the name; that there is nothing is fine."""
        self._session.execute(_TAKE_AWAY, {"of": name})
