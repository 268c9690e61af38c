"""A catalog that cannot be reached for a while: whoever follows a run waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import app, settings
from engine.core.runs import Event
from tests import postgres
from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[postgres.Server]:
    """A server that has the catalog."""
    with postgres.own_server() as server:
        monkeypatch.setenv("LANDFORM_CATALOG", server.url)
        yield server


@pytest.fixture
def shared(tmp_path: Path, server: postgres.Server, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home where run 1, which makes environment prod, is said to be planned by another process."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    world = World(tmp_path / "work", tmp_path / "home")
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")
    workers.claim(world, 1, workers.living())
    return world


def give_up(world: World) -> None:
    """Takes run 1 from whoever has it."""
    catalog = app.build(settings.load(home=str(world.home))).catalog
    with catalog.write() as tx:
        tx.move(1, Event.LOSE)
    catalog.close()


def test_whoever_follows_a_run_waits_for_a_catalog_that_cannot_be_reached(
    shared: World, server: postgres.Server
) -> None:
    follower = workers.start(shared, "run", "apply", 1, "--yes", "--timeout", 60)
    assert follower.stderr is not None
    first = follower.stderr.readline()

    server.stop("immediate")
    second = follower.stderr.readline()
    server.start()
    give_up(shared)
    _, rest = follower.communicate()

    assert first == "prod: somebody works on it\n"
    assert second.startswith("The catalog postgres on ")
    assert second.endswith(" Trying again.\n")
    assert "Trying again" not in rest
    assert (follower.returncode, shared.row("run", "show", 1)["status"]) == (0, "succeeded")


def test_whoever_follows_a_run_waits_no_longer_than_asked(shared: World, server: postgres.Server) -> None:
    follower = workers.start(shared, "run", "apply", 1, "--timeout", 2)
    assert follower.stderr is not None
    follower.stderr.readline()

    server.stop("immediate")
    _, rest = follower.communicate()

    assert "Trying again" in rest
    assert follower.returncode == 124
