"""One infrastructure folder of a bundle -> its Part, with every file of it read once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.bundles import code, code_json, jinja_code, manifest, nested
from engine.bundles.code import Confirm, ModuleCall, Parsed
from engine.bundles.jinja_code import SUFFIX
from engine.bundles.manifest import Manifest
from engine.core.bundle import Part, PartName, Place, Read, Variable
from engine.core.file_names import VALUES_FILE, is_late_override, plain, sets_values
from engine.errors import Problem, Severity

_TERRAFORM = (".tf", ".tf.json")


@dataclass(frozen=True)
class Loaded:
    """A part and all that its files say. Files are named relative to the part."""

    part: Part
    root: tuple[Parsed, ...]
    """The files that become Terraform's root module."""
    modules: Mapping[str, tuple[Parsed, ...]]
    """Folder -> its files, for each module of the bundle itself that is used."""
    expressions: tuple[Read, ...]
    """The reads of Jinja expressions."""
    overrides: Mapping[str, bytes]
    """The files that Terraform lays over Landform's own override file, once Jinja has rendered them."""
    problems: tuple[Problem, ...]
    """What is wrong with manifest and files, one by one."""

    @property
    def is_complete(self) -> bool:
        """Whether every file could be read: only then follows something from what is absent."""
        return all(parsed.is_complete for parsed in self.root)

    def placed(self, problem: Problem) -> Problem:
        """The problem with its file named relative to the bundle."""
        return replace(problem, file=f"{self.part.name.value}/{problem.file}")


@dataclass(frozen=True)
class _Selection:
    templates: tuple[str, ...]
    json: tuple[str, ...]
    """`*.tf.json` files: code too, but JSON has no comments and so no header."""
    ignored: tuple[str, ...]


def load(name: PartName, files: Mapping[str, bytes], confirm: Confirm | None = None) -> Loaded:
    """The part. `files` are those below its folder, named from there; `confirm` is as in code.parse()."""
    beside = [path for path in files if "/" not in path]
    said, problems = _manifest(name, files, beside)
    selection = _selection(said, beside)
    values = [path for path in sorted(beside) if _sets_values(path)]
    others = files.keys() - {manifest.NAME, *selection.templates, *selection.ignored, *values}
    root, expressions = _guarded(*_root(files, selection, confirm))
    modules, lost = _modules(files, root, confirm)
    own = [
        problem
        for parsed in (*root, *(file for found in modules.values() for file in found))
        for problem in parsed.problems
    ]
    own += [*lost, *_ignored(said, selection, files), *map(_values_left_out, values)]
    part = _part(Part(name, said.engine, selection.templates, tuple(sorted(others))), root, modules)
    late = {path: files[path] for path in beside if is_late_override(path.removesuffix(".j2"))}
    overrides = {path: late[path] for path in late if path in (*part.templates, *part.others)}
    loaded = Loaded(part, root, modules, expressions, overrides, ())
    return replace(loaded, problems=(*problems, *map(loaded.placed, own)))


def _manifest(name: PartName, files: Mapping[str, bytes], beside: list[str]) -> tuple[Manifest, tuple[Problem, ...]]:
    """The manifest; a guess at what was meant when it cannot be used, so that the rest can be checked."""
    file = f"{name.value}/{manifest.NAME}"
    said: Manifest | None = None
    problems: tuple[Problem, ...]
    if manifest.NAME not in files:
        hint = 'Write infrastructure: {templates: [{file: "*", rendering_engine: hcl, template_language: terraform}]}'
        problems = (Problem(file, 0, "", "is missing.", "layout/manifest", hint=hint),)
    else:
        said, problems = manifest.parse(files[manifest.NAME], file, beside)
    is_jinja = any(path.endswith(SUFFIX) for path in beside)
    return said or Manifest("*", "jinja" if is_jinja else "hcl"), problems


def _selection(said: Manifest, beside: list[str]) -> _Selection:
    endings = (".tf", SUFFIX) if said.engine == "jinja" else (".tf",)
    found = [path for path in sorted(beside) if path.endswith((*endings, ".tf.json"))]
    chosen = [path for path in found if said.file in ("*", path)]
    return _Selection(
        tuple(path for path in chosen if path.endswith(endings)),
        tuple(path for path in chosen if path.endswith(".tf.json")),
        tuple(path for path in found if path not in chosen),
    )


def _root(
    files: Mapping[str, bytes], selection: _Selection, confirm: Confirm | None
) -> tuple[tuple[Parsed, ...], tuple[Read, ...]]:
    includable = [path for path in selection.templates if path.endswith(SUFFIX)]
    plain = [path for path in (*selection.templates, *selection.json) if path not in includable]
    rendered = [jinja_code.parse(files[path], path, includable) for path in includable]
    reads = tuple(read for _, found in rendered for read in found)
    return (*(_parsed(files, path, confirm) for path in plain), *(parsed for parsed, _ in rendered)), reads


