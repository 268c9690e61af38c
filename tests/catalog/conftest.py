"""A catalog on each kind of database, a clock that stands still, and the few rows that every story needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from tests import postgres
from tests.catalog.world import NOW, World, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a catalog file may be made."""
    return tmp_path / "home" / "catalog.db"


@pytest.fixture
def file(path: Path, blank: Path) -> Path:
    """A catalog file without rows."""
    path.parent.mkdir()
    return shutil.copy(blank, path)


@pytest.fixture(params=["sqlite", "pg"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a catalog without rows, on one database and then on the other."""
    if request.param == "sqlite":
        return places.url_of(request.getfixturevalue("file"))
    return postgres.wound(request.getfixturevalue("postgres_url"), NOW)


@pytest.fixture
def catalog(url: str) -> Iterator[Catalog]:
    found = opened(url)
    yield found
    found.close()


@pytest.fixture
def world(catalog: Catalog) -> World:
    return World(catalog)
