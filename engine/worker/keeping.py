"""What of a run travels, so that another machine can go on with it: plans, provider locks, the locks of states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.external.cipher import Cipher


@dataclass(frozen=True)
class Claim:
    """In whose name something is kept: a worker's that holds a run."""

    run_id: int
    fence: int


class Keeping(Protocol):
    """Where files are put for whoever goes on with a run."""

    def keep(self, name: str, content: bytes, claim: Claim | None = None) -> None:
        """Keeps the content under the name, for all machines; with a `claim` only while it holds.

        Raises Conflict when another worker has the run by now, LandformError.
        """

    def fetch(self, name: str) -> bytes | None:
        """What was kept; None when nothing was. Raises ExternalFailure when it cannot be read."""


class Here(Keeping):
    """One machine: everything is where it was written."""

    def keep(self, name: str, content: bytes, claim: Claim | None = None) -> None:
        """As Keeping.keep()."""

    def fetch(self, name: str) -> bytes | None:
        """As Keeping.fetch()."""
        return None


@dataclass(frozen=True)
class Travelling(Keeping):
    """Many machines with one catalog: files are encrypted, and lie in its blobs."""

    catalog: Catalog
    cipher: Cipher

    def keep(self, name: str, content: bytes, claim: Claim | None = None) -> None:
        """As Keeping.keep()."""
        sealed = self.cipher.seal(content, name)
        with self.catalog.write() as tx:
            if claim is not None:
                tx.note(claim.run_id, fence=claim.fence)
            tx.put_blob(name, sealed)

    def fetch(self, name: str) -> bytes | None:
        """As Keeping.fetch()."""
        with self.catalog.read() as tx:
            sealed = tx.blob(name)
        return None if sealed is None else self.cipher.open(sealed, name)


def plan_name(run_id: int) -> str:
    """What a run's plan is kept under."""
    return f"runs/{run_id}/plan"


def provider_lock_name(run_id: int) -> str:
    """What the lock file of the providers that a run's plan was made with is kept under."""
    return f"runs/{run_id}/provider-lock"


def state_lock_name(run_id: int) -> str:
    """What the lock that a run took on its state is kept under."""
    return f"runs/{run_id}/state-lock"
