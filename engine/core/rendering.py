"""From a bundle's part and the values of one instance to all files of its workspace (reference sections 2.2 to 2.7)."""

from __future__ import annotations

import codecs
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.core import file_names, jackson, outputs, provider_overrides, variables
from engine.core.address import Kind
from engine.core.arns import Owner, arn
from engine.core.bundle import Part, PartName
from engine.core.file_names import JINJA_SUFFIX, METADATA_FILE, OVERRIDE_FILE, VALUES_FILE
from engine.core.metadata import Deployment, metadata
from engine.core.namespace import ComponentValues, Values
from engine.core.provider_overrides import Overrides
from engine.errors import Invalid, Problem

HEADER_LINES = 8
"""Lines that stand before a template's own first line: line n of the bundle is line n + HEADER_LINES here."""
_HEADER = """\
/*
Landform writes this file. The next run overwrites whatever is changed in it by hand.

To change what it describes, change this resource in Landform: {arn}

If Landform does not know the resource any more, it was deleted, and anything left of it is to be removed by hand.
*/

"""
_FAREWELL = b"""\
/*
Landform does not write this file any more: what it describes was deleted there.
*/

"""
_HEADINGS = (b"/*\nLandform writes this file.", b"/*\nThis file is managed by AWS Proton.")
"""How files begin that we wrote, and those of a repository that Proton filled before."""
_END_OF_HEADER = b"*/\n\n"
_STATE = ("terraform.tfstate", ".terraform.tfstate")


@dataclass(frozen=True)
class Rendering:
    """All that the files of a workspace depend on."""

    part: Part
    files: Mapping[str, bytes]
    """The part's files, named relative to its folder; at least those that the part lists."""
    values: Values
    owner: Owner
    override: Mapping[str, object] = field(default_factory=dict)
    """Content of the override file: the backend, for one; {} for no file."""
    providers: Overrides = field(default_factory=dict)
    """What goes there too, where the code uses these providers."""
    deployment: Deployment | None = None
    """None: no metadata file."""


def render(request: Rendering) -> dict[str, bytes]:
    """File name -> content, sorted by name. What holds a secret is in none of them: see core.handing.

    Raises Invalid with every name that cannot be used and everything that is wrong in a Jinja template.
    """
    members = request.values.variables(request.owner)
    return _files(request, {name: value for name, value in members.items() if not any(outputs.secrets(value))})


def masked(request: Rendering) -> dict[str, bytes]:
    """As render(), but with all values in their file, and `(sensitive)` or a reference for each secret: for people."""
    members = request.values.variables(request.owner)
    return _files(request, {name: outputs.masked(value) for name, value in members.items()})


def below(bundle: Mapping[str, bytes], name: PartName) -> dict[str, bytes]:
    """The files of one part of a bundle, named relative to its folder."""
    prefix = f"{name.value}/"
    return {path.removeprefix(prefix): content for path, content in bundle.items() if path.startswith(prefix)}


def generated_names(kind: Kind) -> frozenset[str]:
    """The files that Landform adds; a bundle cannot have them."""
    return frozenset({variables.file_name(kind), VALUES_FILE, OVERRIDE_FILE, METADATA_FILE})


def name_problems(part: Part, kind: Kind) -> tuple[Problem, ...]:
    """Files of the part that would get in the way of what Landform or Terraform writes."""
    names = (*part.templates, *part.others)
    wrong = [(name, _wrong(name, kind)) for name in names]
    wrong += [(name, "renders to a file that is there already.") for name in names if _target(part, name) in names]
    return tuple(
        Problem(f"{part.name.value}/{name}", 0, "", why, rule="bundle/file-name", hint="Give it another name.")
        for name, why in wrong
        if why
    )


def disowned(name: str, content: bytes) -> bytes:
    """A file of ours for what is gone: other words at its head, if it has any; the rest stays to the byte."""
    if not _is_hcl(name) or not content.startswith(_HEADINGS):
        return content
    _, end, rest = content.partition(_END_OF_HEADER)
    return _FAREWELL + rest if end else content


def structure(part: Part, rendered: Mapping[str, bytes]) -> str:
    """A digest of the code that is not the bundle's own, "" for a part without: it may need providers of its own.

    That is what Jinja wrote, and the providers that the override file names. `rendered` is what render() returned.
    Headers do not count.
    """
    written = sorted(filter(None, (_target(part, name) for name in part.templates)))
    bodies = [[name, rendered[name].split(b"\n", HEADER_LINES)[-1].decode("utf-8")] for name in written]
    named = sorted(json.loads(rendered.get(OVERRIDE_FILE, b"{}")).get("provider", {}))
    bodies += [[OVERRIDE_FILE, *named]] if named else []
    return hashlib.sha256(json.dumps(bodies).encode()).hexdigest() if bodies else ""


