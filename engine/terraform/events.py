"""What Terraform says in its JSON stream, one line at a time. Lines come from programs that we do not trust.

Nothing in here raises on any text. Types that are not listed, and lines that are not JSON, become a Message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from engine.core.plans import Action, Change, OutputChange, Summary
from engine.errors import Problem, Severity
from engine.external.lines import clean
from engine.terraform.trees import Tree, at, mapping, number, text, tree_of, whole

NO_OFFSET: Mapping[str, int] = MappingProxyType({})
RETRY = "retry"
"""Type of the lines that Landform itself puts into the stream when it tries a command again."""


@dataclass(frozen=True)
class Event:
    """Something Terraform said."""

    text: str
    """The sentence for people."""


@dataclass(frozen=True)
class Message(Event):
    """Anything that has no type of its own here."""

    kind: str = ""
    """Terraform's name of its type; "" for a line that is not JSON."""
    level: str = ""


@dataclass(frozen=True)
class Version(Event):
    """The first line of every command."""

    terraform: str


@dataclass(frozen=True)
class PlannedChange(Event):
    """The plan would change a resource."""

    change: Change


@dataclass(frozen=True)
class Drift(Event):
    """A resource was changed outside of Terraform."""

    change: Change


@dataclass(frozen=True)
class Refresh(Event):
    """A resource is being read."""

    address: str
    is_finished: bool


@dataclass(frozen=True)
class Applying(Event):
    """An apply works on one resource. A replacement comes as a delete and a create of the same address."""

    address: str
    action: str
    elapsed_s: float


class ApplyStart(Applying):
    """It begins."""


class ApplyProgress(Applying):
    """It takes its time."""


class ApplyComplete(Applying):
    """It is done."""


class ApplyErrored(Applying):
    """It has failed."""


@dataclass(frozen=True)
class ProvisionProgress(Event):
    """A line that a provisioner printed."""

    address: str
    provisioner: str
    output: str


@dataclass(frozen=True)
class Diagnostic(Event):
    """An error or a warning."""

    severity: Severity
    summary: str
    detail: str
    address: str
    """Of the resource it is about; "" when Terraform names none."""
    file: str
    line: int
    """In the bundle's file, from 1; 0 when unknown, or in the header that was put before it."""

    def problem(self) -> Problem:
        """The diagnostic as everything else that is wrong somewhere."""
        message = ": ".join(part for part in (self.summary, self.detail) if part)
        return Problem(self.file, self.line, self.address, message, "terraform", self.severity)


@dataclass(frozen=True)
class Outputs(Event):
    """Root outputs."""

    values: Mapping[str, Mapping[str, object]]
    """Name -> {"sensitive", and "action" in a plan, "type" and, unless it is sensitive, "value" after an apply}."""


@dataclass(frozen=True)
class ChangeSummary(Event):
    """The counts at the end of a plan or an apply."""

    operation: str
    add: int
    change: int
    remove: int


def parse(line: str, line_offset: Mapping[str, int] = NO_OFFSET) -> Event:
    """What the line says. `line_offset` is file -> number of lines that were put before the bundle's own."""
    tree = tree_of(line)
    if tree is None:
        return Message(clean(line))
    kind = text(tree, "type")
    if kind == "diagnostic":
        return _diagnostic(tree, line_offset)
    reader = _READERS.get(kind, _message)
    return reader(tree) or _message(tree)


def summary(events: Iterable[Event]) -> Summary:
    """What a plan would do, from the events of its stream."""
    changes, drift, outputs = [], [], dict[str, OutputChange]()
    for event in events:
        if isinstance(event, PlannedChange):
            changes.append(event.change)
        elif isinstance(event, Drift):
            drift.append(event.change)
        elif isinstance(event, Outputs):
            outputs |= _output_changes(event.values)
    return Summary(tuple(changes), tuple(outputs.values()), tuple(drift))


