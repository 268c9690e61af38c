"""Bad input about versions after day one: every refusal says what is wrong and what to do next, and records nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.scenarios import bad_fleet, bad_guards, bad_halts, bad_input, bad_versions, grown
from tests.scenarios.bad_input import Case
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
THEMES = {
    "fleet": bad_fleet.CASES,
    "versions": bad_versions.CASES,
    "guards": bad_guards.CASES,
    "halts": bad_halts.CASES,
}
VERSION = re.compile(r"Terraform [0-9.]+[0-9]")


def table(*themes: str) -> list[object]:
    return [
        pytest.param(case, refusals.get(case.name, ""), id=f"{theme}: {case.name}")
        for theme in themes
        for refusals in [bad_input.refusals(theme)]
        for case in THEMES[theme]
    ]


@pytest.fixture(scope="module")
def grown_home(tmp_path_factory: pytest.TempPathFactory, deployed_home: Path) -> Path:
    root = tmp_path_factory.mktemp("grown")
    shutil.copytree(deployed_home, root / "home", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDFORM_USER", "ana")
        grown.furnish(World(root / "work", root / "home"))
    with closing(sqlite3.connect(root / "home" / "catalog.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root / "home"


@pytest.fixture
def world(tmp_path: Path, grown_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(grown_home, tmp_path / "home", symlinks=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("LANDFORM_USER", "ana")
    return World(tmp_path / "work", tmp_path / "home")


@pytest.mark.parametrize(("case", "refusal"), table("fleet", "versions", "guards"))
def test_bad_input_is_refused_in_words_and_changes_nothing(world: World, case: Case, refusal: str) -> None:
    given = bad_input.lay_out(world.root, case.given)
    rows, files = bad_input.rows(world.home / "catalog.db"), bad_input.files(world.home)

    transcript = bad_input.transcript(world, case.command)

    assert transcript == refusal
    assert bad_input.rows(world.home / "catalog.db") == rows
    assert bad_input.files(world.home) == files
    assert bad_input.contents(world.root) == given


@pytest.mark.parametrize(("case", "refusal"), table("halts"))
def test_what_is_stopped_on_the_way_is_said_in_words(world: World, case: Case, refusal: str) -> None:
    bad_input.lay_out(world.root, case.given)

    transcript = bad_input.transcript(world, case.command)

    assert VERSION.sub("Terraform VERSION", transcript) == refusal


def test_every_refusal_that_is_written_down_has_a_case() -> None:
    named = {theme: {case.name for case in cases} for theme, cases in THEMES.items()}

    assert {theme: set(bad_input.refusals(theme)) for theme in THEMES} == named
