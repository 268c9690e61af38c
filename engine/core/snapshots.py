"""What is told apart about Terraform's states without looking into them, and which of two is to be gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Snapshot:
    """One state, as it was at one moment."""

    lineage: str
    """Terraform's name for the line of states that this one belongs to."""
    serial: int
    digest: str
    """`sha256` of its bytes, in hex."""
    size_bytes: int
    resources: int
    """How many resources it knows of."""

    def __str__(self) -> str:
        return f"serial {self.serial} of lineage {self.lineage} ({self.digest[:12]})"


@dataclass(frozen=True)
class Past:
    """Where a state that is in its place comes from."""

    was_kept: bool = False
    """This very one is among all those that were ever kept."""
    is_shared: bool = False
    """Its place is the same for all machines, so that an old one in it was put there, and is not left from a time
    before another machine worked.
    """
    trail: frozenset[str] | None = None
    """As terraform.trail.Trail.read() has it."""


class Verdict(StrEnum):
    """What to do before Terraform works with a state."""

    GO_ON = "go on"
    RESTORE = "restore"
    """The newest one that was kept belongs in its place."""
    HARVEST = "harvest"
    """It is newer than all that was kept."""
    OVERTAKEN = "overtaken"
    """It was never kept, and others have gone on from what it has grown from: the newest one belongs in its place."""
    DOUBT = "doubt"
    """Both may know of things that the other does not."""


PUT_BACK = frozenset({Verdict.RESTORE, Verdict.OVERTAKEN})
"""The newest state that was kept belongs in its place, and is what there is to go on with."""


def verdict(there: Snapshot | None, kept: Snapshot | None, past: Past) -> Verdict:
    """What to do about the state that is `there` when the newest one kept is `kept`."""
    if kept is None:
        return Verdict.GO_ON if there is None else Verdict.HARVEST
    if there is None:
        return Verdict.DOUBT if past.is_shared else Verdict.RESTORE
    if there.digest == kept.digest:
        return Verdict.GO_ON
    if not past.is_shared and past.was_kept:
        return Verdict.RESTORE
    if not past.is_shared and past.trail is not None and kept.digest not in past.trail:
        return Verdict.OVERTAKEN
    return Verdict.HARVEST if there.lineage == kept.lineage and there.serial > kept.serial else Verdict.DOUBT