def _output_changes(values: Mapping[str, Mapping[str, object]]) -> dict[str, OutputChange]:
    planned = (
        (name, str(value["action"]), value["sensitive"] is True) for name, value in values.items() if "action" in value
    )
    return {name: OutputChange(name, action, sensitive) for name, action, sensitive in planned if action != "noop"}


def _message(tree: Tree) -> Event:
    return Message(_said(tree), text(tree, "type"), text(tree, "@level"))


def _version(tree: Tree) -> Event:
    # OpenTofu names itself in its own member
    return Version(_said(tree), text(tree, "terraform") or text(tree, "tofu"))


def _planned_change(tree: Tree) -> Event | None:
    change = _change(tree)
    return PlannedChange(_said(tree), change) if change else None


def _drift(tree: Tree) -> Event | None:
    change = _change(tree)
    return Drift(_said(tree), change) if change else None


def _change(tree: Tree) -> Change | None:
    """The change; None when there is none, as for `noop`."""
    address, action = text(tree, "change", "resource", "addr"), text(tree, "change", "action")
    if not address or action in ("", "noop"):
        return None
    if action not in frozenset(Action):
        # a word of a later Terraform: think the worst, so that nobody approves it unseen
        return Change(address, Action.REPLACE, action)
    previous = text(tree, "change", "previous_resource", "addr")
    return Change(address, Action(action), text(tree, "change", "reason"), previous)


def _refresh(tree: Tree) -> Event:
    return Refresh(_said(tree), _address(tree), text(tree, "type") == "refresh_complete")


def _applying(step: type[Applying]) -> Callable[[Tree], Event | None]:
    def read(tree: Tree) -> Event | None:
        address = _address(tree)
        elapsed_s = number(tree, "hook", "elapsed_seconds")
        return step(_said(tree), address, text(tree, "hook", "action"), elapsed_s) if address else None

    return read


def _provision(tree: Tree) -> Event:
    provisioner, output = text(tree, "hook", "provisioner"), text(tree, "hook", "output")
    return ProvisionProgress(_said(tree), _address(tree), provisioner, output)


def _diagnostic(tree: Tree, line_offset: Mapping[str, int]) -> Event:
    severity = Severity.WARNING if text(tree, "diagnostic", "severity") == "warning" else Severity.ERROR
    file = text(tree, "diagnostic", "range", "filename")
    line = whole(tree, "diagnostic", "range", "start", "line") - line_offset.get(file, 0)
    return Diagnostic(
        _said(tree),
        severity,
        text(tree, "diagnostic", "summary"),
        text(tree, "diagnostic", "detail"),
        text(tree, "diagnostic", "address"),
        file,
        max(0, line),
    )


def _outputs(tree: Tree) -> Event:
    found = ((name, at(tree, "outputs", name)) for name in mapping(at(tree, "outputs")))
    return Outputs(_said(tree), {name: _output(mapping(value)) for name, value in found})


def _output(value: Tree) -> Mapping[str, object]:
    kept = {key: value[key] for key in ("type", "value", "action") if key in value}
    return kept | {"sensitive": value.get("sensitive") is not False}


def _change_summary(tree: Tree) -> Event:
    counts = (whole(tree, "changes", name) for name in ("add", "change", "remove"))
    return ChangeSummary(_said(tree), text(tree, "changes", "operation"), *counts)


_READERS: Mapping[str, Callable[[Tree], Event | None]] = {
    "version": _version,
    "planned_change": _planned_change,
    "resource_drift": _drift,
    "refresh_start": _refresh,
    "refresh_complete": _refresh,
    "apply_start": _applying(ApplyStart),
    "apply_progress": _applying(ApplyProgress),
    "apply_complete": _applying(ApplyComplete),
    "apply_errored": _applying(ApplyErrored),
    "provision_progress": _provision,
    "outputs": _outputs,
    "change_summary": _change_summary,
}


def _said(tree: Tree) -> str:
    return text(tree, "@message")


def _address(tree: Tree) -> str:
    return text(tree, "hook", "resource", "addr")
