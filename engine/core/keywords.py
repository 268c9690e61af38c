"""The Schema Object of OpenAPI 3.0.3 as bundles may use it: every keyword, and what its value must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core import patterns
from engine.core.located import Document, Json, Path, shown
from engine.core.nearest import did_you_mean
from engine.core.shapes import ALTERNATIVES
from engine.core.values import is_number
from engine.errors import Problem, Severity

INPUT_NAME_MAX = 100
TYPES = ("string", "number", "integer", "boolean", "array", "object")
_INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_REFERENCE = re.compile(r"#/(?:types/|components/schemas/)?([^/]+)")
_PAIRS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


@dataclass(frozen=True)
class _Keyword:
    must_be: str
    fits: Callable[[object], bool]
    kinds: frozenset[str] = frozenset(TYPES)
    """The types for which it means something."""


def _is_count(value: object) -> bool:
    return is_number(value) and isinstance(value, int) and value >= 0


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value) and len(set(value)) == len(value)


def _keywords() -> dict[str, _Keyword]:
    text = _Keyword("text", lambda value: isinstance(value, str))
    flag = _Keyword("true or false", lambda value: isinstance(value, bool))
    anything = _Keyword("anything", lambda value: True)
    mapping = _Keyword("a mapping", lambda value: isinstance(value, dict))
    numbers, lists, objects = frozenset({"number", "integer"}), frozenset({"array"}), frozenset({"object"})

    def number(must_be: str, fits: Callable[[object], bool]) -> _Keyword:
        return _Keyword(must_be, fits, numbers)

    def count(kind: str) -> _Keyword:
        return _Keyword("a whole number from 0 up", _is_count, frozenset({kind}))

    return {
        "type": _Keyword(f"one of {', '.join(TYPES)}", lambda value: value in TYPES),
        "enum": _Keyword("a list with at least one value", _is_list),
        **dict.fromkeys(("title", "description", "format"), text),
        **dict.fromkeys(("nullable", "deprecated", "readOnly", "writeOnly"), flag),
        **dict.fromkeys(("default", "example"), anything),
        **dict.fromkeys(("externalDocs", "xml", "discriminator"), mapping),
        **dict.fromkeys(("minimum", "maximum"), number("a number", is_number)),
        **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), number("true or false", flag.fits)),
        "multipleOf": number("a number above 0", lambda value: is_number(value) and float(str(value)) > 0),
        **dict.fromkeys(("minLength", "maxLength"), count("string")),
        **dict.fromkeys(("minItems", "maxItems"), count("array")),
        **dict.fromkeys(("minProperties", "maxProperties"), count("object")),
        "pattern": _Keyword("text", text.fits, frozenset({"string"})),
        "uniqueItems": _Keyword("true or false", flag.fits, lists),
        "required": _Keyword("a list of different names", _is_names, objects),
        "properties": _Keyword("a mapping of names to types", mapping.fits, objects),
        "items": _Keyword("a mapping that describes a type", mapping.fits, lists),
        "additionalProperties": _Keyword(
            "true, false or a mapping that describes a type", lambda value: isinstance(value, bool | dict), objects
        ),
        **dict.fromkeys(ALTERNATIVES, _Keyword("a list of types", _is_list)),
        "not": _Keyword("a mapping that describes a type", mapping.fits),
        "$ref": text,
    }


KEYWORDS = _keywords()
_BESIDE_REF = frozenset({"$ref", "title", "description", "default", "example", "deprecated", "readOnly", "writeOnly"})


@dataclass
class TypeReader:
    """Reads types; what it returns holds only known keywords with fitting values, whatever the file says."""

    document: Document
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path, given: object, *, in_alternative: bool = False) -> Json:
        """The type written at `path`; `$ref` in it is reduced to the name of the type referred to."""
        if not isinstance(given, dict):
            self._wrong(path, "must be a mapping that describes a type.", "schema/type")
            return {}
        usable = {key: value for key, value in given.items() if self._fits(path, key, value)}
        type = {key: self._value((*path, key), key, value) for key, value in usable.items()}
        if "$ref" in given:
            return self._reference(path, type)
        self._contradictions(path, type)
        if not in_alternative:
            self._required(path, type)
        return type

    def _fits(self, path: Path, key: str, value: object) -> bool:
        keyword = KEYWORDS.get(key)
        if keyword is None:
            if not key.startswith("x-"):
                self._wrong((*path, key), f"is not a keyword of types.{did_you_mean(key, KEYWORDS)}", "schema/keyword")
            return False
        wrong = "" if keyword.fits(value) else f"must be {keyword.must_be}, not {shown(value)}."
        if not wrong and key == "pattern" and (why := patterns.wrong(str(value))):
            wrong = f"{shown(value)} {why}."
        if wrong:
            self._wrong((*path, key), wrong, "schema/keyword-value")
        return not wrong

    def _value(self, path: Path, key: str, value: object) -> object:
        if key == "properties" and isinstance(value, dict):
            return {name: self._property((*path, name), name, part) for name, part in value.items()}
        if key in ALTERNATIVES and isinstance(value, list):
            return [self.read((*path, index), part, in_alternative=True) for index, part in enumerate(value)]
        if key in ("items", "not", "additionalProperties") and isinstance(value, dict):
            return self.read(path, value, in_alternative=key == "not")
        return value

    def _property(self, path: Path, name: str, given: object) -> Json:
        if len(name) > INPUT_NAME_MAX:
            message = f"has a name of {len(name)} characters; {INPUT_NAME_MAX} are the most."
            self._wrong(path, message, "schema/input-name")
        elif not _INPUT_NAME.fullmatch(name):
            message = f"{shown(name)} cannot be a name in Terraform: letters, digits, _ and -, no digit or - first."
            self._wrong(path, message, "schema/input-name")
        return self.read(path, given)

    def _reference(self, path: Path, type: Json) -> Json:
        for key in type:
            if key not in _BESIDE_REF:
                message = "means nothing beside $ref."
                self._wrong((*path, key), message, "schema/ref", f"Write allOf: [{{$ref: ...}}] and {key} beside it.")
        found = _REFERENCE.fullmatch(type.get("$ref", ""))
        if "$ref" in type and not found:
            message = f"{shown(type['$ref'])} does not refer to a type of this file."
            self._wrong((*path, "$ref"), message, "schema/ref", 'Write it as "#/TypeName".')
        kept = {key: value for key, value in type.items() if key in _BESIDE_REF - {"$ref"}}
        return {"$ref": found[1], **kept} if found else kept

    def _contradictions(self, path: Path, type: Json) -> None:
        for low, high in _PAIRS:
            if low in type and high in type and type[low] > type[high]:
                message = f"{type[low]} is more than {high} {type[high]}: nothing can satisfy both."
                self._wrong((*path, low), message, "schema/contradiction")
        for key in type:
            if "type" in type and type["type"] not in KEYWORDS[key].kinds:
                message = f"means nothing for type {type['type']}."
                problem = self.document.problem(
                    (*path, key), message, rule="schema/ignored-keyword", severity=Severity.WARNING
                )
                self.problems.append(problem)

    def _required(self, path: Path, type: Json) -> None:
        # alternatives and open objects may know names that are not listed here
        if "properties" not in type or type.get("additionalProperties") or any(key in type for key in ALTERNATIVES):
            return
        for index, name in enumerate(type.get("required", ())):
            if name not in type["properties"]:
                message = f"{shown(name)} is not one of the properties.{did_you_mean(name, type['properties'])}"
                self._wrong((*path, "required", index), message, "schema/required")

    def _wrong(self, path: Path, message: str, rule: str, hint: str = "") -> None:
        self.problems.append(self.document.problem(path, message, rule=rule, hint=hint))
