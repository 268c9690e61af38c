"""Why an instance is in the state that it is in: what it waits for, who is in the way, what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from engine.core.address import Kind
from engine.core.explaining import Account, Reason, RunFacts, Subject, first_line, run_reasons, stamp
from engine.core.runs import Status


@dataclass(frozen=True)
class StaleOutput:
    """An output that has changed since the instance read it."""

    upstream: str
    output: str
    run_id: int | None = None
    """The run that changed it; None when that is not known any more."""


@dataclass(frozen=True)
class Membership:
    """The campaign that has an instance now."""

    campaign_id: int
    campaign_status: str
    wave: int
    """From 0."""
    step_status: str


@dataclass(frozen=True)
class Partner:
    """Another instance that goes together with this one."""

    address: str
    relation: str
    """`is attached to it`"""
    run: str = ""
    """Its run that has not ended, in words; "" without one."""
    run_id: int | None = None


@dataclass(frozen=True)
class InstanceFacts:
    """An instance, as far as anything about it needs explaining."""

    address: str
    label: str
    """Template and version, `web@1.2`."""
    last_status: str
    last: RunFacts | None = None
    """Its last run."""
    is_deployed: bool = True
    withdrawn: str = ""
    """Why nothing may be deployed with its version; "" when something may."""
    warning: str = ""
    """What is said of its version; "" for nothing."""
    instead: str = ""
    """The version to use in its place, where its own is withdrawn or warned of; "" for none."""
    recommended: str = ""
    """The recommended version, where that is higher than its own."""
    stale: tuple[StaleOutput, ...] = ()
    drift: str = ""
    """core.drift.Level of what is known to have drifted."""
    drift_plan: str = ""
    """What the next apply would do about it, in a sentence."""
    hibernated_at: datetime | None = None
    expires_at: datetime | None = None
    diverged: str = ""
    environment: str = ""
    """Its own name, where it is one."""
    closed: str = ""
    """Why campaigns change nothing in that environment now; "" when they may."""
    campaign: Membership | None = None
    partners: tuple[Partner, ...] = ()


def of_instance(facts: InstanceFacts) -> Account:
    """Why an instance is as it is."""
    own = (*_version(facts), *_world(facts))
    if facts.last is not None and not facts.last.is_over:
        # a run under way may well bring all that, and another one would wait behind it
        own = tuple(reason if reason.blocks else replace(reason, commands=()) for reason in own)
    reasons = (*_standing(facts), *_turn(facts), *own, *_company(facts))
    commands = (f"landform {_noun(facts.address)} show {_short(facts.address)}",)
    return Account(Subject.INSTANCE, facts.address, facts.last_status, reasons, commands)


def _standing(facts: InstanceFacts) -> Iterator[Reason]:
    if facts.diverged:
        command = f"landform state harvest {facts.address}"
        yield Reason("diverged", f"it is frozen: {first_line(facts.diverged)}", True, None, (command,))
    if facts.hibernated_at is not None:
        text = f"it is hibernated since {stamp(facts.hibernated_at)}: only its version and inputs are kept"
        yield Reason("hibernated", text, True, None, (f"landform instance wake {facts.address}",))
    elif not facts.is_deployed:
        yield Reason("undeployed", "it has never been deployed successfully")
    if facts.expires_at is not None:
        text = f"it is hibernated by itself at {stamp(facts.expires_at)}"
        yield Reason("expires", text, False, None, (f"landform instance extend {facts.address} 24h",))


def _turn(facts: InstanceFacts) -> Iterator[Reason]:
    """What its last run says about it; that all went well is nothing to tell."""
    if facts.last is None or facts.last.status is Status.SUCCEEDED:
        return
    for reason in run_reasons(facts.last):
        if facts.last.is_over:
            yield reason
        elif reason.topic != "campaign" or facts.campaign is None:
            text = f"{facts.last.doing} is {facts.last.status.value}: {reason.text}"
            yield Reason(reason.topic, text, reason.blocks, reason.run_id, reason.commands)


def _version(facts: InstanceFacts) -> Iterator[Reason]:
    update = _update(facts.address)
    to = (f"{update} --version {facts.instead}",) if facts.instead else ()
    if facts.withdrawn:
        yield Reason("version", first_line(facts.withdrawn), True, None, to)
    if facts.warning:
        yield Reason("version", first_line(facts.warning), False, None, to)
    if facts.recommended:
        template = facts.label.partition("@")[0]
        text = f"it is on {facts.label}, and {template}@{facts.recommended} is recommended"
        yield Reason("outdated", text, False, None, (f"{update} --version {facts.recommended}",))


def _world(facts: InstanceFacts) -> Iterator[Reason]:
    for found in facts.stale:
        by = f" by run {found.run_id}" if found.run_id else ""
        text = f"it is stale: output {found.output} of {found.upstream} was changed{by} since it was read"
        yield Reason("stale", text, False, found.run_id, (f"{_update(facts.address)} --kind current-version",))
    if facts.drift:
        plan = f"; an apply would bring: {facts.drift_plan}" if facts.drift_plan else ""
        commands = (f"landform drift show {facts.address}", f"landform drift repair {facts.address}")
        yield Reason("drift", f"it has drifted ({facts.drift}){plan}", False, None, commands)


def _company(facts: InstanceFacts) -> Iterator[Reason]:
    if facts.campaign is not None:
        found = facts.campaign
        text = (
            f"campaign {found.campaign_id} ({found.campaign_status}) has it: "
            f"its step in wave {found.wave + 1} is {found.step_status}"
        )
        yield Reason("campaign", text, False, None, (f"landform explain c{found.campaign_id}",))
    if facts.closed:
        text = f"campaigns change nothing in {facts.environment} now: {facts.closed}"
        yield Reason("calendar", text, False, None, (f"landform env calendar show {facts.environment}",))
    for partner in facts.partners:
        text = f"{partner.address} {partner.relation}"
        if partner.run_id is None:
            yield Reason("partner", text)
        else:
            command = f"landform explain {partner.run_id}"
            yield Reason("partner", f"{text}, and {partner.run}", True, partner.run_id, (command,))


_NOUNS = {Kind.ENVIRONMENT.value: "env", Kind.SERVICE_INSTANCE.value: "instance"}


def _noun(address: str) -> str:
    kind = address.partition("/")[0]
    return _NOUNS.get(kind, kind)


def _short(address: str) -> str:
    return address.partition("/")[2]


def _update(address: str) -> str:
    return f"landform {_noun(address)} update {_short(address)}"
