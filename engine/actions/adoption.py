"""Intentions of admins who come from another tool: an instance goes on with the state that tool has written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actions import sites
from engine.actions.desk import Desk
from engine.actions.sites import Row, Vault
from engine.core import address
from engine.core.adoption import Source
from engine.core.snapshots import Snapshot
from engine.errors import Conflict, NotFound
from engine.external import aws_s3
from engine.terraform import backend, statefile
from engine.terraform.backends import LOCK_SUFFIX
from engine.terraform.statefile import State
from engine.terraform.workspace import Workspace

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.address import Address

_HOW_DAMAGED = "Terraform writes version 4 since 0.12: let a newer Terraform refresh it once."
_HOW_MISSING = "Name the object itself, s3://BUCKET/KEY.tfstate, where it lies under another key."


@dataclass(frozen=True)
class _Found:
    """A state of another tool."""

    state: State
    name: str
    """Where it lies, in messages and notes."""

    def note(self, user: str) -> str:
        return f"adopted from {self.name} by {user}"


def adopt(vault: Vault, where: Address, source: Source) -> Row:
    """Lets the instance go on with a state of another tool, which stays as it is; the state as it is known from now on.

    Raises NotFound, naming what was looked for, Conflict when the instance has a state already that is not an older
    one of the same line, Busy while a run is under way or somebody works with the state there.
    """
    site = sites.opened(vault, where)
    with vault.desk.catalog.read() as tx:
        environment = _environment_of(tx, site.instance)
    [found] = _found(vault, source, [_Newcomer(site.instance, environment)])
    with site.frozen(f"The state {found.name} was being adopted."):
        _refuse_other(site.newest("before an adoption"), found, str(where))
        vault.states.put(found.state.content)
        site.note(found.state)
        there = site.backend.pull(site.folder)
        sites.put(site.backend, site.folder, found.state, statefile.snapshot(there))
        with vault.desk.catalog.write() as tx:
            return sites.row(site.record(tx, found.state, found.note(vault.desk.user)))


def adopting(vault: Vault, source: Source, make: Callable[[Desk], list[int]]) -> list[int]:
    """The ids of the runs that `make` records for new instances, each of which goes on with a state of another tool
    from its first plan on. Instances, states and runs are recorded in one transaction.

    `make` is called twice, the first time for nothing but to see what it would make. Raises as `make` and adopt().
    """
    newcomers = _rehearsed(vault.desk, make)
    found = dict(zip((each.address for each in newcomers), _found(vault, source, newcomers), strict=True))
    for each in newcomers:
        _place(vault, each, found[each.address])
    return make(replace(vault.desk, also=partial(_record, vault, found)))


@dataclass(frozen=True)
class _Newcomer:
    """An instance that is to go on with a state of another tool."""

    instance: Instance
    environment: str
    """The name of the one that it runs in; "" for an environment itself."""

    @property
    def address(self) -> str:
        return self.instance.address


class _Seen(Exception):
    """Ends a rehearsal: nothing of it is kept."""

    def __init__(self, newcomers: list[_Newcomer]) -> None:
        super().__init__()
        self.newcomers = newcomers


def _rehearsed(desk: Desk, make: Callable[[Desk], list[int]]) -> list[_Newcomer]:
    """The instances that `make` would make; [] when it finds that it has made them before."""

    def see(tx: Tx, run_ids: list[int]) -> None:
        instances = [tx.instance_by_id(tx.run(run_id).instance_id) for run_id in run_ids]
        for instance in instances:
            sites.refuse_others(tx, instance)
        raise _Seen([_Newcomer(instance, _environment_of(tx, instance)) for instance in instances])

    try:
        make(replace(desk, also=see))
    except _Seen as seen:
        return seen.newcomers
    return []


def _environment_of(tx: Tx, instance: Instance) -> str:
    return tx.instance_by_id(instance.environment_id).name if instance.environment_id else ""


def _found(vault: Vault, source: Source, newcomers: Iterable[_Newcomer]) -> list[_Found]:
    """The state of each. Raises NotFound with all that are not there."""
    looked = [(each.address, *_read(vault, source, each)) for each in newcomers]
    missing = [f"  {source.named(key)} (for {where})" for where, key, found in looked if found is None]
    if missing:
        raise NotFound("There is no state to adopt at:\n" + "\n".join(missing), hint=_HOW_MISSING)
    return [found for _, _, found in looked if found is not None]


def _read(vault: Vault, source: Source, newcomer: _Newcomer) -> tuple[str, _Found | None]:
    """The key of a state, and the state; None when there is none."""
    key = source.key_of(address.parse(newcomer.address), newcomer.environment)
    place = aws_s3.at(replace(source.place, prefix=""), sites.credentials(vault, newcomer.instance))
    name, content, lock = source.named(key), place.get(key), place.get(key + LOCK_SUFFIX)
    if lock is not None:
        raise backend.held(name, backend.lock_info(lock), outlives=True)
    state = statefile.read(content, name, _HOW_DAMAGED) if content else None
    return key, _Found(state, name) if state else None


def _refuse_other(before: State | None, found: _Found, where: str) -> None:
    """Raises Conflict unless nothing can be lost by putting the found one in the place of what is there."""
    if before is None or not before.resource_addresses():
        return
    old, new = before.snapshot, found.state.snapshot
    if old.lineage == new.lineage and old.serial < new.serial:
        return
    why = "the very same" if old == new else str(old)
    raise Conflict(
        f"{where} has a state already, {why}; {found.name} is {new}.",
        hint=f"See what was kept: landform state list {where}",
    )


def _place(vault: Vault, newcomer: _Newcomer, found: _Found) -> None:
    """Puts the state where the runs of the instance look for it: in the store, from which it comes into a workspace,
    or in its own place in S3.
    """
    vault.states.put(found.state.content)
    place = sites.backend_of(vault, newcomer.instance, newcomer.instance.backend)
    if place.is_shared:
        folder = _folder(vault, newcomer)
        # what lies there is of an adoption that was broken off, or another's
        taken = place.pull(folder)
        if statefile.snapshot(taken) != found.state.snapshot:
            _refuse_other(taken, found, place.where(folder))
            sites.put(place, folder, found.state, statefile.snapshot(taken))


def _folder(vault: Vault, newcomer: _Newcomer) -> Path:
    where = address.parse(newcomer.address)
    return Workspace(vault.desk.settings.home.joinpath(where.kind.value, *where.parts)).root


def _record(vault: Vault, found: Mapping[str, _Found], tx: Tx, run_ids: list[int]) -> None:
    for run_id in run_ids:
        instance = tx.instance_by_id(tx.run(run_id).instance_id)
        adopted = found.get(instance.address)
        if adopted is None:
            raise Conflict(f"{instance.address} has come up meanwhile.", hint="Try again.")
        seen: Snapshot = adopted.state.snapshot
        tx.add_state(instance, seen, run_id=run_id, fence=None, note=adopted.note(vault.desk.user))
