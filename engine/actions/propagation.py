"""What follows from a change of an environment for all that lives in it: brought up to date with its outputs in the
order in which they flow, or destroyed the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.actions import campaigns, changes, line, pipelines
from engine.actions.campaign_outlines import Outline, Proposal, outlined
from engine.actions.changes import Change, Consent
from engine.actions.desk import Desk, target_of
from engine.actions.refusals import is_being_destroyed
from engine.core import address, wiring
from engine.core.address import Kind
from engine.core.bundle import COMPONENT_OUTPUTS, PART_OF
from engine.core.campaigns import Action, Event, Manner, Wish, manner_from_json
from engine.core.campaigns import Status as CampaignStatus
from engine.core.runs import Operation, Status, is_terminal

if TYPE_CHECKING:
    from engine.catalog.fleet_tables import Campaign
    from engine.catalog.tables import Instance, Service
    from engine.catalog.tx import Tx


def propagating(desk: Desk, name: str, manner: Manner) -> Desk:
    """The desk whose next run of the environment is followed by a campaign, recorded with it: once it has succeeded,
    whatever is stale because of it is deployed again, and then those that read outputs of these, where they changed.
    """

    def also(tx: Tx, run_ids: list[int]) -> None:
        if desk.also is not None:
            desk.also(tx, run_ids)
        title, wish = f"Outputs of environment {name}", Wish(Action.REDEPLOY)
        known = {"title": title, "wish": wish.to_json(), "manner": manner.to_json(), "created_by": desk.user}
        tx.add_campaign([], after_run_id=run_ids[0], **known)

    return replace(desk, also=also)


def of_run(desk: Desk, run_id: int) -> int:
    """The number of the campaign that follows the run."""
    with desk.catalog.read() as tx:
        campaign = tx.campaign_after(run_id)
        assert campaign is not None
        assert campaign.id is not None
        return campaign.id


def awaited(tx: Tx, campaign: Campaign) -> str:
    """Why a campaign that follows a run has no steps yet; "" once it has, or when it has ended as there are none."""
    if campaign.after_run_id is None or campaign.status != CampaignStatus.RUNNING or tx.standing(campaign.id or 0):
        return ""
    run = campaigns.last_try(tx, tx.run(campaign.after_run_id))
    if not is_terminal(Status(run.status)):
        return f"It waits for run {run.id}, which is {run.status}."
    if run.status != Status.SUCCEEDED:
        tx.move_campaign(campaign, Event.ABORT, message=f"Run {run.id} is {run.status}: nothing was propagated.")
        return ""
    _begin(tx, campaign, tx.find_instance_by_id(run.instance_id))
    return ""


def _begin(tx: Tx, campaign: Campaign, environment: Instance | None) -> None:
    """Gives the campaign its steps; ends it when there is nothing to be done."""
    named = tuple(_affected(tx, environment)) if environment is not None else ()
    wish = Wish(Action.REDEPLOY, named=named)
    proposal = Proposal(wish, manner_from_json(campaign.manner), campaign.title, skip_refused=True)
    # without a name everybody would be meant
    found = outlined(tx, proposal) if named else Outline(wish, (), {})
    taken = {step.instance_id: step.campaign_id for step in tx.taken(step.instance_id for step in found.steps)}
    mine = [step for step in found.steps if step.instance_id not in taken]
    left_out = dict(found.left_out) | {
        step.address: f"Campaign {taken[step.instance_id]} has it." for step in found.steps if step not in mine
    }
    said = " ".join(f"{address.partition('/')[2]} is left out. {why}" for address, why in left_out.items())
    tx.change_campaign(campaign, wish=wish.to_json(), message=said)
    tx.add_steps(campaign, campaigns.rows(mine))
    if not mine:
        tx.move_campaign(campaign, Event.SUCCEED, message=said or "Nothing that reads its outputs is stale.")


def _affected(tx: Tx, environment: Instance) -> list[str]:
    """The addresses of those that have read an output of the environment which has changed since, and of all that read
    something of these.
    """
    readers, mark = tx.readers_of(environment), f"{environment.address} "
    waiting = [reader for reader in readers if any(entry.startswith(mark) for entry in reader.stale)]
    found = {reader.address for reader in waiting}
    while waiting:
        source = waiting.pop()
        fresh = [each for each in tx.readers_of(source) if each.address not in found and _may_read(tx, each, source)]
        found |= {reader.address for reader in fresh}
        waiting += fresh
    return sorted(found)


def _may_read(tx: Tx, reader: Instance, source: Instance) -> bool:
    part = target_of(tx, reader).facts.part(PART_OF[Kind(reader.kind)])
    map = COMPONENT_OUTPUTS if source.kind == Kind.COMPONENT else wiring.INSTANCE_OUTPUTS
    return part is not None and bool(wiring.drawn(part, map))


def delete(desk: Desk, name: str, consent: Consent) -> list[int]:
    """Records a destroy of the environment and of all that lives in it, each after those that read its outputs; the
    runs' ids, the environment's last. Services that have no instance left go with their pipelines; the pipelines of
    others are deployed again.

    Raises NotFound, Busy and the like naming everybody who is in the way (line.refuse_held); nothing is recorded then.
    """

    def act(tx: Tx) -> list[int]:
        environment = tx.instance(address.environment(name))
        inhabitants = tx.instances_in(environment)
        services = {each.service_id: tx.service_by_id(each.service_id) for each in inhabitants if each.service_id}
        households = [_household(tx, service, environment) for service in services.values()]
        pipelines_going = [each.pipeline for each in households if each.pipeline is not None]
        going = [*pipelines_going, *inhabitants, environment]
        line.refuse_held(tx, going, f"Environment {name} cannot be deleted", queue=consent.queue)
        demolition = _Demolition(tx, desk, consent)
        components = [each for each in inhabitants if each.kind == Kind.COMPONENT]
        for component in components:
            if component.attached_id is None or component.deployed_run_id is None:
                demolition.destroy(component)
        for household in households:
            demolition.clear(household)
        for component in components:
            demolition.destroy(component, demolition.of(component.attached_id))
        followers = [run_id for each in households for run_id in demolition.follow(each)]
        demolition.destroy(environment, sorted(demolition.ids.values()))
        return [*demolition.ids.values(), *followers]

    return desk.once(consent.asked, act)


@dataclass(frozen=True)
class _Household:
    """What an environment has of a service."""

    service: Service
    instances: Sequence[Instance]
    pipeline: Instance | None
    """To be destroyed, as nothing stays that it could be for; None when it stays, or when there is none."""


def _household(tx: Tx, service: Service, environment: Instance) -> _Household:
    instances = tx.instances_of(service, Kind.SERVICE_INSTANCE)
    here = [each for each in instances if each.environment_id == environment.id]
    staying = [each for each in instances if each not in here and not is_being_destroyed(tx, each)]
    return _Household(service, here, None if staying else tx.find_instance(address.pipeline(service.name)))


@dataclass
class _Demolition:
    """The runs that destroy an environment, in the order in which they are recorded."""

    tx: Tx
    desk: Desk
    consent: Consent
    ids: dict[int | None, int] = field(default_factory=dict)
    """Instance -> the run that destroys it."""

    def of(self, *instances: int | None) -> list[int]:
        """The runs that destroy those of the instances which are destroyed."""
        return [self.ids[each] for each in instances if each in self.ids]

    def clear(self, household: _Household) -> None:
        """Destroys what there is of a service."""
        pipeline = household.pipeline
        if pipeline is not None:
            # what reads goes first: it cannot be planned when what it reads is gone
            self.destroy(pipeline)
        for instance in household.instances:
            self._clear(instance, self.of(pipeline.id) if pipeline is not None else [])

    def follow(self, household: _Household) -> list[int]:
        """Deploys the pipeline again of a service that stays elsewhere; the run, [] where there is none."""
        if household.pipeline is not None:
            return []
        components = [self.tx.component_of(each) for each in household.instances]
        gone = [*household.instances, *(each for each in components if each is not None)]
        after = self.of(*(each.id for each in gone))
        return pipelines.follow(self.tx, self.desk, household.service, self.consent, after)

    def _clear(self, instance: Instance, after: Sequence[int]) -> None:
        component = self.tx.component_of(instance)
        if component is None or component.id in self.ids:
            self.destroy(instance, [*after, *self.of(component.id if component else None)])
        elif not self.tx.is_asleep(instance):
            # the component goes after it and is planned with its name and inputs: both are gone then
            self.destroy(instance, after, hibernates=True)

    def destroy(self, instance: Instance, after: Sequence[int] = (), *, hibernates: bool = False) -> None:
        """Records the run, unless there is one, whatever is attached to the instance: that goes too."""
        if instance.id in self.ids:
            return
        standing = line.standing(self.tx, instance, queue=self.consent.queue)
        change = Change(
            Operation.DESTROY,
            standing.target,
            standing.inputs,
            after=after,
            attached_id=standing.attached_id,
            is_forced=True,
            hibernates=hibernates,
        )
        self.ids[instance.id] = changes.submit(self.tx, self.desk, instance, change, self.consent)
