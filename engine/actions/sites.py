"""A state in its place, as people work with it: the only place that freezes its instance meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.actions.refusals import held, refuse_diverged
from engine.core.address import Address
from engine.core.runs import Status
from engine.core.snapshots import PUT_BACK, Past, Snapshot, Verdict, verdict
from engine.errors import Conflict
from engine.terraform import at_rest, backend, backends, statefile
from engine.terraform.backend import Backend
from engine.terraform.statefile import State
from engine.terraform.trail import Trail
from engine.terraform.workspace import Workspace

if TYPE_CHECKING:
    from engine.actions.desk import Desk
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.catalog.worker_tables import StateVersion
    from engine.external.contents import States

Row = dict[str, Any]


@dataclass(frozen=True)
class Vault:
    """The desk together with the contents of all states."""

    desk: Desk
    states: States
    env_of: Callable[[Instance, Instance | None], dict[str, str]]
    """Instance, its environment -> the variables with which its runs reach its state, credentials among them."""


@dataclass(frozen=True)
class Site:
    """An instance, and where its state lies."""

    vault: Vault
    instance: Instance
    folder: Path
    """In which its Terraform works."""
    backend: Backend
    kept: StateVersion | None
    """The newest state that was kept."""

    def standing(self) -> tuple[State | None, Verdict]:
        """The state in its place, and how it compares with what was kept. Raises ExternalFailure."""
        there = self.backend.pull(self.folder)
        with self.vault.desk.catalog.read() as tx:
            kept = tx.newest_snapshot(self.instance.id or 0)
            was_kept = there is not None and tx.has_state(self.instance.id or 0, there.snapshot.digest)
        seen = statefile.snapshot(there)
        return there, verdict(seen, kept, Past(was_kept, self.backend.is_shared, Trail(self.folder.parent).read()))

    def newest(self, note: str) -> State | None:
        """The state that there is to go on with, which has been kept; None when there is none.

        `note` says why, where it had not been kept before. Raises Conflict when nobody can tell which one that is.
        """
        there, found = self.standing()
        if found is Verdict.DOUBT:
            raise Conflict(self.doubt(there), hint=f"Decide first: landform state list {self.instance.address}")
        if found in PUT_BACK:
            # what was never kept, and others have gone on without, stays in its place or in a backup
            assert self.kept is not None
            return content(self.vault, self.kept)
        if there is not None:
            self.keep(there, note)
        return there

    def doubt(self, there: State | None) -> str:
        """Why nobody can tell which state is the right one."""
        seen = statefile.snapshot(there) or "nothing"
        kept = f"serial {self.kept.serial} of lineage {self.kept.lineage}" if self.kept else "nothing"
        text = f"{self.backend.where(self.folder)} holds {seen}, and the newest state that was kept is {kept}."
        return f"{text} {self.instance.diverged}".rstrip()

    def note(self, *states: State | None) -> None:
        """Writes down, before it happens, that one of these is about to be the newest one that was kept: what is
        written here afterwards has grown from it.
        """
        digests = {state.snapshot.digest for state in states if state is not None}
        Trail(self.folder.parent).note(self.kept.digest if self.kept else "", *digests)

    def record(self, tx: Tx, state: State, note: str) -> StateVersion:
        """The state as the newest one that was kept, by hand; the instance is frozen no more."""
        instance = tx.instance_by_id(self.instance.id or 0)
        instance.diverged = ""
        tx.save(instance)
        return tx.add_state(instance, state.snapshot, run_id=instance.last_run_id or 0, fence=None, note=note)

    def refuse_locked(self) -> None:
        """Raises Busy while a Terraform works with the state, naming whose it is."""
        holder = self.backend.lock(self.folder)
        if holder is not None:
            raise backend.held(self.backend.where(self.folder), holder, outlives=self.backend.is_shared)

    def keep(self, state: State, note: str) -> None:
        """Keeps the state, if it has not been kept yet. Raises ExternalFailure, Busy while somebody works with it."""
        self.vault.states.put(state.content)
        with self.vault.desk.catalog.write() as tx:
            instance = tx.instance_by_id(self.instance.id or 0)
            if not tx.has_state(instance.id or 0, state.snapshot.digest):
                tx.add_state(instance, state.snapshot, run_id=instance.last_run_id or 0, fence=None, note=note)

    @contextmanager
    def frozen(self, why: str) -> Iterator[None]:
        """Nobody begins a run meanwhile. A process that dies inside leaves the instance frozen, and told why.

        Raises Busy while a run is under way or waits, Conflict when it is frozen already.
        """
        catalog, instance_id = self.vault.desk.catalog, self.instance.id or 0
        with catalog.write() as tx:
            instance = tx.instance_by_id(instance_id)
            refuse_diverged(instance)
            run = tx.active_run(instance)
            if run is not None and run.status != Status.INTERRUPTED:
                raise held([(instance.address, run)])
            instance.diverged = why
            tx.save(instance)
        try:
            yield
        finally:
            with catalog.write() as tx:
                instance = tx.instance_by_id(instance_id)
                if instance.diverged == why:
                    instance.diverged = ""
                    tx.save(instance)


def opened(vault: Vault, where: Address) -> Site:
    """Where the state of the instance lies. Raises NotFound when there is no such instance, Conflict when others keep
    its state.
    """
    with vault.desk.catalog.read() as tx:
        instance = tx.instance(where)
        refuse_others(tx, instance)
        kept = tx.newest_state(instance.id or 0)
    root = Workspace(vault.desk.settings.home.joinpath(where.kind.value, *where.parts)).root
    return Site(vault, instance, root, backend_of(vault, instance, instance.backend), kept)


def refuse_others(tx: Tx, instance: Instance) -> None:
    """Raises Conflict when others carry out the runs of the instance: they have its state, and Landform never has."""
    owner = tx.instance_by_id(instance.environment_id) if instance.environment_id else instance
    if owner.provisioning:
        raise Conflict(
            f"{instance.address} is carried out by others, who keep its state.",
            hint=f"Ask those who run Terraform for {owner.provisioning['url']}.",
        )


def backend_of(vault: Vault, instance: Instance, stored: Row) -> Backend:
    """The backend that `stored` describes, reached as the runs of the instance reach it."""
    rest = at_rest.of(vault.states.cipher, instance.address, vault.desk.settings.home)
    return backends.of(stored, credentials(vault, instance) if stored else {}, rest)


def credentials(vault: Vault, instance: Instance) -> dict[str, str]:
    """The variables with which runs of the instance reach its state. Raises Invalid, ExternalFailure without them."""
    with vault.desk.catalog.read() as tx:
        environment = tx.instance_by_id(instance.environment_id) if instance.environment_id else None
    return vault.env_of(instance, environment)


def put(backend: Backend, folder: Path, state: State, expected: Snapshot | None) -> None:
    """Writes the state where the backend keeps it, in the place of the `expected` one, and proves that it arrived
    whole: lineage, serial, resources and every byte. Raises Conflict, Busy, ExternalFailure.
    """
    backend.push(folder, state.content, expected)
    if statefile.snapshot(backend.pull(folder)) != state.snapshot:
        raise Conflict(f"{backend.where(folder)} does not hold what was written there: nothing was changed here.")


def content(vault: Vault, version: StateVersion) -> State:
    """A state that was kept. Raises ExternalFailure."""
    return parsed(vault.states.get(version.digest))


def parsed(content: bytes) -> State:
    """The state that the bytes are; they have been read before. Raises ExternalFailure."""
    state = statefile.read(content, "in the store of states", "")
    assert state is not None
    return state


def row(version: StateVersion) -> Row:
    """A state that was kept, as faces show it."""
    return {
        "id": version.id,
        "address": version.address,
        "serial": version.serial,
        "lineage": version.lineage,
        "run_id": version.run_id,
        "resources": version.resources,
        "size_bytes": version.size_bytes,
        "digest": version.digest,
        "note": version.note,
        "created_at": version.created_at.isoformat().replace("+00:00", "Z"),
    }
