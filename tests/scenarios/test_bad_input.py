"""Bad input: every refusal says what is wrong and what to type next, and leaves everything as it was."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios import bad_archives, bad_bundles, bad_commands, bad_documents, bad_input, bad_names, bad_values
from tests.scenarios.bad_input import Case
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
THEMES = {
    "documents": bad_documents.CASES,
    "values": bad_values.CASES,
    "bundles": bad_bundles.CASES,
    "archives": bad_archives.CASES,
    "names": bad_names.CASES,
    "commands": bad_commands.CASES,
}
BROKEN_CODE = """\
locals {
  port   = var.service_instance.inputs.prot
  all    = var.service_instance
  region = var.region
}
"""
REFUSED = """\
$ landform template register web b --major 1
instance_infrastructure/main.tf:2: var.service_instance.inputs.prot: The schema has no input "prot".
  Did you mean "port"?
instance_infrastructure/main.tf:4: var.region: There is no such variable.
  Declare it: variable "region" {}
Error: web@1.4 failed its registration.
Hint: Mend the bundle, then check it: landform template check b
[9]
"""
REASONS = """\
instance_infrastructure/main.tf:2: var.service_instance.inputs.prot: The schema has no input "prot".
instance_infrastructure/main.tf:4: var.region: There is no such variable."""


TABLE = [
    pytest.param(case, refusals.get(case.name, ""), id=f"{theme}: {case.name}")
    for theme, cases in THEMES.items()
    for refusals in [bad_input.refusals(theme)]
    for case in cases
]


@pytest.fixture(scope="session")
def furnished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("furnished")
    bad_input.furnish(World(root / "work", root / "home"))
    with closing(sqlite3.connect(root / "home" / "catalog.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root / "home"


@pytest.fixture
def furnished(tmp_path: Path, furnished_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(furnished_home, tmp_path / "home")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path / "work", tmp_path / "home")


@pytest.mark.parametrize(("case", "refusal"), TABLE)
def test_bad_input_is_refused_in_words_and_changes_nothing(
    furnished: World, case: Case, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in case.environ.items():
        monkeypatch.setenv(variable, value)
    given = bad_input.lay_out(furnished.root, case.given)
    rows, files = bad_input.rows(furnished.home / "catalog.db"), bad_input.files(furnished.home)

    transcript = bad_input.transcript(furnished, case.command)

    assert transcript == refusal
    assert bad_input.rows(furnished.home / "catalog.db") == rows
    assert bad_input.files(furnished.home) == files
    assert bad_input.contents(furnished.root) == given


def test_every_refusal_that_is_written_down_has_a_case() -> None:
    named = {theme: {case.name for case in cases} for theme, cases in THEMES.items()}

    assert {theme: set(bad_input.refusals(theme)) for theme in THEMES} == named


def test_a_bundle_that_fails_is_kept_as_a_failed_version_with_all_reasons(furnished: World) -> None:
    bad_input.lay_out(furnished.root, bad_input.service(code=BROKEN_CODE))

    transcript = bad_input.transcript(furnished, "template register web b --major 1")

    assert transcript == REFUSED
    row = furnished.row("template", "show", "web@1.4")
    assert (row["status"], row["message"], row["bundle"]) == ("failed", REASONS, "")
