"""Promises about the file: private, made once however many ask, and refused in a sentence when it cannot be used."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine import settings
from engine.catalog import places, schema
from engine.catalog.catalog import Catalog
from engine.catalog.places import url_of
from engine.catalog.reads import Reads
from engine.catalog.sqlite import File
from engine.errors import Conflict, Invalid, LandformError
from tests.catalog.world import World, now, opened


def mode(path: Path) -> str:
    return oct(path.stat().st_mode & 0o777)


def stored(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_catalog_is_for_its_owner_only(path: Path) -> None:
    catalog = opened(url_of(path))
    with catalog.write() as tx:
        tx.add_template("service", "web")

    modes = {file.name: mode(file) for file in path.parent.iterdir()}
    catalog.close()

    assert mode(path.parent) == "0o700"
    assert modes == {
        "catalog.db": "0o600",
        "catalog.db-shm": "0o600",
        "catalog.db-wal": "0o600",
        "catalog.db.lock": "0o600",
    }


@pytest.mark.parametrize("name", ["a b?c#d", "100%", "%(here)s", "ümläut", "x'y\"z"])
def test_a_home_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name / "catalog.db"
    catalog = opened(url_of(path))
    World(catalog).template("web")
    catalog.close()

    assert [row["name"] for row in Reads(url_of(path)).templates()] == ["web"]
    assert path.is_file()


def test_what_was_written_is_there_when_the_catalog_is_opened_again(path: Path) -> None:
    first = opened(url_of(path))
    template = World(first).template()
    first.close()

    second = opened(url_of(path))
    with second.read() as tx:
        found = tx.templates()
    second.close()

    assert found == [template]


def _open(path: Path) -> list[str]:
    catalog = opened(url_of(path))
    with catalog.write() as tx:
        tx.add_template("service", f"web-{os.getpid()}")
    with catalog.read() as tx:
        names = [row.name for row in tx.templates()]
    catalog.close()
    return names


def test_processes_that_open_a_new_home_at_once_all_get_the_same_catalog(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(3, maxtasksperchild=1) as pool:
        answers = pool.map(_open, [path] * 3, chunksize=1)

    assert max(len(names) for names in answers) == 3
    assert schema.revision(File(path)) == schema.HEAD


def test_an_existing_catalog_is_opened_without_alembic(url: str) -> None:
    code = (
        f"import sys; from tests.catalog.world import opened;opened({url!r}).close(); print('alembic' in sys.modules)"
    )

    assert _python(code) == "False"


def test_reads_import_no_sqlalchemy(url: str) -> None:
    code = (
        "import sys; from engine.catalog.reads import Reads;"
        f"Reads({url!r}).templates(); print({{'sqlalchemy', 'sqlmodel', 'alembic'}} & set(sys.modules))"
    )

    assert _python(code) == "set()"


def test_a_catalog_in_a_file_needs_nothing_of_postgresql(file: Path) -> None:
    code = (
        "import sys; from tests.catalog.world import opened;"
        f"opened({url_of(file)!r}).close(); print({{'psycopg', 'sqlalchemy.dialects.postgresql'}} & set(sys.modules))"
    )

    assert _python(code) == "set()"


def _python(code: str) -> str:
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def open_catalog(path: Path) -> None:
    opened(url_of(path))


def read_catalog(path: Path) -> None:
    Reads(url_of(path)).templates()


DOORS = pytest.mark.parametrize("door", [open_catalog, read_catalog])


@DOORS
def test_a_newer_catalog_is_refused(file: Path, door: Callable[[Path], None]) -> None:
    stored(file, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(Conflict) as refused:
        door(file)

    assert refused.value.message == (
        f"The catalog {file} has schema 9999; this Landform knows {schema.REVISIONS[0]} to {schema.HEAD}."
    )
    assert refused.value.hint == "A newer Landform wrote it: use that one, or a newer one."


@DOORS
@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 20, b"short"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes, door: Callable[[Path], None]
) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(content)

    with pytest.raises(LandformError) as refused:
        door(path)

    assert refused.value.message == f"The catalog {path} is not a database."
    assert refused.value.hint == "Choose another home with LANDFORM_HOME, or move the file away."
    assert path.read_bytes() == content


@DOORS
def test_a_database_of_something_else_is_refused(tmp_path: Path, door: Callable[[Path], None]) -> None:
    path = tmp_path / "catalog.db"
    stored(path, "CREATE TABLE cookies (name)")

    with pytest.raises(LandformError) as refused:
        door(path)

    assert refused.value.message == f"The database {path} is not a Landform catalog."


@DOORS
def test_a_folder_is_refused(tmp_path: Path, door: Callable[[Path], None]) -> None:
    with pytest.raises(LandformError) as refused:
        door(tmp_path)

    assert refused.value.message == f"The catalog {tmp_path} is a folder."


def test_a_damaged_catalog_is_called_damaged(path: Path, blank: Path) -> None:
    path.parent.mkdir()
    content = bytearray(blank.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(LandformError) as refused:
        opened(url_of(path))

    assert refused.value.message == f"The catalog {path} is damaged."
    assert refused.value.hint == "Restore the file from a backup."


def test_a_home_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LandformError) as refused:
        opened(url_of(tmp_path / "file" / "catalog.db"))

    assert refused.value.message == f"The catalog {tmp_path / 'file' / 'catalog.db'} cannot be opened: Not a directory."


def _as_nobody(path: Path) -> str:
    if os.getuid() == 0:
        os.setuid(65534)
    try:
        catalog = opened(url_of(path))
        with catalog.write() as tx:
            tx.add_template("service", "web")
    except LandformError as error:
        return error.message
    return "written"


@pytest.mark.parametrize(
    ("folder", "file", "message"),
    [
        (0o555, 0o444, "cannot be written."),
        (0o555, 0o000, "cannot be opened."),
        (0o000, 0o600, "cannot be opened: Permission denied."),
    ],
)
def test_a_catalog_without_permission_is_refused(blank: Path, folder: int, file: int, message: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "catalog.db"
        path.write_bytes(blank.read_bytes())
        path.chmod(file)
        Path(home).chmod(folder)
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            answer = pool.apply(_as_nobody, [path])
        Path(home).chmod(0o700)

    assert answer == f"The catalog {path} {message}"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "The URL of the catalog cannot be understood."),
        ("sqlite://", "The URL of the catalog, sqlite://..., names no SQLite file or PostgreSQL database."),
        ("sqlite:///", "The URL of the catalog, sqlite://..., names no SQLite file or PostgreSQL database."),
        ("sqlite:///:memory:", "The URL of the catalog, sqlite://..., names no SQLite file or PostgreSQL database."),
        ("mysql://u:secret@h/d", "The URL of the catalog, mysql://..., names no SQLite file or PostgreSQL database."),
        ("postgresql://u:se%zzcret@h/d", "The URL of the catalog cannot be understood."),
        ("postgresql://u@h/d?secret=x", "The URL of the catalog cannot be understood."),
    ],
)
@pytest.mark.parametrize("door", [lambda url: Catalog(url, now), Reads])
def test_an_url_that_names_no_catalog_is_refused(door: Callable[[str], object], url: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        door(url)

    assert refused.value.message == message
    assert "secret" not in refused.value.hint


@pytest.mark.parametrize("name", ["catalog.db", "a?b/c d#e%20.db", "@:.db"])
def test_an_url_leads_back_to_its_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Catalog(url_of(path), now).close()

    assert schema.revision(File(path)) == schema.HEAD
    assert path.is_file()


def test_the_catalog_is_in_the_home_unless_a_setting_names_another(tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text("postgresql://ana:secret@db/landform\n")
    toml = f"catalog_file = {str(url)!r}\n"
    (tmp_path / "landform.toml").write_text(toml)
    home = {"LANDFORM_HOME": str(tmp_path / "home")}
    environ = home | {"LANDFORM_CATALOG": "postgresql://db/other"}

    nowhere = tmp_path.parent
    assert places.named(settings.load(home, nowhere)) == url_of(tmp_path / "home" / "catalog.db")
    assert places.named(settings.load(home, tmp_path)) == "postgresql://ana:secret@db/landform"
    assert places.named(settings.load(environ, tmp_path)) == "postgresql://db/other"


def test_a_file_with_the_url_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = settings.load({"LANDFORM_CATALOG_FILE": "nothing"}, tmp_path)

    with pytest.raises(Invalid) as refused:
        places.named(found)

    assert refused.value.message == f"The file {tmp_path / 'nothing'} cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (sqlite3.SQLITE_BUSY, "The catalog c.db was held by another process for more than 30 seconds."),
        (sqlite3.SQLITE_FULL, "The catalog c.db cannot grow: the disk is full."),
        (sqlite3.SQLITE_IOERR_WRITE, "The catalog c.db cannot be read or written: the disk reports an error."),
    ],
)
def test_an_error_of_the_disk_is_said_in_a_sentence(code: int, message: str) -> None:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code

    explained = File(Path("c.db")).explain(error)

    assert explained is not None
    assert explained.message == message


def test_a_mistake_of_ours_is_not_explained_away() -> None:
    assert File(Path("c.db")).explain(sqlite3.OperationalError("no such column: x")) is None
