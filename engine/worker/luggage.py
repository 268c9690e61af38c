"""What a home keeps beside its catalog, and what must go along when the catalog moves: bundles and states."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from engine.bundles import pack
from engine.bundles.store import Store
from engine.errors import NotFound
from engine.external.contents import Contents, States


@dataclass(frozen=True)
class Luggage:
    """Of one home. What is named but lies nowhere any more is left out: a copy cannot have it either."""

    store: Store
    states: States

    def packed(self, bundles: Iterable[str], states: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """(name, content) as a catalog that machines share has them in its blobs."""
        for digest in bundles:
            with suppress(NotFound):
                name = f"bundles/{digest}"
                yield name, self.states.cipher.seal_for_others(pack.pack(self.store.get(digest)), name)
        for digest in states:
            if (sealed := self.states.contents.get(digest)) is not None:
                yield f"states/{digest}", self._for_others(sealed, f"states/{digest}")

    def _for_others(self, sealed: bytes, name: str) -> bytes:
        cipher = self.states.cipher
        if cipher.opens_elsewhere(sealed):
            return sealed
        return cipher.seal_for_others(cipher.open(sealed, name), name)

    def unpack(self, bundles: Iterable[str], states: Iterable[str], into: Contents) -> None:
        """Puts what a shared catalog has in its blobs where one machine looks for it: bundles into the store."""
        for digest in bundles:
            with suppress(NotFound):
                self.store.get(digest)
        for digest in states:
            if (sealed := self.states.contents.get(digest)) is not None:
                into.put(digest, sealed)
