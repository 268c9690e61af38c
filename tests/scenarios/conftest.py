"""A world for each test, from a copy of a home: to make a catalog, or to deploy, anew would cost each test a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine import app, settings
from tests.scenarios import slow
from tests.scenarios.world import World


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("new") / "home"
    app.build(settings.load(home=str(home))).catalog.close()
    return home


@pytest.fixture(scope="session")
def deployed_home(tmp_path_factory: pytest.TempPathFactory, new_home: Path) -> Path:
    root = tmp_path_factory.mktemp("deployed")
    shutil.copytree(new_home, root / "home")
    World(root, root / "home").deployed()
    return root / "home"


@pytest.fixture(scope="session")
def lost_home(tmp_path_factory: pytest.TempPathFactory, deployed_home: Path) -> Path:
    root = tmp_path_factory.mktemp("lost")
    shutil.copytree(deployed_home, root / "home", symlinks=True)
    world = World(root, root / "home")
    slow.publish(world)
    with slow.applying(world) as landform:
        slow.lose(world, landform)
    world.do("run", "list")
    return root / "home"


@pytest.fixture
def world(tmp_path: Path, new_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home where nothing has happened yet."""
    return _world(tmp_path, new_home, monkeypatch)


@pytest.fixture
def deployed(tmp_path: Path, deployed_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home after `World.deployed()`: its runs are 1 and 2."""
    return _world(tmp_path, deployed_home, monkeypatch)


@pytest.fixture
def lost(tmp_path: Path, lost_home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """As `deployed`, and run 3, the first of slow/prod, is interrupted: its Landform was killed."""
    return _world(tmp_path, lost_home, monkeypatch)


def _world(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    shutil.copytree(home, folder / "home", symlinks=True)
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    return World(folder / "work", folder / "home")
