"""A catalog on disk, a clock that stands still, and the few rows that every story needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalog import schema
from engine.catalog.catalog import Catalog
from tests.catalog.world import World, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "catalog.db"


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog without rows: migrations run once for all tests."""
    path = tmp_path_factory.mktemp("blank") / "catalog.db"
    schema.ensure(path)
    return path


@pytest.fixture
def catalog(path: Path, blank: Path) -> Iterator[Catalog]:
    path.parent.mkdir()
    shutil.copy(blank, path)
    found = opened(path)
    yield found
    found.close()


@pytest.fixture
def world(catalog: Catalog) -> World:
    return World(catalog)
