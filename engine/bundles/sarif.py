"""Problems as a SARIF 2.1.0 log, which code-review tools show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from engine.errors import Problem, Severity

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_NO_RULE = "landform"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def report(problems: Iterable[Problem], version: str = "") -> dict[str, Any]:
    """The log, the same for the same problems in any order. `version` is Landform's; "" leaves it out."""
    found = sorted(set(problems))
    rules = sorted({_rule(problem) for problem in found})
    driver = {
        "name": "Landform",
        **({"version": version} if version else {}),
        "rules": [{"id": rule} for rule in rules],
    }
    results = [_result(problem, rules) for problem in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(problem: Problem) -> str:
    return problem.rule or _NO_RULE


def _result(problem: Problem, rules: list[str]) -> dict[str, Any]:
    sentence = f"{problem.field}: {problem.message}" if problem.field else problem.message
    result: dict[str, Any] = {
        "ruleId": _rule(problem),
        "ruleIndex": rules.index(_rule(problem)),
        "level": _LEVELS[problem.severity],
        "message": {"text": f"{sentence} {problem.hint}" if problem.hint else sentence},
    }
    if problem.file:
        result["locations"] = [{"physicalLocation": _location(problem)}]
    return result


def _location(problem: Problem) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(problem.file)}}
    if problem.line:
        location["region"] = {"startLine": problem.line}
    return location
