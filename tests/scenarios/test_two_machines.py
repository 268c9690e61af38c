"""Two machines with homes of their own, one catalog and one key: what one begins, the other can go on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.bucket import CREDENTIALS, bucket
from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

SECRETIVE = ENVIRONMENT_CODE + 'output "token" {\n  value     = "hunter2"\n  sensitive = true\n}\n'
READING = SERVICE_CODE.replace("zone  =", "token = var.environment.outputs.token\n    zone  =")
WEB = "service/orders/prod"


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """Two homes, with nothing in them."""
    (tmp_path / "key").write_bytes(b"k" * 32)
    monkeypatch.setenv("LANDFORM_CATALOG", postgres_url)
    monkeypatch.setenv("LANDFORM_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return World(tmp_path / "work", tmp_path / "a"), World(tmp_path / "work", tmp_path / "b")


def state_file(world: World, address: str = WEB) -> Path:
    return world.home / address / "workspace/terraform.tfstate.sealed"


def test_a_plan_that_one_machine_made_is_applied_by_another(machines: tuple[World, World]) -> None:
    a, b = machines
    a.publish("lab", a.environment_bundle())
    a.run("env", "create", "prod", "-t", "lab")

    b.do("run", "approve", 1, "--yes")

    assert a.row("run", "show", 1)["status"] == "succeeded"
    assert (state_file(a, "environment/prod").exists(), state_file(b, "environment/prod").exists()) == (False, True)


def test_what_one_machine_deployed_the_other_updates_and_the_first_one_again(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()

    b.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")
    a.do("instance", "update", "orders/prod", "--set", "title=x", "--auto-approve")

    changes = [a.row("run", "show", number)["changes"] for number in (3, 4)]
    assert changes == [{"add": 0, "change": 1, "destroy": 0}] * 2
    assert [row["run_id"] for row in b.rows("state", "list", WEB)] == [4, 3, 2]
    assert a.state_bytes(WEB).decode() == b.do("state", "pull", WEB).out


def test_a_plan_for_what_another_machine_deployed_is_applied_there(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()
    b.run("instance", "update", "orders/prod", "--set", "port=81")

    a.do("run", "approve", 3, "--yes")

    assert a.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 81


def test_a_plan_stays_with_what_it_was_made_from(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()
    a.run("instance", "update", "orders/prod", "--set", "port=81")
    b.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    result = b.run("run", "approve", 3, "--yes")

    assert (result.code, b.row("run", "show", 3)["status"]) == (5, "discarded")


def test_a_secret_of_an_environment_that_another_machine_deployed_reaches_its_instances(
    machines: tuple[World, World],
) -> None:
    a, b = machines
    a.publish("lab", a.environment_bundle(code=SECRETIVE))
    a.publish("web", a.service_bundle(code=READING))
    a.do("env", "create", "prod", "-t", "lab", "--auto-approve")

    b.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert '"token": "hunter2"' in b.state_bytes(WEB).decode()


@pytest.fixture
def overtaken(machines: tuple[World, World]) -> World:
    """The first machine, with a state that nobody has kept and without which the second one has gone on."""
    a, b = machines
    a.deployed()
    state = a.state(WEB)
    a.lay_open(WEB).write_text(json.dumps({**state, "serial": 7}))
    b.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")
    return a


def test_a_state_without_which_others_have_gone_on_is_kept_only_by_somebody_who_insists(overtaken: World) -> None:
    result = overtaken.run("state", "harvest", WEB)

    assert (result.code, overtaken.rows("state", "list", WEB)[0]["run_id"]) == (9, 3)
    assert overtaken.row("state", "harvest", WEB, "--yes")["serial"] == 7


def test_a_state_without_which_others_have_gone_on_does_not_move(overtaken: World) -> None:
    with bucket() as s3:
        lines = "".join(f'{name} = "{value}"\n' for name, value in CREDENTIALS.items())
        overtaken.write("landform.toml", f"[run_env]\n{lines}")

        moved = overtaken.row("state", "migrate", WEB, "--to", s3.address, "--yes")

    backup = overtaken.opened(WEB, f"state-before-migration-{moved['serial']}.tfstate")
    assert (moved["run_id"], moved["serial"], json.loads(backup)["serial"]) == (3, 4, 7)


def test_what_one_machine_deployed_the_other_destroys(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()

    b.do("service", "delete", "orders", "--yes")

    assert b.row("run", "show", 3)["changes"] == {"add": 0, "change": 0, "destroy": 1}
    assert a.rows("service", "list") == []


def test_a_service_that_is_made_again_on_the_first_machine_begins_anew(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()
    b.do("service", "delete", "orders", "--yes")

    a.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert a.row("run", "show", 4)["changes"] == {"add": 1, "change": 0, "destroy": 0}


def test_a_machine_that_is_lost_with_its_home_leaves_everything_to_the_other(machines: tuple[World, World]) -> None:
    a, b = machines
    a.deployed()
    shutil.rmtree(a.home, ignore_errors=True)

    b.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    assert b.row("run", "show", 3)["changes"] == {"add": 0, "change": 1, "destroy": 0}


def test_a_machine_with_another_key_does_not_start(
    machines: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines
    a.publish("lab", a.environment_bundle())
    monkeypatch.delenv("LANDFORM_KEY_FILE")

    result = b.run("state", "list")

    assert (result.code, result.err.splitlines()[-1]) == (
        9,
        "Hint: All machines need the same: copy the file `key` from the home of the first one, and name it with "
        "LANDFORM_KEY_FILE.",
    )


@pytest.mark.parametrize(("key", "why"), [(None, "cannot be read"), (b"short", "has less than 32 bytes")])
def test_a_key_file_that_is_none_is_said(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: bytes | None, why: str
) -> None:
    if key is not None:
        (tmp_path / "key").write_bytes(key)
    monkeypatch.setenv("LANDFORM_KEY_FILE", str(tmp_path / "key"))

    result = world.run("state", "list")

    assert (result.code, f"The key file {tmp_path}/key {why}" in result.err) == (1, True)
