"""Files of guards, as admins write them: YAML, read with everything that is wrong in them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.core.guards import NAMES, REGO, Guards, Policy, Ports, ports
from engine.core.located import Document, Path, shown
from engine.core.nearest import did_you_mean
from engine.errors import Invalid, Problem

Reader = Callable[[str], str]
"""The text of a file that the guards name, relative to where they lie. Raises Invalid."""
POLICY_BYTES_MAX = 64 * 1024
POLICIES_MAX = 20
_ITEMS_MAX = 200
_LENGTH_MAX = 200
_POLICY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_-]*\.rego", re.ASCII)
_HINT = "See docs/how-to/guards.md."


def parse(document: Document, read: Reader) -> Guards:
    """The guards of a file. Raises Invalid with every problem, those of the files of Rego that it names included."""
    reading = _Reading(document, read)
    if not isinstance(document.value, dict) or not document.value:
        said = f"says {shown(document.value)}" if document.value else "is empty"
        reading.add((), f"is not a file of guards: it {said}.")
    given = document.value if isinstance(document.value, dict) else {}
    for name in given:
        if name not in NAMES:
            reading.add((name,), f"is not a guard.{did_you_mean(str(name), NAMES)}")
    values = {name: _READERS[name](reading, (name,), given[name]) for name in NAMES if name in given}
    if not reading.problems:
        _refuse_idle(reading, values)
    if reading.problems:
        raise Invalid("The guards cannot be used:", problems=sorted(reading.problems), hint=_HINT)
    return Guards(**values)  # type: ignore[arg-type]


@dataclass
class _Reading:
    """One file, and what was found wrong in it so far."""

    document: Document
    read: Reader
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message, rule="guards"))


def _refuse_idle(reading: _Reading, values: Mapping[str, object]) -> None:
    """Finds names in `warn_only` of guards that the file does not set."""
    names = values.get("warn_only")
    for position, name in enumerate(names if isinstance(names, tuple) else ()):
        if name not in values:
            reading.add(("warn_only", position), f"{name} is not among the guards of this file.")


def _words(reading: _Reading, path: Path, value: object) -> tuple[str, ...]:
    """A list of patterns or names; one alone may stand without brackets."""
    found = value if isinstance(value, list) else [value]
    if not 0 < len(found) <= _ITEMS_MAX:
        reading.add(path, f"is a list with {len(found)} items: 1 to {_ITEMS_MAX} are allowed.")
        return ()
    for position, item in enumerate(found):
        if not isinstance(item, str) or not item or len(item) > _LENGTH_MAX or not item.isprintable():
            here = (*path, position) if isinstance(value, list) else path
            reading.add(here, f"{shown(item)} is not a text of 1 to {_LENGTH_MAX} characters.")
    return tuple(item for item in found if isinstance(item, str))


def _providers(reading: _Reading, path: Path, value: object) -> tuple[str, ...]:
    found = _words(reading, path, value)
    # as Terraform reads a provider without a namespace
    return tuple(item if "/" in item else f"hashicorp/{item}" for item in found)


def _count(reading: _Reading, path: Path, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000:
        return value
    reading.add(path, f"{shown(value)} is not a whole number from 0 to 1000000.")
    return 0


def _tags(reading: _Reading, path: Path, value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        return dict.fromkeys(_words(reading, path, value), ())
    if not value:
        reading.add(path, "names no tag.")
    return {
        str(name): () if allowed in (None, "*") else _words(reading, (*path, name), allowed)
        for name, allowed in value.items()
    }


def _ingress(reading: _Reading, path: Path, value: object) -> tuple[Ports, ...] | None:
    if isinstance(value, bool):
        return None if value else ()
    if not isinstance(value, dict) or set(value) != {"ports"}:
        reading.add(path, f"{shown(value)} is neither false nor of the form {{ports: [443]}}.")
        return None
    found = value["ports"] if isinstance(value["ports"], list) else [value["ports"]]
    allowed = []
    for position, item in enumerate(found):
        parsed = ports(str(item)) if isinstance(item, int | str) and not isinstance(item, bool) else None
        if parsed is None:
            reading.add((*path, "ports", position), f"{shown(item)} is neither a port nor ports like 8000-8100.")
        else:
            allowed.append(parsed)
    return tuple(allowed)


def _claim(reading: _Reading, path: Path, value: object) -> bool:
    if not isinstance(value, bool):
        reading.add(path, f"{shown(value)} is neither true nor false.")
    return value is not False


def _policies(reading: _Reading, path: Path, value: object) -> tuple[Policy, ...]:
    names = _words(reading, path, value)
    if len(names) > POLICIES_MAX:
        reading.add(path, f"names {len(names)} files: {POLICIES_MAX} are the most.")
        return ()
    found: dict[str, Policy] = {}
    for position, name in enumerate(names):
        here = (*path, position) if isinstance(value, list) else path
        policy = _policy(reading, here, name)
        if policy is not None and policy.name in found:
            reading.add(here, f"{name} and {found[policy.name].file} have the same name: an exception could mean both.")
        elif policy is not None:
            found[policy.name] = policy
    return tuple(found.values())


def _policy(reading: _Reading, path: Path, name: str) -> Policy | None:
    if not _POLICY.fullmatch(name):
        reading.add(path, f"{shown(name)} is not a file like policies/tags.rego, beside the guards or below.")
        return None
    try:
        text = reading.read(name)
    except Invalid as error:
        reading.add(path, error.message)
        return None
    if len(text.encode()) > POLICY_BYTES_MAX:
        reading.add(path, f"{name} is larger than {POLICY_BYTES_MAX // 1024} KiB.")
    return Policy(name, text)


def _warn_only(reading: _Reading, path: Path, value: object) -> tuple[str, ...]:
    found = _words(reading, path, value)
    known = [name for name in NAMES if name not in (REGO, "warn_only")]
    for position, name in enumerate(found):
        if name not in known:
            hint = " Its rules named warn only warn." if name == REGO else did_you_mean(name, known)
            reading.add((*path, position), f"{shown(name)} is not a guard that can only warn.{hint}")
    return found


_READERS: Mapping[str, Callable[[_Reading, Path, object], object]] = {
    "never_destroy": _words,
    "max_destroys": _count,
    "providers": _providers,
    "regions": _words,
    "required_tags": _tags,
    "public_ingress": _ingress,
    "local_exec": _claim,
    "rego": _policies,
    "warn_only": _warn_only,
}
