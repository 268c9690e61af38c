"""Intentions of admins about campaigns: starting one, and what its people may ask of it later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.actions.campaign_outlines import Outline, PlannedStep, Proposal, outlined
from engine.actions.desk import Desk
from engine.core import campaigns
from engine.core.campaigns import UNDER_WAY, Action, Event, Manner, Status, StepStatus, Wish
from engine.core.runs import BY_PEOPLE, Operation, is_terminal
from engine.core.runs import Event as RunEvent
from engine.core.runs import Status as RunStatus
from engine.errors import Conflict, Invalid, Problem

if TYPE_CHECKING:
    from engine.catalog.fleet_tables import Campaign, Step
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx

_TO_SHOW = 10


def start(desk: Desk, proposal: Proposal) -> int | None:
    """Records the campaign; its number, None when there is nothing to do for any instance.

    Raises as outline(), and Invalid naming every instance that would be refused. Nothing is begun yet.
    """
    with desk.catalog.write() as tx:
        return _recorded(tx, desk, proposal, outlined(tx, proposal))


def _recorded(tx: Tx, desk: Desk, proposal: Proposal, found: Outline) -> int | None:
    if found.refused:
        raise Invalid(
            f"{campaigns.counted(len(found.refused), 'instance')} of {len(found.steps)} would be refused:",
            problems=[Problem(step.address, 0, "", step.refusal) for step in found.refused],
            hint=f"{'Leave' if proposal.rollback_of else 'Narrow --select, or leave'} them out with --skip-refused.",
        )
    if not found.steps:
        return None
    campaign = tx.add_campaign(
        rows(found.steps),
        title=proposal.title,
        wish=found.wish.to_json(),
        manner=proposal.manner.to_json(),
        rollback_of=proposal.rollback_of,
        created_by=desk.user,
    )
    return campaign.id


def rows(steps: Iterable[PlannedStep]) -> Iterator[dict[str, object]]:
    """What the catalog is told of the steps that are planned, in order."""
    for position, step in enumerate(steps):
        yield {
            "instance_id": step.instance_id,
            "address": step.address,
            "wave": step.wave,
            "position": position,
            "template_before": step.before,
        }


def _has_ended(tx: Tx, step: Step, manner: Manner) -> bool:
    """Whether the run of the step has ended; the step is as it is then. A run that tries the same again is followed."""
    assert step.run_id is not None
    run = last_try(tx, tx.run(step.run_id))
    if run.id != step.run_id:
        tx.move_step(step, StepStatus.RUNNING, run_id=run.id)
    status = RunStatus(run.status)
    if not is_terminal(status):
        return False
    if status is RunStatus.SUCCEEDED:
        asks = bool(manner.health.command or manner.health.url)
        tx.move_step(step, StepStatus.CHECKING if asks else StepStatus.SUCCEEDED)
    else:
        # the first line often says no more than that Terraform's own words follow
        said = " ".join(run.message.split("\n")[:2])
        tx.move_step(step, StepStatus.FAILED, message=f"Run {run.id} {status.value}: {said}".rstrip(": "))
    return True


def last_try(tx: Tx, run: Run) -> Run:
    """The run, or the last one that tries the same again."""
    while (again := tx.retried_by(run)) is not None:
        run = again
    return run


def settle(tx: Tx, campaign: Campaign) -> bool:
    """Records what has become of the runs of a campaign's steps; whether one has ended.

    Of a campaign that was aborted, those that nobody works on any more are discarded.
    """
    assert campaign.id is not None
    manner = campaigns.manner_from_json(campaign.manner)
    running = tx.steps_running(campaign.id)
    ended = [step for step in running if _has_ended(tx, step, manner)]
    if campaign.status == Status.ABORTED:
        # one that was being planned has come to a plan since, or follows one that has failed
        ended += [step for step in running if step not in ended and _is_called_off(tx, step, campaign.message)]
    return bool(ended)


def _settled(tx: Tx, campaign: Campaign) -> list[Step]:
    """The steps of a campaign, in order, as they are once that has been recorded."""
    assert campaign.id is not None
    settle(tx, campaign)
    return tx.steps(campaign.id)


def pause(desk: Desk, campaign_id: int) -> Campaign:
    """Begins nothing new; what is under way goes on. Raises NotFound, Conflict when it does not run."""
    with desk.catalog.write() as tx:
        message = f"Paused by {desk.user}."
        return tx.move_campaign(tx.campaign(campaign_id), Event.PAUSE, message=message)


def resume(desk: Desk, campaign_id: int) -> Campaign:
    """Goes on: the next wave may begin, and the failures so far halt nothing any more; one that runs stays as it is.

    Raises NotFound, Conflict when it has ended.
    """
    with desk.catalog.write() as tx:
        campaign = tx.campaign(campaign_id)
        if campaign.status == Status.RUNNING:
            return campaign
        steps = _settled(tx, campaign)
        waits = next((step.wave for step in steps if step.status in campaigns.UNFINISHED), campaign.wave)
        forgiven = sum(
            step.status == StepStatus.FAILED or is_stuck(tx, StepStatus(step.status), step.run_id) for step in steps
        )
        facts = {"wave": max(waits, campaign.wave), "forgiven": forgiven, "message": ""}
        return tx.move_campaign(campaign, Event.RESUME, **facts)


def is_stuck(tx: Tx, status: StepStatus, run_id: int | None) -> bool:
    """As core.campaigns.Step has it."""
    if status is not StepStatus.RUNNING or run_id is None:
        return False
    run = tx.run(run_id)
    is_refused = any(each.get("severity") == "deny" for each in run.refusals) or bool(tx.withdrawn(run))
    return run.status == RunStatus.INTERRUPTED or (run.status == RunStatus.PLANNED and is_refused)


def abort(desk: Desk, campaign_id: int, reason: str = "") -> Campaign:
    """Stops what has not begun: pending steps, and runs that nobody works on, whose plans are discarded.

    What is being planned or applied goes on to its own end. Raises NotFound, Conflict when it has ended.
    """
    with desk.catalog.write() as tx:
        said = f"Aborted by {desk.user}" + (f": {reason}" if reason else ".")
        campaign = tx.move_campaign(tx.campaign(campaign_id), Event.ABORT, message=said)
        for step in _settled(tx, campaign):
            if step.status == StepStatus.PENDING:
                tx.move_step(step, StepStatus.CALLED_OFF)
        return campaign


def _is_called_off(tx: Tx, step: Step, why: str) -> bool:
    """Whether nobody works on the run of the step, which is therefore discarded."""
    assert step.run_id is not None
    if RunStatus(tx.run(step.run_id).status) not in BY_PEOPLE[RunEvent.DISCARD]:
        return False
    tx.move(step.run_id, RunEvent.DISCARD, message=why)
    tx.move_step(step, StepStatus.CALLED_OFF, message=f"Run {step.run_id} was discarded.")
    return True


def retry(desk: Desk, campaign_id: int) -> int:
    """Begins every failed step anew; how many there are. Where the run of one is in force, which was not well then, the
    instance is asked again, else there is a new run.

    Raises NotFound, Conflict when none has failed, when another campaign has one of the instances, or after an abort.
    """
    with desk.catalog.write() as tx:
        campaign = tx.campaign(campaign_id)
        steps = _settled(tx, campaign)
        failed = [step for step in steps if step.status == StepStatus.FAILED]
        if not failed:
            raise _nothing_failed(tx, campaign_id, steps)
        tx.refuse_taken(step.instance_id for step in failed)
        if campaign.status != Status.RUNNING:
            tx.move_campaign(campaign, Event.RETRY, message="", forgiven=0)
        for step in failed:
            run_id = step.run_id if is_in_force(tx, step) else None
            tx.move_step(step, StepStatus.PENDING, run_id=run_id, message="")
        return len(failed)


def _nothing_failed(tx: Tx, campaign_id: int, steps: Sequence[Step]) -> Conflict:
    stuck = [step for step in steps if is_stuck(tx, StepStatus(step.status), step.run_id)]
    if stuck:
        runs = ", ".join(f"run {step.run_id} of {step.address}" for step in stuck[:_TO_SHOW])
        return Conflict(
            f"Nothing of campaign {campaign_id} can be tried again before somebody has decided about {runs}.",
            hint=f"What can be done: landform explain c{campaign_id}",
        )
    return Conflict(
        f"No step of campaign {campaign_id} has failed.", hint=f"See it: landform campaign status {campaign_id}"
    )


def is_in_force(tx: Tx, step: Step) -> bool:
    """Whether what the step has deployed is what is there."""
    instance = tx.find_instance_by_id(step.instance_id) if step.run_id is not None else None
    return instance is not None and instance.deployed_run_id == step.run_id


def rollback(desk: Desk, campaign_id: int, manner: Manner, *, skip_refused: bool = False) -> int:
    """Records a campaign that takes the finished part of this one back, last first; its number.

    What was deployed and was not well belongs to that; instances that were changed since are left alone. Raises
    NotFound, Conflict while it goes on, or when nothing of it can be taken back, Invalid as start().
    """
    with desk.catalog.write() as tx:
        campaign = tx.campaign(campaign_id)
        steps = _settled(tx, campaign)
        if campaign.status in (Status.RUNNING, Status.PAUSED) or any(step.status in UNDER_WAY for step in steps):
            raise Conflict(
                f"Campaign {campaign_id} goes on.", hint=f"Stop it first: landform campaign abort {campaign_id}"
            )
        if campaign.status == Status.HALTED:
            _give_up(tx, campaign, steps)
        done = list(_to_take_back(tx, steps))
        wish = Wish(
            Action.ROLLBACK,
            runs={step.address: step.deployed_before or 0 for step in done},
            undone={step.address: step.run_id or 0 for step in done},
        )
        title = f"Rollback of campaign {campaign_id}"
        proposal = Proposal(wish, manner, title, rollback_of=campaign_id, skip_refused=skip_refused)
        number = _recorded(tx, desk, proposal, outlined(tx, proposal)) if done else None
        if number is None:
            raise Conflict(
                f"Nothing of campaign {campaign_id} can be taken back: no step of it is still in force.",
                hint=f"See what became of it: landform campaign status {campaign_id}",
            )
        return number


def _give_up(tx: Tx, campaign: Campaign, steps: Sequence[Step]) -> None:
    tx.move_campaign(campaign, Event.ABORT, message=f"{campaign.message} Given up to take it back.")
    for step in steps:
        if step.status == StepStatus.PENDING:
            tx.move_step(step, StepStatus.CALLED_OFF)


def _to_take_back(tx: Tx, steps: Sequence[Step]) -> Iterator[Step]:
    """The steps that have deployed something over something else, which nobody has changed since."""
    for step in steps:
        if step.deployed_before is None or step.run_id is None or not is_in_force(tx, step):
            continue
        if tx.run(step.run_id).operation == Operation.DEPLOY:
            yield step
