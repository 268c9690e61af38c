"""What every test relies on, whoever starts the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgres


def pytest_configure() -> None:
    """Tests interrupt programs: who starts us in the background may have had the signal ignored, also for them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog file without rows, to be copied and never opened: migrations run once for all tests."""
    from engine.catalog import schema
    from engine.catalog.sqlite import File

    path = tmp_path_factory.mktemp("blank") / "catalog.db"
    schema.ensure(File(path))
    return path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that all tests share; its databases are to be made with `postgres.database`."""
    ours = tmp_path_factory.getbasetemp()
    with postgres.shared_server(ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_blank(postgres_server: str) -> Iterator[str]:
    """The URL of a catalog without rows, to be copied and never opened: migrations run once for all tests."""
    from engine.catalog import places, schema

    with postgres.database(postgres_server) as url:
        schema.ensure(places.place(url))
        yield url


@pytest.fixture
def postgres_url(postgres_server: str, postgres_blank: str) -> Iterator[str]:
    """The URL of a catalog on PostgreSQL, of this test alone, without rows."""
    with postgres.database(postgres_server, postgres.name_of(postgres_blank)) as url:
        yield url


@pytest.fixture
def postgres_empty(postgres_server: str) -> Iterator[str]:
    """The URL of a database on PostgreSQL, of this test alone, without tables."""
    with postgres.database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres() -> Iterator[postgres.Server]:
    """A server of this test alone, which it may stop and start."""
    with postgres.own_server() as server:
        yield server
