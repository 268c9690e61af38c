"""The shelf of wrapped data keys for all machines of a catalog: rows of the catalog itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.catalog.catalog import Catalog
from engine.errors import Unreachable
from engine.external.keyring import BY_KEY_FILE, Wrapped


class CatalogKeys:
    """What stands behind external.keyring.Shelf."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._seen: Sequence[tuple[Wrapped, datetime]] | None = None

    def all(self) -> Sequence[tuple[Wrapped, datetime]]:
        """As Shelf.all(); while the catalog cannot be reached, those that were seen last, as none ever goes."""
        try:
            with self._catalog.read() as tx:
                self._seen = tx.data_keys()
        except Unreachable:
            if self._seen is None:
                raise
        return self._seen

    def add(self, key: Wrapped, *, first: bool) -> Wrapped:
        """As Shelf.add()."""
        with self._catalog.write() as tx:
            there = [known for known, _ in tx.data_keys() if known.master != BY_KEY_FILE]
            if first and there:
                return there[-1]
            tx.add_data_key(key)
            return key
