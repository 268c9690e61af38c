"""Brings every state that Terraform writes into the store of states, and back where it was lost (design D6)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from engine.core.snapshots import PUT_BACK, Past, Snapshot, Verdict, verdict
from engine.errors import Conflict, LandformError, OutcomeUnknown
from engine.terraform import statefile
from engine.terraform.backend import Backend, in_doubt
from engine.terraform.trail import Trail

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.external.contents import States
    from engine.terraform.statefile import State
    from engine.worker.locks import Witness
    from engine.worker.work import Work

logger = logging.getLogger(__name__)
_FIRST_LOOK_S = 0.05
_EARLY_LOOKS = 20
"""How many of the first looks go to the lock, which a Terraform takes as soon as it has started."""
_HOW_TO_DECIDE = (
    "See what was kept: landform state list {0}. To go on with what is there: landform state harvest {0}. To go back "
    "to one that was kept: landform state rollback {0} STATE."
)


@dataclass(frozen=True)
class Standing:
    """A state where Terraform looks for it, beside the newest one that was kept."""

    there: State | None
    kept: Snapshot | None
    verdict: Verdict


@dataclass(frozen=True)
class Harvest:
    """The states of all instances: in their places, and in the store."""

    catalog: Catalog
    states: States
    lately: Mapping[int, Snapshot] = field(default_factory=dict)
    """Instance -> its newest state, as the catalog knew it a moment ago: for those who ask for many at once."""

    def standing(self, work: Work, backend: Backend, folder: Path) -> Standing:
        """How the state of the run's instance compares with what was kept of it. Raises ExternalFailure."""
        there = backend.pull(folder)
        kept, was_kept = self._kept(work.instance_id, there)
        past = Past(was_kept, backend.is_shared, Trail(folder.parent).read())
        found = verdict(statefile.snapshot(there), kept, past)
        if kept is None and not work.applied and there and there.resource_addresses():
            # this instance has written nothing yet
            found = Verdict.DOUBT
        return Standing(there, kept, found)

    def settle(self, work: Work, backend: Backend, folder: Path) -> None:
        """Makes sure that what is in place is what there is to go on with: keeps what is newer than all that was kept,
        puts back what was lost with a machine or a disk.

        Raises ExternalFailure, naming both, when nobody can tell which one that is.
        """
        found = self.standing(work, backend, folder)
        if found.verdict is Verdict.DOUBT and self._is_formers(work, backend, found):
            # another machine has destroyed that instance
            backend.retire(folder, folder.parent / "state-of-former-instance.tfstate")
            return
        if found.verdict is Verdict.DOUBT:
            held = statefile.snapshot(found.there) or "no state"
            kept = f"the newest one that was kept, {found.kept}" if found.kept else "any that was kept"
            text = f"{backend.where(folder)} holds {held}, which does not follow {kept}"
            raise in_doubt(text, _HOW_TO_DECIDE.format(work.address))
        if found.verdict is Verdict.HARVEST and found.there is not None:
            self.take(work, found.there, "found before a plan")
        self._put_back(found, backend, folder)
        self.note(found, folder)

    def restore(self, work: Work, backend: Backend, folder: Path) -> str:
        """Puts back what was lost with a machine or a disk, and changes nothing else. The digest of what is in place
        and was kept; "" when there is no such state. Raises ExternalFailure.
        """
        found = self.standing(work, backend, folder)
        self._put_back(found, backend, folder)
        known = found.verdict in (*PUT_BACK, Verdict.GO_ON)
        if known:
            self.note(found, folder)
        return found.kept.digest if known and found.kept else ""

    def note(self, found: Standing, folder: Path) -> None:
        """Writes down which state is in its place now, after what the verdict says was done: what is written next has
        grown from that one, whoever writes it.
        """
        newest = found.there.snapshot if found.there and found.verdict is Verdict.HARVEST else found.kept
        Trail(folder.parent).note(newest.digest if newest else "")

    def current(self, work: Work, backend: Backend, folder: Path) -> State | None:
        """The state that a run of the instance would go on with, which may be that in its place or the newest one that
        was kept; None when there is none. Changes nothing. Raises ExternalFailure.
        """
        found = self.standing(work, backend, folder)
        return self.newest(work.instance_id) if found.verdict in PUT_BACK else found.there

    def newest(self, instance_id: int) -> State | None:
        """The newest state that was kept of an instance; None when there is none. Raises ExternalFailure."""
        kept, _ = self._kept(instance_id, None)
        return statefile.read(self.states.get(kept.digest), "kept", "") if kept else None

    def take(self, work: Work, state: State, note: str = "") -> None:
        """Keeps the state as one of the run's instance.

        Raises Conflict when the run has been taken over by another worker, ExternalFailure when it cannot be kept.
        """
        self.states.put(state.content)
        with self.catalog.write() as tx:
            instance = tx.instance_by_id(work.instance_id)
            tx.add_state(instance, state.snapshot, run_id=work.run_id, fence=work.fence, note=note)

    def diverge(self, work: Work, reason: str) -> None:
        """Freezes the instance: what there is was not kept, so nothing more may be done to it before it has been."""
        with self.catalog.write() as tx:
            tx.note(work.run_id, fence=work.fence)
            instance = tx.instance_by_id(work.instance_id)
            instance.diverged = reason
            tx.save(instance)

    def finish(self, work: Work, look: Look, recovers: Callable[[], bool]) -> None:
        """Keeps the last state of an apply that has ended. When it cannot be kept, the instance is frozen; `recovers`
        waits for a catalog in which neither can be noted, and tells whether to try again.

        Raises Conflict when the run is another worker's by now: whatever we know counts for nothing then.
        OutcomeUnknown when nothing could be noted: only a run that holds its instance keeps others from going on with
        an older state.
        """
        step: Callable[[], None] = look.take
        while True:
            try:
                return step()
            except Conflict:
                raise
            except LandformError as error:
                logger.error("a state could not be kept", extra={"run": work.run_id, "address": str(work.address)})
                if not recovers():
                    text = f"The state that terraform apply has left could not be kept: {error.message}"
                    raise OutcomeUnknown(text) from error
                # by now it may only have been the catalog
                step = partial(self._keep_or_freeze, work, look)

    def _keep_or_freeze(self, work: Work, look: Look) -> None:
        try:
            look.take()
        except Conflict:
            raise
        except LandformError as error:
            self.diverge(work, f"Its state could not be kept after run {work.run_id}: {error.message}")

    def _kept(self, instance_id: int, there: State | None) -> tuple[Snapshot | None, bool]:
        """The newest state that was kept, and whether the one that is there is among all that were."""
        lately = self.lately.get(instance_id)
        if lately is not None and there is not None and there.snapshot.digest == lately.digest:
            return lately, True
        with self.catalog.read() as tx:
            newest = tx.newest_snapshot(instance_id)
            if newest is None or there is None or there.snapshot.digest == newest.digest:
                return newest, newest is not None and there is not None
            return newest, tx.has_state(instance_id, there.snapshot.digest)

    def _is_formers(self, work: Work, backend: Backend, found: Standing) -> bool:
        """Whether a state that was left on this machine is that of an instance of the same address that is no more."""
        if backend.is_shared or found.kept is not None or found.there is None:
            return False
        with self.catalog.read() as tx:
            return tx.is_formers(str(work.address), work.instance_id, found.there.snapshot.lineage)

    def _put_back(self, found: Standing, backend: Backend, folder: Path) -> None:
        """Puts the newest state that was kept in its place, where it belongs there. One that was never kept is put
        aside, and never lost: it may know of things that nobody else does.
        """
        if found.kept is None or found.verdict not in PUT_BACK:
            return
        if found.verdict is Verdict.OVERTAKEN and found.there is not None:
            aside = folder.parent / f"state-overtaken-{found.there.snapshot.digest[:12]}.tfstate"
            logger.warning("a state that was never kept has been overtaken by others: it is put aside at %s", aside)
            backend.retire(folder, aside)
            found = replace(found, there=None)
        assert found.kept is not None
        backend.push(folder, self.states.get(found.kept.digest), statefile.snapshot(found.there))


