"""The one file that a component is made of, read as the part of a bundle (reference sections 1.2 and 5.9)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.bundles import checks, manifest, parts, references
from engine.bundles.code import Confirm
from engine.core.bundle import Facts, PartName
from engine.core.versions import TemplateKind
from engine.errors import Invalid, Problem, Severity

MANIFEST_MAX = 1_024
FILE_MAX = 51_200
_FOLDER = PartName.COMPONENT.value
_MANIFEST = """\
infrastructure:
  templates:
    - file: {}
      rendering_engine: hcl
      template_language: terraform
"""


@dataclass(frozen=True)
class Source:
    """What somebody gives for a component."""

    name: str
    """Of the file; the manifest has to say the same."""
    content: bytes
    manifest: bytes | None = None
    """None: one that names the file."""


@dataclass(frozen=True)
class Component:
    """A component's code that may be used."""

    files: Mapping[str, bytes]
    """As those of a bundle."""
    facts: Facts


def load(source: Source, confirm: Confirm | None = None) -> Component:
    """The component in the file. Raises Invalid with everything that is wrong; `confirm` is as in code.parse()."""
    text = source.manifest if source.manifest is not None else _MANIFEST.format(json.dumps(source.name)).encode()
    files = {manifest.NAME: text, source.name: source.content}
    loaded = parts.load(PartName.COMPONENT, files, confirm)
    found = (
        *_sizes(text, source),
        *_names_all(text, source),
        *loaded.problems,
        *checks.check(loaded),
        *references.check(loaded, None),
    )
    errors = sorted({problem for problem in found if problem.severity is Severity.ERROR})
    if errors:
        raise Invalid("The component cannot be used:", problems=errors)
    facts = Facts(TemplateKind.COMPONENT, False, {PartName.COMPONENT: loaded.part})
    return Component({f"{_FOLDER}/{path}": content for path, content in files.items()}, facts)


def _names_all(text: bytes, source: Source) -> Iterator[Problem]:
    said, _ = manifest.parse(text, manifest.NAME, [source.name])
    if said is not None and said.file == "*":
        message, hint = "must name one file: a component has no other.", f'Write file: "{source.name}".'
        yield Problem(f"{_FOLDER}/{manifest.NAME}", 0, "file", message, "manifest/file", hint=hint)


def _sizes(text: bytes, source: Source) -> Iterator[Problem]:
    for name, content, most in ((manifest.NAME, text, MANIFEST_MAX), (source.name, source.content, FILE_MAX)):
        size = len(content.decode("utf-8", "replace"))
        if size > most:
            yield Problem(f"{_FOLDER}/{name}", 0, "", f"has {size:,} characters; {most:,} are the most.", "layout/size")
