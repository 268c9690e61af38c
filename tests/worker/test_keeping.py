"""What travels with a run is its worker's: one that was given up changes nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.core.runs import Event, Status
from engine.errors import Conflict
from engine.external.cipher import Cipher
from engine.worker.keeping import Claim, Travelling
from tests.catalog.world import World, now


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    found = Catalog(places.url_of(tmp_path / "catalog.db"), now)
    yield found
    found.close()


def test_a_worker_that_was_given_up_does_not_replace_the_plan_of_the_next_one(catalog: Catalog) -> None:
    world, keeping = World(catalog), Travelling(catalog, Cipher(b"k" * 32))
    run = world.run(world.environment(), Status.PLANNING)
    world.move(run, Event.LOSE)
    again = world.move(run, Event.CLAIM)
    keeping.keep("runs/1/plan", b"the next one's", Claim(1, again.fence))

    with pytest.raises(Conflict):
        keeping.keep("runs/1/plan", b"the first one's", Claim(1, again.fence - 1))

    assert keeping.fetch("runs/1/plan") == b"the next one's"
