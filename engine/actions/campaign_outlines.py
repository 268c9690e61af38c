"""What a campaign would do: which instances, in which waves, from which version to which, and what would be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.actions import any_kind, rollbacks
from engine.actions.changes import Change, Update
from engine.actions.desk import Desk, target_of, usable
from engine.core import campaigns, selection
from engine.core.address import Kind
from engine.core.campaigns import Action, Manner, Place, Wish
from engine.core.runs import Status
from engine.core.updates import UpdateKind
from engine.core.versions import TemplateKind, TemplateRef, parse
from engine.errors import Busy, LandformError, OutcomeUnknown

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.selection import Candidate

_LEVELS = {Kind.ENVIRONMENT: 0, Kind.COMPONENT: 1, Kind.SERVICE_INSTANCE: 2, Kind.PIPELINE: 3}
"""Outputs flow down from one to the next."""
_AFTER_ALL_RANKS = 1000
"""Of a pipeline, which lives in no environment and reads from all of its service's."""
_BACKWARDS = (Action.ROLLBACK, Action.DESTROY)


@dataclass(frozen=True)
class Proposal:
    """What somebody wants brought to many instances."""

    wish: Wish
    manner: Manner
    title: str = ""
    template: TemplateRef | None = None
    """The template, and the version, that an upgrade is about; None: each instance's own."""
    rollback_of: int | None = None
    skip_refused: bool = False
    """Whether instances that it would be refused for are left out, instead of refusing all."""


@dataclass(frozen=True)
class PlannedStep:
    """What would be done with one instance."""

    instance_id: int
    address: str
    environment: str
    before: str
    """The version it is on, `web@1.2`."""
    after: str
    """The version it would be on; "" when it is destroyed, or when that would be refused."""
    wave: int
    refusal: str = ""
    """Why it would be refused now; "" when it would not."""


@dataclass(frozen=True)
class Outline:
    """What a campaign would do."""

    wish: Wish
    """With the version that it is about in it."""
    steps: tuple[PlannedStep, ...]
    """In order."""
    left_out: Mapping[str, str]
    """Address -> why nothing would be done with it, though it was selected."""

    @property
    def refused(self) -> tuple[PlannedStep, ...]:
        """The steps that would be refused now."""
        return tuple(step for step in self.steps if step.refusal)


def outline(desk: Desk, proposal: Proposal) -> Outline:
    """What the campaign would do; nothing is recorded.

    Raises Invalid for a selection or version that is none, NotFound, Conflict when another campaign has an instance.
    """
    with desk.catalog.read() as tx:
        found = outlined(tx, proposal)
        tx.refuse_taken(step.instance_id for step in found.steps)
        return found


def change(tx: Tx, instance: Instance, wish: Wish) -> Change | None:
    """What the campaign brings to one instance; None for a destroy. Raises what refuses it, Busy and Conflict included
    while its environment cannot be read from.
    """
    if wish.action is Action.DESTROY:
        return None
    if wish.action is Action.ROLLBACK:
        return rollbacks.change(tx, instance, tx.run(wish.runs[instance.address]))
    return any_kind.ready_change(tx, instance, _update(wish))


def needless(tx: Tx, instance: Instance, wish: Wish) -> str:
    """Why nothing is to be done with the instance any more; "" when something is."""
    if instance.hibernated_at is not None:
        return "It is hibernated."
    target = target_of(tx, instance)
    is_fine = instance.deployed_run_id is not None and instance.last_status == Status.SUCCEEDED
    number = f"{target.version.major}.{target.version.minor}"
    if wish.action is Action.UPGRADE and is_fine and not instance.is_stale and number == wish.number:
        return f"It is on {target.label} already."
    if wish.action is Action.ROLLBACK and instance.deployed_run_id != wish.undone[instance.address]:
        return f"It was changed since, by run {instance.deployed_run_id}."
    return ""


def unaffected(instance: Instance, wish: Wish) -> str:
    """Why nothing is to be done with an instance whose turn it is in a propagation; "" when something is."""
    return "Nothing that it reads has changed." if wish.named and not instance.is_stale else ""


def _update(wish: Wish) -> Update:
    if wish.action is Action.REDEPLOY:
        return Update(UpdateKind.CURRENT_VERSION)
    return Update(wish.kind, parse(wish.number) if wish.number else None)


