"""Bad input about Git and AWS: every refusal says what is wrong and what to do next, and nothing half is left."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine import app, settings
from engine.external.process import Stop
from engine.worker.following import watch_nothing
from engine.worker.triggers import Point
from tests.bucket import CREDENTIALS
from tests.repositories import Upstream
from tests.scenarios import bad_connections, bad_endings, bad_input, bad_places, connected
from tests.scenarios.bad_input import Case
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
THEMES = {
    "connections": bad_connections.CASES,
    "places": bad_places.CASES,
    "endings": bad_endings.CASES,
}


def table(*themes: str) -> list[object]:
    return [
        pytest.param(case, refusals.get(case.name, ""), id=f"{theme}: {case.name}")
        for theme in themes
        for refusals in [bad_input.refusals(theme)]
        for case in THEMES[theme]
    ]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    # moto's server tells of each request
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with connected.outside(tmp_path_factory.mktemp("outside")) as found:
        yield found
    logging.getLogger("werkzeug").setLevel(logging.NOTSET)


@pytest.fixture(scope="module")
def connected_home(tmp_path_factory: pytest.TempPathFactory, deployed_home: Path, names: dict[str, str]) -> Path:
    root = tmp_path_factory.mktemp("connected")
    shutil.copytree(deployed_home, root / "home", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDFORM_USER", "ana")
        connected.furnish(World(root / "work", root / "home"), names)
    with closing(sqlite3.connect(root / "home" / "catalog.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return root / "home"


@pytest.fixture
def world(tmp_path: Path, connected_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(connected_home, tmp_path / "home", symlinks=True)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for variable, value in {**CREDENTIALS, "LANDFORM_USER": "ana"}.items():
        monkeypatch.setenv(variable, value)
    return World(tmp_path / "work", tmp_path / "home")


def typed(world: World, case: Case, names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Lays out what the case has, and types it; the transcript."""
    here = connected.filled(case, names)
    for variable, value in here.environ.items():
        monkeypatch.setenv(variable, value)
    bad_input.lay_out(world.root, here.given)
    return connected.told(bad_input.transcript(world, here.command), names)


@pytest.mark.parametrize(("case", "refusal"), table("connections", "places"))
def test_bad_input_is_refused_in_words_and_changes_nothing(
    world: World, names: dict[str, str], case: Case, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, files = bad_input.rows(world.home / "catalog.db"), bad_input.files(world.home)

    transcript = typed(world, case, names, monkeypatch)

    assert transcript == refusal
    assert bad_input.rows(world.home / "catalog.db") == rows
    assert bad_input.files(world.home) == files


@pytest.mark.parametrize(("case", "refusal"), table("endings"))
def test_what_comes_to_light_on_the_way_is_said_in_words(
    world: World, names: dict[str, str], case: Case, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcript = typed(world, case, names, monkeypatch)

    assert transcript == refusal


def test_every_refusal_that_is_written_down_has_a_case() -> None:
    named = {theme: {case.name for case in cases} for theme, cases in THEMES.items()}

    assert {theme: set(bad_input.refusals(theme)) for theme in THEMES} == named


def test_to_say_the_same_twice_is_fine_and_changes_nothing(world: World) -> None:
    again = ("run", "notify", "3", "--status", "succeeded", "--output", "zone=other")

    world.do(*again)

    assert world.row("env", "show", "far")["outputs"]["zone"]["value"] == "a"


def test_a_branch_that_moved_meanwhile_is_left_as_it_is(world: World, tmp_path: Path) -> None:
    upstream = Upstream(tmp_path)
    upstream.commit({"README.md": "Infrastructure."})
    world.do("env", "create", "lake", "-t", "lab", "--provisioning-repository", upstream.url, "--no-wait")

    def meddle(now: Point) -> None:
        if now is Point.PROPOSAL_NOTED:
            with landform.catalog.read() as tx:
                upstream.commit({"README.md": "Mine."}, tx.run(run_id).proposal["branch"])

    run_id = world.rows("run", "list")[0]["id"]
    with closing(app.build(settings.load(home=str(world.home)), meddle)) as landform:
        landform.executor.execute(run_id, Stop(), watch_nothing)

    run = world.row("run", "show", run_id)
    branch = run["proposal"]["branch"]
    assert run["status"] == "failed"
    assert run["message"].startswith(f"Branch {branch} moved since it was read.")
    assert upstream.show(branch, "README.md") == "Mine."
