"""The contract tests that a bundle has: `tests/*.yaml`, and the files of `terraform test`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.core import located
from engine.core.bundle import Part, PartName
from engine.core.contract_format import RULE, TESTS_MAX, parse
from engine.core.contracts import FOLDER, SUFFIXES, TERRAFORM_SUFFIXES, Contract, Suite
from engine.errors import Invalid, Problem

_MAIN = (PartName.INFRASTRUCTURE, PartName.INSTANCE, PartName.PIPELINE)


def suite(files: Mapping[str, bytes], parts: Mapping[PartName, Part]) -> tuple[Suite, tuple[Problem, ...]]:
    """The tests of the bundle and everything wrong with how they are written. `files` are named from its root."""
    names = [name for name in _MAIN if name in parts]
    tests: list[Contract] = []
    problems: list[Problem] = []
    for path in _direct(files, SUFFIXES):
        found, wrong = _read(files[path], path, names)
        tests += found
        problems += wrong
    if len(tests) > TESTS_MAX:
        message = f"The bundle has {len(tests)} tests; {TESTS_MAX} are the most."
        problems.append(Problem(FOLDER, 0, "", message, RULE))
    terraform, clashes = _terraform(files, names)
    return Suite(tuple(tests), terraform), (*problems, *clashes)


def _read(content: bytes, path: str, names: Sequence[PartName]) -> tuple[tuple[Contract, ...], tuple[Problem, ...]]:
    if not names:
        return (), (Problem(path, 0, "", "There is no infrastructure to test.", RULE),)
    try:
        return parse(located.decode(content, path), path, names)
    except Invalid as error:
        return (), error.problems


def _direct(files: Mapping[str, bytes], suffixes: tuple[str, ...]) -> list[str]:
    below = (path for path in sorted(files) if path.startswith(FOLDER) and path.endswith(suffixes))
    return [path for path in below if path.count("/") == FOLDER.count("/")]


def _terraform(
    files: Mapping[str, bytes], names: Sequence[PartName]
) -> tuple[dict[PartName, dict[str, str]], tuple[Problem, ...]]:
    """The files of `terraform test` of each part: those of the bundle's own folder belong to the first one."""
    found = {name: dict(_inside(files, name)) for name in names}
    problems: list[Problem] = []
    for path in _direct(files, TERRAFORM_SUFFIXES):
        if not names:
            problems.append(Problem(path, 0, "", "There is no infrastructure to test.", RULE))
        elif path in found[names[0]]:
            problems.append(Problem(path, 0, "", f"{found[names[0]][path]} has the same name.", RULE))
        else:
            found[names[0]][path] = path
    return {name: inside for name, inside in found.items() if inside}, tuple(problems)


def _inside(files: Mapping[str, bytes], name: PartName) -> Iterator[tuple[str, str]]:
    """Where Terraform looks for tests in the folder of a part: beside the code, and in `tests`."""
    prefix = f"{name.value}/"
    for path in sorted(files):
        inner = path.removeprefix(prefix)
        if path.startswith(prefix) and path.endswith(TERRAFORM_SUFFIXES) and "/" not in inner.removeprefix(FOLDER):
            yield inner, path
