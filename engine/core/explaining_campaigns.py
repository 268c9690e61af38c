"""Why a campaign is in the state that it is in: what it waits for, what failed in it, what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.core.campaigns import (
    UNDER_WAY,
    UNFINISHED,
    Manner,
    Status,
    StepStatus,
    counted,
    next_actions,
)
from engine.core.explaining import Account, Reason, RunFacts, Subject, run_reasons, stamp
from engine.core.runs import Status as RunStatus

_TO_SHOW = 20


@dataclass(frozen=True)
class StepFacts:
    """One step of a campaign."""

    address: str
    wave: int
    """From 0."""
    status: StepStatus
    message: str = ""
    run: RunFacts | None = None
    """The run of a step that is under way, or has failed."""
    environment: str = ""
    """The one whose calendar it keeps to."""
    closed: str = ""
    """Why that lets nothing begin now; "" when it does."""


@dataclass(frozen=True)
class CampaignFacts:
    """A campaign and its steps, in order."""

    campaign_id: int
    status: Status
    message: str
    wave: int
    """The last that may be worked on, from 0."""
    manner: Manner
    steps: Sequence[StepFacts]
    due_at: datetime | None = None
    rollback_of: int | None = None
    is_driven: bool = True
    """Whether somebody is there who carries it on: a worker that takes whatever comes."""


def of_campaign(facts: CampaignFacts) -> Account:
    """Why a campaign is where it is."""
    reasons = [*_standing(facts), *_waiting(facts), *_under_way(facts), *_failures(facts)]
    number = facts.campaign_id
    commands = (
        f"landform campaign status {number}",
        *(f"landform campaign {verb} {number}" for verb in next_actions(facts.status)),
    )
    return Account(Subject.CAMPAIGN, f"c{number}", facts.status.value, tuple(reasons), commands)


def _standing(facts: CampaignFacts) -> Iterator[Reason]:
    number, said = facts.campaign_id, facts.message.rstrip(".") or "nobody said why"
    if facts.status is Status.HALTED:
        retry = (f"landform campaign retry {number}", f"landform campaign resume {number}")
        yield Reason("halted", f"it was halted: {said}", True, None, retry)
    elif facts.status is Status.PAUSED:
        yield Reason("paused", f"it is paused: {said}", True, None, (f"landform campaign resume {number}",))
    elif facts.status in (Status.ABORTED, Status.FAILED):
        words = "was aborted" if facts.status is Status.ABORTED else "failed"
        yield Reason("ended", f"it {words}: {said}")
    elif facts.status is Status.SUCCEEDED:
        yield Reason("ended", f"it has succeeded: {_counts(facts.steps)}")
    if facts.rollback_of is not None:
        command = f"landform explain c{facts.rollback_of}"
        yield Reason("rollback", f"it takes campaign {facts.rollback_of} back", False, None, (command,))


def _waiting(facts: CampaignFacts) -> Iterator[Reason]:
    """Why nothing more begins now, in a campaign that runs."""
    if facts.status is not Status.RUNNING:
        return
    if facts.due_at is not None:
        yield Reason("pause", f"wave {facts.wave + 2} begins at {stamp(facts.due_at)}, after the pause between waves")
    pending = [step for step in facts.steps if step.status is StepStatus.PENDING and step.wave <= facts.wave]
    if facts.message and facts.due_at is None and not any(step.closed for step in pending):
        said = facts.message.rstrip(".")
        yield Reason("waits", said[:1].lower() + said[1:], True)
    for name, why in dict.fromkeys((step.environment, step.closed) for step in pending if step.closed):
        held = sum((step.environment, step.closed) == (name, why) for step in pending)
        text = f"{counted(held, 'step')} in {name} cannot begin: {why}"
        yield Reason("calendar", text, True, None, (f"landform env calendar show {name}",))
    under_way = sum(step.status in UNDER_WAY for step in facts.steps)
    open_ = sum(not step.closed for step in pending)
    if open_ and under_way >= facts.manner.concurrency:
        kept = counted(open_, "step")
        text = f"waiting in wave {facts.wave + 1}: {kept}, as {under_way} are under way, the most at once"
        yield Reason("concurrency", text)
    later = sum(step.status in UNFINISHED and step.wave > facts.wave for step in facts.steps)
    if later:
        yield Reason("waves", f"waiting for wave {facts.wave + 1}: {counted(later, 'step')} of later waves")
    if not facts.is_driven:
        command = f"landform campaign resume {facts.campaign_id}"
        text = "no worker is there to carry it on; somebody may be doing so in the foreground"
        yield Reason("no worker", text, False, None, (command,))


def _under_way(facts: CampaignFacts) -> Iterator[Reason]:
    """What the runs of its steps wait for."""
    for step in facts.steps:
        if step.status is StepStatus.CHECKING:
            yield Reason("health", f"{step.address} is being asked whether it is well")
        elif step.status is StepStatus.RUNNING and step.run is not None:
            yield from _of_run(step.address, step.run)


def _of_run(address: str, run: RunFacts) -> Iterator[Reason]:
    waits = run.status not in (RunStatus.PLANNING, RunStatus.APPLYING)
    for reason in run_reasons(run):
        if reason.topic != "campaign":
            text = f"{address}: run {run.run_id} is {run.status.value}: {reason.text}"
            yield Reason(reason.topic, text, reason.blocks and waits, run.run_id, reason.commands)


def _failures(facts: CampaignFacts) -> Iterator[Reason]:
    failed = [step for step in facts.steps if step.status is StepStatus.FAILED]
    for step in failed[:_TO_SHOW]:
        run = step.run
        commands = (f"landform explain {run.run_id}",) if run else (f"landform explain {step.address}",)
        said = step.message.partition("\n")[0].rstrip(".") or "it failed"
        yield Reason("failure", f"{step.address}: {said}", False, run.run_id if run else None, commands)
    if len(failed) > _TO_SHOW:
        yield Reason("failure", f"and {len(failed) - _TO_SHOW} steps more have failed")


def _counts(steps: Sequence[StepFacts]) -> str:
    found = [step.status for step in steps]
    return ", ".join(f"{found.count(status)} {status.value}" for status in StepStatus if status in found) or "no steps"
