"""Promises about the schema: however a catalog came to be, it is the one that the tables describe."""

from __future__ import annotations

import multiprocessing
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from engine.catalog import engines, places, schema
from engine.catalog.catalog import Catalog
from engine.catalog.metadata import METADATA
from engine.catalog.places import Place
from engine.catalog.sqlite import File
from engine.catalog.tables import Run
from engine.core.runs import HOLDING
from engine.errors import Conflict
from tests import postgres
from tests.catalog.world import now, opened

# what Alembic and SQLite keep for themselves
_OWN = ("alembic_version", "sqlite_sequence")


@pytest.fixture(params=["sqlite", "pg"])
def place(request: pytest.FixtureRequest, path: Path) -> Place:
    """A database without tables, of one kind and then of the other."""
    if request.param == "pg":
        return places.place(request.getfixturevalue("postgres_empty"))
    File(path).make()
    return File(path)


@pytest.fixture(params=["sqlite", "pg"])
def other(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: str) -> Iterator[Place]:
    """A second one, of the kind of `place`."""
    if request.param == "pg":
        with postgres.database(postgres_server) as url:
            yield places.place(url)
        return
    file = File(tmp_path / "other.db")
    file.make()
    yield file


SAME = pytest.mark.parametrize(
    ("place", "other"), [("sqlite", "sqlite"), ("pg", "pg")], indirect=True, ids=["sqlite", "pg"]
)


def described(place: Place) -> dict[str, object]:
    """What each table consists of, whatever the order of its columns; a default that only old rows need is none."""
    with engines.migrating(place) as connection:
        found = inspect(connection)
        names = [name for name in found.get_table_names() if name not in _OWN]
        return {name: table(connection, name) for name in names}


def table(connection: Connection, name: str) -> object:
    found = inspect(connection)
    columns = {each["name"]: (str(each["type"]), each["nullable"]) for each in found.get_columns(name)}
    keys = sorted(
        (key["name"], key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(name)
    )
    unique = sorted((key["name"], key["column_names"]) for key in found.get_unique_constraints(name))
    return columns, found.get_pk_constraint(name), keys, unique, indexes(connection, name)


def indexes(connection: Connection, name: str) -> list[str]:
    """The definition of each index, and whether numbers of the table come back, as the database says it."""
    if connection.dialect.name == "postgresql":
        query = f"SELECT indexdef FROM pg_indexes WHERE tablename = '{name}'"
    else:
        query = (
            "SELECT CASE type WHEN 'table' THEN sql LIKE '%AUTOINCREMENT%' ELSE sql END FROM sqlite_master"
            f" WHERE tbl_name = '{name}' AND sql IS NOT NULL"
        )
    # PostgreSQL writes the same condition with other casts and brackets when a type was changed meanwhile
    noise = r"::(text|character varying)(\[\])?|[()]"
    return sorted(re.sub(noise, "", " ".join(str(row[0]).split())) for row in connection.execute(text(query)))


def from_tables(place: Place) -> Place:
    """The database, with what SQLModel makes from the tables."""
    with engines.migrating(place) as connection:
        METADATA.create_all(connection)
    return place


def migrated(place: Place, revision: str = schema.HEAD) -> Place:
    schema.upgrade(place, revision)
    return place


@SAME
def test_a_migrated_catalog_is_the_one_that_the_tables_describe(place: Place, other: Place) -> None:
    assert described(migrated(place)) == described(from_tables(other))


@SAME
@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_a_catalog_upgraded_from_any_revision_is_as_a_new_one(place: Place, other: Place, revision: str) -> None:
    old = migrated(place, revision)

    schema.upgrade(old)

    assert described(old) == described(migrated(other))
    assert schema.revision(old) == schema.HEAD


def test_alembic_finds_nothing_to_change(place: Place) -> None:
    migrated(place)

    with engines.migrating(place) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, Run.metadata)

    assert changes == []


def test_only_one_run_of_an_instance_holds_it_whatever_the_database(place: Place) -> None:
    migrated(place)

    with engines.migrating(place) as connection:
        [index] = [each for each in inspect(connection).get_indexes("run") if each["name"] == "uq_run_active"]
        [where] = [str(each) for name, each in index["dialect_options"].items() if name.endswith("_where")]

    assert index["unique"]
    assert [status for status in sorted(HOLDING) if f"'{status}'" in where] == sorted(HOLDING)
    assert where.count("'") == 2 * len(HOLDING)


def test_text_on_postgresql_is_compared_by_bytes_whatever_its_language(postgres_empty: str) -> None:
    place = migrated(places.place(postgres_empty))

    with engines.migrating(place) as connection:
        found = connection.execute(
            text(
                "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND data_type IN ('character varying', 'text') AND table_name <> 'alembic_version'"
            )
        )
        assert found.scalars().all() == ["C"]


