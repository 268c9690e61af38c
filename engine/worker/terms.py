"""What a worker says of itself, how long its lease holds, and what stops one of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core.workers import Kind
from engine.external.process import Command, Stop


@dataclass(frozen=True)
class Card:
    """What a worker says of itself."""

    identity: Mapping[str, object]
    """As external.process.identity() has it."""
    name: str
    kind: Kind = Kind.FOREGROUND
    labels: tuple[str, ...] = ()
    capacity: int = 1
    """Runs it executes side by side at most."""


@dataclass(frozen=True)
class Terms:
    """How long a lease holds."""

    lease_s: float
    """Without a beat for that long, a worker asks all it does to stop."""
    grace_s: float
    """What does not stop within that time is killed."""
    clock: Callable[[], float]
    """Seconds of a clock that only ever goes on."""

    @property
    def promised_s(self) -> float:
        """After its last beat a worker does nothing any more when that long has gone by."""
        return self.lease_s + self.grace_s


class RunStop(Stop):
    """What stops one run of this process: somebody asks for it, or the lease is over."""

    def __init__(self, holds: Callable[[], bool], recovers: Callable[[], bool], file: Path, lease_s: float) -> None:
        """`holds` tells whether the lease does; `recovers` waits until the catalog can be written, and tells whether
        this worker goes on then; `file` is touched at least every `lease_s` seconds while the lease holds.
        """
        super().__init__()
        self._recovers = recovers
        self._holds = holds
        self._file = file
        self._lease_s = lease_s
        self._is_expired = False

    @property
    def is_asked(self) -> bool:
        """Whether somebody wants the run stopped; the end of the lease is nobody's wish."""
        return self._requested and not self._is_expired

    @property
    def requested(self) -> bool:
        """Whether anybody asked, or nobody may work here any more. May wait for a moment after a suspension."""
        if not self._requested and not self._holds():
            self._is_expired = True
        return self._requested or self._is_expired

    def recovers(self) -> bool:
        """Waits until the catalog can be written; False when this worker is to wait no longer, or somebody insists."""
        return not self.forced and self._recovers()

    def guarded(self, command: Command) -> Command:
        """The command, which is stopped even when this process is suspended and the lease runs out meanwhile."""
        return replace(command, lease=self._file, lease_s=self._lease_s)

    def expire(self) -> None:
        """Asks, because the lease is over."""
        self._is_expired = self._is_expired or not self._requested
        self.request()


def lease_file(folder: Path, worker_id: int | None) -> Path:
    """What a worker touches with every beat, for guards that must know of them without the catalog."""
    return folder / f"lease-{worker_id}"
