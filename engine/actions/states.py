"""Intentions of people about states: to look at those that were kept, to go back to one, to move them elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.actions.refusals import held, refuse_diverged
from engine.core.address import Address
from engine.core.run_env import EnvValue, from_file
from engine.core.runs import Status
from engine.core.snapshots import PUT_BACK, Past, Verdict, verdict
from engine.errors import Conflict, NotFound
from engine.terraform import backend, backends, statefile
from engine.terraform.backend import Backend
from engine.terraform.statefile import State
from engine.terraform.trail import Trail
from engine.terraform.workspace import Workspace

if TYPE_CHECKING:
    from engine.actions.desk import Desk
    from engine.catalog.tables import Instance, StateVersion
    from engine.catalog.tx import Tx
    from engine.external.contents import States

Row = dict[str, Any]


@dataclass(frozen=True)
class Vault:
    """The desk together with the contents of all states."""

    desk: Desk
    states: States
    run_env: Callable[[Mapping[str, EnvValue]], dict[str, str]]
    """Variables for runs -> their values, those read that lie in files."""


@dataclass(frozen=True)
class _Site:
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


def versions(desk: Desk, where: Address | None, limit: int) -> list[Row]:
    """The states that were kept of an instance, newest first; without one, the newest one of each.

    Raises NotFound for an address that nothing has or had.
    """
    with desk.catalog.read() as tx:
        if where is None:
            return [_row(version) for version in tx.newest_states(limit)]
        found = tx.states(where, limit)
        if not found:
            tx.instance(where)
        return [_row(version) for version in found]


def read(vault: Vault, where: Address, version_id: int | None = None) -> tuple[Row, State]:
    """A state that was kept of an instance, the newest one without a number. Raises NotFound, ExternalFailure."""
    with vault.desk.catalog.read() as tx:
        newest = tx.states(where, 1)
        if version_id is None and not newest:
            tx.instance(where)
            raise NotFound(f"No state of {where} was kept yet.", hint="One is with every apply.")
        version = newest[0] if version_id is None else tx.state(where, version_id)
    return _row(version), _content(vault, version)


def harvest(vault: Vault, where: Address, *, accept: bool = False) -> Row:
    """Keeps the state that is in its place as the newest one, and unfreezes the instance.

    With `accept` also where it does not follow what was kept. Raises Conflict otherwise, NotFound when there is none,
    Busy while somebody works on the instance.
    """
    site = _site(vault, where)
    site.backend.clear(site.folder)
    site.backend.require_in_place(site.folder, lambda: False)
    there, found = site.standing()
    if there is None:
        raise NotFound(
            f"{site.backend.where(site.folder)} is not there.",
            hint="Type this on the machine where the last run of the instance was carried out.",
        )
    is_new = found is Verdict.HARVEST or (found is Verdict.GO_ON and not site.instance.diverged)
    if not (is_new or accept):
        raise Conflict(_doubt(site, there), hint=f"To go on with it all the same: landform state harvest {where} --yes")
    vault.states.put(there.content)
    site.note(there)
    with vault.desk.catalog.write() as tx:
        return _row(site.record(tx, there, "" if is_new else f"accepted by {vault.desk.user}"))


def rollback(vault: Vault, where: Address, version_id: int) -> Row:
    """Makes a state that was kept the newest one again, with a higher serial. What is in its place now is kept too, or
    put aside where it is damaged.

    Raises NotFound, Conflict when it was another instance's or the state is frozen, Busy while a run is under way.
    """
    site = _site(vault, where)
    with vault.desk.catalog.read() as tx:
        version = tx.state(where, version_id)
    if version.instance_id != site.instance.id:
        raise Conflict(f"State {version_id} is of a former {where}, which has been deleted.")
    wanted = _content(vault, version)
    with _frozen(site, f"Its state was being rolled back to {version_id}."):
        there = _give_way(site)
        seen = statefile.snapshot(there)
        serials = [each.serial for each in (seen, site.kept, version) if each is not None]
        state = _parsed(wanted.with_serial(max(serials) + 1))
        vault.states.put(state.content)
        site.note(there, state)
        site.backend.push(site.folder, state.content, seen)
        with vault.desk.catalog.write() as tx:
            return _row(site.record(tx, state, f"rolled back to {version_id} by {vault.desk.user}"))


def _give_way(site: _Site) -> State | None:
    """The state that a rollback takes the place of, which has been kept; None when there is none, or no whole one."""
    if site.backend.lock(site.folder) is not None:
        raise backend.held(site.backend.where(site.folder))
    try:
        there, _ = site.standing()
    except statefile.Damaged:
        site.backend.retire(site.folder, site.folder.parent / f"state-damaged-{secrets.token_hex(4)}.tfstate")
        return None
    if there is not None:
        _keep(site, there, "before a rollback")
    return there


def migrate(vault: Vault, where: Address, to: str) -> Row | None:
    """Moves the state to another backend, `managed` or what core.s3.parse() reads, and proves that it arrived whole.

    The state as it is known from now on; None when there was none to move. A backup stays beside the workspace.
    Raises Conflict when something is there already, or nobody can tell which state is the right one, Busy.
    """
    site = _site(vault, where)
    stored = backends.chosen(to, str(where))
    if stored == site.instance.backend:
        raise Conflict(f"The state of {where} is there already: {site.backend.where(site.folder)}.")
    new = _backend(vault, site.instance, stored)
    with _frozen(site, f"Its state was being migrated to {to}."):
        state = _to_move(site)
        site.note(state)
        if state is not None:
            _move(site, new, state)
        with vault.desk.catalog.write() as tx:
            instance = tx.instance_by_id(site.instance.id or 0)
            instance.backend, instance.diverged = stored, ""
            tx.save(instance)
            row = _row(site.record(tx, state, f"migrated to {to} by {vault.desk.user}")) if state else None
        serial = state.snapshot.serial if state else 0
        site.backend.retire(site.folder, site.folder.parent / f"state-before-migration-{serial}.tfstate")
        return row


def _to_move(site: _Site) -> State | None:
    """The state that there is to go on with; it has been kept."""
    there, found = site.standing()
    if found is Verdict.DOUBT:
        raise Conflict(_doubt(site, there), hint=f"Decide first: landform state list {site.instance.address}")
    if found in PUT_BACK:
        # what was never kept, and others have gone on without, stays here in the backup
        assert site.kept is not None
        return _content(site.vault, site.kept)
    if there is not None:
        _keep(site, there, "before a migration")
    return there


def _move(site: _Site, new: Backend, state: State) -> None:
    """Writes the state to its new place. Raises Conflict when something lies there, or what arrives is not the same."""
    taken = new.pull(site.folder)
    # the very same one is of a migration that was broken off
    if taken is not None and taken.resource_addresses() and taken.snapshot != state.snapshot:
        raise Conflict(f"{new.where(site.folder)} holds a state already: {taken.snapshot}.")
    new.push(site.folder, state.content, statefile.snapshot(taken))
    arrived = new.pull(site.folder)
    if statefile.snapshot(arrived) != state.snapshot:
        raise Conflict(f"{new.where(site.folder)} does not hold what was written there: nothing was changed here.")


def _keep(site: _Site, state: State, note: str) -> None:
    site.vault.states.put(state.content)
    with site.vault.desk.catalog.write() as tx:
        instance = tx.instance_by_id(site.instance.id or 0)
        if not tx.has_state(instance.id or 0, state.snapshot.digest):
            tx.add_state(instance, state.snapshot, run_id=instance.last_run_id or 0, fence=None, note=note)


@contextmanager
def _frozen(site: _Site, why: str) -> Iterator[None]:
    """Nobody begins a run meanwhile. A process that dies inside leaves the instance frozen, and told why.

    Raises Busy while a run is under way or waits, Conflict when it is frozen already.
    """
    catalog, instance_id = site.vault.desk.catalog, site.instance.id or 0
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


def _site(vault: Vault, where: Address) -> _Site:
    with vault.desk.catalog.read() as tx:
        instance = tx.instance(where)
        kept = tx.newest_state(instance.id or 0)
    root = Workspace(vault.desk.settings.home.joinpath(where.kind.value, *where.parts)).root
    return _Site(vault, instance, root, _backend(vault, instance, instance.backend), kept)


def _backend(vault: Vault, instance: Instance, stored: Row) -> Backend:
    """The backend that `stored` describes, reached as the runs of the instance reach it."""
    if not stored:
        return backends.of(stored, {})
    with vault.desk.catalog.read() as tx:
        environment = tx.instance_by_id(instance.environment_id) if instance.environment_id else None
    settings = vault.desk.settings
    files = {name: from_file(str(path)) for name, path in settings.run_env_files.items()}
    inherited = environment.run_env if environment else {}
    return backends.of(stored, vault.run_env({**settings.run_env, **files, **inherited, **instance.run_env}))


def _doubt(site: _Site, there: State | None) -> str:
    seen = statefile.snapshot(there) or "nothing"
    kept = f"serial {site.kept.serial} of lineage {site.kept.lineage}" if site.kept else "nothing"
    text = f"{site.backend.where(site.folder)} holds {seen}, and the newest state that was kept is {kept}."
    return f"{text} {site.instance.diverged}".rstrip()


def _content(vault: Vault, version: StateVersion) -> State:
    return _parsed(vault.states.get(version.digest))


def _parsed(content: bytes) -> State:
    state = statefile.read(content, "in the store of states", "")
    assert state is not None
    return state


def _row(version: StateVersion) -> Row:
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
