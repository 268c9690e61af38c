"""What every place for Terraform's state can do, and what it says when the state is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.core.snapshots import Snapshot
from engine.errors import Busy, Conflict, ExternalFailure
from engine.terraform.statefile import State, snapshot

_SHOWN_MAX = 5
_DISPLACED = {
    "errored.tfstate": "holds the state that Terraform could not write to its place",
    "terraform.tfstate.d": "holds the state of another Terraform workspace than default",
}


@dataclass(frozen=True)
class LockInfo:
    """Who holds a state, as Terraform wrote it down."""

    id: str
    operation: str
    who: str
    """`user@host`"""
    created: str
    """RFC 3339, by the clock of whoever took it."""
    info: str = ""
    """What the holder added; a push() of ours says which process it is."""

    @property
    def host(self) -> str:
        """The machine on which it was taken."""
        return self.who.rpartition("@")[2]


class Backend(Protocol):
    """Where one instance's state lies. `folder` is always the one in which its Terraform runs."""

    kind: str
    """The name that Terraform has for it."""
    is_shared: bool
    """Whether all machines see the same place."""
    look_again_s: float
    """How often it may be asked whether the state has changed."""

    def override(self) -> dict[str, object]:
        """The content of the override file that sends Terraform there."""

    def where(self, folder: Path) -> str:
        """The place in words, for messages."""

    def pull(self, folder: Path) -> State | None:
        """The state; None before there is one. Raises ExternalFailure when it is damaged or cannot be read."""

    def push(self, folder: Path, content: bytes, expected: Snapshot | None) -> None:
        """Makes the bytes the state, in one step, where it still is what the caller has seen.

        Raises Conflict when it is another one by now, Busy while its lock is held, ExternalFailure.
        """

    def working(self, folder: Path, run_id: int) -> AbstractContextManager[None]:
        """Inside, Terraform finds the state where it looks for it; nothing else may run one. `run_id` is for whose run.

        Raises LandformError before it is entered.
        """

    def stamp(self, folder: Path) -> str:
        """What changes whenever the state is written; "" while there is none. Raises ExternalFailure."""

    def lock(self, folder: Path) -> LockInfo | None:
        """Who holds the state now; None when nobody does. Raises ExternalFailure."""

    def unlock(self, folder: Path, lock_id: str) -> None:
        """Breaks the lock with that id and no other; the caller has proved that its holder is gone for good.

        Raises Conflict when another holds the state by now, Busy when the holder lives.
        """

    def clear(self, folder: Path) -> None:
        """Removes the lock of a push() whose process is seen to have died. Raises ExternalFailure."""

    def require_in_place(self, folder: Path, was_written: Callable[[], bool]) -> None:
        """Raises ExternalFailure when state lies where Terraform does not look for it, or there is none although
        `was_written`: a plan without it would make everything anew, and a destroy would forget what there is.
        """

    def retire(self, folder: Path, backup: Path) -> None:
        """Takes the state away, to `backup`: it has moved to another backend. That there is none is fine."""

    def identity(self, folder: Path) -> dict[str, object] | None:
        """{"lineage", "serial"} of the state; None before there is one. Raises ExternalFailure when it is damaged."""
        state = self.pull(folder)
        return {"lineage": state.snapshot.lineage, "serial": state.snapshot.serial} if state else None

    def outputs(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "value"}, as `terraform output -json` has it; {} without a state.

        Raises ExternalFailure when it is damaged.
        """
        state = self.pull(folder)
        return state.outputs() if state else {}

    def resources(self, folder: Path) -> tuple[str, ...]:
        """Addresses of what Terraform manages, as it writes them, without data sources; () before there is a state.

        Raises ExternalFailure when it is damaged.
        """
        state = self.pull(folder)
        return state.resource_addresses() if state else ()

    def require_nothing_left(self, folder: Path) -> None:
        """Raises ExternalFailure when something would be lost with the state."""
        self.require_in_place(folder, lambda: False)
        left = self.resources(folder)
        if left:
            shown = ", ".join(left[:_SHOWN_MAX]) + (", ..." if len(left) > _SHOWN_MAX else "")
            raise ExternalFailure(
                f"{folder} is kept: its state still knows of {shown}.", hint="Look at it before you remove it by hand."
            )


def require_same(there: State | None, expected: Snapshot | None, where: str) -> None:
    """Raises Conflict when the state is not the one that was expected."""
    found = snapshot(there)
    if found != expected:
        raise Conflict(f"{where} has changed: it is {found or 'gone'}, and was {expected or 'not there'}.")


def require_none_displaced(folder: Path, place: str) -> None:
    """Raises ExternalFailure when there is state in the folder where Terraform does not look for it."""
    for name, why in _DISPLACED.items():
        if _holds_something(folder / name):
            raise in_doubt(f"{folder / name} {why}", how_displaced(place))


def how_displaced(place: str) -> str:
    """What to do about a state that is not at `place`."""
    return (
        f"Compare it with {place}. Put the one that knows what there is at {place}, move the other out of the "
        "folder, and run again."
    )


def lock_info(content: bytes) -> LockInfo:
    """What Terraform wrote; with empty fields where it cannot be read, as somebody holds it all the same."""
    found: Any = {}
    with suppress(ValueError):
        found = json.loads(content)
    found = found if isinstance(found, dict) else {}
    return LockInfo(*(str(found.get(name, "")) for name in ("ID", "Operation", "Who", "Created", "Info")))


def held(where: str, holder: LockInfo | None, *, outlives: bool) -> Busy:
    """What to raise for a state that somebody works with; `holder` is None where nobody can tell who. `outlives` says
    that the lock stays where its holder is killed.
    """
    hint = "Wait for it to end, then try again."
    if holder is None or not holder.who:
        return Busy(f"{where} is locked: a Terraform works with it.", hint=hint)
    # a push() of ours leaves the time open
    since = f" since {holder.created}" if holder.created and not holder.created.startswith("0001-") else ""
    gone = f" Only where that one is gone for good: terraform force-unlock {holder.id}, in a folder with this backend."
    return Busy(
        f"{where} is locked by {holder.who}{since} ({holder.operation or 'unknown'}, lock {holder.id}).",
        hint=hint + (gone if outlives else ""),
    )


def _holds_something(path: Path) -> bool:
    """Whether it is a file, or a folder with a file anywhere in it; an unreadable one counts."""
    try:
        return path.is_file() or any(not found.is_dir() for found in path.rglob("*"))
    except OSError:
        return True


def in_doubt(what: str, how: str) -> ExternalFailure:
    """What to raise when nobody can tell which state is the right one."""
    # all in the message: of what ended it, a run remembers no more
    return ExternalFailure(f"{what}: nothing is planned or removed until that is cleared up. {how}")