OLD_ROWS = (
    "INSERT INTO template VALUES (1, 'environment', 'lab', '', '', 'managed', 'managed', '{}', 1, '2026-01-01')",
    "INSERT INTO version VALUES (1, 1, 1, 0, 'published', '', '', '', '', '', '{}', '[]', '[]', '2026-01-01', NULL)",
    *(
        "INSERT INTO instance (id, address, kind, name, environment_id, template_id, version_id, description, inputs,"
        " upstream, stale, is_stale, run_env, last_status, created_at, updated_at) VALUES"
        f" ({number}, '{address}', '{address.split('/')[0]}', 'x', {home}, 1, 1, '', '{{}}', '{{}}', '[]', false,"
        " '{}', '', '2026-01-01', '2026-01-01')"
        for number, address, home in (
            (1, "environment/prod", "NULL"),
            (2, "service/orders/prod", "1"),
            (3, "environment/test", "NULL"),
        )
    ),
    *(
        "INSERT INTO run (id, instance_id, address, operation, status, version_id, template, inputs, update_kind,"
        " auto_approve, reason, requested_by, approved_by, approval_reason, fingerprint, upstream, message, fence,"
        f" attempt, created_at, ended_at) VALUES ({number}, {instance}, 'a', 'deploy', '{status}', 1, 'lab@1.0',"
        " '{}', '', 'none', '', 'ana', '', '', '{}', '{}', '', 2, 1, '2026-01-01', '2026-01-02')"
        for number, instance, status in (
            (1, 1, "interrupted"),
            (2, 1, "interrupted"),
            (3, 1, "succeeded"),
            (4, 2, "interrupted"),
            (5, 2, "discarded"),
            (6, 9, "interrupted"),
            (7, 3, "interrupted"),
            (8, 3, "queued"),
        )
    ),
)


def with_old_rows(place: Place) -> Place:
    """A catalog of the revision 0001 with interrupted runs: decided upon, undecided, and of what has gone."""
    migrated(place, "0001")
    with engines.migrating(place) as connection:
        for statement in OLD_ROWS:
            connection.execute(text(statement))
    return place


def test_an_upgrade_keeps_interrupted_runs_that_nobody_has_decided_upon(place: Place) -> None:
    schema.upgrade(with_old_rows(place))

    with engines.migrating(place) as connection:
        found = connection.execute(text("SELECT id, status, environment_id, ended_at IS NULL FROM run ORDER BY id"))
        assert [(*row[:3], bool(row[3])) for row in found] == [
            (1, "failed", 1, False),
            (2, "failed", 1, False),
            (3, "succeeded", 1, False),
            (4, "interrupted", 1, True),
            (5, "discarded", 1, False),
            (6, "failed", None, False),
            (7, "failed", 3, False),
            (8, "queued", 3, False),
        ]
        kept = connection.execute(text("SELECT address, rules, backend, diverged FROM instance WHERE id = 2")).one()
        assert [str(value) for value in kept] == ["service/orders/prod", "{}", "{}", ""]


def test_a_file_of_an_older_version_is_upgraded_when_it_is_opened(path: Path) -> None:
    File(path).make()
    with_old_rows(File(path))

    with closing(opened(places.url_of(path))) as catalog, catalog.read() as tx:
        held = tx.active_run(tx.instance_by_id(2))

    assert held is not None
    assert (held.id, held.status) == (4, "interrupted")


def test_a_shared_catalog_of_an_older_version_is_not_upgraded_behind_the_back_of_others(postgres_empty: str) -> None:
    place = with_old_rows(places.place(postgres_empty))

    with pytest.raises(Conflict) as refused:
        Catalog(postgres_empty, now)

    assert refused.value.message == f"The catalog {place} has schema 0001; this Landform works with {schema.HEAD}."
    assert refused.value.hint == "Upgrade it when no older Landform uses it any more: landform db upgrade"
    assert schema.revision(place) == "0001"


def test_the_revisions_are_those_of_the_migrations_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert tuple(reversed(scripts)) == schema.REVISIONS


def test_a_drafted_migration_runs(tmp_path: Path, file: Path) -> None:
    migrations = tmp_path / "100% ours"
    shutil.copytree(schema.MIGRATIONS, migrations)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE service DROP COLUMN branch")

    script = schema.draft(File(file), "Services say which branch they follow.", "9999", migrations)

    text = script.read_text(encoding="utf-8")
    compile(text, str(script), "exec")
    assert text.startswith('"""Services say which branch they follow."""\n')
    assert "import sqlmodel" in text
    assert "batch_op.add_column(sa.Column('branch', sqlmodel.sql.sqltypes.AutoString(), nullable=False))" in text


def test_an_upgrade_that_fails_half_way_leaves_nothing(place: Place) -> None:
    with engines.migrating(place) as connection:
        connection.execute(text("CREATE TABLE run (id INTEGER)"))

    with pytest.raises(Exception, match=r"run.* already exists"):
        schema.upgrade(place)

    with engines.migrating(place) as connection:
        assert inspect(connection).get_table_names() == ["run"]


def _ensure(url: str) -> str | None:
    place = places.place(url)
    schema.ensure(place)
    return schema.revision(place)


def test_processes_may_upgrade_at_once(tmp_path: Path, postgres_server: str) -> None:
    files = [places.url_of(tmp_path / f"{number}" / "catalog.db") for number in range(2) for _ in range(3)]

    with (
        postgres.database(postgres_server) as first,
        postgres.database(postgres_server) as second,
        multiprocessing.get_context("spawn").Pool(3) as pool,
    ):
        answers = pool.map(_ensure, [*files, *[first] * 3, *[second] * 3], chunksize=1)

    assert answers == [schema.HEAD] * 12


def test_a_file_has_the_settings_that_make_it_safe(file: Path) -> None:
    catalog = opened(places.url_of(file))

    with catalog._engines.writing.connect() as connection:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]
    catalog.close()

    assert found == ["wal", 1, 30000, 1]


def test_a_shared_database_is_asked_with_the_settings_that_make_it_safe(postgres_url: str) -> None:
    catalog = opened(postgres_url)
    names = ("transaction_isolation", "transaction_read_only", "idle_in_transaction_session_timeout", "lock_timeout")

    found = []
    for engine in (catalog._engines.reading, catalog._engines.writing, catalog._engines.quick):
        with engine.connect() as connection:
            found.append([connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names])
    catalog.close()

    assert found == [
        ["repeatable read", "on", "10min", "30s"],
        ["read committed", "off", "20s", "30s"],
        ["read committed", "off", "10min", "30s"],
    ]
