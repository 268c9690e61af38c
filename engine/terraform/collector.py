"""What is kept of the stream of one Terraform command once the command has ended."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.plans import Summary
from engine.external.lines import LIMIT
from engine.terraform.events import (
    NO_OFFSET,
    ApplyComplete,
    ApplyErrored,
    Applying,
    ApplyProgress,
    ApplyStart,
    Diagnostic,
    Drift,
    Event,
    Outputs,
    PlannedChange,
    Version,
    parse,
    summary,
)
from engine.terraform.trees import tree_of


class Collector:
    """Follows the stream of one command and keeps what is needed afterwards."""

    def __init__(self, line_offset: Mapping[str, int] = NO_OFFSET) -> None:
        self._line_offset = line_offset
        self._planned: list[Event] = []
        self._diagnostics: list[Diagnostic] = []
        self._steps: dict[str, type[Applying]] = {}
        self.outputs: Mapping[str, Mapping[str, object]] = {}
        """As Outputs.values, of the last such message; {} when there was none."""
        self.terraform_version = ""
        """As the stream says; "" before it has."""
        self.is_complete = True
        """False when a line was too long and was cut: what it said is missing here, look into the state or the plan."""

    def feed(self, line: str) -> Event:
        """What the line says, after taking note of it."""
        # LIMIT counts bytes before decoding, so a line that was cut has no more characters, and often fewer
        self.is_complete = self.is_complete and not (len(line) * 4 >= LIMIT and tree_of(line) is None)
        event = parse(line, self._line_offset)
        match event:
            case PlannedChange() | Drift():
                self._planned.append(event)
            case Outputs():
                self._planned.append(event)
                self.outputs = event.values
            case Diagnostic():
                self._diagnostics.append(event)
            case Version():
                self.terraform_version = event.terraform
            case Applying():
                self._steps[event.address] = type(event)
        return event

    def shown(self, line: str) -> Event:
        """What the line says, without taking note of it."""
        return parse(line, self._line_offset)

    @property
    def summary(self) -> Summary:
        """What the plan would do."""
        return summary(self._planned)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Errors and warnings in the order they came, each once."""
        return tuple(dict.fromkeys(self._diagnostics))

    @property
    def finished(self) -> tuple[str, ...]:
        """Addresses of the resources that the apply is done with."""
        return self._whose_last(ApplyComplete)

    @property
    def failed(self) -> tuple[str, ...]:
        """Addresses of the resources that it could not change."""
        return self._whose_last(ApplyErrored)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Addresses of the resources it began and said no more about: after a kill, look at these."""
        return self._whose_last(ApplyStart, ApplyProgress)

    def _whose_last(self, *steps: type[Applying]) -> tuple[str, ...]:
        return tuple(address for address, step in self._steps.items() if step in steps)
