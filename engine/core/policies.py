"""Policies in Rego by the convention of conftest: which packages they have, and what their rules say of a plan.

Rules called `deny`, `violation` or `warn`, or one of these with `_` and a name behind it, give messages: texts, or
objects with a `msg`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.core.guards import REGO, Guards, Policy, Refusal, Severity
from engine.core.paths import short
from engine.errors import ExternalFailure

EMPTY_PLAN: Mapping[str, object] = {
    "format_version": "1.2",
    "variables": {},
    "planned_values": {"root_module": {}},
    "resource_changes": [],
    "output_changes": {},
    "prior_state": {"values": {"root_module": {}}},
    "configuration": {"provider_config": {}, "root_module": {}},
}
"""What a policy is tried with."""
_SEVERITIES = {"deny": Severity.DENY, "violation": Severity.DENY, "warn": Severity.WARN}
_RULE = re.compile(r"(deny|violation|warn)(_[A-Za-z0-9_]+)?", re.ASCII)
_STEP = r'(?:\.[A-Za-z_]\w*|\["[\w. -]+"\])'
_PACKAGE = re.compile(rf"^[ \t]*package[ \t]+([A-Za-z_]\w*{_STEP}*)[ \t]*(?:#.*)?\r?$", re.MULTILINE | re.ASCII)
_HEAD = re.compile(rf"^[ \t]*(?:default[ \t]+)?({_RULE.pattern})\b", re.MULTILINE | re.ASCII)
_MESSAGE_MAX = 1000


def package(policy: Policy) -> str:
    """The package of a file; "" when it says none."""
    found = _PACKAGE.search(policy.text)
    return found[1] if found else ""


def packages(policies: Iterable[Policy]) -> tuple[str, ...]:
    """The packages of all files, each once."""
    return tuple(dict.fromkeys(filter(None, map(package, policies))))


def has_rules(policies: Iterable[Policy]) -> bool:
    """Whether any of the files has a rule that can refuse something."""
    return any(_HEAD.search(policy.text) for policy in policies)


def refusals(guards: Guards, documents: Mapping[str, object], source: str) -> Iterator[Refusal]:
    """What the rules say; `documents` is package -> what all its rules come to.

    Raises ExternalFailure for a rule that gives no messages.
    """
    for name, document in documents.items():
        files = [policy for policy in guards.rego if package(policy) == name]
        for rule, value in document.items() if isinstance(document, dict) else ():
            match = _RULE.fullmatch(rule)
            if match is None:
                continue
            where = f"{REGO}.{_defined_in(rule, files)}.{rule}"
            for message in _messages(where, value):
                yield Refusal(where, _SEVERITIES[match[1]], *message, source)


def _defined_in(rule: str, files: Sequence[Policy]) -> str:
    """The name of the first file that defines the rule; several that share a package may do so."""
    defining = (policy for policy in files if any(head[1] == rule for head in _HEAD.finditer(policy.text)))
    return next(defining, files[0]).name


def _messages(where: str, value: object) -> Iterator[tuple[str, str]]:
    """Address and sentence of each message that a rule gives."""
    if value is True:
        yield "", "The policy says no, and not why."
    elif isinstance(value, str):
        yield "", short(value, _MESSAGE_MAX)
    elif value not in (None, False):
        for each in _members(where, value):
            yield _message(where, each)


def _members(where: str, value: object) -> Sequence[object]:
    if isinstance(value, list):
        return value
    # `deny[msg] { ... }`, as Rego was written before its version 1, gives the messages as names
    if isinstance(value, dict) and all(found is True for found in value.values()):
        return [_unfolded(name) for name in value]
    raise ExternalFailure(f"{where} gives no messages.", hint="Write it as: deny contains msg if { ... }")


def _unfolded(name: str) -> object:
    try:
        found = json.loads(name) if name.startswith("{") else name
    except (ValueError, RecursionError):
        return name
    return found if isinstance(found, dict) else name


def _message(where: str, value: object) -> tuple[str, str]:
    if isinstance(value, str):
        return "", short(value, _MESSAGE_MAX)
    if isinstance(value, dict) and isinstance(value.get("msg"), str):
        address = value.get("address")
        return short(address, _MESSAGE_MAX) if isinstance(address, str) else "", short(value["msg"], _MESSAGE_MAX)
    raise ExternalFailure(f"{where} gives something that is no message.", hint="A message is a text, or has a msg.")
