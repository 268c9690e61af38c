"""Intentions of people about how long instances live: limited, extended, put to sleep, and woken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.actions import any_kind, changes, instances, line
from engine.actions.changes import Change, Consent, Update
from engine.actions.desk import Desk, target_of
from engine.actions.refusals import refuse_asleep, refuse_attached_component, refuse_awake, refuse_unready
from engine.core.address import Address, Kind
from engine.core.lifetimes import Due, Expired, Extension, Span, at, due, extended
from engine.core.plans import AutoApprove
from engine.core.runs import Event, Operation, Status
from engine.errors import Conflict, LandformError, NotFound

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx

_NOT_BEGUN = (Status.QUEUED, Status.PLANNED)


def limited(desk: Desk, ttl_s: int | None) -> Desk:
    """The desk; what is made new by it lives so long. None: for ever. Pipelines come and go with their services."""
    if ttl_s is None:
        return desk

    def also(tx: Tx, ids: list[int]) -> None:
        if desk.also is not None:
            desk.also(tx, ids)
        for run in map(tx.run, ids):
            instance = tx.instance_by_id(run.instance_id)
            is_new = run.operation == Operation.DEPLOY and instance.deployed_run_id is None
            if is_new and instance.kind != Kind.PIPELINE:
                _live(tx, instance, ttl_s)

    return replace(desk, also=also)


def _live(tx: Tx, instance: Instance, ttl_s: int) -> None:
    instance.ttl_s = ttl_s
    instance.expires_at, instance.expiry_told_at = tx.now() + timedelta(seconds=ttl_s), None
    tx.save(instance)


def extend(desk: Desk, address: Address, extension: Extension) -> Instance:
    """The instance, with another end; a run that was to hibernate it and has not begun is discarded.

    Raises NotFound, Invalid and Conflict as core.lifetimes.extended(), Conflict when it is hibernated, Busy or
    OutcomeUnknown while it is being hibernated.
    """
    with desk.catalog.write() as tx:
        instance = tx.instance(address)
        refuse_asleep(instance, f"{instance.address} cannot be extended")
        span = extended(instance.address, Span(instance.expires_at, instance.ttl_s), extension, tx.now())
        _call_off(tx, instance, "for ever" if span.expires_at is None else f"until {at(span.expires_at)}")
        instance.expires_at, instance.ttl_s, instance.expiry_told_at = span.expires_at, span.ttl_s, None
        tx.save(instance)
        return instance


def _call_off(tx: Tx, instance: Instance, until: str) -> None:
    coming = [run for run in tx.line_of(instance) if run.hibernates]
    line.refuse_held(tx, [instance] if any(run.status not in _NOT_BEGUN for run in coming) else [], queue=False)
    for run in coming:
        assert run.id is not None
        tx.move(run.id, Event.DISCARD, message=f"{instance.address} is to live {until}.")


def hibernate(desk: Desk, addresses: Sequence[Address], consent: Consent) -> list[int]:
    """Records a destroy of each instance which keeps its version and inputs, environments last, and a deploy of the
    pipelines that then have fewer instances; the runs' ids.

    Raises NotFound, Conflict when one is hibernated, has a component attached, or has somebody awake in it; Busy.
    """

    def act(tx: Tx) -> list[int]:
        found = [tx.instance(address) for address in dict.fromkeys(addresses)]
        return _hibernate(tx, desk, found, consent, consent)

    return desk.once(consent.asked, act)


def _hibernate(tx: Tx, desk: Desk, found: Sequence[Instance], consent: Consent, afterwards: Consent) -> list[int]:
    """As hibernate(); `afterwards` is for the pipelines."""
    for instance in found:
        _refuse(tx, instance, found)
    ids: dict[str, int] = {}
    for instance in sorted(found, key=lambda each: each.kind == Kind.ENVIRONMENT):
        before = [ids[each.address] for each in found if each.environment_id == instance.id]
        ids[instance.address] = _submit(tx, desk, instance, consent, before)
    services = [each for each in found if each.kind == Kind.SERVICE_INSTANCE]
    return [*ids.values(), *instances.followed(tx, desk, services, ids, afterwards)]


def _submit(tx: Tx, desk: Desk, instance: Instance, consent: Consent, after: Sequence[int]) -> int:
    standing = line.standing(tx, instance, queue=consent.queue)
    change = Change(Operation.DESTROY, standing.target, standing.inputs, after=after, hibernates=True)
    return changes.submit(tx, desk, instance, change, consent)


def _refuse(tx: Tx, instance: Instance, doomed: Sequence[Instance]) -> None:
    """Raises Conflict when the instance cannot be hibernated, together with all that are to be."""
    doing = f"{instance.address} cannot be hibernated"
    if tx.is_asleep(instance):
        raise Conflict(
            f"{instance.address} is hibernated already.", hint=f"Wake it: landform instance wake {instance.address}"
        )
    refuse_attached_component(tx, [instance], doing)
    if instance.attached_id is not None:
        where = tx.instance_by_id(instance.attached_id).address.partition("/")[2]
        raise Conflict(
            f"{doing}: it is attached to {where}.",
            hint=f"Detach it first: landform component update {instance.name} --detach",
        )
    if instance.kind == Kind.ENVIRONMENT:
        refuse_awake(tx, instance, {each.id for each in doomed})


def wake(desk: Desk, address: Address, wish: Update | None, ttl_s: int | None, consent: Consent) -> list[int]:
    """Records a deploy of what a hibernated instance was, with what the wish changes, and one of its service's
    pipeline; the runs' ids. It lives as long as it did at a time before, or for `ttl_s`.

    Raises NotFound, Conflict when it is not hibernated or its environment is not there, and as the update of its kind.
    """

    def act(tx: Tx) -> list[int]:
        instance = tx.instance(address)
        if instance.hibernated_at is None:
            raise Conflict(f"{instance.address} is not hibernated.", hint=f"See why: landform explain {address}")
        found = _woken(tx, instance, wish)
        run_id = changes.submit(tx, desk, instance, replace(found, wakes=True), consent)
        if ttl_s or instance.ttl_s:
            _live(tx, instance, ttl_s or instance.ttl_s or 0)
        is_service = instance.kind == Kind.SERVICE_INSTANCE
        ids: Mapping[str, int] = {instance.address: run_id}
        return [run_id, *instances.followed(tx, desk, [instance] if is_service else [], ids, consent)]

    return desk.once(consent.asked, act)


def _woken(tx: Tx, instance: Instance, wish: Update | None) -> Change:
    if instance.environment_id is not None:
        refuse_unready(tx, tx.instance_by_id(instance.environment_id))
    if wish is not None:
        return any_kind.change(tx, instance, wish)
    return Change(Operation.DEPLOY, target_of(tx, instance), instance.inputs, attached_id=instance.attached_id)


def expire(desk: Desk) -> Iterator[Expired]:
    """Does what is due now, one instance after the other, each in a transaction of its own: warns people, and records
    runs that hibernate. Of two that do so at once, one does it.
    """
    with desk.catalog.read() as tx:
        mortals = sorted(tx.mortals(), key=lambda each: each.kind == Kind.ENVIRONMENT)
        found = [(each.address, each.id or 0) for each in mortals if _due(tx, each) is not Due.NOTHING]
    for address, instance_id in found:
        try:
            done = _expire(desk, instance_id)
        except LandformError as error:
            done = Expired(address, error=error)
        if done is not None:
            yield done


def _due(tx: Tx, instance: Instance) -> Due:
    life = tx.life(instance)
    return due(life, tx.now()) if life else Due.NOTHING


def _expire(desk: Desk, instance_id: int) -> Expired | None:
    with desk.catalog.write() as tx:
        try:
            instance = tx.instance_by_id(instance_id)
        except NotFound:
            return None
        what, expires_at = _due(tx, instance), instance.expires_at
        if what is Due.NOTHING or expires_at is None:
            return None
        if tx.is_asleep(instance):
            # somebody thought better of waking it
            instance.expires_at = None
            tx.save(instance)
            return None
        if what is Due.WARN:
            tx.tell_expiry(instance)
            return Expired(instance.address)
        consent = Consent(AutoApprove.ALL, f"Its time was over at {at(expires_at)}.")
        # nobody looks on: what the pipeline would lose besides waits for somebody's yes
        afterwards = replace(consent, approve=AutoApprove.SAFE, queue=True)
        return Expired(instance.address, tuple(_hibernate(tx, desk, [instance], consent, afterwards)))
