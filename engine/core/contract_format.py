"""How contract tests are written: `tests/*.yaml` of a bundle, read with everything wrong said at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from engine.core import address, located, values
from engine.core.bundle import PartName
from engine.core.contracts import (
    ANY,
    LIKE,
    MATCHERS,
    UNKNOWN,
    Contract,
    Environment,
    Expected,
    Given,
    Neighbour,
    Service,
    Wanted,
)
from engine.core.located import Document, Json, Path, shown
from engine.errors import Invalid, Problem

RULE = "test/format"
TESTS_MAX = 200
_NAME_MAX = 120
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": 1000}
_MAP: Json = {"type": "object"}
_ENVIRONMENT: Json = {"type": "object", "properties": {"name": _TEXT, "outputs": _MAP}}
_RESOURCES: Json = {
    "type": "array",
    "items": {"type": "object", "properties": {"address": _TEXT, "type": _TEXT, "attributes": _MAP}},
}
_EXPECT: Json = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        "contains": _RESOURCES,
        "lacks": _RESOURCES,
        "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
        "outputs": _MAP,
        "fails": _TEXT,
    },
}
_TEST: Json = {
    "type": "object",
    "required": ["name", "expect"],
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": _NAME_MAX},
        "part": {"type": "string"},
        "inputs": _MAP,
        "environment": _ENVIRONMENT,
        "service": {
            "type": "object",
            "properties": {"name": _TEXT, "repository_connection": _TEXT, "repository": _TEXT, "branch": _TEXT},
        },
        "service_instance": {"type": "object", "properties": {"name": _TEXT}},
        "component": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": _TEXT, "outputs": _MAP},
        },
        "service_instances": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": _TEXT, "inputs": _MAP, "outputs": _MAP, "environment": _ENVIRONMENT},
            },
        },
        "expect": _EXPECT,
    },
}
FORMAT: Json = {
    "type": "object",
    "required": ["tests"],
    "properties": {"tests": {"type": "array", "minItems": 1, "maxItems": TESTS_MAX, "items": _TEST}},
}
_GIVEN = {
    PartName.INFRASTRUCTURE: ("inputs", "environment"),
    PartName.INSTANCE: ("inputs", "environment", "service", "service_instance", "component"),
    PartName.PIPELINE: ("inputs", "service", "service_instances"),
}
"""What the code of each part is handed."""
_OTHERS = ("name", "part", "expect")


def parse(text: str, file: str, parts: Sequence[PartName]) -> tuple[tuple[Contract, ...], tuple[Problem, ...]]:
    """The tests of one file, and everything wrong with it; no test of a file with problems.

    `parts` are those of the bundle; a test that names none is of the first.
    """
    try:
        document = located.parse(text, file)
    except Invalid as error:
        return (), error.problems
    if problems := [document.problem(at, why, rule=RULE) for at, why in values.violations(FORMAT, document.value)]:
        return (), tuple(problems)
    assert isinstance(document.value, dict)
    found: list[Json] = document.value["tests"]
    problems = [problem for at, row in enumerate(found) for problem in _problems(document, ("tests", at), row, parts)]
    problems += _twice(document, found)
    if problems:
        return (), tuple(problems)
    tests = (_test(document, ("tests", at), row, parts[0]) for at, row in enumerate(found))
    return tuple(tests), ()


def _problems(document: Document, at: Path, row: Json, parts: Sequence[PartName]) -> Iterator[Problem]:
    names = [part.value for part in parts]
    part = row.get("part", names[0])
    if part not in names:
        yield document.problem((*at, "part"), f"{shown(part)} is not one of {', '.join(names)}.", rule=RULE)
        return
    for key in row:
        if key not in (*_GIVEN[PartName(part)], *_OTHERS):
            yield document.problem((*at, key), f"is nothing that the code in {part}/ is given.", rule=RULE)
    if part == PartName.INFRASTRUCTURE and "outputs" in row.get("environment", {}):
        message = f"is nothing that the code in {part}/ is given: it is the environment."
        yield document.problem((*at, "environment", "outputs"), message, rule=RULE)
    for path, name in _names(row):
        try:
            address.check_name(name)
        except Invalid as error:
            yield document.problem((*at, *path), error.message, rule=RULE, hint=error.hint)
    if not row["name"].isprintable():
        yield document.problem((*at, "name"), "must be one line of text.", rule=RULE)
    yield from _wrong_expectations(document, (*at, "expect"), row["expect"])


def _names(row: Json) -> Iterator[tuple[Path, str]]:
    """Where the row names something that has a place in Landform."""
    for key in ("environment", "service", "service_instance", "component"):
        if "name" in row.get(key, {}):
            yield (key, "name"), row[key]["name"]
    for index, each in enumerate(row.get("service_instances", ())):
        yield ("service_instances", index, "name"), each["name"]
        if "name" in each.get("environment", {}):
            yield ("service_instances", index, "environment", "name"), each["environment"]["name"]


def _wrong_expectations(document: Document, at: Path, expect: Json) -> Iterator[Problem]:
    if "fails" in expect and len(expect) > 1:
        message = "stands alone: where there is no plan, nothing can be said about it."
        yield document.problem((*at, "fails"), message, rule=RULE)
    for key in ("contains", "lacks"):
        for index, each in enumerate(expect.get(key, ())):
            if not each.keys() & {"address", "type"}:
                yield document.problem((*at, key, index), "needs an address or a type.", rule=RULE)
            yield from _wrong_values(document, (*at, key, index, "attributes"), each.get("attributes", {}))
    yield from _wrong_values(document, (*at, "outputs"), expect.get("outputs", {}))


def _wrong_values(document: Document, at: Path, value: object) -> Iterator[Problem]:
    """What stands in place of values and is nothing that can."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong_values(document, (*at, index), item)
    if not isinstance(value, Mapping):
        return
    meant = [key for key in value if str(key).startswith("$")]
    if not meant:
        for key, item in value.items():
            yield from _wrong_values(document, (*at, key), item)
    elif len(value) > 1 or not _is_matcher(meant[0], value[meant[0]]):
        hint = f"Write {{{ANY}: true}}, {{{UNKNOWN}: true}} or {{{LIKE}: TEXT}}, where TEXT may hold * and ?."
        yield document.problem((*at, meant[0]), "is nothing that can stand for a value.", rule=RULE, hint=hint)


