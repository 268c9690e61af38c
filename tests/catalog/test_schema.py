"""Promises about the schema: however a catalog came to be, it is the one that tables.py describes."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlmodel import SQLModel

from engine.catalog import engines, schema, sqlite
from engine.catalog.tables import Run
from tests.catalog.world import opened

# what Alembic and SQLite keep for themselves
_OWN = ("alembic_version", "sqlite_sequence")


def described(path: Path) -> dict[str, str]:
    """Name -> definition of every table and index, with blanks made equal."""
    query = "SELECT name, coalesce(sql, '') FROM sqlite_master WHERE tbl_name NOT IN (?, ?)"
    with closing(sqlite3.connect(path)) as connection:
        return {name: " ".join(sql.split()).replace('"', "") for name, sql in connection.execute(query, _OWN)}


def from_tables(path: Path) -> Path:
    """A database that SQLModel makes from tables.py."""
    sqlite.make(path)
    with engines.migrating(path) as connection:
        SQLModel.metadata.create_all(connection)
    return path


def migrated(path: Path, revision: str) -> Path:
    sqlite.make(path)
    schema.upgrade(path, revision)
    return path


def test_a_migrated_catalog_is_the_one_that_the_tables_describe(tmp_path: Path) -> None:
    new = migrated(tmp_path / "new.db", schema.HEAD)

    assert described(new) == described(from_tables(tmp_path / "tables.db"))


@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_a_catalog_upgraded_from_any_revision_is_as_a_new_one(tmp_path: Path, revision: str) -> None:
    old = migrated(tmp_path / "old.db", revision)

    schema.ensure(old)

    assert described(old) == described(migrated(tmp_path / "new.db", schema.HEAD))
    assert schema.revision(old) == schema.HEAD


def test_alembic_finds_nothing_to_change(tmp_path: Path) -> None:
    path = migrated(tmp_path / "catalog.db", schema.HEAD)

    with engines.migrating(path) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        changes = compare_metadata(context, Run.metadata)

    assert changes == []


def test_the_revisions_are_those_of_the_migrations_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    scripts = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert tuple(reversed(scripts)) == schema.REVISIONS


def test_a_drafted_migration_runs(tmp_path: Path) -> None:
    migrations = tmp_path / "100% ours"
    shutil.copytree(schema.MIGRATIONS, migrations)
    path = migrated(tmp_path / "catalog.db", schema.HEAD)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE service DROP COLUMN branch")

    script = schema.draft(path, "Services say which branch they follow.", "0002", migrations)

    text = script.read_text(encoding="utf-8")
    compile(text, str(script), "exec")
    assert text.startswith('"""Services say which branch they follow."""\n')
    assert "import sqlmodel" in text
    assert "batch_op.add_column(sa.Column('branch', sqlmodel.sql.sqltypes.AutoString(), nullable=False))" in text


def test_an_upgrade_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    sqlite.make(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE run (id)")

    with pytest.raises(Exception, match="table run already exists"):
        schema.upgrade(path)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("run",)]


def _ensure(path: Path) -> str | None:
    schema.ensure(path)
    return schema.revision(path)


def test_processes_may_upgrade_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}" / "catalog.db" for number in range(5) for _ in range(3)]

    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.map(_ensure, paths, chunksize=1)

    assert answers == [schema.HEAD] * 15


def test_a_catalog_has_the_settings_that_make_it_safe(path: Path) -> None:
    catalog = opened(path)

    with catalog._writing.connect() as connection:
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]
    catalog.close()

    assert found == ["wal", 1, 30000, 1]
