"""What following a branch means: which folders and entries of a commit count, and what came of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from engine.core.address import check_name
from engine.core.located import Document, Json, Path, shown
from engine.core.nearest import did_you_mean
from engine.core.repositories import check_branch, inside
from engine.errors import Invalid, NotFound, Problem

_MAJOR = re.compile(r"v([1-9][0-9]{0,5})", re.ASCII)
_RULE = "ops/grammar"
OPS_FILE = "proton-ops.yaml"


class Kind(StrEnum):
    """What follows a branch."""

    TEMPLATE = "template"
    SERVICE = "service"


class Status(StrEnum):
    """What became of an attempt to take over what lies in a commit."""

    IN_PROGRESS = "in progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Outcome(StrEnum):
    """What came of one look at one thing."""

    CHANGED = "changed"
    """A version was registered, or a run recorded."""
    UNCHANGED = "unchanged"
    WAITING = "waiting"
    """An earlier change of the same content is still under way, or waits for somebody's approval."""
    BLOCKED = "blocked"
    """Somebody changed it by hand."""
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What came of one look at one thing."""

    sync_id: int
    kind: str
    name: str
    target: str
    """Major version or instance; "" stands for all of them."""
    outcome: Outcome
    commit: str
    """"" where nobody could look."""
    message: str
    """Why, or what came of it: `web@1.4`, `run 12`."""
    run_ids: tuple[int, ...] = ()
    """The runs that were recorded, or go on; the first is the instance's own."""


@dataclass(frozen=True)
class Entry:
    """What an ops file says about one instance."""

    instance: str
    branch: str
    spec: str
    """Path of the spec from the root of the repository."""


def major(folder: str) -> int | None:
    """The major version that a folder is for: `v2` is for 2; None for any other folder."""
    found = _MAJOR.fullmatch(folder)
    return int(found[1]) if found else None


def misplaced(number: int, known: Iterable[int]) -> str:
    """Why a folder of that major version cannot be registered beside the major versions that there are; "" if it can.

    Numbers are given out in order, so a new major version has to be the next one.
    """
    majors = sorted(known)
    following = max(majors, default=0) + 1
    if number in majors or number == following:
        return ""
    return f"v{number} is not the next major version: that is v{following}."


def run_label(run_id: int) -> str:
    """What an attempt says that recorded a run."""
    return f"run {run_id}"


def run_of(message: str) -> int | None:
    """The run that an attempt recorded, by what it says; None when it recorded none."""
    found = re.fullmatch(r"run ([0-9]{1,15})", message)
    return int(found[1]) if found else None


def entries(document: Document, service: str) -> tuple[Entry, ...]:
    """What an ops file says about a service (reference section 7.7). Raises Invalid with every problem found.

    Raises NotFound when it does not speak of the service.
    """
    reader = _Reader(document)
    services = reader.mapping(("sync", "services"), reader.mapping(("sync",), document.value, "sync"), "services")
    if not reader.problems and service not in services:
        known = did_you_mean(service, services)
        raise NotFound(f"{document.file} does not speak of service {service}.{known}")
    at: Path = ("sync", "services", service)
    members = reader.mapping(at, services, service)
    found = [reader.entry((*at, name), name, members) for name in members]
    if reader.problems:
        raise Invalid(f"{document.file} cannot be used:", problems=sorted(reader.problems))
    return tuple(found)


@dataclass
class _Reader:
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def mapping(self, path: Path, parent: object, key: str) -> Json:
        """The mapping that the parent has under the key; {} after noting that there is none."""
        value = parent.get(key) if isinstance(parent, dict) else None
        if not isinstance(value, dict) and not self.problems:
            self._wrong(path, "is required." if value is None else f"must be a mapping, not {shown(value)}.")
        return value if isinstance(value, dict) else {}

    def entry(self, path: Path, name: str, parent: Json) -> Entry:
        """What it says about an instance; nonsense after noting that something is wrong with it."""
        value = parent[name]
        if not isinstance(value, dict):
            self._wrong(path, "must be a mapping with branch and spec.")
            value = {"branch": "main", "spec": "spec.yaml"}
        for key in value:
            if key not in ("branch", "spec"):
                self._wrong((*path, key), f"is not a known key.{did_you_mean(key, ('branch', 'spec'))}")
        self._checked(path, name, _check_instance)
        branch = self._checked((*path, "branch"), value.get("branch"), check_branch)
        return Entry(name, branch, self._checked((*path, "spec"), value.get("spec"), _check_spec))

    def _checked(self, path: Path, value: object, check: Callable[[str], str]) -> str:
        if not isinstance(value, str):
            self._wrong(path, "is required." if value is None else f"{shown(value)} is not a string.")
            return ""
        try:
            return check(value)
        except Invalid as error:
            self._wrong(path, error.message, error.hint)
            return ""

    def _wrong(self, path: Path, message: str, hint: str = "") -> None:
        self.problems.append(self.document.problem(path, message, rule=_RULE, hint=hint))


def _check_instance(name: str) -> str:
    return check_name(name, "instance name")


def _check_spec(path: str) -> str:
    found = inside(path)
    if not found:
        raise Invalid("is not the path of a file.")
    return found
