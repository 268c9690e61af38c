"""Whether what the code reads of Proton's namespace is there (reference section 2.1), and whether inputs are used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from engine.bundles.limits import shown
from engine.bundles.parts import Loaded
from engine.core import shapes
from engine.core.bundle import PartName, Read
from engine.core.located import Document, Json
from engine.core.nearest import did_you_mean
from engine.core.schema import Schema
from engine.core.versions import TemplateKind
from engine.errors import Problem, Severity

_Members: TypeAlias = "Mapping[str, _Members | None]"
"""Name -> what is below it; None where nothing is known of it, and anything may be."""

_SERVICE: _Members = {"branch_name": None, "name": None, "repository_connection_arn": None, "repository_id": None}
_UPSTREAM: _Members = {"account_id": None, "name": None, "outputs": None}
_COMPONENTS: _Members = {"default": {"name": None, "outputs": None}}
_NOUN = {
    PartName.INFRASTRUCTURE: "An environment",
    PartName.INSTANCE: "A service instance",
    PartName.PIPELINE: "A pipeline",
    PartName.COMPONENT: "A component",
}
_GIVEN = frozenset({"environment", "pipeline", "service_instance", "service_instances[]"})
_COMPOUND = ("allOf", "anyOf", "oneOf", "additionalProperties")


def check(loaded: Loaded, schema: Schema | None) -> Iterator[Problem]:
    """A problem for each reference that leads nowhere, a warning for each to what may be absent.

    Inputs are not checked when there is no schema.
    """
    namespace = _namespace(loaded.part.name, schema)
    is_jinja = loaded.part.engine == "jinja"
    code = [parsed for parsed in loaded.root if parsed.is_complete and not parsed.file.endswith(".j2")]
    plain = [read for parsed in code for read in parsed.reads]
    for read in sorted({*plain, *(loaded.expressions if is_jinja else ())}):
        problem = _problem(loaded.part.name, namespace, read) or (_optional(schema, read) if schema else None)
        if problem:
            yield loaded.placed(problem)


def _namespace(part: PartName, schema: Schema | None) -> _Members:
    inputs = _inputs(schema.type if schema else None)
    if part is PartName.INFRASTRUCTURE:
        return {"environment": {"inputs": inputs, "name": None}, "proton_tags": None}
    if part is PartName.INSTANCE:
        instance: _Members = {"components": _COMPONENTS, "inputs": inputs, "name": None}
        return {"environment": _UPSTREAM, "proton_tags": None, "service": _SERVICE, "service_instance": instance}
    if part is PartName.COMPONENT:
        attached: _Members = {"inputs": None, "name": None}
        mine: _Members = {"component": {"name": None}, "environment": _UPSTREAM, "proton_tags": None}
        return {**mine, "service": {"name": None}, "service_instance": attached}
    element: _Members = {"environment": _UPSTREAM, "inputs": inputs, "name": None, "outputs": None}
    return {
        "pipeline": {"inputs": _inputs(schema.pipeline_type if schema else None)},
        "proton_tags": None,
        "service": _SERVICE,
        "service_instances": None,
        "service_instances[]": element,
    }


def _inputs(type_: Mapping[str, object] | None) -> _Members | None:
    if type_ is None or any(type_.get(keyword) for keyword in _COMPOUND):
        return None
    properties = type_.get("properties")
    return dict.fromkeys(properties) if isinstance(properties, Mapping) else {}


def _problem(part: PartName, namespace: _Members, read: Read) -> Problem | None:
    members: _Members | None = namespace
    passed: list[str] = []
    for step in read.path.split("."):
        if members is None:
            return None
        if step not in members:
            # a missing variable is an error for Terraform even inside can()
            return None if read.guarded and passed else _missing(part, members, passed, step, read)
        members = members[step]
        passed.append(step)
    return None


def _missing(part: PartName, members: _Members, passed: list[str], step: str, read: Read) -> Problem:
    field = shown(f"var.{read.path}" if not read.file.endswith(".j2") else read.path)
    name = shown(step.removesuffix("[]"))
    hint = did_you_mean(name, members).strip()
    if passed and passed[-1] == "inputs":
        return Problem(
            read.file, read.line, field, f'The schema has no input "{name}".', "hcl/unknown-input", hint=hint
        )
    where = ".".join([*passed, name])
    known = ", ".join(".".join([*passed, member]) for member in members if not member.endswith("[]"))
    message = f"{_NOUN[part]} is not given {where}."
    return Problem(
        read.file, read.line, field, message, "hcl/unknown-reference", hint=f"{hint} There is: {known}.".strip()
    )


def _optional(schema: Schema, read: Read) -> Problem | None:
    """A warning when the input that is read may be absent, and nothing provides for that."""
    given, _, path = read.path.partition(".inputs.")
    type_ = schema.pipeline_type if given == "pipeline" else schema.type
    name = _absent(type_, path.split(".")) if path and type_ and given in _GIVEN and not read.guarded else ""
    if not name:
        return None
    is_jinja = read.file.endswith(".j2")
    guard = "with the filter default or `is defined`" if is_jinja else "with try()"
    hint = f"Guard it {guard}, give it a default, or make it required."
    field = shown(read.path if is_jinja else f"var.{read.path}")
    message = f"{shown(name)} may be absent."
    return Problem(read.file, read.line, field, message, "hcl/optional-input", Severity.WARNING, hint)


def _absent(type_: Json, steps: list[str]) -> str:
    """The first of the inputs on the way that need not be given, as `scale.max`; "" when there is none."""
    for at, step in enumerate(steps):
        members = shapes.properties(type_)
        if step not in members:
            # below a list, a map or an alternative
            return ""
        if step not in shapes.required(type_) and not shapes.default(members[step]):
            return ".".join(steps[: at + 1])
        type_ = members[step]
    return ""


def unused(parts: Collection[Loaded], schema: Schema, document: Document) -> Iterator[Problem]:
    """A warning for each input that no code reads; none when some code could not be read."""
    if not all(loaded.is_complete for loaded in parts):
        return
    read = {read.path for loaded in parts for read in loaded.part.reads}
    # a sensitive variable is given the input of its name
    own = [variable.name for loaded in parts for variable in loaded.part.variables if variable.sensitive]
    read |= {f"{given}.inputs.{name}" for given in ("environment", "pipeline", "service_instance") for name in own}
    is_service = schema.kind is TemplateKind.SERVICE
    maps = ("service_instance.inputs", "service_instances[].inputs") if is_service else ("environment.inputs",)
    names = {loaded.part.name for loaded in parts}
    if names & {PartName.INFRASTRUCTURE, PartName.INSTANCE}:
        yield from _unused(schema.type, schema.type_name, maps, read, document)
    if schema.pipeline_type is not None and PartName.PIPELINE in names:
        yield from _unused(schema.pipeline_type, schema.pipeline_type_name, ("pipeline.inputs",), read, document)


def _unused(
    type_: Mapping[str, object], type_name: str, maps: tuple[str, ...], read: set[str], document: Document
) -> Iterator[Problem]:
    wholes = {whole for path in maps for whole in (path, path.split(".")[0], path.split(".")[0].removesuffix("[]"))}
    properties = type_.get("properties")
    if read & wholes or not isinstance(properties, Mapping):
        return
    used = {
        path.removeprefix(f"{given}.").split(".")[0] for given in maps for path in read if path.startswith(f"{given}.")
    }
    for name in properties:
        if name not in used:
            message = f'The input "{shown(name)}" is not used by any code.'
            path = ("schema", "types", type_name, "properties", name)
            hint = f"Remove it, or read it: var.{maps[0]}.{shown(name)}"
            yield document.problem(path, message, rule="schema/unused-input", hint=hint, severity=Severity.WARNING)
