"""Promises of a transaction: all or nothing, one writer, readers that never wait, values that come back the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError

from engine.catalog.catalog import Catalog
from engine.catalog.places import url_of
from engine.catalog.tables import Instance
from engine.core.runs import Event, Status
from engine.core.versions import parse_ref
from engine.errors import Conflict, LandformError
from tests import postgres
from tests.catalog.world import NOW, World, at_once, now, opened

LATER = NOW + timedelta(hours=1)


def test_an_exception_leaves_nothing_of_the_transaction(world: World) -> None:
    def act() -> None:
        with world.catalog.write() as tx:
            tx.add_template("service", "web")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        act()

    with world.catalog.read() as tx:
        assert tx.templates() == []


def test_a_refusal_by_the_database_leaves_nothing_of_the_transaction(world: World) -> None:
    instance = world.environment()
    run = world.run(instance, Status.FAILED)

    def act() -> None:
        with world.catalog.write() as tx:
            tx.add_run(instance, operation="deploy", version_id=1, template="lab@1.0", requested_by="ana")
            for _ in range(2):
                tx.add_template("service", "web")

    with pytest.raises(Conflict):
        act()

    with world.catalog.read() as tx:
        assert [row.name for row in tx.templates()] == ["lab"]
        assert tx.runs_of("environment/prod", 9) == [run]
    assert world.seen(instance).last_run_id == run.id


def test_a_refusal_that_is_caught_costs_only_what_was_refused(world: World) -> None:
    with world.catalog.write() as tx:
        tx.add_template("service", "web")
        with pytest.raises(Conflict):
            tx.add_template("service", "web")
        tx.add_template("service", "worker")

    with world.catalog.read() as tx:
        assert [row.name for row in tx.templates("service")] == ["web", "worker"]


def test_a_read_beside_a_writer_does_not_wait_and_sees_what_was_committed(world: World) -> None:
    world.template("before")

    with world.catalog.write() as writer:
        writer.add_template("service", "during")
        with world.catalog.read() as reader:
            seen = [row.name for row in reader.templates()]

    assert seen == ["before"]


def test_a_read_keeps_its_view_while_others_write(world: World) -> None:
    with world.catalog.read() as reader:
        before = reader.templates()
        world.template("during")
        after = reader.templates()

    assert (before, after) == ([], [])


def test_writers_that_read_first_lose_no_update(world: World) -> None:
    template = world.template()

    def count() -> None:
        for _ in range(10):
            with world.catalog.write() as tx:
                row = tx.template_by_id(template.id or 0)
                tx.update_template(row, display_name=str(int(row.display_name or 0) + 1))

    at_once(count, 8)

    with world.catalog.read() as tx:
        assert tx.find_template(parse_ref("web")).display_name == "80"


def test_a_transaction_that_reads_cannot_write(world: World) -> None:
    with pytest.raises(LandformError), world.catalog.read() as tx:
        tx.add_template("service", "web")

    with world.catalog.read() as tx:
        assert tx.templates() == []


def test_rows_can_be_read_after_their_transaction(world: World) -> None:
    with world.catalog.read() as tx:
        nothing = tx.templates()
    world.template()
    with world.catalog.read() as tx:
        found = tx.templates()

    assert nothing == []
    assert [(row.name, row.highest, row.created_at) for row in found] == [("web", {}, NOW)]


def test_a_time_comes_back_as_the_same_moment_in_utc(world: World) -> None:
    noon = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    template = world.template()
    with world.catalog.write() as tx:
        tx.update_template(template, created_at=noon)

    with world.catalog.read() as tx:
        found = tx.find_template(parse_ref("web")).created_at

    assert found == noon
    assert found.isoformat() == "2026-07-01T06:30:00.123456+00:00"


def test_a_time_in_a_file_is_utc_in_words(file: Path) -> None:
    noon = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with closing(Catalog(url_of(file), lambda: noon)) as catalog:
        World(catalog).template()

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT created_at FROM template").fetchall() == [("2026-07-01 06:30:00.123456",)]


def test_a_time_without_a_zone_is_refused(world: World) -> None:
    template = world.template()

    with pytest.raises(StatementError, match="has no time zone"), world.catalog.write() as tx:
        tx.update_template(template, created_at=datetime(2026, 7, 1, 12))  # noqa: DTZ001 -- the mistake itself


def test_a_time_that_has_not_come_is_none(world: World) -> None:
    run = world.reload(world.run(world.environment()))

    assert (run.created_at, run.ended_at) == (NOW, None)
    assert run.created_at.tzinfo is UTC


def test_a_json_column_is_replaced(world: World) -> None:
    instance = world.environment()
    with world.catalog.write() as tx:
        row = tx.instance_by_id(instance.id or 0)
        row.inputs = {**row.inputs, "size": ["ä", 1.5, None, {"deep": True}]}
        tx.save(row)

    assert world.seen(instance).inputs == {"size": ["ä", 1.5, None, {"deep": True}]}


def saved(catalog: Catalog, instance: Instance) -> None:
    with catalog.write() as tx:
        row = tx.instance_by_id(instance.id or 0)
        row.description = "For everybody."
        tx.save(row)


def test_saving_an_instance_says_when(file: Path) -> None:
    with closing(opened(url_of(file))) as catalog:
        instance = World(catalog).environment()
    with closing(Catalog(url_of(file), lambda: LATER)) as catalog:
        saved(catalog, instance)

        seen = World(catalog).seen(instance)

    assert (seen.description, seen.created_at, seen.updated_at) == ("For everybody.", NOW, LATER)


def test_a_database_that_machines_share_goes_by_its_own_clock(postgres_url: str) -> None:
    url = postgres.wound(postgres_url, NOW)
    with closing(Catalog(url, lambda: NOW + timedelta(days=365))) as catalog:
        instance = World(catalog).environment()
        postgres.wound(postgres_url, LATER)
        saved(catalog, instance)

        seen = World(catalog).seen(instance)
        with catalog.read() as tx:
            read = tx.now()
        with catalog.quick() as tx:
            quick = tx.now()

    assert (seen.created_at, seen.updated_at) == (NOW, LATER)
    assert (read, quick) == (LATER, LATER)


def test_the_time_of_a_transaction_on_postgresql_is_that_of_its_beginning(postgres_url: str) -> None:
    with closing(Catalog(postgres_url, now)) as catalog:
        with catalog.write() as tx:
            first, second = tx.now(), tx.now()
        with catalog.write() as tx:
            later = tx.now()

    assert first == second < later


def test_what_was_assigned_before_a_move_is_kept_with_it(world: World) -> None:
    instance = world.environment()
    world.run(instance, Status.APPLYING)

    with world.catalog.write() as tx:
        row = tx.instance_by_id(instance.id or 0)
        row.description = "Deployed."
        tx.move(1, Event.SUCCEED, fence=2)
        row.outputs = {"url": {"value": "x"}}
        tx.save(row)

    seen = world.seen(instance)
    assert (seen.description, seen.outputs) == ("Deployed.", {"url": {"value": "x"}})
    assert (seen.last_run_id, seen.last_status) == (1, "succeeded")


def test_inputs_do_not_show_up_in_the_message_of_a_mistake(world: World) -> None:
    with pytest.raises(Exception) as met, world.catalog.write() as tx:
        tx.add_instance("environment/prod", template_id=7, version_id=7, inputs={"password": "hunter2"})

    assert "hunter2" not in str(met.value)
