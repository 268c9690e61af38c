"""Intentions of people about states: to look at those that were kept, to go back to one, to move them elsewhere."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from engine.actions import sites
from engine.actions.refusals import held
from engine.actions.sites import Row, Site, Vault
from engine.core.address import Address
from engine.core.runs import Status
from engine.core.snapshots import Verdict
from engine.errors import Conflict, NotFound
from engine.terraform import backends, statefile
from engine.terraform.backend import Backend
from engine.terraform.statefile import State

if TYPE_CHECKING:
    from engine.actions.desk import Desk


def versions(desk: Desk, where: Address | None, limit: int) -> list[Row]:
    """The states that were kept of an instance, newest first; without one, the newest one of each.

    Raises NotFound for an address that nothing has or had.
    """
    with desk.catalog.read() as tx:
        if where is None:
            return [sites.row(version) for version in tx.newest_states(limit)]
        found = tx.states(where, limit)
        if not found:
            tx.instance(where)
        return [sites.row(version) for version in found]


def read(vault: Vault, where: Address, version_id: int | None = None) -> tuple[Row, State]:
    """A state that was kept of an instance, the newest one without a number.

    Raises NotFound, Conflict when others keep its state, ExternalFailure.
    """
    with vault.desk.catalog.read() as tx:
        newest = tx.states(where, 1)
        if version_id is None and not newest:
            sites.refuse_others(tx, tx.instance(where))
            raise NotFound(f"No state of {where} was kept yet.", hint="One is with every apply.")
        version = newest[0] if version_id is None else tx.state(where, version_id)
    return sites.row(version), sites.content(vault, version)


def harvest(vault: Vault, where: Address, *, accept: bool = False) -> Row:
    """Keeps the state that is in its place as the newest one, and unfreezes the instance.

    With `accept` also where it does not follow what was kept. Raises Conflict otherwise, NotFound when there is none,
    Busy while somebody works on the instance.
    """
    site = sites.opened(vault, where)
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
        raise Conflict(site.doubt(there), hint=f"To go on with it all the same: landform state harvest {where} --yes")
    vault.states.put(there.content)
    site.note(there)
    with vault.desk.catalog.write() as tx:
        return sites.row(site.record(tx, there, "" if is_new else f"accepted by {vault.desk.user}"))


def lay_open(vault: Vault, where: Address) -> Row:
    """Puts the state in clear text into the workspace, for somebody who works there by hand; the next run encrypts it.

    {"address", "folder"}. Raises NotFound, Busy while a run is under way or waits, Conflict when it is not kept there.
    """
    site = sites.opened(vault, where)
    if not isinstance(site.backend, backends.Managed):
        raise Conflict(f"The state of {where} is not encrypted by Landform: it is {site.backend.where(site.folder)}.")
    with vault.desk.catalog.read() as tx:
        run = tx.active_run(site.instance)
    if run is not None and run.status != Status.INTERRUPTED:
        raise held([(site.instance.address, run)])
    site.backend.lay_open(site.folder)
    return {"address": str(where), "folder": str(site.folder)}


def rollback(vault: Vault, where: Address, version_id: int) -> Row:
    """Makes a state that was kept the newest one again, with a higher serial. What is in its place now is kept too, or
    put aside where it is damaged.

    Raises NotFound, Conflict when it was another instance's or the state is frozen, Busy while a run is under way.
    """
    site = sites.opened(vault, where)
    with vault.desk.catalog.read() as tx:
        version = tx.state(where, version_id)
    if version.instance_id != site.instance.id:
        raise Conflict(f"State {version_id} is of a former {where}, which has been deleted.")
    wanted = sites.content(vault, version)
    with site.frozen(f"Its state was being rolled back to {version_id}."):
        there = _give_way(site)
        seen = statefile.snapshot(there)
        serials = [each.serial for each in (seen, site.kept, version) if each is not None]
        state = sites.parsed(wanted.with_serial(max(serials) + 1))
        vault.states.put(state.content)
        site.note(there, state)
        site.backend.push(site.folder, state.content, seen)
        with vault.desk.catalog.write() as tx:
            return sites.row(site.record(tx, state, f"rolled back to {version_id} by {vault.desk.user}"))


def _give_way(site: Site) -> State | None:
    """The state that a rollback takes the place of, which has been kept; None when there is none, or no whole one."""
    site.refuse_locked()
    try:
        there, _ = site.standing()
    except statefile.Damaged:
        site.backend.retire(site.folder, site.folder.parent / f"state-damaged-{secrets.token_hex(4)}.tfstate")
        return None
    if there is not None:
        site.keep(there, "before a rollback")
    return there


def migrate(vault: Vault, where: Address, to: str) -> Row | None:
    """Moves the state to another backend, `managed` or what core.s3.parse() reads, and proves that it arrived whole.

    The state as it is known from now on; None when there was none to move. A backup stays beside the workspace.
    Raises Conflict when something is there already, or nobody can tell which state is the right one, Busy.
    """
    site = sites.opened(vault, where)
    stored = backends.chosen(to, str(where))
    if stored == site.instance.backend:
        raise Conflict(f"The state of {where} is there already: {site.backend.where(site.folder)}.")
    new = sites.backend_of(vault, site.instance, stored)
    # what somebody else writes there would be lost
    site.refuse_locked()
    with site.frozen(f"Its state was being migrated to {to}."):
        state = site.newest("before a migration")
        site.note(state)
        if state is not None:
            _move(site, new, state)
        with vault.desk.catalog.write() as tx:
            instance = tx.instance_by_id(site.instance.id or 0)
            instance.backend, instance.diverged = stored, ""
            tx.save(instance)
            row = sites.row(site.record(tx, state, f"migrated to {to} by {vault.desk.user}")) if state else None
        if not backends.are_one_place(stored, site.instance.backend):
            serial = state.snapshot.serial if state else 0
            site.backend.retire(site.folder, site.folder.parent / f"state-before-migration-{serial}.tfstate")
        return row


def _move(site: Site, new: Backend, state: State) -> None:
    """Writes the state to its new place. Raises Conflict when something lies there, or what arrives is not the same."""
    taken = new.pull(site.folder)
    # the very same one is of a migration that was broken off
    if taken is not None and taken.resource_addresses() and taken.snapshot != state.snapshot:
        raise Conflict(f"{new.where(site.folder)} holds a state already: {taken.snapshot}.")
    sites.put(new, site.folder, state, statefile.snapshot(taken))
