"""Questions of people about why things are as they are: the facts, gathered in one look at the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from engine.actions.desk import Desk, target_of
from engine.catalog.versions import number_of
from engine.core import (
    address,
    approvals,
    calendars,
    drift,
    explaining,
    explaining_campaigns,
    explaining_instances,
    explanations,
    guards,
    lifecycle,
)
from engine.core.address import Address, Kind
from engine.core.campaigns import UNDER_WAY, Status, StepStatus, manner_from_json
from engine.core.explaining import Account, RunFacts
from engine.core.explaining_campaigns import CampaignFacts, StepFacts
from engine.core.explaining_instances import InstanceFacts, Membership, Partner, StaleOutput
from engine.core.runs import Operation, is_terminal
from engine.core.runs import Status as RunStatus
from engine.core.versions import VersionStatus

if TYPE_CHECKING:
    from engine.catalog.fleet_tables import Step
    from engine.catalog.tables import Instance, Run
    from engine.catalog.tx import Tx
    from engine.core.explanations import Explanation
    from engine.core.lifecycle import Use
    from engine.core.scheduling import Snapshot

_DEPLOYS_BACK = 50
"""How many deploys of an upstream are looked at for the one that changed an output."""


@dataclass(frozen=True)
class OfRun:
    """What there is to say about a run."""

    account: Account
    address: str
    turn: Explanation


def run(desk: Desk, run_id: int) -> OfRun:
    """Why a run is where it is. Raises NotFound."""
    with desk.catalog.read() as tx:
        facts = _Look(tx, desk).of_run(tx.run(run_id))
    return OfRun(explaining.of_run(facts), facts.address, facts.turn)


def instance(desk: Desk, where: Address) -> Account:
    """Why an instance is as it is. Raises NotFound."""
    with desk.catalog.read() as tx:
        facts = _Look(tx, desk).of_instance(tx.instance(where))
    return explaining_instances.of_instance(facts)


def campaign(desk: Desk, campaign_id: int) -> Account:
    """Why a campaign is where it is. Raises NotFound."""
    with desk.catalog.read() as tx:
        facts = _Look(tx, desk).of_campaign(campaign_id)
    return explaining_campaigns.of_campaign(facts)


class _Look:
    """One look at the catalog."""

    def __init__(self, tx: Tx, desk: Desk) -> None:
        self._tx = tx
        self._settings = desk.settings
        self._now = tx.now()

    @cached_property
    def _line(self) -> Snapshot:
        return self._tx.whole_line(self._settings.max_runs)

    def of_run(self, run: Run) -> RunFacts:
        tx, run_id = self._tx, run.id or 0
        found = tx.find_instance_by_id(run.instance_id)
        status = RunStatus(run.status)
        return RunFacts(
            run_id,
            run.address,
            Operation(run.operation),
            status,
            explanations.explanation(self._line, run_id, run.address),
            run.message,
            guards.refusals_from_json(run.refusals),
            run.campaign_id,
            "" if is_terminal(status) else tx.withdrawn(run),
            run.superseded_by,
            run.cancel_requested_at is not None and not is_terminal(status),
            found is not None and found.last_run_id == run_id,
            self._expiry(run),
        )

    def of_instance(self, found: Instance) -> InstanceFacts:
        tx = self._tx
        target = target_of(tx, found)
        use = tx.use(target.template, target.version, found)
        refusal = lifecycle.refusal(use) if use.status is not VersionStatus.DRAFT else None
        instead = str(use.instead) if use.instead else ""
        last = self.of_run(tx.run(found.last_run_id)) if found.last_run_id else None
        drift_level = drift.level_now(found.drift_level, found.drift, found.drift_ignored, self._now)
        environment, closed = self._calendar(found)
        return InstanceFacts(
            found.address,
            target.label,
            found.last_status,
            last,
            found.deployed_run_id is not None,
            refusal.message if refusal else "",
            "" if refusal else _warning(use, instead),
            instead,
            self._recommended(found),
            tuple(self._stale(found)),
            drift_level,
            str(found.drift["plan"]) if drift_level and found.drift else "",
            found.hibernated_at,
            found.expires_at,
            found.diverged,
            environment,
            closed,
            self._membership(found),
            tuple(self._partners(found)),
        )

    def of_campaign(self, campaign_id: int) -> CampaignFacts:
        found, steps = self._tx.campaign(campaign_id), self._tx.steps(campaign_id)
        closed = {
            step_id: (name, calendars.closed(calendars.from_json(calendar), self._now))
            for step_id, (name, calendar) in self._tx.calendars(campaign_id).items()
        }
        return CampaignFacts(
            campaign_id,
            Status(found.status),
            found.message,
            found.wave,
            manner_from_json(found.manner),
            tuple(self._step(step, *closed.get(step.id or 0, ("", ""))) for step in steps),
            found.due_at,
            found.rollback_of,
            bool(self._line.workers),
        )

    def _step(self, step: Step, environment: str, closed: str) -> StepFacts:
        status = StepStatus(step.status)
        is_told = status in UNDER_WAY or status is StepStatus.FAILED
        run = self.of_run(self._tx.run(step.run_id)) if step.run_id and is_told else None
        return StepFacts(step.address, step.wave, status, step.message, run, environment, closed)

    def _expiry(self, run: Run) -> datetime | None:
        if RunStatus(run.status) not in (RunStatus.PLANNED, RunStatus.APPROVED):
            return None
        return approvals.expires_at(run.planned_at, self._tx.rules_of(run), self._settings.plan_ttl_s)

    def _recommended(self, found: Instance) -> str:
        """The recommended version of its template, where that is higher than its own."""
        template = self._tx.template_by_id(found.template_id)
        if template.recommended_id is None or found.kind == Kind.COMPONENT:
            return ""
        best = number_of(self._tx.version_by_id(template.recommended_id))
        return str(best) if number_of(self._tx.version_by_id(found.version_id)) < best else ""

    def _stale(self, found: Instance) -> Iterator[StaleOutput]:
        for entry in found.stale:
            upstream, _, output = entry.partition(" ")
            yield StaleOutput(upstream, output, self._changed_by(found, upstream, output))

    def _changed_by(self, reader: Instance, upstream: str, output: str) -> int | None:
        """The run since which the output is not as the reader has read it; None when nobody can tell."""
        source = self._tx.find_instance(address.parse(upstream))
        read, found = reader.upstream.get(upstream, {}).get(output, ""), None
        for run in islice(self._tx.deploys_of(source) if source else (), _DEPLOYS_BACK):
            known = (run.outputs or {}).get(output)
            if (str(known["fingerprint"]) if known else "") == read:
                return found
            found = run.id
        return None

    def _calendar(self, found: Instance) -> tuple[str, str]:
        """The environment, and why campaigns change nothing there now."""
        is_home = found.kind == Kind.ENVIRONMENT
        home = found if is_home else self._tx.find_instance_by_id(found.environment_id or 0)
        if home is None:
            return "", ""
        return home.name, calendars.closed(calendars.from_json(home.calendar), self._now)

    def _membership(self, found: Instance) -> Membership | None:
        step = self._tx.step_of(found)
        if step is None:
            return None
        campaign = self._tx.campaign(step.campaign_id)
        return Membership(step.campaign_id, campaign.status, step.wave, step.status)

    def _partners(self, found: Instance) -> Iterator[Partner]:
        if found.kind == Kind.SERVICE_INSTANCE:
            yield from self._partner(self._tx.component_of(found), "is attached to it")
        if found.attached_id is not None:
            yield from self._partner(self._tx.find_instance_by_id(found.attached_id), "is what it is attached to")

    def _partner(self, partner: Instance | None, relation: str) -> Iterator[Partner]:
        if partner is None:
            return
        active = self._tx.active_run(partner)
        words = f"run {active.id} of it is {active.status}" if active else ""
        yield Partner(partner.address, relation, words, active.id if active else None)


def _warning(use: Use, instead: str) -> str:
    """What is said of a version that may be used; "" for nothing."""
    if use.status is VersionStatus.YANKED:
        return f"{use.label} was yanked: {use.reason.rstrip('.')}. What is on it may go on."
    return lifecycle.warning(use.label, use.reason, instead or None) if use.status is VersionStatus.DEPRECATED else ""
