"""What an interrupted apply has left behind: how far it came by its own words, its state, and a lock on that state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from engine.core.evidence import Act, Known, States, Steps
from engine.core.snapshots import PUT_BACK, Verdict
from engine.errors import LandformError
from engine.external.alive import identity
from engine.terraform.events import ApplyComplete, ApplyErrored, Applying, ApplyProgress, ApplyStart, parse
from engine.worker.journal import EVENTS_FILE
from engine.worker.tail import Tail

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.core.snapshots import Snapshot
    from engine.terraform.statefile import State
    from engine.worker.ground import Ground
    from engine.worker.harvest import Standing
    from engine.worker.work import Work

_FOUND = "found after an interruption"


@dataclass(frozen=True)
class Left:
    """The state that was left, and what is to be said about it."""

    states: States
    notes: tuple[str, ...] = ()
    is_in_order: bool = True
    """Whether Terraform may plan with it."""


def steps(ground: Ground, run: Run, work: Work) -> Steps:
    """How far the apply came: by the events in its folder or, where another machine worked on it, by those that it has
    shipped before it was gone.
    """
    last: dict[str, Applying] = {}
    is_here = _was_here(ground, run)
    for event in map(parse, _told(ground, work) if is_here else _shipped(ground, work)):
        if isinstance(event, Applying):
            # in the order of what was heard last
            last.pop(event.address, None)
            last[event.address] = event
    finished, failed = _acts(last, ApplyComplete), _acts(last, ApplyErrored)
    return Steps(finished, failed, _acts(last, ApplyStart, ApplyProgress), is_known=is_here and _is_same_boot(run))


def _was_here(ground: Ground, run: Run) -> bool:
    """Whether the folder of the run is the one in which its apply was taken down."""
    if not ground.harvest.catalog.is_shared:
        # whoever works for this catalog works in its home, under whatever name that is seen from there
        return True
    who, home = run.executor or {}, str(ground.settings.home)
    return who.get("host") == identity()["host"] and who.get("home", home) == home


def _is_same_boot(run: Run) -> bool:
    """Whether the machine has not failed since: what it had not yet brought to its disk would be lost."""
    boot = str(identity()["boot_id"])
    # without the namespace of process ids: a container that was started anew has lost no file
    return str((run.executor or {}).get("boot_id", boot)).partition("/")[0] == boot.partition("/")[0]


def _told(ground: Ground, work: Work) -> Iterator[str]:
    path = ground.run_folder(work.address, work.run_id) / EVENTS_FILE
    with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as lines:
        yield from lines


def _shipped(ground: Ground, work: Work) -> Iterator[str]:
    with ground.harvest.catalog.read() as tx:
        tail = Tail(partial(tx.log, work.run_id, "events"))
        while piece := tail.more(over=True):
            yield from piece.decode("utf-8", errors="replace").splitlines()


def _acts(last: Mapping[str, Applying], *kinds: type[Applying]) -> tuple[Act, ...]:
    return tuple(Act(address, event.action) for address, event in last.items() if type(event) in kinds)


def state(ground: Ground, work: Work) -> Left:
    """The state that the apply has left, kept if it was not, put back if it was lost, and its lock broken if it was the
    run's own. Whoever calls has seen to it that no process of the run is left.
    """
    before = _before(ground, work)
    try:
        lock, is_free = _lock(ground, work)
        backend, root = ground.backend(work), ground.root(work)
        backend.require_in_place(root, lambda: False)
        standing = ground.harvest.standing(work, backend, root)
        note, is_right = _settled(ground, work, standing)
        there = backend.pull(root)
    except LandformError as error:
        return Left(States(before), (error.message,), is_in_order=False)
    states = States(before, _line(there.snapshot if there else None), _known(there), lock)
    notes = (note, f"The instance is frozen. {work.diverged}" if work.diverged else "")
    return Left(states, tuple(filter(None, notes)), is_in_order=is_free and is_right)


def keep(ground: Ground, work: Work, state: State) -> None:
    """Keeps a state that somebody has found, as nobody works on the instance. Raises ExternalFailure, Busy."""
    ground.harvest.states.put(state.content)
    with ground.harvest.catalog.write() as tx:
        instance = tx.instance_by_id(work.instance_id)
        tx.add_state(instance, state.snapshot, run_id=work.run_id, fence=None, note=_FOUND)


def _lock(ground: Ground, work: Work) -> tuple[str, bool]:
    """What became of the state's lock, in a sentence, and whether it is free now."""
    holder = ground.lock_of(work)
    if holder is None:
        return "", True
    if ground.locks(work).has(holder):
        ground.backend(work).unlock(ground.root(work), holder.id)
        return f"The lock {holder.id}, which the run had taken, was left behind and is broken.", True
    whose = f"{holder.id}, which {holder.who or 'somebody'} holds since {holder.created or 'some time'}"
    return f"The state is locked by {whose}. The run did not take down that lock as its own: it is left alone.", False


def _settled(ground: Ground, work: Work, found: Standing) -> tuple[str, bool]:
    """What is to be said about the state that is in place, and whether it is the one to go on with."""
    backend, root = ground.backend(work), ground.root(work)
    if found.verdict is Verdict.HARVEST and found.there is not None:
        keep(ground, work, found.there)
        ground.harvest.note(found, root)
    if found.verdict in PUT_BACK:
        ground.harvest.restore(work, backend, root)
        return f"{backend.where(root)} was lost or older: the newest one that was kept has been put back.", True
    if found.verdict is Verdict.DOUBT:
        there = found.there.snapshot if found.there else "no state"
        text = f"{backend.where(root)} holds {there}, which does not follow the newest one that was kept, {found.kept}."
        return f"{text} Decide first which one is right: landform state list {work.address}", False
    return "", True


def _before(ground: Ground, work: Work) -> str:
    """The newest state that another run had left."""
    with ground.harvest.catalog.read() as tx:
        others = (each for each in tx.states(work.address) if each.run_id != work.run_id)
        found = next((each for each in others if each.instance_id == work.instance_id), None)
    return f"serial {found.serial} of {found.lineage}" if found else ""


def _line(snapshot: Snapshot | None) -> str:
    return f"serial {snapshot.serial} of {snapshot.lineage}" if snapshot else ""


def _known(state: State | None) -> tuple[Known, ...]:
    found = state.resources() if state else []
    return tuple(Known(str(each["address"]), bool(each["tainted"])) for each in found)
