"""Promises about a copy: everything arrives as it was, on whatever database, or nothing does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.catalog import copying, places, schema
from engine.catalog.catalog import Catalog
from engine.catalog.places import Place, place, url_of
from engine.catalog.reads import Reads
from engine.catalog.worker_tables import LogChunk
from engine.core import address
from engine.core.runs import Status
from engine.core.snapshots import Snapshot
from engine.errors import Busy, Conflict, LandformError
from tests.catalog.world import WORKER, World, opened

ROWS = {
    "campaign": 0,
    "step": 0,
    "template": 2,
    "version": 2,
    "service": 1,
    "instance": 2,
    "run": 2,
    "worker": 1,
    "approval": 1,
    "stateversion": 1,
    "blob": 1,
    "logchunk": 1,
    "request": 1,
    "sync": 0,
    "syncattempt": 0,
    "syncblocker": 0,
    "notice": 0,
    "delivery": 0,
    "datakey": 0,
}


@pytest.fixture
def target(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> str:
    """The URL of an empty database of the other kind."""
    if url.startswith("sqlite"):
        found: str = request.getfixturevalue("postgres_empty")
        return found
    return url_of(tmp_path / "copy" / "catalog.db")


@pytest.fixture
def filled(url: str) -> Iterator[World]:
    """A catalog with rows in every table, and with all that a value may be."""
    with closing(opened(url)) as catalog:
        world = World(catalog)
        environment = world.environment("prod")
        instance = world.instance(world.version(world.template()), environment)
        world.run(environment, Status.PLANNED)
        world.run(instance, Status.SUCCEEDED)
        _odds_and_ends(catalog)
        yield world


def _odds_and_ends(catalog: Catalog) -> None:
    with catalog.write() as tx:
        instance = tx.instance(address.parse("service/orders/prod"))
        instance.inputs = {"z": [1, 2.5, None, True, {"deep": "\0\ud83d\ude00"}], "ä": "ümläut", "large": 2**60}
        tx.save(instance)
        fields = {"identity": WORKER, "labels": ["eu"], "capacity": 4, "lease_s": 12.25, "version": "1"}
        tx.add_worker(name="one", kind="service", **fields)
        tx.add_approval(1, "ana", "it's %(fine)s: :yes")
        tx.add_state(instance, Snapshot("line", 1, "1" * 64, 10, 3), run_id=2, fence=None)
        tx.put_blob("runs/1/plan", bytes(range(256)))
        tx.add_request("key", "digest", [1, 2], "ana")
        tx.save(LogChunk(run_id=1, kind="log", start=0, content=b"\x00\xff"))


def everything(url: str) -> list[object]:
    reads = Reads(url)
    lists = [reads.templates(), reads.environments(), reads.services(), reads.service_instances(), reads.runs()]
    return [*lists, reads.workers(), reads.approvals(1), reads.instance("service/orders/prod"), reads.run(2)]


def test_a_copy_says_what_its_origin_says(filled: World, url: str, target: str) -> None:
    copied = copying.copy(place(url), place(target))

    assert {table.table: table.rows for table in copied} == ROWS
    assert everything(target) == everything(url)
    with closing(opened(target)) as catalog, catalog.read() as tx:
        assert tx.blob("runs/1/plan") == bytes(range(256))


def test_a_copy_of_a_copy_has_the_same_hashes(filled: World, url: str, target: str, tmp_path: Path) -> None:
    there = copying.copy(place(url), place(target))

    again = copying.copy(place(target), place(url_of(tmp_path / "again.db")))

    assert again == there
    # those without rows are alike
    assert len({table.sha256 for table in there}) == 1 + sum(map(bool, ROWS.values()))


def test_numbers_that_were_given_out_before_are_not_given_again_by_a_copy(filled: World, url: str, target: str) -> None:
    filled.execute("DELETE FROM run WHERE id = 2")
    filled.execute("DELETE FROM stateversion")

    copying.copy(place(url), place(target))

    with closing(opened(target)) as catalog:
        world = World(catalog)
        instance = world.environment("new")
        assert (instance.id, world.run(instance).id) == (3, 3)
        assert world.template("third").id == 3
        with catalog.write() as tx:
            assert tx.add_state(instance, Snapshot("l", 1, "2" * 64, 1, 1), run_id=3, fence=None).id == 2


def test_files_that_go_along_are_blobs_of_the_copy(filled: World, url: str, target: str) -> None:
    copying.copy(place(url), place(target), [("states/1", b"sealed"), ("runs/1/plan", b"another")])

    with closing(opened(target)) as catalog, catalog.read() as tx:
        assert (tx.blob("states/1"), tx.blob("runs/1/plan")) == (b"sealed", bytes(range(256)))


def test_what_a_catalog_names_and_does_not_hold_is_listed(filled: World, url: str) -> None:
    filled.execute("UPDATE version SET bundle = 'b1' WHERE id = 2")

    assert copying.contents(place(url)) == copying.Contents(("b1",), ("1" * 64,))


def test_a_catalog_with_rows_is_not_copied_to(filled: World, url: str, target: str) -> None:
    with closing(opened(target)) as catalog:
        World(catalog).template()

    with pytest.raises(Conflict) as refused:
        copying.copy(place(url), place(target))

    assert refused.value.message == f"The catalog {place(target)} is not empty: it has rows in template."


def test_a_catalog_in_which_somebody_works_is_not_copied(filled: World, url: str, target: str) -> None:
    filled.run(filled.environment("busy"), Status.APPLYING)

    with pytest.raises(Busy) as refused:
        copying.copy(place(url), place(target))

    assert refused.value.message == "Somebody works on run 3: its end would be missing from the copy."
    assert Reads(target).templates() == []


def test_a_catalog_that_is_not_there_is_not_copied(tmp_path: Path, postgres_empty: str) -> None:
    nowhere: Place = place(url_of(tmp_path / "catalog.db"))

    with pytest.raises(Conflict) as refused:
        copying.copy(nowhere, place(postgres_empty))

    assert refused.value.message == f"There is no catalog of schema {schema.HEAD} at {nowhere}."
    assert schema.revision(place(postgres_empty)) is None


def test_a_copy_that_cannot_be_whole_leaves_nothing(file: Path, postgres_empty: str) -> None:
    with closing(opened(url_of(file))) as catalog:
        world = World(catalog)
        world.template("fine")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE template SET description = 'a' || char(0)")

    with pytest.raises(LandformError) as refused:
        copying.copy(place(url_of(file)), place(postgres_empty))

    name = places.place(postgres_empty)
    assert refused.value.message == f"The catalog {name} cannot keep text with a NUL character."
    assert Reads(postgres_empty).templates() == []
