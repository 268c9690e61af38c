"""The files of a bundle -> what is in it and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.bundles import checks, contracts, parts, references, registration
from engine.bundles.code import Confirm
from engine.bundles.pack import SCHEMA_FILE
from engine.bundles.parts import Loaded
from engine.core import located, schema
from engine.core.bundle import Facts, PartName
from engine.core.located import Document
from engine.core.schema import Schema
from engine.core.versions import REGISTERED, TemplateKind
from engine.errors import Invalid, Problem, Severity

_SERVICE_PARTS = (PartName.INSTANCE, PartName.PIPELINE)
_INPUT_TYPE = {TemplateKind.ENVIRONMENT: "environment_input_type", TemplateKind.SERVICE: "service_input_type"}
_PARTS = {TemplateKind.ENVIRONMENT: (PartName.INFRASTRUCTURE,), TemplateKind.SERVICE: _SERVICE_PARTS}


@dataclass(frozen=True)
class Checked:
    """A bundle as it was found."""

    facts: Facts | None
    """None when not even the kind of template is known."""
    schema: Schema | None
    """None when the schema cannot be used."""
    schema_text: str
    """schema.yaml to the letter; "" when it is missing or no text."""
    compatible: tuple[str, ...]
    """Environment templates a service template names, as `name:major`."""
    component_sources: tuple[str, ...]
    problems: tuple[Problem, ...]
    """Everything wrong, by file and line; files are named relative to the bundle."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the bundle unusable; the others are warnings."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def check(files: Mapping[str, bytes], kind: TemplateKind | None = None, confirm: Confirm | None = None) -> Checked:
    """What is in the bundle, and everything wrong with it at once.

    `files` are named from the bundle's root. `kind` is what the bundle should be; None takes it for what it looks like.
    `confirm` is asked about Terraform code that cannot be read here: it is an error unless Terraform can read it.
    Never raises for what the files hold.
    """
    text, document, problems = _document(files)
    found = kind or _kind(files, document)
    if found is None:
        return Checked(None, None, text, (), (), tuple(sorted((*problems, _nothing()))))
    customer_managed = found is TemplateKind.ENVIRONMENT and not _below(files, PartName.INFRASTRUCTURE)
    schema_found, schema_problems = (
        schema.parse(document, customer_managed=customer_managed) if document else (None, ())
    )
    loaded = tuple(parts.load(name, inside, confirm) for name in _PARTS[found] if (inside := _below(files, name)))
    said, said_problems = (
        registration.parse(files) if found is TemplateKind.SERVICE else (registration.Registration(), ())
    )
    is_service = any(one.part.name is PartName.INSTANCE for one in loaded)
    every = {
        *problems,
        *schema_problems,
        *said_problems,
        *([registration.unnamed()] if is_service and not (said.compatible or said_problems) else ()),
        *_layout(files, found, _declared(document)),
        *(problem for one in loaded for problem in _part_problems(one, schema_found)),
        *contracts.suite(files, {one.part.name: one.part for one in loaded})[1],
    }
    if document and schema_found and schema_found.kind is found and not said.component_sources:
        # a component may read every input of the instance it is attached to
        every |= set(references.unused(loaded, schema_found, document))
    facts = Facts(found, customer_managed, {one.part.name: one.part for one in loaded})
    return Checked(facts, schema_found, text, said.compatible, said.component_sources, tuple(sorted(every)))


def _document(files: Mapping[str, bytes]) -> tuple[str, Document | None, tuple[Problem, ...]]:
    """Text and content of schema.yaml; "" and None with the reasons when there is none."""
    if SCHEMA_FILE not in files:
        other = next((path for path in files if path.casefold() in (SCHEMA_FILE, "schema/schema.yml")), "")
        hint = f"Rename {other} to {SCHEMA_FILE}." if other else "Start a bundle: landform template init"
        return "", None, (Problem(SCHEMA_FILE, 0, "", "is missing.", "layout/schema", hint=hint),)
    try:
        text = located.decode(files[SCHEMA_FILE], SCHEMA_FILE)
    except Invalid as error:
        return "", None, error.problems
    try:
        return text, located.parse(text, SCHEMA_FILE), ()
    except Invalid as error:
        return text, None, error.problems


def _kind(files: Mapping[str, bytes], document: Document | None) -> TemplateKind | None:
    """The kind by the folders; by the schema when there are none."""
    for kind, names in _PARTS.items():
        if any(_below(files, name) for name in names):
            return kind
    keys = _declared(document)
    if not keys:
        return None
    return TemplateKind.SERVICE if _INPUT_TYPE[TemplateKind.SERVICE] in keys else TemplateKind.ENVIRONMENT


def _declared(document: Document | None) -> frozenset[str]:
    """The keys of the schema, whether or not it can be used."""
    value = document.value if document else None
    inner = value.get("schema") if isinstance(value, dict) else None
    return frozenset(key for key in inner if isinstance(key, str)) if isinstance(inner, dict) else frozenset()


def _nothing() -> Problem:
    message = "There is neither infrastructure/ nor instance_infrastructure/."
    hint = "An environment template has the first, a service template the second."
    return Problem("", 0, "", message, "layout/folders", hint=hint)


def _below(files: Mapping[str, bytes], name: PartName) -> dict[str, bytes]:
    start = f"{name.value}/"
    return {path.removeprefix(start): content for path, content in files.items() if path.startswith(start)}


def _part_problems(loaded: Loaded, found: Schema | None) -> Iterator[Problem]:
    yield from loaded.problems
    yield from checks.check(loaded)
    yield from references.check(loaded, found)


def _layout(files: Mapping[str, bytes], kind: TemplateKind, declared: frozenset[str]) -> Iterator[Problem]:
    wrong_kind = next(other for other in REGISTERED if other is not kind)
    for name in _PARTS[wrong_kind]:
        if _below(files, name):
            message = f"does not belong to {_article(kind)}; it belongs to {_article(wrong_kind)}."
            yield Problem(f"{name.value}/", 0, "", message, "layout/folders")
    if kind is TemplateKind.SERVICE:
        yield from _service_layout(files, declared)
    if _INPUT_TYPE[kind] not in declared and _INPUT_TYPE[wrong_kind] in declared:
        message = f"The schema is that of {_article(wrong_kind)}, but the bundle is {_article(kind)}."
        hint = f"Write {_INPUT_TYPE[kind]} in place of {_INPUT_TYPE[wrong_kind]}."
        yield Problem(SCHEMA_FILE, 0, "schema", message, "layout/kind", hint=hint)


def _service_layout(files: Mapping[str, bytes], declared: frozenset[str]) -> Iterator[Problem]:
    if not _below(files, PartName.INSTANCE):
        message = "is missing: a service template needs it."
        yield Problem(f"{PartName.INSTANCE.value}/", 0, "", message, "layout/folders")
    has_folder, pipeline = bool(_below(files, PartName.PIPELINE)), f"{PartName.PIPELINE.value}/"
    if not declared or has_folder == ("pipeline_input_type" in declared):
        return
    if has_folder:
        message = "is there, but the schema has no pipeline_input_type."
        yield Problem(
            pipeline, 0, "", message, "layout/pipeline", hint="Add the type to the schema, or remove the folder."
        )
    else:
        message = "is missing, but the schema has a pipeline_input_type."
        yield Problem(
            pipeline, 0, "", message, "layout/pipeline", hint="Add the folder, or remove the type from the schema."
        )


def _article(kind: TemplateKind) -> str:
    return "an environment template" if kind is TemplateKind.ENVIRONMENT else "a service template"
