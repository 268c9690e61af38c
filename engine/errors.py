"""Every error a user can meet: what happened, what to type next, and the exit code a pipeline sees.

LandformError            1
  Invalid                1   bad input: carries every problem found, not only the first
  Usage                  64  the command line itself is wrong
  NotFound               8
  Conflict               9   what is asked does not fit what is there
  Busy                   6   another run holds the instance
  Waiting                3   the run waits for approval
  Refused                4   a rule or policy says no
  Stale                  5   the plan no longer fits what it was made from
  Cancelled              7
  OutcomeUnknown         10  a run was interrupted; nobody can tell what it did
  TimedOut               124 it took longer than the user wanted to wait
  ExternalFailure        1   another program or service failed
    Transient            1   ... for a reason that passes by itself, as a rule
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a problem is: an error refuses, a warning informs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with an input, at the place where a person would mend it."""

    file: str
    """As the user named it: a path relative to the bundle, `spec.yaml`, `--set`; "" when there is no file."""
    line: int
    """From 1; 0 when the problem has no line."""
    field: str
    """Dotted path inside the file (`instances[0].spec.port`); "" for the whole file."""
    message: str
    rule: str = ""
    """Stable identifier for machines, e.g. `manifest/engine`."""
    severity: Severity = Severity.ERROR
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line else self.file
        return ": ".join(part for part in (place, self.field, self.message) if part)


class LandformError(Exception):
    """Something a user can understand and act on."""

    exit_code = 1
    label = "Error"
    """What the message is introduced with."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Invalid(LandformError):
    """Bad input, with all its problems."""

    def __init__(self, message: str, *, hint: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems: tuple[Problem, ...] = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([self.message, *map(str, self.problems)])


class Usage(LandformError):
    """The command line cannot be understood."""

    exit_code = 64


class NotFound(LandformError):
    """A name that nothing answers to."""

    exit_code = 8


class Conflict(LandformError):
    """What is asked does not fit what is there."""

    exit_code = 9


class Busy(LandformError):
    """Another run holds the instance."""

    exit_code = 6


class Waiting(LandformError):
    """The run waits for somebody's approval."""

    exit_code = 3
    label = "Waiting"


class Refused(LandformError):
    """A rule or policy says no."""

    exit_code = 4


class Stale(LandformError):
    """The plan no longer fits what it was made from."""

    exit_code = 5


class Cancelled(LandformError):
    """The run was stopped because somebody asked."""

    exit_code = 7


class OutcomeUnknown(LandformError):
    """A run was interrupted, and what it did cannot be known without looking."""

    exit_code = 10


class TimedOut(LandformError):
    """It took longer than the user wanted to wait."""

    exit_code = 124


class ExternalFailure(LandformError):
    """Another program or service failed."""


class Transient(ExternalFailure):
    """It failed for a reason that passes by itself, as a rule."""

    def __init__(self, message: str, *, kind: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        """core.transient.Kind"""


class Unreachable(ExternalFailure):
    """The catalog cannot be reached for now: nobody is to blame who was at work with it."""