class Look:
    """A look at one state while Terraform writes it, again and again."""

    def __init__(self, harvest: Harvest, work: Work, backend: Backend, folder: Path, known: str) -> None:
        """`known` is the digest of the state that is in place and was kept; "" when there is none."""
        self._harvest, self._work, self._backend, self._folder = harvest, work, backend, folder
        self._known = known
        self._steps = {known}
        """Digests of what may be the newest one that was kept: of one that could not be, nobody may ever have heard."""
        self._stamp = backend.stamp(folder)

    def glance(self) -> None:
        """As take(), unless nothing has been written since the last glance."""
        stamp = self._backend.stamp(self._folder)
        if stamp != self._stamp:
            self.take()
            # only now: what was half written is looked at again
            self._stamp = stamp

    def take(self) -> None:
        """Keeps the state if it is another one than the last that was kept here. Raises as Harvest.take()."""
        state = self._backend.pull(self._folder)
        if state is not None and state.snapshot.digest != self._known:
            # first: should we die in between, it is still known where this state comes from
            self._steps.add(state.snapshot.digest)
            Trail(self._folder.parent).note(*self._steps)
            self._harvest.take(self._work, state)
            self._known = state.snapshot.digest
            self._steps = {self._known}


@contextmanager
def watching(backend: Backend, look: Look | None, witness: Witness | None) -> Iterator[None]:
    """While the block runs, a thread glances at the state and looks for the lock; also for one that is there after it,
    as a Terraform leaves it that was killed as soon as it had begun.
    """
    over = Event()
    thread = Thread(target=_look_on, args=(over, backend.look_again_s, look, witness), name="states", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(LandformError):
            if witness is not None and not witness.is_done:
                witness.look()


def _look_on(over: Event, look_again_s: float, look: Look | None, witness: Witness | None) -> None:
    wait_s, tries = _FIRST_LOOK_S, 0
    while not over.wait(wait_s):
        is_early = witness is not None and not witness.is_done and tries < _EARLY_LOOKS
        # half written, or a store that cannot be reached: the last look, after Terraform has ended, is what counts
        with suppress(LandformError):
            if witness is not None and not witness.is_done:
                witness.look()
        with suppress(LandformError):
            if look is not None and not is_early:
                look.glance()
        tries += 1
        wait_s = wait_s if is_early else min(2 * wait_s, look_again_s)
