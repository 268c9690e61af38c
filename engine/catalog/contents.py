"""The store of states for a catalog that several machines share: as blobs in the catalog itself."""

from __future__ import annotations

from engine.catalog.catalog import Catalog


class CatalogStates:
    """One of the stores behind external.contents.Contents."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def put(self, digest: str, sealed: bytes) -> None:
        """Keeps the content; it is there once this returns."""
        with self._catalog.write() as tx:
            if not tx.has_blob(_name(digest)):
                tx.put_blob(_name(digest), sealed)

    def replace(self, digest: str, sealed: bytes) -> None:
        """The same content, sealed anew."""
        with self._catalog.write() as tx:
            tx.put_blob(_name(digest), sealed)

    def get(self, digest: str) -> bytes | None:
        """The content; None when it is not here."""
        with self._catalog.read() as tx:
            return tx.blob(_name(digest))


def _name(digest: str) -> str:
    return f"states/{digest}"