def _guarded(root: tuple[Parsed, ...], expressions: tuple[Read, ...]) -> tuple[tuple[Parsed, ...], tuple[Read, ...]]:
    """The same, where code that asks for a value in one place is trusted to have asked in all: `can(x) ? x : y`."""
    asked = {_subject(read) for parsed in root if parsed.is_complete for read in parsed.reads if read.guarded}

    def trusted(reads: tuple[Read, ...]) -> tuple[Read, ...]:
        return tuple(replace(read, guarded=read.guarded or _subject(read) in asked) for read in reads)

    return tuple(replace(parsed, reads=trusted(parsed.reads)) for parsed in root), trusted(expressions)


def _subject(read: Read) -> str:
    """What a guard is about: an input or output whatever is taken of it, else exactly what is read."""
    steps = read.path.split(".")
    return ".".join(steps[:3]) if steps[1:2] in (["inputs"], ["outputs"]) else read.path


def _parsed(files: Mapping[str, bytes], path: str, confirm: Confirm | None) -> Parsed:
    is_json = path.endswith(".json")
    return code_json.parse(files[path], path) if is_json else code.parse(files[path], path, confirm)


def _modules(
    files: Mapping[str, bytes], root: tuple[Parsed, ...], confirm: Confirm | None
) -> tuple[dict[str, tuple[Parsed, ...]], list[Problem]]:
    """The bundle's own modules in use, however deep, and the calls that lead nowhere."""
    found: dict[str, tuple[Parsed, ...]] = {}
    problems: list[Problem] = []
    calls = [call for parsed in root for call in parsed.modules]
    while calls:
        call = calls.pop()
        folder = posixpath.normpath(posixpath.join(posixpath.dirname(call.file), call.source))
        if folder in found:
            continue
        paths = [path for path in sorted(files) if path.endswith(_TERRAFORM) and posixpath.dirname(path) == folder]
        if not paths:
            problems.append(_lost(call, folder))
            continue
        found[folder] = tuple(_parsed(files, path, confirm) for path in paths)
        calls += [inner for parsed in found[folder] for inner in parsed.modules]
    return found, problems


def _lost(call: ModuleCall, folder: str) -> Problem:
    if folder.startswith(".."):
        message = f"The module {call.source} lies outside the folder that Terraform is given."
        hint = "Move it below the folder of the manifest."
    else:
        message, hint = (
            f"There is no Terraform file in {call.source}.",
            "Modules of the bundle travel along: add its folder.",
        )
    return Problem(call.file, call.line, "source", message, "hcl/missing-module", hint=hint)


def _sets_values(path: str) -> bool:
    # one with the name of Landform's own file is an error, whatever its case: checks finds it
    return sets_values(path) and plain(path) != VALUES_FILE


def _values_left_out(path: str) -> Problem:
    message = "is left out: it would give Terraform values in place of Landform's."
    hint = "Make them inputs of the schema, or defaults of variables."
    return Problem(path, 0, "", message, "manifest/left-out", Severity.WARNING, hint)


def _ignored(said: Manifest, selection: _Selection, files: Mapping[str, bytes]) -> Iterator[Problem]:
    for path in selection.ignored:
        message = f"is left out: the manifest names {said.file} only."
        hint = 'Write file: "*" in the manifest, or remove the file.'
        yield Problem(path, 0, "", message, "manifest/left-out", Severity.WARNING, hint)
    for path in sorted(files):
        if path.endswith(SUFFIX) and path not in (*selection.templates, *selection.ignored):
            is_deep = said.engine == "jinja"
            message = "is not rendered: only files beside the manifest are." if is_deep else "is not rendered."
            hint = "" if is_deep else "Write rendering_engine: jinja in the manifest."
            yield Problem(path, 0, "", message, "manifest/not-rendered", Severity.WARNING, hint)


def _part(frame: Part, root: tuple[Parsed, ...], modules: Mapping[str, tuple[Parsed, ...]]) -> Part:
    """The part with what its files say."""
    declared = nested.declared(root, modules)
    return replace(
        frame,
        reads=tuple(sorted({read for parsed in root for read in parsed.reads})),
        outputs=tuple(sorted(output for parsed in root for output in parsed.outputs)),
        resources=declared.resources,
        providers={key: text for parsed in root for key, text in sorted(parsed.providers.items())},
        terraform=", ".join(parsed.terraform for parsed in root if parsed.terraform),
        backend=next((parsed.backend for parsed in root if parsed.backend), ""),
        backend_digest=next((parsed.backend_digest for parsed in root if parsed.backend), ""),
        variables=_variables(root),
        moved=declared.moved,
        removed=declared.removed,
        unread=declared.unread,
        places={name: Place(parsed.file, line) for parsed in root for name, line in parsed.lines.items()},
    )


def _variables(root: tuple[Parsed, ...]) -> tuple[Variable, ...]:
    """Those of the root, each once, with what an override file adds."""
    merged: dict[str, Variable] = {}
    for found in (variable for parsed in root for variable in parsed.variables):
        first = merged.setdefault(found.name, Variable(found.name, found.file, found.line, is_text=found.is_text))
        merged[found.name] = replace(
            first,
            sensitive=first.sensitive or found.sensitive,
            ephemeral=first.ephemeral or found.ephemeral,
            is_text=first.is_text and found.is_text,
        )
    return tuple(sorted(merged.values()))
