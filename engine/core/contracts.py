"""Contract tests of a bundle as values: what a test gives, what it expects, and what a run of them came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from engine.core.bundle import PartName
from engine.core.located import Document, Json, Path
from engine.errors import Problem

FOLDER = "tests/"
TERRAFORM_SUFFIXES = (".tftest.hcl", ".tftest.json")
SUFFIXES = (".yaml", ".yml")
RULE = "test/failed"
ANY, UNKNOWN, LIKE = "$any", "$unknown", "$like"
MATCHERS = (ANY, UNKNOWN, LIKE)
"""What may stand in place of a value: that there is one, that only the apply will tell, and a text with `*` and `?`."""


@dataclass(frozen=True)
class Environment:
    """The environment of what is tested."""

    name: str = "example"
    outputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """The service of what is tested."""

    name: str = "example"
    repository_connection: str = ""
    repository: str = ""
    branch: str = ""


@dataclass(frozen=True)
class Neighbour:
    """What outputs come from beside the environment: an attached component, or an instance of a pipeline's service."""

    name: str
    outputs: Mapping[str, object] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)
    environment: Environment = Environment()


@dataclass(frozen=True)
class Given:
    """What the code is handed."""

    inputs: Mapping[str, object] = field(default_factory=dict)
    """Without defaults."""
    environment: Environment = Environment()
    service: Service = Service()
    instance: str = "example"
    component: Neighbour | None = None
    """None: no component is attached."""
    instances: tuple[Neighbour, ...] = ()
    """Of a pipeline's service."""


@dataclass(frozen=True)
class Wanted:
    """A resource, as a test speaks of it."""

    address: str = ""
    """Exact, or without its index; "" for any."""
    type: str = ""
    """`aws_s3_bucket`, or `data.aws_ami`; "" for any."""
    attributes: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.address or self.type


@dataclass(frozen=True)
class Expected:
    """What the plan must be like."""

    contains: tuple[Wanted, ...] = ()
    lacks: tuple[Wanted, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """`add`, `read`, or a type -> how many."""
    outputs: Mapping[str, object] = field(default_factory=dict)
    fails: str | None = None
    """What the error must say; None when there must be a plan."""


@dataclass(frozen=True)
class Contract:
    """One test of a YAML file."""

    name: str
    part: PartName
    given: Given
    expected: Expected
    document: Document
    at: Path
    """Where the document has it."""

    def problem(self, path: Path, message: str) -> Problem:
        """What is not as expected; `path` leads there from the test."""
        return self.document.problem((*self.at, *path), message, rule=RULE)


@dataclass(frozen=True)
class Suite:
    """All contract tests of a bundle."""

    tests: tuple[Contract, ...] = ()
    terraform: Mapping[PartName, Mapping[str, str]] = field(default_factory=dict)
    """Part -> files of `terraform test` as they are named in the workspace -> their name in the bundle."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not self.tests and not self.terraform


@dataclass(frozen=True)
class Result:
    """What one test came to."""

    name: str
    file: str
    line: int
    """0 when it is not known."""
    part: str
    seconds: float | None
    """None of `terraform test`, which does not say."""
    problems: tuple[Problem, ...] = ()
    """Why it has failed; () when it has passed."""

    @property
    def is_passed(self) -> bool:
        """Whether all was as expected."""
        return not self.problems

    def to_json(self) -> Json:
        """As reports keep it."""
        failures = [
            {"file": each.file, "line": each.line, "field": each.field, "message": each.message}
            for each in self.problems
        ]
        row = {name: value for name, value in asdict(self).items() if name != "problems"}
        return {**row, "passed": self.is_passed, "failures": failures}


@dataclass(frozen=True)
class Report:
    """What the contract tests of a bundle came to."""

    results: tuple[Result, ...]
    terraform: str
    """The version that planned."""

    @property
    def is_passed(self) -> bool:
        """Whether there were tests, and all of them passed."""
        return bool(self.results) and all(result.is_passed for result in self.results)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why tests failed, by file and line."""
        return tuple(sorted(problem for result in self.results for problem in result.problems))

    def sentence(self) -> str:
        """How many passed, as the end of a sentence."""
        failed = sum(not result.is_passed for result in self.results)
        if not self.results:
            return "it has none"
        return f"{failed} of {len(self.results)} failed" if failed else f"all {len(self.results)} passed"

    def to_json(self) -> Json:
        """As the catalog keeps it."""
        tests = [result.to_json() for result in self.results]
        return {"passed": self.is_passed, "terraform": self.terraform, "tests": tests}


def from_json(stored: Mapping[str, object]) -> Report:
    """The report that to_json() gave."""
    tests = stored.get("tests")
    rows = [row for row in tests if isinstance(row, dict)] if isinstance(tests, Sequence) else []
    return Report(tuple(map(_result, rows)), str(stored.get("terraform", "")))


def _result(row: Json) -> Result:
    problems = tuple(
        Problem(each["file"], each["line"], each["field"], each["message"], RULE) for each in row["failures"]
    )
    return Result(row["name"], row["file"], row["line"], row["part"], row["seconds"], problems)
