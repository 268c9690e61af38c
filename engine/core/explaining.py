"""Why a run is in the state that it is in: what it waits for, who is in the way, what to type next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from engine.core import guards
from engine.core.explanations import Explanation
from engine.core.guards import Refusal, Severity
from engine.core.runs import Operation, Status, is_terminal

_MESSAGE_MAX = 500


class Subject(StrEnum):
    """What is explained."""

    INSTANCE = "instance"
    RUN = "run"
    CAMPAIGN = "campaign"


@dataclass(frozen=True)
class Reason:
    """One thing that makes the state what it is."""

    topic: str
    """For programs: `guard`, `calendar`, `stale`, or of a run's turn, core.scheduling.Why."""
    text: str
    blocks: bool = False
    """Whether nothing goes on before that has changed."""
    run_id: int | None = None
    """The run that it is about."""
    commands: tuple[str, ...] = ()
    """What somebody can type about it."""


@dataclass(frozen=True)
class Account:
    """Everything that there is to say."""

    subject: Subject
    name: str
    """As it can be typed: an address, `7`, `c3`."""
    status: str
    reasons: tuple[Reason, ...]
    commands: tuple[str, ...] = ()
    """What can be typed in any case."""

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What somebody can type, first what gets things going again."""
        ordered = sorted(self.reasons, key=lambda reason: not reason.blocks)
        return tuple(dict.fromkeys([*(text for reason in ordered for text in reason.commands), *self.commands]))


@dataclass(frozen=True)
class RunFacts:
    """A run, as far as it explains something."""

    run_id: int
    address: str
    operation: Operation
    status: Status
    turn: Explanation
    message: str = ""
    refusals: tuple[Refusal, ...] = ()
    campaign_id: int | None = None
    withdrawn: str = ""
    """Why its version may not be used any more; "" when it may."""
    superseded_by: int | None = None
    is_stopping: bool = False
    """Whether somebody wants it cancelled."""
    is_last: bool = True
    """Whether its instance has no later run: only then it can be retried."""
    expires_at: datetime | None = None
    """When its plan is void."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return is_terminal(self.status)

    @property
    def doing(self) -> str:
        """`run 7 (deploy)`"""
        return f"run {self.run_id} ({self.operation.value})"


def of_run(facts: RunFacts) -> Account:
    """Why a run is where it is."""
    return Account(Subject.RUN, str(facts.run_id), facts.status.value, tuple(run_reasons(facts)), _commands(facts))


def _commands(facts: RunFacts) -> tuple[str, ...]:
    """What can be typed about its turn; a yes without an exception would be refused where a guard refuses the plan."""
    useless = f"landform run approve {facts.run_id}" if guards.denied(facts.refusals) else ""
    return tuple(command for command in facts.turn.next_commands if command != useless)


def run_reasons(facts: RunFacts) -> Iterator[Reason]:
    """What there is to say about a run, what is in its way first."""
    if facts.is_over:
        yield _ending(facts)
    else:
        yield from _refused(facts)
        for found in facts.turn.obstacles:
            blocks = found.why.value != "working"
            yield Reason(found.why.value, found.text, blocks, found.run_id or facts.run_id, _commands(facts))
        yield from _about(facts)
    if facts.campaign_id is not None:
        command = f"landform explain c{facts.campaign_id}"
        yield Reason("campaign", f"campaign {facts.campaign_id} asked for it", False, facts.run_id, (command,))


def _refused(facts: RunFacts) -> Iterator[Reason]:
    """Guards that its plan breaks, and how somebody lets it."""
    how = guards.how_to_except(facts.run_id, guards.denied(facts.refusals))
    for refusal in facts.refusals:
        if refusal.severity is Severity.WARN:
            yield Reason("warning", f"it breaks a guard that only warns, {refusal}", False, facts.run_id)
        elif facts.status is Status.PLANNED:
            yield Reason("guard", f"it is refused by guard {refusal}", True, facts.run_id, (how,))
        else:
            yield Reason("exception", f"an exception was made of guard {refusal}", False, facts.run_id)
    if facts.status is Status.PLANNED and facts.message and not guards.denied(facts.refusals):
        yield Reason("approval", first_line(facts.message), True, facts.run_id)


def _about(facts: RunFacts) -> Iterator[Reason]:
    if facts.withdrawn:
        command = f"landform run discard {facts.run_id}"
        yield Reason("version", first_line(facts.withdrawn), True, facts.run_id, (command,))
    if facts.is_stopping:
        yield Reason("cancel", "somebody wants it cancelled, and it is about to stop", False, facts.run_id)
    if facts.expires_at is not None:
        yield Reason("expiry", f"its plan is void after {stamp(facts.expires_at)}", False, facts.run_id)


_GOOD = {Status.SUCCEEDED: "succeeded", Status.DISCARDED: "was discarded", Status.CANCELLED: "was cancelled"}


def _ending(facts: RunFacts) -> Reason:
    """How a run ended, and what can be done about that."""
    said = f": {first_line(facts.message)}" if facts.message else ""
    text = f"{facts.doing} {_GOOD.get(facts.status, facts.status.value)}{said}"
    run = facts.run_id
    if facts.superseded_by is not None:
        command = f"landform explain {facts.superseded_by}"
        return Reason(
            "superseded", f"{text}; run {facts.superseded_by} took its place", False, facts.superseded_by, (command,)
        )
    if facts.status is Status.SUCCEEDED or not facts.is_last:
        return Reason("ended", text, False, run, (f"landform run show {run}",))
    logs = (f"landform run logs {run}",) if facts.status is Status.FAILED else ()
    return Reason("ended", text, False, run, (*logs, f"landform run retry {run}"))


def stamp(when: datetime) -> str:
    """A time as people read it."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def first_line(text: str) -> str:
    """The first line of a message, without the end of its sentence."""
    line = text.strip().partition("\n")[0].rstrip(".")
    return line if len(line) <= _MESSAGE_MAX else f"{line[:_MESSAGE_MAX]}..."