def _is_matcher(key: str, value: object) -> bool:
    return key in MATCHERS and (isinstance(value, str) if key == LIKE else value is True)


def _twice(document: Document, rows: Collection[Json]) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row["name"] in seen:
            message = f"{shown(row['name'])} is the name of another test of this file."
            yield document.problem(("tests", at, "name"), message, rule=RULE)
        seen.add(row["name"])


def _test(document: Document, at: Path, row: Json, main: PartName) -> Contract:
    part = PartName(row.get("part", main.value))
    return Contract(row["name"], part, _given(row), _expected(row["expect"]), document, at)


def _given(row: Json) -> Given:
    component = row.get("component")
    return Given(
        inputs=row.get("inputs", {}),
        environment=_environment(row.get("environment", {})),
        service=Service(**row.get("service", {})),
        instance=row.get("service_instance", {}).get("name", Given.instance),
        component=_neighbour(component) if component is not None else None,
        instances=tuple(map(_neighbour, row.get("service_instances", ()))),
    )


def _environment(given: Mapping[str, Any]) -> Environment:
    return Environment(**given)


def _neighbour(given: Mapping[str, Any]) -> Neighbour:
    return Neighbour(**{**given, "environment": _environment(given.get("environment", {}))})


def _expected(expect: Json) -> Expected:
    wanted = {key: tuple(Wanted(**each) for each in expect.get(key, ())) for key in ("contains", "lacks")}
    return Expected(**{**expect, **wanted})
