"""What must hold across the files of a part: names that are free, variables that exist, outputs that fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import chain

from engine.bundles.code import Parsed, Variable
from engine.bundles.jinja_code import SUFFIX
from engine.bundles.limits import shown
from engine.bundles.names import ROOTS
from engine.bundles.parts import Loaded
from engine.core.bundle import Output, Resource
from engine.core.file_names import METADATA_FILE, OVERRIDE_FILE, VALUES_FILE, plain, state_move, state_problem
from engine.core.nearest import did_you_mean
from engine.core.run_env import REGION
from engine.errors import Problem, Severity

OUTPUT_NAME_MAX = 100
_GENERATED = (
    "proton.*.variables.tf",
    VALUES_FILE,
    OVERRIDE_FILE,
    METADATA_FILE.split("/")[0],
    ".terraform*",
    "terraform.tfstate*",
)
_MOVED = "hcl/backend-override"
_LOCK_FILE = ".terraform.lock.hcl"


def check(loaded: Loaded) -> Iterator[Problem]:
    """Every problem of the part, with files named relative to the bundle."""
    found = chain(
        _generated_files(loaded),
        _state_moves(loaded),
        _same_rendered(loaded),
        _generated_variables(loaded.root),
        _duplicates(loaded.root),
        _output_names(loaded.part.outputs),
        _undeclared(loaded),
        _without_default(loaded.root),
    )
    return map(loaded.placed, found)


def _duplicates(root: Iterable[Parsed]) -> Iterator[Problem]:
    # Terraform merges override files over the others instead of adding them
    added = [parsed for parsed in root if not parsed.is_override]
    outputs = [(item.name, item) for parsed in added for item in parsed.outputs]
    resources = [(item.address, item) for parsed in added for item in parsed.resources]
    variables = [(item.name, item) for parsed in added for item in parsed.variables]
    yield from _twice("output", outputs)
    yield from _twice("resource", resources)
    yield from _twice("variable", variables)


def _twice(noun: str, items: Iterable[tuple[str, Output | Resource | Variable]]) -> Iterator[Problem]:
    first: dict[str, Output | Resource | Variable] = {}
    for name, item in items:
        before = first.setdefault(name, item)
        if before is not item:
            message = f"The {noun} {shown(name)} is declared in {before.file}:{before.line} already."
            yield Problem(item.file, item.line, "", message, f"hcl/duplicate-{noun}")


def _generated_files(loaded: Loaded) -> Iterator[Problem]:
    for path in (*loaded.part.templates, *loaded.part.others):
        name = plain(path.split("/")[0])
        if name != _LOCK_FILE and any(fnmatchcase(name, pattern) for pattern in _GENERATED):
            message = "has the name of a file that Landform or Terraform writes."
            yield Problem(path, 0, "", message, "layout/generated-file", hint="Rename it, or remove it.")


def _state_moves(loaded: Loaded) -> Iterator[Problem]:
    read = {parsed.file: parsed for parsed in loaded.root if parsed.is_complete and not parsed.file.endswith(SUFFIX)}
    for path, content in loaded.overrides.items():
        if path in read:
            if read[path].backend:
                yield state_problem(path, read[path].backend_line, _MOVED)
        elif (at := state_move(content)) is not None:
            yield state_problem(path, content.count(b"\n", 0, at) + 1, _MOVED)


def _same_rendered(loaded: Loaded) -> Iterator[Problem]:
    for path in loaded.part.templates:
        rendered = path.removesuffix(".j2")
        if path.endswith(SUFFIX) and rendered in loaded.part.templates:
            message = f"is rendered to {rendered}, which is there already."
            yield Problem(path, 0, "", message, "layout/collision", hint="Rename one of the two.")


def _generated_variables(root: Iterable[Parsed]) -> Iterator[Problem]:
    for variable in (variable for parsed in root for variable in parsed.variables):
        if variable.name in ROOTS:
            message = f"The variable {variable.name} is declared by a file that Landform generates."
            hint = "Remove this block; the variable is there without it."
            yield Problem(variable.file, variable.line, "", message, "hcl/generated-variable", hint=hint)


def _output_names(outputs: Iterable[Output]) -> Iterator[Problem]:
    for output in outputs:
        if len(output.name) > OUTPUT_NAME_MAX:
            message = (
                f"The output {shown(output.name)} has {len(output.name)} characters; {OUTPUT_NAME_MAX} are the most."
            )
            yield Problem(output.file, output.line, "", message, "hcl/output-name")


def _undeclared(loaded: Loaded) -> Iterator[Problem]:
    # what a template renders may declare anything
    if loaded.part.engine == "hcl":
        yield from _undeclared_in(loaded.root)
    for files in loaded.modules.values():
        yield from _undeclared_in(files, is_module=True)


def _undeclared_in(files: tuple[Parsed, ...], *, is_module: bool = False) -> Iterator[Problem]:
    if not all(parsed.is_complete for parsed in files):
        return
    declared = {variable.name for parsed in files for variable in parsed.variables}
    known = declared if is_module else declared | set(ROOTS)
    for reference in dict.fromkeys(reference for parsed in files for reference in parsed.references):
        if reference.name.removesuffix("[]") not in known:
            message = "There is no such variable."
            hint = did_you_mean(reference.name, known).strip() or f'Declare it: variable "{shown(reference.name)}" {{}}'
            field = shown(f"var.{reference.name}")
            yield Problem(reference.file, reference.line, field, message, "hcl/undeclared-variable", hint=hint)


def _without_default(root: Iterable[Parsed]) -> Iterator[Problem]:
    for variable in (variable for parsed in root for variable in parsed.variables):
        if not variable.has_default and variable.name not in ROOTS:
            message = f"The variable {shown(variable.name)} has no default."
            hint = f"Give it one, or hand it to every run: TF_VAR_{shown(variable.name)}"
            if variable.name == REGION:
                hint = (
                    "Runs give it the region of their credentials, or AWS_REGION of their environment; or give it one."
                )
            yield Problem(
                variable.file, variable.line, "", message, "hcl/variable-without-default", Severity.WARNING, hint
            )
