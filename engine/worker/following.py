"""Follows one Terraform command of a run to its end, and says what it came to in the words of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core import rendering
from engine.errors import Cancelled, ExternalFailure, LandformError, OutcomeUnknown, Severity
from engine.external import process
from engine.external.process import Command, Stop
from engine.terraform.cli import Outcome, outcome, plan_outcome
from engine.terraform.collector import Collector
from engine.terraform.events import Event
from engine.worker.journal import Journal

if TYPE_CHECKING:
    from engine.core.bundle import Part
    from engine.worker.work import Work

Watch = Callable[[str, Event | None], None]
"""Called with a phase when it begins, and with the phase and every event of Terraform's."""


@dataclass(frozen=True)
class Step:
    """One phase of one run under way."""

    work: Work
    part: Part
    stop: Stop
    journal: Journal


def follow(command: Command, phase: str, step: Step) -> tuple[Outcome, Collector]:
    """Runs a Terraform command to its end. Raises unless it did what it was to do."""
    collector = Collector(dict.fromkeys(step.part.templates, rendering.HEADER_LINES))

    def on_line(line: str) -> None:
        step.journal.line(phase, line, collector)

    ended = process.run(command, stop=step.stop, on_line=on_line, on_start=step.journal.started)
    came_to = plan_outcome(ended) if phase == "plan" else outcome(ended)
    if came_to not in (Outcome.UNCHANGED, Outcome.CHANGES, Outcome.DONE):
        raise _failure(phase, came_to, ended.code, collector, step.journal)
    return came_to, collector


def _failure(phase: str, came_to: Outcome, code: int, collector: Collector, journal: Journal) -> LandformError:
    if came_to is Outcome.UNKNOWN and phase == "apply":
        return OutcomeUnknown("terraform apply was killed: what it was doing then is not known.")
    if came_to in (Outcome.CANCELLED, Outcome.UNKNOWN):
        return Cancelled(f"terraform {phase} was stopped before it had finished.")
    if came_to is Outcome.TIMED_OUT:
        return ExternalFailure(f"terraform {phase} took longer than allowed and was stopped.")
    errors = [str(found.problem()) for found in collector.diagnostics if found.severity is Severity.ERROR]
    said = "\n".join(errors) or journal.last
    text = f"terraform {phase} ended with exit code {code}" + (f":\n{said}" if said else ".")
    return ExternalFailure(journal.redacted(text))


def watch_nothing(_phase: str, _event: Event | None) -> None:
    """For whom nobody watches."""
