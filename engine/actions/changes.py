"""What every change of an instance has in common: the version it leads to, and the run that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.actions import line, provisioned, referring
from engine.actions.desk import Desk, Target, refuse_withdrawn, usable
from engine.actions.inputs import Given
from engine.actions.line import Standing
from engine.actions.refusals import (
    refuse_asleep,
    refuse_attach_again,
    refuse_busy_partner,
    refuse_destroy_again,
    refuse_diverged,
    refuse_miswired,
    refuse_unready,
)
from engine.core import runs, updates
from engine.core.address import Kind, parse
from engine.core.asked import Asked
from engine.core.plans import AutoApprove
from engine.core.runs import Event, Operation, Priority
from engine.core.updates import UpdateKind
from engine.core.versions import Number, TemplateKind, TemplateRef
from engine.errors import Conflict, Invalid, NotFound, OutcomeUnknown

if TYPE_CHECKING:
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx


@dataclass(frozen=True)
class Consent:
    """Under what conditions the run goes on, and why it was asked for."""

    approve: AutoApprove = AutoApprove.NONE
    reason: str = ""
    queue: bool = False
    """Whether it waits in line where another run holds the instance; else that one refuses it, or is superseded."""
    asked: Asked | None = None
    """The key under which it was asked for; None: each time is another one."""
    by_sync: bool = False
    """Whether a branch asks for it, and not a person: what a person changes is not followed any more."""
    campaign_id: int | None = None
    """The campaign that asks for it; None: somebody does."""


@dataclass(frozen=True)
class Update:
    """What an update asks for: how far the version may move, and new inputs."""

    kind: UpdateKind | None
    """None: whichever leads to `number`."""
    number: Number | None = None
    given: Given = field(default_factory=Given)


@dataclass(frozen=True)
class Change:
    """What a run is to carry."""

    operation: Operation
    target: Target
    inputs: Mapping[str, object]
    kind: UpdateKind | None = None
    retry_of: int | None = None
    after: Sequence[int] = ()
    """Runs that must have succeeded before it begins."""
    attached_id: int | None = None
    """The service instance that a component is then attached to."""
    hibernates: bool = False
    """Of a destroy: whether the instance stays, with its version and inputs."""
    wakes: bool = False
    """Whether it is a deploy of what is hibernated."""
    is_forced: bool = False
    """Whether it follows from what happens to others, which a version that nobody may use any more must not stop."""


def target(tx: Tx, standing: Standing, wish: Update) -> tuple[Target, UpdateKind]:
    """The version that an update leads to from where the instance stands, and the kind of update it is.

    Raises Invalid or Conflict when the wish does not fit, NotFound.
    """
    if wish.kind is UpdateKind.NONE:
        raise Invalid("An update of kind none deploys nothing.", hint="Use --kind current-version to deploy again.")
    before = standing.target
    current = Number(before.version.major, before.version.minor)
    kind = wish.kind or updates.implied(current, wish.number)
    number = updates.target(wish.kind, current, wish.number, tx.published(before.template))
    if number == current:
        refuse_withdrawn(tx, before, standing.instance)
        return before, kind
    sort = TemplateKind(before.template.kind)
    return usable(tx, TemplateRef(before.template.name, number, sort), sort), kind


def submit(tx: Tx, desk: Desk, instance: Instance, change: Change, consent: Consent) -> int:
    """Records the run and gives its id; a plan that only waited for approval is superseded by it.

    Raises Busy, OutcomeUnknown or Conflict (line.refuse_held) when it would have to wait, Conflict while it is frozen
    or when another one has its folder in the repository of its environment, Invalid when a reference would be shown.
    """
    refuse_diverged(instance)
    if change.operation is Operation.DEPLOY:
        if not change.wakes:
            refuse_asleep(instance)
        if not change.is_forced:
            refuse_withdrawn(tx, change.target, instance)
            refuse_miswired(tx, instance, change.target, change.inputs)
        referring.refuse_shown(change.target, Kind(instance.kind), change.inputs)
    if not change.is_forced:
        refuse_busy_partner(tx, instance, change.attached_id)
    provisioned.refuse_same_folder(tx, desk, instance)
    line.refuse_held(tx, [instance], queue=consent.queue)
    older = line.superseded(tx, instance, queue=consent.queue)
    first = line.before(tx, instance) if change.operation is Operation.DEPLOY else set()
    run = tx.add_run(
        instance,
        operation=change.operation.value,
        version_id=change.target.version.id,
        template=change.target.label,
        inputs=dict(change.inputs),
        update_kind=change.kind.value if change.kind else "",
        auto_approve=consent.approve.value,
        reason=consent.reason,
        requested_by=desk.user,
        retry_of=change.retry_of,
        after_run_ids=sorted({*change.after, *first}),
        attached_id=change.attached_id,
        supersedes=older.id if older else None,
        message=line.superseding(older) if older else "",
        hibernates=change.hibernates,
        campaign_id=consent.campaign_id,
        priority=(Priority.PERSON if consent.campaign_id is None else Priority.CAMPAIGN).value,
    )
    assert run.id is not None
    if not consent.by_sync and consent.campaign_id is None and change.retry_of is None:
        _stop_following(tx, desk, instance, run)
    if older is not None and older.id is not None:
        tx.move(older.id, Event.DISCARD, superseded_by=run.id, message=f"Superseded by run {run.id}.")
    return run.id


def _stop_following(tx: Tx, desk: Desk, instance: Instance, run: Run) -> None:
    """Somebody has changed an instance by hand: what its branch says must not undo that (reference section 7.7)."""
    if instance.kind != Kind.SERVICE_INSTANCE:
        return
    place = parse(instance.address)
    if run.operation == Operation.DESTROY and not run.hibernates:
        tx.block_sync(place.service, "", f"Instance {place.name} was deleted by run {run.id}.", desk.user)
    else:
        tx.block_sync(place.service, place.name, f"It was changed by run {run.id}.", desk.user)


def submit_destroy(tx: Tx, desk: Desk, instance: Instance, consent: Consent, after: Sequence[int] = ()) -> int:
    """Records the run that destroys the instance, once the runs `after` have succeeded; its id. Raises as submit()."""
    standing = line.standing(tx, instance, queue=consent.queue)
    # a component that was never deployed may be attached, and its code need what it then reads
    attached_id = standing.attached_id
    change = Change(Operation.DESTROY, standing.target, standing.inputs, after=after, attached_id=attached_id)
    return submit(tx, desk, instance, change, consent)


def retry(tx: Tx, desk: Desk, run: Run, consent: Consent) -> int:
    """Records a new run that tries again what `run` wanted; its id.

    Raises Conflict when there is nothing to try, or when what was refused then would be refused now.
    """
    instance = _retried(tx, run, consent)
    try:
        found = Target(tx.template_by_id(instance.template_id), tx.version_by_id(run.version_id))
    except NotFound:
        raise Conflict(f"{run.template} of run {run.id} has been deleted: there is nothing to retry.") from None
    if run.operation == Operation.DESTROY:
        refuse_destroy_again(tx, run, instance)
    elif instance.environment_id is not None:
        refuse_unready(tx, tx.instance_by_id(instance.environment_id))
        refuse_attach_again(tx, run, instance)
    kind = UpdateKind(run.update_kind) if run.update_kind else None
    change = Change(
        Operation(run.operation),
        found,
        run.inputs,
        kind,
        run.id,
        attached_id=run.attached_id,
        hibernates=run.hibernates,
        # the last run of what is hibernated, where it deploys, was to wake it
        wakes=True,
    )
    return submit(tx, desk, instance, change, consent)


def _retried(tx: Tx, run: Run, consent: Consent) -> Instance:
    """The instance of a run that may be tried again."""
    _refuse_unended(run)
    instance = tx.find_instance(parse(run.address))
    if instance is None or instance.id != run.instance_id:
        raise Conflict(f"{run.address} of run {run.id} is gone: there is nothing to retry.")
    [last] = tx.runs_of(run.address, 1)
    if last.id != run.id:
        raise Conflict(
            f"Run {run.id} is not the last one of {run.address}: run {last.id} came after it.",
            hint=f"See what is there now: landform run show {last.id}",
        )
    line.refuse_held(tx, [instance], f"Run {run.id} cannot be retried", queue=consent.queue)
    return instance


def _refuse_unended(run: Run) -> None:
    """Raises when there is nothing to retry: the run goes on, succeeded, or nobody knows what it did."""
    status = runs.Status(run.status)
    if status is runs.Status.INTERRUPTED:
        raise interrupted(run)
    if not runs.is_terminal(status):
        raise Conflict(f"Run {run.id} has not ended: it is {run.status}.", hint=f"See it: landform run show {run.id}")
    if status is runs.Status.SUCCEEDED:
        raise Conflict(f"Run {run.id} succeeded: there is nothing to retry.")


def interrupted(run: Run) -> OutcomeUnknown:
    """For a run with which nothing can be done before somebody has looked."""
    return OutcomeUnknown(
        f"Run {run.id} was interrupted: what it did is not known.",
        hint=f"See what is known, and decide: landform run recover {run.id}",
    )