def outlined(tx: Tx, proposal: Proposal) -> Outline:
    """As outline(), in a transaction, and whoever has the instances."""
    wish = _pinned(tx, proposal)
    chosen, left_out = _chosen(tx, wish, proposal)
    planned: dict[str, PlannedStep] = {}
    for address, candidate in chosen.items():
        step = _planned(tx, candidate, wish)
        if isinstance(step, str):
            left_out[address] = step
        elif step.refusal and proposal.skip_refused:
            left_out[address] = step.refusal
        else:
            planned[address] = step
    # who is left out takes nobody's place: a canary would be none
    places = (_place(chosen[address]) for address in planned)
    waves = campaigns.waves(places, proposal.manner, reverse=wish.action in _BACKWARDS)
    steps = [replace(planned[address], wave=wave) for wave, addresses in enumerate(waves) for address in addresses]
    return Outline(wish, tuple(steps), left_out)


def _pinned(tx: Tx, proposal: Proposal) -> Wish:
    """The wish with the version in it, so that one that is published meanwhile changes nothing."""
    ref, wish = proposal.template, proposal.wish
    if wish.action is not Action.UPGRADE:
        return wish
    if ref is None:
        return replace(wish, kind=wish.kind or UpdateKind.MINOR_VERSION)
    template = tx.find_template(TemplateRef(ref.name, kind=ref.kind))
    kind = TemplateKind(template.kind)
    kinds = Kind.ENVIRONMENT.value if kind is TemplateKind.ENVIRONMENT else f"{Kind.SERVICE_INSTANCE}|{Kind.PIPELINE}"
    select = (f"template={template.name}", f"kind={kinds}", *wish.select)
    if wish.kind is not None and ref.number is None:
        return replace(wish, select=select)
    target = usable(tx, ref, kind)
    return replace(wish, select=select, number=f"{target.version.major}.{target.version.minor}")


def _chosen(tx: Tx, wish: Wish, proposal: Proposal) -> tuple[dict[str, Candidate], dict[str, str]]:
    """Address -> what a step could be for, and address -> why none is."""
    tests, named = selection.parse(wish.select), frozenset(wish.named)
    if wish.action is Action.ROLLBACK:
        tests = (*tests, lambda found: found.address in wish.runs)
    if wish.named:
        tests = (*tests, lambda found: found.address in named)
    if wish.action is Action.UPGRADE and proposal.template is None:
        # a component has no version but its own file
        tests = (*tests, lambda found: found.kind is not Kind.COMPONENT)
    found = {each.address: each for each in selection.selected(tx.candidates(), tests)}
    asleep = {address: "It is hibernated." for address, each in found.items() if each.is_hibernated}
    return {address: each for address, each in found.items() if address not in asleep}, asleep


def _place(candidate: Candidate) -> Place:
    rank = _AFTER_ALL_RANKS if candidate.kind is Kind.PIPELINE else candidate.rank
    return Place(candidate.address, rank, _LEVELS[candidate.kind])


def _planned(tx: Tx, candidate: Candidate, wish: Wish) -> PlannedStep | str:
    """What would be done with the instance, whichever its wave; a sentence that says why nothing would."""
    instance = tx.instance_by_id(candidate.instance_id)
    if why := needless(tx, instance, wish):
        return why
    before = target_of(tx, instance)
    planned = PlannedStep(candidate.instance_id, candidate.address, candidate.environment, before.label, "", 0)
    try:
        found = change(tx, instance, wish)
    except (Busy, OutcomeUnknown):
        # that passes: the step waits for it
        return replace(planned, after=wish.number and f"{before.template.name}@{wish.number}")
    except LandformError as error:
        return replace(planned, refusal=in_a_line(error))
    if found is None:
        return planned
    if _is_same(instance, found, wish):
        return f"It is on {before.label} already."
    return replace(planned, after=found.target.label)


def _is_same(instance: Instance, found: Change, wish: Wish) -> bool:
    is_fine = instance.deployed_run_id is not None and instance.last_status == Status.SUCCEEDED
    is_upgrade = wish.action is Action.UPGRADE
    return is_upgrade and is_fine and not instance.is_stale and found.target.version.id == instance.version_id


def in_a_line(error: LandformError) -> str:
    """What an error says, with all its problems, in one line."""
    told = (" ".join(filter(None, (problem.field, problem.message))) for problem in getattr(error, "problems", ()))
    return " ".join((error.message, *told))
