"""Drives campaigns: whoever calls, however often and wherever, each step is begun once, and what is recorded is true.

Every effect is one transaction of the catalog. A process that dies between two of them leaves what the next one finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions import campaign_outlines, campaigns, changes, propagation
from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.actions.refusals import held
from engine.core import calendars
from engine.core import campaigns as rules
from engine.core.campaigns import (
    UNDER_WAY,
    Event,
    Health,
    Kind,
    Manner,
    Moment,
    Move,
    Progress,
    Status,
    StepStatus,
    Trigger,
    nothing,
)
from engine.errors import Busy, Conflict, ExternalFailure, Invalid, LandformError, NotFound, OutcomeUnknown, Refused

if TYPE_CHECKING:
    from datetime import datetime

    from engine.catalog.campaigns import Standing
    from engine.catalog.fleet_tables import Campaign, Step
    from engine.catalog.tx import Tx
    from engine.core.calendars import Calendar
    from engine.external.process import Stop

_PASSES = (Busy, OutcomeUnknown)
"""Somebody else is at work there: the step waits for that."""
_REFUSALS = (Conflict, Invalid, NotFound, Refused)
"""What the catalog says no to, as opposed to a catalog that cannot be reached."""
Ask = Callable[["Health", "Mapping[str, object]", "Stop | None"], str]
"""Why an instance is not well; "" when it is. It is given the instance's address, run and outputs. Raises Cancelled."""


@dataclass(frozen=True)
class View:
    """Where a campaign stands after it was driven as far as it goes by itself."""

    status: Status
    message: str
    runs: tuple[int, ...]
    """The runs of the steps under way, whoever works on them."""
    checks: tuple[int, ...]
    """The steps whose instance is to be asked whether it is well."""
    held_by: tuple[int, ...] = ()
    """Runs of others that have what could begin otherwise; () where something begins in time without them."""


@dataclass(frozen=True)
class Driver:
    """Drives the campaigns of one catalog; safe to use from several threads and processes."""

    desk: Desk
    ask: Ask
    trigger: Trigger = nothing

    def advance(self, campaign_id: int) -> View:
        """Records what has become of the steps and begins those whose turn it is. Raises NotFound."""
        waiting: dict[int, str] = {}
        while True:
            move, view = self._moved(campaign_id, waiting)
            if move.kind is not Kind.BEGIN:
                if move.kind is not Kind.OPEN:
                    return view
                continue
            self.trigger(Moment.STEPS_CHOSEN)
            waiting |= self._begin(move.steps)

    def advance_all(self) -> list[int]:
        """Advances every campaign that goes on by itself; the steps whose instance is to be asked whether it is well,
        by check().
        """
        with self.desk.catalog.read() as tx:
            unsettled = tx.unsettled_campaigns()
        return [step_id for campaign_id in unsettled for step_id in self.advance(campaign_id).checks]

    def check(self, step_id: int, stop: Stop | None = None) -> None:
        """Asks a deployed instance whether it is well, and records the answer unless somebody else has.

        Raises Cancelled when it is stopped: it is asked again, then.
        """
        with self.desk.catalog.read() as tx:
            step = tx.step(step_id)
            manner = rules.manner_from_json(tx.campaign(step.campaign_id).manner)
            instance = tx.find_instance_by_id(step.instance_id)
        outputs = {} if instance is None else instance.outputs or {}
        why = self.ask(manner.health, {"address": step.address, "run": step.run_id, "outputs": outputs}, stop)
        self.trigger(Moment.HEALTH_ASKED)
        with self.desk.catalog.write() as tx:
            step = tx.step(step_id)
            if step.status == StepStatus.CHECKING:
                tx.move_step(step, StepStatus.FAILED if why else StepStatus.SUCCEEDED, message=why)
        self.trigger(Moment.STEP_ENDED)

    def _moved(self, campaign_id: int, waiting: Mapping[int, str]) -> tuple[Move, View]:
        """What comes next, recorded but for the steps that are to begin."""
        with self.desk.catalog.write() as tx:
            campaign = tx.campaign(campaign_id)
            manner = rules.manner_from_json(campaign.manner)
            has_news = campaigns.settle(tx, campaign)
            move = Move(Kind.WAIT, message=propagation.awaited(tx, campaign))
            steps = tx.standing(campaign_id)
            if move.message:
                _record(tx, campaign, move, manner)
            elif campaign.status == Status.RUNNING and not _rests(tx, campaign):
                progress = Progress(campaign.wave, campaign.forgiven)
                move = rules.next_move(_seen(tx, campaign_id, steps, waiting), progress, manner)
                _record(tx, campaign, move, manner)
            view = _view(campaign, steps, tuple(_holders(tx, campaign, steps)))
        if has_news:
            self.trigger(Moment.RUN_ENDED)
        moments = {Kind.OPEN: Moment.WAVE_OPENED, Kind.HALT: Moment.HALTED, Kind.END: Moment.ENDED}
        if move.kind in moments:
            self.trigger(moments[move.kind])
        return move, view

    def _begin(self, step_ids: Sequence[int]) -> dict[int, str]:
        """Begins the steps, unless somebody else has; step -> why it has to wait. One that is refused may be one
        failure too many: what comes after it is left to the next move.
        """
        waiting: dict[int, str] = {}
        for step_id in step_ids:
            try:
                with self.desk.catalog.write() as tx:
                    _begun(tx, self.desk, tx.step(step_id))
            except _PASSES as error:
                waiting[step_id] = error.message
            except _REFUSALS as error:
                self._refuse(step_id, error)
                break
            else:
                self.trigger(Moment.STEP_BEGUN)
        return waiting

    def _refuse(self, step_id: int, error: LandformError) -> None:
        with self.desk.catalog.write() as tx:
            step = tx.step(step_id)
            if step.status == StepStatus.PENDING:
                tx.move_step(step, StepStatus.FAILED, message=campaign_outlines.in_a_line(error))
        self.trigger(Moment.STEP_REFUSED)


