"""Reading a state file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ExternalFailure
from engine.terraform.backends import Managed

EMPTY: dict[str, Any] = {"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l"}
STATE: dict[str, Any] = {
    **EMPTY,
    "serial": 3,
    "outputs": {
        "url": {"value": "http://x", "type": "string"},
        "ports": {"value": [80, 1.5], "type": ["list", "number"]},
        "token": {"value": "t", "type": "string", "sensitive": True},
    },
    "resources": [
        {"mode": "data", "type": "aws_ami", "name": "this", "instances": [{}]},
        {"mode": "managed", "type": "aws_vpc", "name": "main", "instances": [{"attributes": {}}]},
        {"mode": "managed", "type": "aws_subnet", "name": "s", "instances": [{"index_key": 0}, {"index_key": 1}]},
        {
            "module": 'module.net["a"]',
            "mode": "managed",
            "type": "x",
            "name": "y",
            "instances": [{"index_key": 'k"ü'}, {"index_key": 'k"ü', "deposed": "0123abcd"}],
        },
        {"mode": "managed", "type": "x", "name": "none", "instances": []},
    ],
}


def written(folder: Path, state: object) -> Path:
    (folder / "terraform.tfstate").write_text(json.dumps(state), encoding="utf-8")
    return folder


def test_the_backend_is_the_same_for_all_instances() -> None:
    assert Managed().override() == {"terraform": {"backend": {"local": {}}}}


def test_before_the_first_apply_there_is_nothing(tmp_path: Path) -> None:
    managed = Managed()

    assert (managed.identity(tmp_path), managed.outputs(tmp_path), managed.resources(tmp_path)) == (None, {}, ())


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "terraform.tfstate").write_text(text, encoding="utf-8")

    assert Managed().identity(tmp_path) is None


def test_a_state_has_lineage_and_serial(tmp_path: Path) -> None:
    assert Managed().identity(written(tmp_path, STATE)) == {"lineage": "l", "serial": 3}


def test_outputs_have_type_value_and_whether_they_are_sensitive(tmp_path: Path) -> None:
    assert Managed().outputs(written(tmp_path, STATE)) == {
        "url": {"type": "string", "sensitive": False, "value": "http://x"},
        "ports": {"type": ["list", "number"], "sensitive": False, "value": [80, 1.5]},
        "token": {"type": "string", "sensitive": True, "value": "t"},
    }


def test_resources_have_the_addresses_that_terraform_shows(tmp_path: Path) -> None:
    assert Managed().resources(written(tmp_path, STATE)) == (
        "aws_vpc.main",
        "aws_subnet.s[0]",
        "aws_subnet.s[1]",
        'module.net["a"].x.y["k\\"ü"]',
        'module.net["a"].x.y["k\\"ü"] (deposed object 0123abcd)',
    )


@pytest.mark.parametrize("state", [EMPTY, {**EMPTY, "outputs": None, "resources": None}])
def test_a_state_may_hold_nothing(tmp_path: Path, state: object) -> None:
    folder = written(tmp_path, state)

    assert (Managed().outputs(folder), Managed().resources(folder)) == ({}, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting property name"),
        ("[" * 100_000, ""),
        ("[]", "it is not a state of version 4."),
        ('{"version": 3}', "it is not a state of version 4."),
        ('{"version": 4, "serial": "1"}', "it has no lineage and serial."),
        (json.dumps({**EMPTY, "outputs": {"a": 1}}), "its outputs are not in order."),
        (json.dumps({**EMPTY, "resources": {"a": 1}}), "its resources are not in order."),
        (json.dumps({**EMPTY, "resources": [{"mode": "managed"}]}), "its resources are not in order."),
    ],
)
def test_a_damaged_state_is_said_to_be_one(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "terraform.tfstate"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ExternalFailure) as caught:
        Managed().identity(tmp_path)

    assert caught.value.message.startswith(f"The state file {path} cannot be read: {why}")
    assert caught.value.hint == (
        "See what was kept before: landform state list. To go back to that: landform state rollback. "
        "The state before it is also beside it, in terraform.tfstate.backup."
    )


def never() -> bool:
    return False


def always() -> bool:
    return True


def test_before_terraform_has_written_a_state_none_is_missed(tmp_path: Path) -> None:
    Managed().require_in_place(tmp_path, never)
    Managed().require_in_place(tmp_path / "not there", never)


def test_a_state_in_its_place_is_all_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate.d").mkdir()

    Managed().require_in_place(written(tmp_path, EMPTY), always)


@pytest.mark.parametrize("damage", [Path.unlink, Path.touch])
def test_a_state_that_was_written_is_missed(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "terraform.tfstate"
    path.touch()
    damage(path)

    with pytest.raises(ExternalFailure) as caught:
        Managed().require_in_place(tmp_path, always)

    assert caught.value.message == (
        f"{path}, which Terraform has written, is missing or empty: "
        "nothing is planned or removed until that is cleared up. Find out where it went, put it back, and run again; "
        "terraform.tfstate.backup, if it is there, is the state before. "
        "If it is lost for good, terraform import in that folder makes a new one."
    )


@pytest.mark.parametrize(
    ("name", "named", "why"),
    [
        ("errored.tfstate", "errored.tfstate", "holds the state that Terraform could not write to its place"),
        (
            "terraform.tfstate.d/evil/terraform.tfstate",
            "terraform.tfstate.d",
            "holds the state of another Terraform workspace than default",
        ),
    ],
)
def test_a_state_in_another_place_is_named(tmp_path: Path, name: str, named: str, why: str) -> None:
    written(tmp_path, STATE)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("{}", encoding="utf-8")

    with pytest.raises(ExternalFailure) as caught:
        Managed().require_in_place(tmp_path, never)

    assert caught.value.message == (
        f"{tmp_path / named} {why}: nothing is planned or removed until that is cleared up. "
        "Compare it with terraform.tfstate. Put the one that knows what there is at terraform.tfstate, move the other "
        "out of the folder, and run again."
    )


def test_only_a_state_without_resources_may_go(tmp_path: Path) -> None:
    managed = Managed()
    managed.require_nothing_left(tmp_path)
    managed.require_nothing_left(written(tmp_path, EMPTY))
    written(tmp_path, STATE)

    with pytest.raises(ExternalFailure) as caught:
        managed.require_nothing_left(tmp_path)

    assert caught.value.message == (
        f"{tmp_path} is kept: its state still knows of aws_vpc.main, aws_subnet.s[0], aws_subnet.s[1], "
        'module.net["a"].x.y["k\\"ü"], module.net["a"].x.y["k\\"ü"] (deposed object 0123abcd).'
    )
