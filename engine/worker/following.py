"""Follows one Terraform command of a run to its end, and says what it came to in the words of the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core import credentials, rendering, state_locks, transient
from engine.core.transient import Kind, Rule
from engine.errors import Cancelled, ExternalFailure, LandformError, OutcomeUnknown, Severity, Transient
from engine.external import process
from engine.external.alive import Identity
from engine.external.process import Command, Stop
from engine.terraform.cli import Outcome, outcome, plan_outcome
from engine.terraform.collector import Collector
from engine.terraform.events import RETRY, Event
from engine.worker import patience, telling
from engine.worker.journal import Journal
from engine.worker.patience import Patience
from engine.worker.terms import RunStop

if TYPE_CHECKING:
    from engine.core.bundle import Part
    from engine.worker.work import Work

Watch = Callable[[str, Event | None], None]
"""Called with a phase when it begins, and with the phase and every event of Terraform's."""


_ALL_IS_SENSITIVE = (
    "An input is a reference, so the variable that holds all inputs is sensitive. When the template declares a "
    "sensitive variable with the name of that input, only that one is: see docs/how-to/secrets.md."
)

_LOCKED = (
    "Wait until that one has ended, then run again. Only where it is gone for good: terraform force-unlock LOCK, in a "
    "folder with this backend."
)


@dataclass(frozen=True)
class Step:
    """One phase of one run under way."""

    work: Work
    part: Part
    stop: Stop
    journal: Journal
    patience: Patience = patience.NONE
    on_start: Callable[[], None] = lambda: None
    """Called when a command of it has started and its process has been noted."""
    is_noted: bool = True
    """Whether somebody who comes after a crash is to find the process, and what it said last."""

    def started(self, child: Identity) -> None:
        """Notes the process that works for the run now."""
        self.journal.started(child)
        self.on_start()


def follow(command: Command, phase: str, step: Step) -> tuple[Outcome, Collector]:
    """Runs a Terraform command to its end, an init or a plan again where a failure passes by itself.

    Raises unless it did what it was to do: Transient when it may well succeed later, Cancelled, OutcomeUnknown,
    ExternalFailure.
    """
    attempt = 1
    while True:
        try:
            with telling.phase(phase):
                return _once(command, phase, step)
        except Transient as error:
            _wait(error, phase, step, attempt)
        attempt += 1


def _wait(error: Transient, phase: str, step: Step, attempt: int) -> None:
    """Returns when it is time to try again; raises the error when it is not to be tried again, Cancelled by a stop."""
    wait_s = step.patience.wait_s(phase, Kind(error.kind), attempt)
    if wait_s is None:
        raise error
    step.journal.line(phase, _retry(phase, error, attempt, wait_s), Collector())
    step.patience.pause(step.stop, wait_s)
    if step.stop.requested:
        raise Cancelled(f"terraform {phase} was stopped before it was tried again.")


def _once(command: Command, phase: str, step: Step) -> tuple[Outcome, Collector]:
    collector = Collector(dict.fromkeys(step.part.templates, rendering.HEADER_LINES))

    def on_line(line: str) -> None:
        step.journal.line(phase, line, collector)

    if step.is_noted:
        # of an earlier try that was lost with its process: it has been looked at, or was a plan
        step.journal.last_words.unlink(missing_ok=True)
        command = replace(command, last_words=step.journal.last_words)
    if isinstance(step.stop, RunStop):
        command = step.stop.guarded(command)
    on_start = step.started if step.is_noted else None
    ended = process.run(command, stop=step.stop, on_line=on_line, on_start=on_start)
    came_to = plan_outcome(ended) if phase == "plan" else outcome(ended)
    if came_to is Outcome.UNKNOWN and phase != "apply" and ended.duration_s >= command.timeout_s:
        # it did not stop when its time was over and had to be killed: that is no wish of anybody's
        came_to = Outcome.TIMED_OUT
    if came_to not in (Outcome.UNCHANGED, Outcome.CHANGES, Outcome.DONE):
        raise _failure(phase, came_to, ended.code, collector, step)
    return came_to, collector


def _failure(phase: str, came_to: Outcome, code: int, collector: Collector, step: Step) -> LandformError:
    if came_to is Outcome.UNKNOWN and phase == "apply":
        return OutcomeUnknown("terraform apply was killed: what it was doing then is not known.")
    if came_to in (Outcome.CANCELLED, Outcome.UNKNOWN):
        return Cancelled(f"terraform {phase} was stopped before it had finished.")
    if came_to is Outcome.TIMED_OUT:
        return ExternalFailure(f"terraform {phase} took longer than allowed and was stopped.")
    return _failed(phase, code, collector, step)


def _failed(phase: str, code: int, collector: Collector, step: Step) -> ExternalFailure:
    """It ended by itself, and said why."""
    errors = [str(found.problem()) for found in collector.diagnostics if found.severity is Severity.ERROR]
    said = "\n".join(errors) or step.journal.last
    text = f"terraform {phase} ended with exit code {code}" + (f":\n{said}" if said else ".")
    held = state_locks.holder(errors)
    if held:
        text = f"terraform {phase} could not begin: the state of {step.work.address} is locked by {held}."
    message = step.journal.redacted(text)
    kind = transient.classify_all(errors)
    if kind is None or transient.RULES[kind] is not Rule.AGAIN:
        name = step.work.session.profile.name if step.work.session else ""
        of_references = _ALL_IS_SENSITIVE if step.work.references and "sensitive value" in said else ""
        of_lock = _LOCKED if held else ""
        return ExternalFailure(message, hint=credentials.hint_of(errors, name) or of_references or of_lock)
    hint = f"This may pass by itself, because {transient.WORDS[kind]}: try again later."
    return Transient(message, kind=kind, hint=hint)


def _retry(phase: str, error: Transient, attempt: int, wait_s: float) -> str:
    """What the run's log and events say about it, in the form of Terraform's own lines."""
    why = transient.WORDS[Kind(error.kind)]
    text = f"terraform {phase} failed because {why}. It is tried again in {wait_s:.0f} s (retry {attempt})."
    told = {"phase": phase, "kind": error.kind, "retry": attempt, "wait_s": round(wait_s, 3)}
    return json.dumps({"@level": "warn", "@message": text, "@module": "landform", "type": RETRY, "retry": told})


def watch_nothing(_phase: str, _event: Event | None) -> None:
    """For whom nobody watches."""
