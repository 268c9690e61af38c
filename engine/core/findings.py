"""What is found when a version of a template is compared with another, and what is compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engine.core.bundle import Facts
from engine.core.located import Document
from engine.core.schema import Schema
from engine.errors import Problem, Severity


class Level(StrEnum):
    """What a change asks of those who have the version before."""

    PATCH = "patch"
    """Nothing that they would notice."""
    MINOR = "minor"
    """They get something new, or should have a look; what they have goes on working."""
    MAJOR = "major"
    """It breaks: inputs are refused, outputs are gone, or infrastructure is destroyed."""


@dataclass(frozen=True)
class Compared:
    """A version as it is compared."""

    label: str
    """Its number, or what else people call it."""
    facts: Facts
    schema: Schema
    document: Document
    """Its schema.yaml."""


@dataclass(frozen=True)
class Finding:
    """A difference that somebody would notice, in words, with the place to look at."""

    level: Level
    rule: str
    """Stable identifier for machines, e.g. `output/removed`."""
    subject: str
    """What it is about: the name of an input or output, an address, a provider; "" for a part as a whole."""
    sentence: str
    part: str
    """Folder of the part; `schema`."""
    file: str
    """Relative to the bundle."""
    line: int
    """From 1; 0 where there is none."""
    of: str = ""
    """Which version the file is of, as it is called; "" for the new one."""
    versions: tuple[str, ...] = ()
    """The earlier versions that it sets the new one apart from, lowest first."""
    readers: tuple[str, ...] = ()
    """Of an output: the addresses of the instances that read it."""
    accepted: bool = False
    """Whether somebody has accepted this very break with an earlier version."""

    def problem(self, hint: str = "") -> Problem:
        """As problems are shown: what breaks is an error, unless it was accepted before."""
        against = f"Compared with {', '.join(self.versions)}: " if self.versions else ""
        where = f" (The line is that of {self.of}.)" if self.of and self.line else ""
        readers = f" It is read by {', '.join(self.readers)}." if self.readers else ""
        refuses = self.level is Level.MAJOR and not self.accepted
        severity = Severity.ERROR if refuses else Severity.WARNING
        message = f"{against}{self.sentence}{readers}{where}"
        return Problem(self.file, self.line, "", message, self.rule, severity, hint)
