"""Facts about campaigns and their steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import String, bindparam, cast, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from engine.catalog import missing
from engine.catalog.fleet_tables import Campaign, Step
from engine.catalog.metadata import TABLES
from engine.catalog.notices import Notices
from engine.catalog.tables import Instance, Run
from engine.core import notices
from engine.core.campaigns import UNDER_WAY, UNENDED, UNFINISHED, Event, Status, StepStatus, after
from engine.core.runs import ACTIVE
from engine.core.runs import Status as RunStatus
from engine.errors import Conflict

_UNDER_WAY = [status.value for status in sorted(UNDER_WAY)]
_UNFINISHED = [status.value for status in sorted(UNFINISHED)]
_ACTIVE = [status.value for status in sorted(ACTIVE)]
_HOME = aliased(Instance)
_STEP = TABLES["step"].c
_STANDING = (
    select(_STEP.id, _STEP.wave, _STEP.status, _STEP.run_id)
    .where(_STEP.campaign_id == bindparam("of"))
    .order_by(_STEP.position)
)
_NO_CALENDAR = "{}"


class Standing(NamedTuple):
    """Where a step stands."""

    step_id: int
    wave: int
    status: StepStatus
    run_id: int | None


class Campaigns(Notices):
    """The part of a transaction that speaks of campaigns."""

    def add_campaign(self, steps: Iterable[dict[str, Any]], **fields: Any) -> Campaign:
        """A campaign that runs from now on, with a step for each instance; `fields` and the members of `steps` are
        columns. Raises Conflict naming the instances that another campaign has.
        """
        found = list(steps)
        self.refuse_taken(step["instance_id"] for step in found)
        campaign = Campaign(**{"status": Status.RUNNING.value, "created_at": self._now(), **fields})
        self._session.add(campaign)
        self._session.flush()
        self.add_steps(campaign, found)
        self._tell_campaign(campaign, None)
        return campaign

    def add_steps(self, campaign: Campaign, steps: Iterable[dict[str, Any]]) -> None:
        """Gives a campaign its steps, for instances that no other has."""
        new: dict[str, Any] = {"campaign_id": campaign.id, "status": StepStatus.PENDING.value}
        self._session.add_all(Step(**new, **step) for step in steps)
        self._session.flush()
        self.ring()

    def taken(self, instance_ids: Iterable[int]) -> list[Step]:
        """The steps of campaigns that have one of the instances now."""
        wanted = set(instance_ids)
        query = select(Step).where(col(Step.status).in_(_UNFINISHED)).order_by(col(Step.position))
        return [step for step in self._session.scalars(query) if step.instance_id in wanted]

    def refuse_taken(self, instance_ids: Iterable[int]) -> None:
        """Raises Conflict when another campaign has one of the instances."""
        taken = self.taken(instance_ids)
        if taken:
            first = taken[0].campaign_id
            names = ", ".join(step.address for step in taken[:10]) + (", ..." if len(taken) > 10 else "")
            raise Conflict(
                f"Another campaign has {names}: campaign {first}.",
                hint=f"Wait for it, or stop it: landform campaign abort {first}",
            )

    def campaign(self, campaign_id: int) -> Campaign:
        """The campaign of that number. Raises NotFound."""
        found = self._by_id(Campaign, campaign_id)
        if found is None:
            raise missing.no_campaign(campaign_id)
        return found

    def campaign_after(self, run_id: int) -> Campaign | None:
        """The campaign that waits for the run, or waited; None when none does."""
        return self._session.scalars(select(Campaign).where(col(Campaign.after_run_id) == run_id)).first()

    def unsettled_campaigns(self) -> list[int]:
        """The numbers of those that go on by themselves: running, or with steps that were begun before they stopped."""
        stopped = select(Step.campaign_id).where(col(Step.status).in_(_UNDER_WAY))  # type: ignore[call-overload]
        is_moving = (col(Campaign.status) == Status.RUNNING.value) | col(Campaign.id).in_(stopped)
        return list(self._session.scalars(select(col(Campaign.id)).where(is_moving).order_by(col(Campaign.id))))

    def steps(self, campaign_id: int) -> list[Step]:
        """The steps of a campaign, in order."""
        query = select(Step).where(col(Step.campaign_id) == campaign_id).order_by(col(Step.position))
        return list(self._session.scalars(query))

    def steps_running(self, campaign_id: int) -> list[Step]:
        """Those of the steps that have a run under way, in order."""
        query = select(Step).where(col(Step.campaign_id) == campaign_id, col(Step.status) == StepStatus.RUNNING.value)
        return list(self._session.scalars(query.order_by(col(Step.position))))

    def standing(self, campaign_id: int) -> list[Standing]:
        """Where every step stands, in order: what is read again and again."""
        return [
            Standing(step, wave, StepStatus(status), run)
            for step, wave, status, run in self._session.execute(_STANDING, {"of": campaign_id})
        ]

    def step(self, step_id: int) -> Step:
        """The step of that number, which must be there."""
        found = self._by_id(Step, step_id)
        assert found is not None
        return found

    def step_of(self, instance: Instance) -> Step | None:
        """The step that has the instance now; None when no campaign has it."""
        query = select(Step).where(col(Step.instance_id) == instance.id, col(Step.status).in_(_UNFINISHED))
        return self._session.scalars(query).first()

    def held_steps(self, campaign_id: int) -> dict[int, Run]:
        """Step -> the run that has its instance or, first, the environment that this lives in; only of pending steps
        that somebody's run is in the way of.
        """
        is_there = or_(col(Run.instance_id) == Instance.id, col(Run.instance_id) == Instance.environment_id)
        query = (
            select(Step.id, Run)  # type: ignore[call-overload]
            .join(Instance, Instance.id == Step.instance_id)
            .join(Run, is_there)
            .where(
                Step.campaign_id == campaign_id, Step.status == StepStatus.PENDING.value, col(Run.status).in_(_ACTIVE)
            )
            # the last one counts: the environment's, and the one that holds it
            .order_by(
                Run.instance_id == Instance.environment_id, Run.status != RunStatus.QUEUED.value, col(Run.id).desc()
            )
        )
        return dict(self._session.execute(query).all())

    def calendars(self, campaign_id: int) -> dict[int, tuple[str, dict[str, Any]]]:
        """Step -> name and calendar of the environment that it changes; only of pending steps, and where there is one.

        An environment that is a step itself has its own.
        """
        home = _HOME.id == Instance.environment_id
        query = (
            select(Step.id, Instance.kind, Instance.name, Instance.calendar, _HOME.name, _HOME.calendar)  # type: ignore[call-overload]
            .join(Instance, Instance.id == Step.instance_id)
            .outerjoin(_HOME, home)
            .where(Step.campaign_id == campaign_id, Step.status == StepStatus.PENDING.value)
            .where(
                or_(*(cast(col(each.calendar), String).is_distinct_from(_NO_CALENDAR) for each in (Instance, _HOME)))
            )
        )
        rows = self._session.execute(query)
        found = {step: (home_name or name, home_own or own) for step, _, name, own, home_name, home_own in rows}
        return {step: (name, calendar) for step, (name, calendar) in found.items() if calendar}

    def move_campaign(self, campaign: Campaign, event: Event, **facts: Any) -> Campaign:
        """The campaign after `event`; `facts` are columns that change with it. Raises Conflict as core.campaigns."""
        before, status = campaign.status, after(Status(campaign.status), event)
        ended = None if status in UNENDED else self._now()
        self._assign(campaign, status=status.value, ended_at=ended, **{"due_at": None, **facts})
        self._tell_campaign(campaign, before)
        self.ring()
        return campaign

    def change_campaign(self, campaign: Campaign, **facts: Any) -> None:
        """The campaign with columns replaced; its status stays."""
        self._assign(campaign, **facts)
        self.ring()

    def move_step(self, step: Step, status: StepStatus, **facts: Any) -> None:
        """The step with another status, and with columns that become known with it."""
        times: dict[str, Any] = {"ended_at": None if status in UNFINISHED else self._now()}
        if status is StepStatus.PENDING:
            times["started_at"] = None
        self._assign(step, status=status.value, **{**times, **facts})
        self.ring()

    def _assign(self, row: Campaign | Step, **values: Any) -> None:
        for column, value in values.items():
            setattr(row, column, value)
        self._session.add(row)
        self._session.flush()

    def _tell_campaign(self, campaign: Campaign, before: str | None) -> None:
        if self._audience.targets and campaign.id is not None:
            owner = self._audience.owner
            self._tell(notices.of_campaign(owner, campaign.id, campaign.title, campaign.status, before))
