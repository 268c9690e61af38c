"""The grammar of a part's `manifest.yaml` (reference section 1.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from engine.core import located
from engine.core.located import Document, Path
from engine.core.nearest import did_you_mean
from engine.errors import Invalid, Problem

NAME = "manifest.yaml"
_ENTRY: Path = ("infrastructure", "templates", 0)
_ALL = ("*", "*.tf")
_ENTRY_KEYS = ("file", "rendering_engine", "template_language", "settings", "input_type")
_ENGINES = ("hcl", "jinja")
_LANGUAGES = ("terraform",)
_CODEBUILD_KEYS = ("settings", "input_type")
_EXAMPLE = 'Write infrastructure: {templates: [{file: "*", rendering_engine: hcl, template_language: terraform}]}'
_PORT = 'Port it to Terraform and write file: "*", rendering_engine: hcl, template_language: terraform.'


@dataclass(frozen=True)
class Manifest:
    """Which files of a part are its templates, and how they are rendered."""

    file: str
    """`*`, or the name of one file."""
    engine: str
    """`hcl` or `jinja`."""


def parse(content: bytes, file: str, beside: Collection[str]) -> tuple[Manifest | None, tuple[Problem, ...]]:
    """The manifest, and everything wrong with it; None when it cannot be used.

    `file` is how problems name it, `beside` are the names of the files in the same folder.
    """
    try:
        document = located.parse_bytes(content, file)
    except Invalid as error:
        return None, error.problems
    problems = tuple(_shape(document))
    if not problems:
        problems = tuple(_entry(document, beside))
    if problems:
        return None, problems
    entry = _member(document, _ENTRY)
    name = entry["file"]
    return Manifest("*" if name in _ALL else str(name), str(entry["rendering_engine"])), ()


def _member(document: Document, path: Path) -> dict[str, object]:
    """The mapping at a path that _shape() has found to be one."""
    value: object = document.value
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value if isinstance(value, dict) else {}


def _shape(document: Document) -> Iterator[Problem]:
    """Whether there is one mapping at infrastructure.templates[0]."""
    if not isinstance(document.value, dict) or not document.value:
        yield document.problem((), "must be a mapping.", rule="manifest/shape", hint=_EXAMPLE)
        return
    yield from _unknown(document, (), ("infrastructure",))
    infrastructure = document.value.get("infrastructure")
    if not isinstance(infrastructure, dict):
        what = "must be a mapping." if "infrastructure" in document.value else "is missing."
        yield _at(document, ("infrastructure",), what, "manifest/infrastructure")
        return
    yield from _unknown(document, ("infrastructure",), ("templates",))
    templates = infrastructure.get("templates")
    if not isinstance(templates, list):
        what = "must be a list." if "templates" in infrastructure else "is missing."
        yield _at(document, ("infrastructure", "templates"), what, "manifest/templates")
    elif len(templates) != 1:
        what = f"must have exactly one entry; it has {len(templates)}."
        yield _at(document, ("infrastructure", "templates"), what, "manifest/templates")
    elif not isinstance(templates[0], dict):
        yield _at(document, _ENTRY, "must be a mapping.", "manifest/templates")


def _entry(document: Document, beside: Collection[str]) -> Iterator[Problem]:
    entry = _member(document, _ENTRY)
    engine, language = entry.get("rendering_engine"), entry.get("template_language")
    yield from _unknown(document, _ENTRY, _ENTRY_KEYS)
    if engine == "codebuild":
        message = "CodeBuild provisioning is not offered: Landform runs Terraform itself."
        yield _of(document, "rendering_engine", message, "manifest/codebuild", _PORT)
        return
    yield from _choice(document, "rendering_engine", engine, _ENGINES)
    if language == "cloudformation":
        message = "CloudFormation templates are not offered: Landform runs Terraform."
        yield _of(document, "template_language", message, "manifest/cloudformation", _PORT)
        return
    yield from _choice(document, "template_language", language, _LANGUAGES)
    for key in _CODEBUILD_KEYS:
        if key in entry:
            yield _of(document, key, "belongs to CodeBuild provisioning only.", f"manifest/{key}", "Remove it.")
    yield from _file(document, entry, engine == "jinja", beside)


def _choice(document: Document, key: str, value: object, choices: tuple[str, ...]) -> Iterator[Problem]:
    rule = "manifest/engine" if key == "rendering_engine" else "manifest/language"
    if key not in _member(document, _ENTRY):
        yield _of(document, key, "is missing.", rule, f"Write {key}: {choices[0]}.")
    elif value not in choices:
        hint = did_you_mean(str(value), choices).strip() or f"Write {key}: {choices[0]}."
        yield _of(document, key, f"must be {' or '.join(choices)}, not {located.shown(value)}.", rule, hint)


def _file(document: Document, entry: dict[str, object], is_jinja: bool, beside: Collection[str]) -> Iterator[Problem]:
    endings = (".tf", ".tf.j2") if is_jinja else (".tf",)
    found = sorted(name for name in beside if name.endswith(endings))
    name = entry.get("file")
    if "file" not in entry:
        yield _of(document, "file", "is missing.", "manifest/file", 'Write file: "*".')
    elif not isinstance(name, str):
        yield _of(document, "file", "must be a text.", "manifest/file", 'Write file: "*", with the quotes.')
    elif name in _ALL:
        if not found:
            message = f"There is no {' or '.join(f'*{ending}' for ending in endings)} file beside the manifest."
            yield _of(document, "file", message, "manifest/file")
    elif name not in beside or "/" in name:
        message = f"There is no file {located.shown(name)} beside the manifest."
        hint = did_you_mean(name, found).strip() or 'Write file: "*" for all of them.'
        yield _of(document, "file", message, "manifest/file", hint)
    elif not name.endswith(endings):
        message = f"{name} is not a Terraform file: its name must end in {' or '.join(endings)}."
        yield _of(document, "file", message, "manifest/file")


def _unknown(document: Document, path: Path, known: tuple[str, ...]) -> Iterator[Problem]:
    offered = [key for key in known if key not in _CODEBUILD_KEYS]
    for key in _member(document, path):
        if key not in known:
            hint = did_you_mean(str(key), known).strip() or f"Known here: {', '.join(offered)}."
            yield _at(document, (*path, key), "is not a key that a manifest has here.", "manifest/unknown-key", hint)


def _of(document: Document, key: str, message: str, rule: str, hint: str = "") -> Problem:
    return _at(document, (*_ENTRY, key), message, rule, hint)


def _at(document: Document, path: Path, message: str, rule: str, hint: str = "") -> Problem:
    return document.problem(path, message, rule=rule, hint=hint)
