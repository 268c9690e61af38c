"""The catalog as a database: looked after, moved to PostgreSQL with all that it names, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.catalog import places, schema
from tests.scenarios.world import World

TO_POSTGRES = ("db", "copy", "--to")


def named(world: World, url: str) -> str:
    """The path of a file that holds the URL, as one with a password has to be given."""
    file = world.root / "url"
    file.write_text(f"{url}\n")
    return str(file)


def test_a_sound_catalog_is_said_to_be_sound(world: World) -> None:
    rows = world.do("db", "check", "-o", "json").json["items"]

    assert [row["check"] for row in rows if not row["ok"]] == []
    assert rows[0]["detail"] == f"{schema.HEAD} at {world.home / 'catalog.db'}"


def test_a_check_that_finds_something_ends_with_1(tmp_path: Path) -> None:
    result = World(tmp_path, tmp_path / "nowhere").run("db", "check")

    assert result.code == 1
    assert "There is no catalog at" in result.out


def test_a_catalog_is_made_where_there_is_none(tmp_path: Path) -> None:
    made = World(tmp_path, tmp_path / "home").do("db", "upgrade", "-o", "json").json

    assert made == {
        "schema": "landform.catalog-upgrade/1",
        "catalog": str(tmp_path / "home" / "catalog.db"),
        "before": "",
        "after": schema.HEAD,
    }


@pytest.mark.terraform
def test_a_home_moves_to_a_database_and_another_machine_goes_on(
    deployed: World, postgres_empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = deployed.do("run", "list", "-o", "json").json
    copied = deployed.do(*TO_POSTGRES, postgres_empty, "-o", "json").json["items"]
    monkeypatch.setenv("LANDFORM_CATALOG_FILE", named(deployed, postgres_empty))
    monkeypatch.setenv("LANDFORM_KEY_FILE", str(deployed.home / "key"))
    other = World(deployed.root, tmp_path / "other")

    after = other.do("run", "list", "-o", "json").json
    other.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    assert {row["table"]: row["rows"] for row in copied}["run"] == 2
    assert after == before
    assert other.row("run", "show", 3)["changes"] == {"add": 0, "change": 1, "destroy": 0}
    assert other.do("db", "check").code == 0


def test_a_copy_takes_the_key_of_its_origin_and_no_other(
    world: World, postgres_empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.do(*TO_POSTGRES, postgres_empty)
    monkeypatch.setenv("LANDFORM_CATALOG_FILE", named(world, postgres_empty))

    other = World(world.root, tmp_path / "other").run("run", "explain", 1)
    same = world.run("run", "explain", 1)

    assert (other.code, other.err.splitlines()[0]) == (
        9,
        f"Error: The key of this home is not the one with which the catalog {places.place(postgres_empty)} was begun.",
    )
    assert (same.code, same.err.splitlines()[0]) == (8, "Error: There is no run 1.")


@pytest.mark.terraform
def test_a_home_moves_back_to_a_file(
    deployed: World, postgres_empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.do(*TO_POSTGRES, postgres_empty)
    state = deployed.do("state", "pull", "service/orders/prod").out
    alone = World(deployed.root, tmp_path / "alone")
    monkeypatch.setenv("LANDFORM_KEY_FILE", str(deployed.home / "key"))

    with monkeypatch.context() as shared:
        shared.setenv("LANDFORM_CATALOG", postgres_empty)
        alone.do("db", "copy", "--to", f"sqlite:///{tmp_path}/alone/catalog.db")

    assert alone.do("state", "pull", "service/orders/prod").out == state
    assert alone.do("template", "render", "web@1.0", "--set", "port=1").code == 0


def test_a_password_on_the_command_line_is_refused(world: World) -> None:
    result = world.run(*TO_POSTGRES, "postgresql://ana:hunter2@db/landform")

    assert result.code == 64
    assert result.err.splitlines() == [
        "Error: A password on the command line can be read by everybody on this machine.",
        "Hint: Write the URL to a file that only you can read, and give --to-file FILE.",
    ]


@pytest.mark.parametrize("options", [(), ("--to", "sqlite:////x", "--to-file", "y")])
def test_where_to_copy_to_is_said_once(world: World, options: tuple[str, ...]) -> None:
    result = world.run("db", "copy", *options)

    assert (result.code, result.err.splitlines()[0]) == (64, "Error: Where to is not said, or twice.")


def test_doctor_names_the_catalog_without_its_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_CATALOG", "postgresql://ana:hunter2@127.0.0.1:1/landform")

    result = world.run("doctor", "-o", "json")

    [row] = [row for row in result.json["items"] if row["check"] == "catalog"]
    assert result.code == 1
    assert row["detail"] == "The catalog landform on 127.0.0.1:1 cannot be reached: Connection refused."
    assert "hunter2" not in result.out + result.err


def test_doctor_says_what_is_wrong_with_each_table_of_the_settings(world: World) -> None:
    tables = '[credentials.dev]\nsource = "ambient"\n[credentials.prod]\nsource = "cloud"\n[references]\nenv = "X"\n'
    file = world.write("landform.toml", f'pipeline_credentials = "ci"\n{tables}')

    result = world.run("doctor", "-o", "json")

    rows = {row["check"]: row for row in result.json["items"] if row["check"].startswith("table ")}
    assert result.code == 1
    assert {name: row["ok"] for name, row in rows.items()} == {
        "table credentials.ci": False,
        "table credentials.dev": True,
        "table credentials.prod": False,
        "table references": False,
    }
    assert rows["table credentials.ci"]["detail"] == f"{file} has no credentials of the name ci."
    assert "credentials.prod.source" in rows["table credentials.prod"]["detail"]


def test_doctor_names_the_catalog_of_the_home(world: World) -> None:
    rows = world.run("doctor", "-o", "json").json["items"]

    assert [row["detail"] for row in rows if row["check"] == "catalog"] == [
        f"{world.home / 'catalog.db'} (schema {schema.HEAD}, default)"
    ]