def _begun(tx: Tx, desk: Desk, step: Step) -> None:
    """Records the run of a step, if that is still to be done: others may drive the same campaign."""
    campaign = tx.campaign(step.campaign_id)
    manner, wish = rules.manner_from_json(campaign.manner), rules.wish_from_json(campaign.wish)
    under_way = sum(other.status in UNDER_WAY for other in tx.standing(step.campaign_id))
    if step.status != StepStatus.PENDING or campaign.status != Status.RUNNING or under_way >= manner.concurrency:
        return
    if campaigns.is_in_force(tx, step):
        tx.move_step(step, StepStatus.CHECKING, started_at=tx.now())
        return
    instance = tx.find_instance_by_id(step.instance_id)
    why = "It is gone." if instance is None else campaign_outlines.needless(tx, instance, wish)
    if instance is not None and not why:
        why = campaign_outlines.unaffected(instance, wish)
    if instance is None or why:
        tx.move_step(step, StepStatus.SKIPPED, message=why, run_id=None)
        return
    if line := tx.line_of(instance):
        # what somebody has asked for is not superseded by a campaign, not even a plan that only waits for a yes
        raise held([(instance.address, line[0])])
    reason = campaign.title or f"Campaign {campaign.id}"
    consent = Consent(manner.approve, reason, campaign_id=campaign.id)
    whose = desk.on_behalf_of(campaign.created_by)
    change = campaign_outlines.change(tx, instance, wish)
    submitted = (
        changes.submit_destroy(tx, whose, instance, consent)
        if change is None
        else changes.submit(tx, whose, instance, change, consent)
    )
    facts = {"run_id": submitted, "deployed_before": instance.deployed_run_id, "started_at": tx.now()}
    tx.move_step(step, StepStatus.RUNNING, message="", **facts)


def _rests(tx: Tx, campaign: Campaign) -> bool:
    """Whether a pause between waves is not over; when it just was, the next wave is open."""
    if campaign.due_at is None:
        return False
    if tx.now() < campaign.due_at:
        return True
    tx.change_campaign(campaign, due_at=None, wave=campaign.wave + 1)
    return False


def _seen(tx: Tx, campaign_id: int, steps: list[Standing], waiting: Mapping[int, str]) -> list[rules.Step]:
    now = tx.now()
    # as _begun() would find, which looks at one after the other
    closed = {step_id: held([(run.address, run)]).message for step_id, run in tx.held_steps(campaign_id).items()}
    closed |= {
        step_id: f"{name}: {why}"
        for step_id, (name, calendar) in tx.calendars(campaign_id).items()
        if (why := _closed(calendars.from_json(calendar), now))
    } | dict(waiting)
    return [
        rules.Step(step_id, wave, status, closed.get(step_id, ""), campaigns.is_stuck(tx, status, run_id))
        for step_id, wave, status, run_id in steps
    ]


def _holders(tx: Tx, campaign: Campaign, steps: list[Standing]) -> Iterator[int]:
    """As View.held_by."""
    if campaign.status != Status.RUNNING:
        return
    if campaign.after_run_id is not None and not steps:
        yield campaigns.last_try(tx, tx.run(campaign.after_run_id)).id or 0
    ready = {step.step_id for step in steps if step.status is StepStatus.PENDING and step.wave <= campaign.wave}
    found = tx.held_steps(campaign.id or 0) if ready else {}
    if ready <= found.keys():
        yield from {found[step_id].id or 0 for step_id in ready}


def _closed(calendar: Calendar, now: datetime) -> str:
    """As calendars.closed(); a calendar that this machine cannot read lets nothing begin from here."""
    try:
        return calendars.closed(calendar, now)
    except ExternalFailure as error:
        return error.message


def _record(tx: Tx, campaign: Campaign, move: Move, manner: Manner) -> None:
    if move.kind is Kind.HALT:
        tx.move_campaign(campaign, Event.HALT, message=move.message)
    elif move.kind is Kind.PAUSE:
        tx.move_campaign(campaign, Event.PAUSE, message=move.message)
    elif move.kind is Kind.END:
        event = Event.SUCCEED if move.status is Status.SUCCEEDED else Event.FAIL
        tx.move_campaign(campaign, event, message=move.message)
    elif move.kind is Kind.OPEN:
        tx.change_campaign(campaign, wave=campaign.wave + 1, message="")
    elif move.kind is Kind.REST:
        tx.change_campaign(campaign, due_at=rules.due(tx.now(), manner), message=move.message)
    elif move.kind is Kind.WAIT and campaign.message != move.message:
        tx.change_campaign(campaign, message=move.message)


def _view(campaign: Campaign, steps: list[Standing], held_by: tuple[int, ...]) -> View:
    running = (step.run_id for step in steps if step.status is StepStatus.RUNNING)
    return View(
        Status(campaign.status),
        campaign.message,
        tuple(run_id for run_id in running if run_id is not None),
        tuple(step.step_id for step in steps if step.status is StepStatus.CHECKING),
        held_by,
    )
