"""Promises about a catalog that machines share: no lost update, outages that pass, and words without a password."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from engine.catalog.catalog import Catalog
from engine.catalog.places import place
from engine.catalog.postgres import Database
from engine.catalog.reads import Reads
from engine.core.runs import Event
from engine.core.versions import parse_ref
from engine.errors import Conflict, ExternalFailure, LandformError, NotFound
from tests import postgres
from tests.catalog.world import World, at_once, now, opened

ROOT = Path(__file__).parent.parent.parent


def _count(url: str) -> None:
    with closing(opened(url)) as catalog:
        for _ in range(25):
            with catalog.write() as tx:
                row = tx.find_template(parse_ref("web"))
                tx.update_template(row, display_name=str(int(row.display_name or 0) + 1))


def test_processes_that_read_before_they_write_lose_no_update(postgres_url: str) -> None:
    with closing(opened(postgres_url)) as catalog:
        World(catalog).template()

        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.map(_count, [postgres_url] * 4, chunksize=1)

        with catalog.read() as tx:
            assert tx.find_template(parse_ref("web")).display_name == "100"


def test_what_a_writer_has_read_stays_true_until_it_commits(postgres_url: str) -> None:
    with closing(opened(postgres_url)) as catalog:
        environment = World(catalog).environment()

        def settle() -> int:
            """Makes a run unless there is one: no row is touched that could be locked."""
            with catalog.write() as tx:
                if not tx.line_of(environment):
                    tx.add_run(environment, operation="deploy", version_id=1, template="lab@1.0", requested_by="ana")
                return len(tx.line_of(environment))

        assert at_once(settle) == [1] * 8


def test_a_quick_change_does_not_wait_for_the_writer(postgres_url: str) -> None:
    with closing(opened(postgres_url)) as catalog:
        world = World(catalog)
        world.template("web")
        run = world.run(world.environment())

        with catalog.write() as writer:
            writer.add_template("service", "other")
            with catalog.quick() as tx:
                tx.move(run.id or 0, Event.CLAIM)

        assert world.reload(run).status == "planning"


def test_after_an_outage_the_next_transaction_works(own_postgres: postgres.Server) -> None:
    with postgres.database(own_postgres.url) as url, closing(opened(url)) as catalog:
        world = World(catalog)
        world.template("before")
        own_postgres.stop("immediate")
        with pytest.raises(ExternalFailure) as written, catalog.write() as tx:
            tx.templates()
        with pytest.raises(ExternalFailure) as read:
            Reads(url).templates()
        own_postgres.start()

        world.template("after")

        assert [row["name"] for row in Reads(url).templates()] == ["after", "before"]
    name = f"{postgres.name_of(url)} on {own_postgres.folder}"
    assert written.value.message == f"The catalog {name} cannot be reached: No such file or directory."
    assert read.value.message == written.value.message
    assert read.value.hint == "Check that the server runs and that LANDFORM_CATALOG names it."


def test_a_transaction_that_an_outage_meets_is_not_kept(own_postgres: postgres.Server) -> None:
    def act() -> None:
        with catalog.write() as tx:
            tx.add_template("service", "web")
            own_postgres.stop()
            tx.add_template("service", "more")

    with postgres.database(own_postgres.url) as url, closing(opened(url)) as catalog:
        with pytest.raises(ExternalFailure) as met:
            act()
        own_postgres.start()

        with catalog.read() as tx:
            assert tx.templates() == []
    assert met.value.message.startswith(f"The catalog {postgres.name_of(url)} on {own_postgres.folder} ")


def test_a_change_whose_end_an_outage_meets_is_said_to_be_uncertain(own_postgres: postgres.Server) -> None:
    def act() -> None:
        with catalog.write() as tx:
            tx.add_template("service", "web")
            own_postgres.stop()

    with postgres.database(own_postgres.url) as url, closing(opened(url)) as catalog:
        with pytest.raises(ExternalFailure) as met:
            act()
        own_postgres.start()

    assert met.value.hint == "Nobody can tell whether the last change was kept: look before you try again."


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "postgresql://ana:hunter2@127.0.0.1:1/landform",
            "The catalog landform on 127.0.0.1:1 cannot be reached: Connection refused.",
        ),
        (
            "postgres://ana:hunter2@nowhere.invalid/landform",
            "The catalog landform on nowhere.invalid cannot be reached: "
            "failed to resolve host 'nowhere.invalid': [Errno -2] Name or service not known.",
        ),
        (
            "postgresql+psycopg://ana:hunter2@/landform?host=/nonexistent",
            "The catalog landform on /nonexistent cannot be reached: No such file or directory.",
        ),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_the_password(url: str, message: str) -> None:
    doors = (lambda: Catalog(url, now), lambda: Reads(url).templates())

    refusals = []
    for door in doors:
        with pytest.raises(ExternalFailure) as refused:
            door()
        refusals.append(refused.value)

    assert [refusal.message for refusal in refusals] == [message] * 2
    assert "hunter2" not in "".join(f"{refusal.hint}{refusal!r}{refusal.__cause__}" for refusal in refusals)


def test_a_database_that_is_not_there_is_said_to_be_missing(postgres_server: str) -> None:
    with pytest.raises(ExternalFailure) as refused:
        Catalog(postgres.named(postgres_server, "nowhere"), now)

    assert refused.value.message.endswith('cannot be reached: database "nowhere" does not exist.')


def test_the_password_is_in_no_representation() -> None:
    found = place("postgresql://ana:hunter2@db:5433/landform")

    assert "hunter2" not in repr(found)
    assert str(found) == "landform on db:5433"


def test_a_database_of_something_else_is_refused(postgres_empty: str) -> None:
    with closing(postgres.connected(postgres_empty)) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")

    for door in (lambda: Catalog(postgres_empty, now), lambda: Reads(postgres_empty).templates()):
        with pytest.raises(LandformError) as refused:
            door()

        assert refused.value.message == f"The database {place(postgres_empty)} is not a Landform catalog."
        assert refused.value.hint == "Make a database for it, and name that in LANDFORM_CATALOG."


def test_a_newer_catalog_is_refused(postgres_url: str) -> None:
    with closing(postgres.connected(postgres_url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for door in (lambda: Catalog(postgres_url, now), lambda: Reads(postgres_url).templates()):
        with pytest.raises(Conflict) as refused:
            door()

        assert refused.value.hint == "A newer Landform wrote it: use that one, or a newer one."


def test_without_psycopg_one_is_told_what_to_install() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from engine.cli.main import main\n"
        "sys.exit(main(['template', 'list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"LANDFORM_CATALOG": "postgresql://db/landform", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Error: A catalog on PostgreSQL needs the package psycopg, which is missing.",
        "Hint: Install it: pip install 'landform[postgres]'",
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.LockNotAvailable(), "The catalog d on h was held by another process for more than 30 seconds."),
        (errors.QueryCanceled(), "The catalog d on h took longer than 60 seconds to answer."),
        (errors.IdleInTransactionSessionTimeout(), "The catalog d on h ended a transaction that stood still for more"),
        (errors.DiskFull(), "The catalog d on h cannot grow: the disk of the server is full."),
        (errors.TooManyConnections(), "The catalog d on h takes no more connections."),
        (errors.AdminShutdown(), "The catalog d on h ended the connection."),
        (errors.InsufficientPrivilege(), "The catalog d on h refuses what was asked: the role lacks a right."),
    ],
)
def test_an_error_of_the_server_is_said_in_a_sentence(error: psycopg.Error, message: str) -> None:
    explained = Database.of("postgresql://h/d").explain(error)

    assert explained is not None
    assert explained.message.startswith(message)


def test_a_mistake_of_ours_is_not_explained_away() -> None:
    assert Database.of("postgresql://h/d").explain(errors.UndefinedColumn()) is None


def test_a_writer_that_stands_still_is_ended_so_that_others_can_go_on(postgres_url: str) -> None:
    def act() -> None:
        with catalog.write() as tx:
            tx.templates()
            # what the server does by itself after a while
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
            tx.templates()

    with closing(opened(postgres_url)) as catalog, closing(postgres.connected(postgres_url)) as server:
        with pytest.raises(ExternalFailure) as met:
            act()

        assert World(catalog).template().id == 1
    assert met.value.message == f"The catalog {place(postgres_url)} ended the connection."


def test_a_number_that_no_row_can_have_is_not_found(postgres_url: str) -> None:
    with closing(opened(postgres_url)) as catalog, pytest.raises(NotFound) as refused, catalog.read() as tx:
        tx.run(2**53 - 1)

    assert refused.value.message == "There is no run 9007199254740991."
