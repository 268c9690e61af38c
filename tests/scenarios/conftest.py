"""A world for each test, with a home that starts from a copy: making a catalog anew would cost each test half a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine import app, settings
from tests.scenarios.world import World


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("new") / "home"
    app.build(settings.load(home=str(home))).catalog.close()
    return home


@pytest.fixture
def world(tmp_path: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(new_home, tmp_path / "home")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path / "work", tmp_path / "home")
