"""Promises about looking after a catalog: what is wrong is found, and nobody is upgraded while they work."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from engine.catalog import schema, upkeep
from engine.catalog.places import place, url_of
from engine.catalog.sqlite import File
from engine.catalog.upkeep import Upgraded
from engine.core.runs import Status
from engine.errors import Conflict
from tests import postgres
from tests.catalog.world import NOW, WORKER, World, opened


def wrong(url: str) -> list[tuple[str, str]]:
    return [(finding.check, finding.detail) for finding in upkeep.findings(place(url)) if not finding.ok]


def test_a_sound_catalog_is_found_sound_and_counted(world: World, url: str) -> None:
    world.run(world.environment(), Status.SUCCEEDED)

    found = {finding.check: finding.detail for finding in upkeep.findings(place(url))}

    assert wrong(url) == []
    assert found["schema"] == f"{schema.HEAD} at {place(url)}"
    assert (found["rows run"], found["rows worker"]) == ("1", "0")
    assert found["references instance.last_run_id"] == "All lead to a row."


def test_references_that_lead_nowhere_are_counted(world: World, url: str) -> None:
    world.run(world.environment(), Status.SUCCEEDED)
    world.execute("DELETE FROM run")
    world.execute("UPDATE template SET recommended_id = 42")

    assert wrong(url) == [
        ("references template.recommended_id", "1 lead to no version."),
        ("references instance.last_run_id", "1 lead to no run."),
    ]


def test_a_damaged_index_is_found(file: Path) -> None:
    with closing(opened(url_of(file))) as catalog:
        World(catalog).environment()
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, '(kind)', '(name)') WHERE type = 'index'")

    [(check, detail)] = wrong(url_of(file))

    assert check == "integrity"
    assert "ix_instance_kind" in detail


def test_where_there_is_no_catalog_that_is_what_is_wrong(tmp_path: Path, postgres_empty: str) -> None:
    for url in (url_of(tmp_path / "catalog.db"), postgres_empty):
        assert wrong(url) == [("schema", f"There is no catalog at {place(url)}.")]


def test_an_older_catalog_is_found_to_be_older(tmp_path: Path) -> None:
    file = File(tmp_path / "catalog.db")
    file.make()
    schema.upgrade(file, "0001")

    assert wrong(url_of(file.path)) == [("schema", f"{file} has schema 0001, not {schema.HEAD}.")]


def test_a_catalog_is_made_or_upgraded_or_left_as_it_is(tmp_path: Path, postgres_empty: str) -> None:
    for found in (File(tmp_path / "catalog.db"), place(postgres_empty)):
        assert upkeep.upgrade(found) == Upgraded("", schema.HEAD)
        assert upkeep.upgrade(found) == Upgraded(schema.HEAD, schema.HEAD)


def test_an_older_catalog_is_upgraded_when_asked_for(tmp_path: Path, postgres_empty: str) -> None:
    for found in (File(tmp_path / "catalog.db"), place(postgres_empty)):
        found.make()
        schema.upgrade(found, "0001")

        assert upkeep.upgrade(found) == Upgraded("0001", schema.HEAD)
        assert schema.revision(found) == schema.HEAD


def test_a_newer_catalog_is_not_touched(world: World, url: str) -> None:
    world.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Conflict) as refused:
        upkeep.upgrade(place(url))

    assert refused.value.hint == "A newer Landform wrote it: use that one, or a newer one."
    assert wrong(url) == [("schema", refused.value.message)]


def outdated_with_a_worker(postgres_url: str) -> str:
    """A shared catalog that is said to be older than it is, in which somebody gave a sign of life at NOW."""
    url = postgres.wound(postgres_url, NOW)
    with closing(opened(url)) as catalog, catalog.write() as tx:
        fields = {"identity": WORKER, "labels": [], "capacity": 4, "lease_s": 30.0, "version": "1"}
        tx.add_worker(name="builder", kind="service", **fields)
    with closing(postgres.connected(postgres_url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    return url


def test_a_shared_catalog_is_not_upgraded_while_a_worker_has_been_heard_of(postgres_url: str) -> None:
    url = outdated_with_a_worker(postgres_url)

    with pytest.raises(Conflict) as refused:
        upkeep.upgrade(place(url))

    assert refused.value.message == f"The catalog {place(url)} is in use by builder."
    assert schema.revision(place(url)) == "0001"


@pytest.mark.parametrize(("later", "force"), [(timedelta(seconds=31), False), (timedelta(0), True)])
def test_a_worker_that_has_gone_keeps_nobody_from_upgrading(
    postgres_url: str, later: timedelta, *, force: bool
) -> None:
    url = postgres.wound(outdated_with_a_worker(postgres_url), NOW + later)

    # it gets past the question, and then finds the tables that are there already
    with pytest.raises(Exception, match="already exists"):
        upkeep.upgrade(place(url), force=force)
