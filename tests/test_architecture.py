"""The layers of the house: which package may look at which, lazy and typing imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENGINE = ROOT / "engine"

# package -> what it may import besides itself; one line a package, lowest first
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "forms": set(),
    "settings": {"errors", "forms"},
    "core": {"errors"},
    "external": {"core", "errors", "settings"},
    "logs": {"external", "core", "errors", "settings"},
    "tracing": {"core", "errors", "settings"},
    "catalog": {"core", "external", "errors", "settings"},
    "bundles": {"core", "external", "errors", "settings"},
    "terraform": {"core", "external", "errors", "settings"},
    "actions": {"catalog", "bundles", "terraform", "external", "core", "errors", "settings"},
    "worker": {"catalog", "bundles", "terraform", "logs", "tracing", "external", "core", "errors", "settings"},
}
MAY_IMPORT["app"] = {"actions", "worker"} | MAY_IMPORT["actions"] | MAY_IMPORT["worker"]
MAY_IMPORT["cli"] = {"app", "forms"} | MAY_IMPORT["app"]
CORE_MAY_NOT = {"os", "pathlib", "subprocess", "socket", "time", "random", "shutil", "tempfile", "threading", "urllib"}
LIGHT = {"click"}


def modules() -> list[Path]:
    return sorted(ENGINE.rglob("*.py"))


def imports(file: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module of a file, and whether it is imported when the file is."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    eager = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in eager
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", id(node) in eager


def package(module: str) -> str:
    return module.split(".")[1]


def name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("file", modules(), ids=name)
def test_imports_only_point_down(file: Path) -> None:
    here = package(name(file))
    allowed = MAY_IMPORT.get(here, set()) | {here}

    wrong = {found for found, _ in imports(file) if found.startswith("engine.") and package(found) not in allowed}

    assert wrong == set()


@pytest.mark.parametrize("file", sorted((ENGINE / "core").glob("*.py")), ids=name)
def test_core_imports_nothing_that_can_do_io(file: Path) -> None:
    assert {found.split(".")[0] for found, _ in imports(file)} & CORE_MAY_NOT == set()


@pytest.mark.parametrize("file", sorted(ENGINE.rglob("__init__.py")), ids=name)
def test_an_init_holds_only_a_docstring(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))

    assert [type(node) for node in tree.body] == [ast.Expr]


@pytest.mark.parametrize("file", modules(), ids=name)
def test_a_module_opens_by_saying_what_it_is_for(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("file", modules(), ids=name)
def test_files_and_functions_stay_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]

    long = {f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno >= 60}

    assert len(text.splitlines()) <= 500
    assert long == set()


def test_there_is_no_cycle_between_modules() -> None:
    graph = {name(file).removesuffix(".__init__"): set[str]() for file in modules()}
    for file in modules():
        for found, _ in imports(file):
            target = found if found in graph else found.rpartition(".")[0]
            if target in graph and target != name(file):
                graph[name(file).removesuffix(".__init__")].add(target)

    while ends := {module for module in graph if not graph[module] or not any(module in to for to in graph.values())}:
        graph = {module: targets - ends for module, targets in graph.items() if module not in ends}

    assert graph == {}


def test_the_top_level_holds_only_what_was_agreed() -> None:
    agreed = {"pyproject.toml", "README.md", "engine", "modules", "workspaces", "tests", "Makefile", "docs", "LICENSE"}

    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert found - agreed - {"CHANGELOG.md"} == set()
