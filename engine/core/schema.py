"""schema.yaml of a bundle: the inputs that a template takes (reference section 1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.core import shapes
from engine.core.keywords import TypeReader
from engine.core.located import Document, Json, Path, shown
from engine.core.nearest import did_you_mean
from engine.core.references import Resolver
from engine.core.versions import TemplateKind
from engine.errors import Problem, Severity

OPENAPI = "3.0.0"
_OPENAPI = re.compile(r"3\.0\.[0-9]{1,3}", re.ASCII)
_ROOT: Path = ("schema",)
_TYPES: Path = ("schema", "types")
_ENVIRONMENT = "environment_input_type"
_SERVICE = "service_input_type"
_PIPELINE = "pipeline_input_type"
_MEMBERS = ("format", _ENVIRONMENT, _SERVICE, _PIPELINE, "types")


@dataclass(frozen=True)
class Schema:
    """What a template asks of whoever makes an instance of it."""

    kind: TemplateKind
    type: Json
    """The inputs, an object type in OpenAPI 3.0's vocabulary with every `$ref` resolved."""
    type_name: str
    pipeline_type: Json | None = None
    """The inputs of the pipeline; None when the template has none of ours."""
    pipeline_type_name: str = ""


def parse(document: Document, *, customer_managed: bool) -> tuple[Schema | None, tuple[Problem, ...]]:
    """The schema and everything to say about it; no schema when one of the problems is an error.

    `customer_managed` says that the bundle has no infrastructure: its inputs are an environment's outputs.
    """
    parser = _Parser(document)
    schema = parser.schema()
    if schema and customer_managed:
        parser.check_customer_managed(schema)
    problems = tuple(sorted(dict.fromkeys(parser.problems)))
    refused = any(problem.severity is Severity.ERROR for problem in problems)
    return None if refused else schema, problems


@dataclass
class _Parser:
    document: Document
    problems: list[Problem] = field(default_factory=list)

    def schema(self) -> Schema | None:
        if not isinstance(self.document.value, dict):
            self._wrong((), "is not a schema: a mapping that begins with schema: is expected.")
            return None
        root = self._mapping((), self.document.value, ("schema",))
        body = self._mapping(_ROOT, root.get("schema"), _MEMBERS)
        self._check_format(body)
        types, used = self._types(body)
        kind, key = self._kind(body)
        name = self._input_type(body, key, types)
        pipeline = self._input_type(body, _PIPELINE, types) if _PIPELINE in body else ""
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        self._warn_of_unused(types, used | {name, pipeline})
        return Schema(kind, types[name], name, types[pipeline] if pipeline else None, pipeline)

    def check_customer_managed(self, schema: Schema) -> None:
        if schema.kind is TemplateKind.SERVICE:
            self._wrong((*_ROOT, _SERVICE), "A service template needs infrastructure; this bundle has none.")
        for name, property in shapes.properties(schema.type).items():
            place = (*_TYPES, schema.type_name, "properties", name)
            if shapes.kind(property) != "string":
                self._wrong((*place, "type"), "must be string: without infrastructure, inputs become outputs.")
            if shapes.default(property):
                self._wrong((*place, "default"), "must not be there: without infrastructure, inputs become outputs.")

    def _mapping(self, path: Path, value: object, known: tuple[str, ...]) -> Json:
        if not isinstance(value, dict) or (path and not value):
            is_absent = value is None or value == {}
            message = f"is required: a mapping with {', '.join(known)}." if is_absent else "must be a mapping."
            self._wrong(path, message)
            return {}
        for key in value:
            if key not in known:
                self._wrong((*path, key), f"is not a known key.{did_you_mean(key, known)}")
        return value

    def _check_format(self, body: Json) -> None:
        place = (*_ROOT, "format")
        given = self._mapping(place, body.get("format"), ("openapi",)) if body else {"openapi": OPENAPI}
        if given and not _OPENAPI.fullmatch(str(given.get("openapi"))):
            self._wrong((*place, "openapi"), f'must be "{OPENAPI}".')

    def _types(self, body: Json) -> tuple[dict[str, Json], set[str]]:
        given = body.get("types")
        if body and not isinstance(given, dict):
            self._wrong(_TYPES, "is required: a mapping of type names to types.")
        if not isinstance(given, dict):
            return {}, set()
        reader = TypeReader(self.document)
        types = {name: reader.read((*_TYPES, name), type) for name, type in given.items()}
        resolver = Resolver(self.document, types, _TYPES)
        resolved = resolver.all()
        self.problems += reader.problems + resolver.problems
        return resolved, resolver.used

    def _kind(self, body: Json) -> tuple[TemplateKind, str]:
        if _ENVIRONMENT in body and _SERVICE in body:
            self._wrong((*_ROOT, _SERVICE), f"cannot stand beside {_ENVIRONMENT}: a template is one or the other.")
        elif body and _ENVIRONMENT not in body and _SERVICE not in body:
            self._wrong(_ROOT, f"needs {_ENVIRONMENT} or {_SERVICE}, the name of the type that holds the inputs.")
        if _ENVIRONMENT in body and _PIPELINE in body:
            self._wrong((*_ROOT, _PIPELINE), "is for service templates only.")
        if _SERVICE in body and _ENVIRONMENT not in body:
            return TemplateKind.SERVICE, _SERVICE
        return TemplateKind.ENVIRONMENT, _ENVIRONMENT

    def _input_type(self, body: Json, key: str, types: dict[str, Json]) -> str:
        """The name of the type that `key` names; "" when there is none that can be used."""
        if key not in body:
            return ""
        name = body[key]
        if not isinstance(name, str) or not name:
            self._wrong((*_ROOT, key), f"must be the name of a type, not {shown(name)}.")
            return ""
        if name not in types:
            if isinstance(body.get("types"), dict):
                self._wrong((*_ROOT, key), f"There is no type {shown(name)}.{did_you_mean(name, types)}")
            return ""
        if types[name].get("type") != "object":
            self._wrong((*_TYPES, name), f"must have type: object, as {key} names it.")
            return ""
        return name

    def _warn_of_unused(self, types: dict[str, Json], used: set[str]) -> None:
        for name in types:
            if name not in used:
                place, message = (*_TYPES, name), "is not used."
                self.problems.append(
                    self.document.problem(place, message, rule="schema/unused-type", severity=Severity.WARNING)
                )

    def _wrong(self, path: Path, message: str) -> None:
        self.problems.append(self.document.problem(path, message, rule="schema/grammar"))