def _files(request: Rendering, shown: Mapping[str, object]) -> dict[str, bytes]:
    part, kind = request.part, request.values.address.kind
    if taken := name_problems(part, kind):
        raise Invalid(f"Files of the bundle's {part.name.value} cannot have these names:", problems=taken)
    others = {name: _verbatim(name, request.files[name]) for name in part.others}
    files = others | _templates(request)
    if problems := _override_problems(part, files):
        raise Invalid("The bundle would keep its state elsewhere:", problems=problems)
    override = {**request.override, **provider_overrides.content(request.providers, files, part.providers)}
    return dict(sorted((files | _generated(replace(request, override=override), shown)).items()))


def _verbatim(name: str, content: bytes) -> bytes:
    # Terraform refuses a byte order mark in JSON
    return content.removeprefix(codecs.BOM_UTF8) if name.endswith((".tf.json", ".tofu.json")) else content


def _generated(request: Rendering, shown: Mapping[str, object]) -> dict[str, bytes]:
    values = request.values
    kind, exact = values.address.kind, isinstance(values, ComponentValues) and values.exact
    sensitive = _resolved(values.variables(request.owner))
    texts = {
        variables.file_name(kind): _header(request) + variables.text(kind, exact=exact, sensitive=sensitive),
        VALUES_FILE: jackson.text(shown),
    }
    if request.override:
        texts[OVERRIDE_FILE] = json.dumps(request.override, indent=2, sort_keys=True) + "\n"
    if request.deployment:
        texts[METADATA_FILE] = jackson.text(metadata(values, request.owner, request.deployment))
    return {name: text.encode("utf-8") for name, text in texts.items()}


def _resolved(members: Mapping[str, object]) -> frozenset[str]:
    """Those of the members in which a reference was resolved."""
    return frozenset(name for name, value in members.items() if any(map(_is_resolved, outputs.secrets(value))))


def _is_resolved(secret: outputs.Secret) -> bool:
    return isinstance(secret, outputs.Resolved)


def _templates(request: Rendering) -> dict[str, bytes]:
    part, header = request.part, _header(request).encode()
    files = {name: request.files[name] for name in part.templates}
    plain = {name: content for name, content in files.items() if not _target(part, name)}
    written = _jinja(request) if len(plain) < len(files) else {}
    # a byte order mark is an error anywhere but at the start of a file
    headed = {name: header + content.removeprefix(codecs.BOM_UTF8) for name, content in plain.items() if _is_hcl(name)}
    return plain | headed | {name: header + content for name, content in written.items()}


def _jinja(request: Rendering) -> dict[str, bytes]:
    from engine.core.jinja import Renderer

    part = request.part
    sources = {name: request.files[name] for name in (*part.templates, *part.others) if name.endswith(JINJA_SUFFIX)}
    known = {name: value for name, value in request.values.variables(request.owner).items() if name != "//"}
    renderer = Renderer(sources, known, part.name.value)
    texts = {_target(part, name): renderer.text(name) for name in part.templates if _target(part, name)}
    if problems := [text for text in texts.values() if isinstance(text, Problem)]:
        raise Invalid("The templates cannot be rendered:", problems=sorted(set(problems)))
    return {name: text.encode("utf-8", "replace") for name, text in texts.items() if isinstance(text, str)}


def _header(request: Rendering) -> str:
    return _HEADER.format(arn=arn(request.owner, request.values.address))


def _target(part: Part, name: str) -> str:
    """The file that Jinja makes of a template; "" for any other file."""
    is_jinja = part.engine == "jinja" and name in part.templates and name.endswith(JINJA_SUFFIX)
    return name.removesuffix(".j2") if is_jinja else ""


def _is_hcl(name: str) -> bool:
    return name.endswith((".tf", ".tofu"))


def _wrong(name: str, kind: Kind) -> str:
    plain = file_names.plain(name)
    if plain in generated_names(kind):
        return "is a file that Landform writes itself."
    if plain.split("/")[0] == ".terraform" or plain.startswith(_STATE):
        return "is a file that Terraform writes itself."
    if file_names.sets_values(name):
        return "gives Terraform values in place of Landform's."
    return ""


def _override_problems(part: Part, files: Mapping[str, bytes]) -> list[Problem]:
    """Files by which a bundle would move the state elsewhere, among those that only now can be seen.

    Code that is parsed when a bundle is registered was refused there: its text may say "backend" and mean no block.
    """
    written = {_target(part, name) for name in part.templates}
    unread = (name for name in files if name in written or name.endswith((".tofu", ".tofu.json")))
    return [
        file_names.state_problem(f"{part.name.value}/{name}", 0, "bundle/override")
        for name in unread
        if file_names.is_late_override(name) and file_names.state_move(files[name]) is not None
    ]
