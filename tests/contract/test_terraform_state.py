"""What Landform relies on where it looks into a state, mends it, or takes something into it, on the real Terraform."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external import process
from engine.external.process import Command, Stop
from engine.terraform import cli, config
from engine.terraform.cli import Outcome, Place, Surroundings, Terraform
from engine.terraform.collector import Collector

REAL = shutil.which("terraform")
PATH = "/usr/local/bin:/usr/bin:/bin"
pytestmark = [pytest.mark.terraform, pytest.mark.skipif(REAL is None, reason="terraform is not on PATH")]


@dataclass
class Lab:
    """One workspace with a real Terraform."""

    folder: Path

    @property
    def terraform(self) -> Terraform:
        return Terraform(Path(str(REAL)), "1.11.4")

    @property
    def place(self) -> Place:
        written = config.write(self.folder)
        surroundings = Surroundings(PATH, self.folder, self.folder, self.folder / ".data", written)
        return Place(self.folder, cli.environment(surroundings, {}), 60, 30, lock_timeout_s=0)

    @property
    def out(self) -> Path:
        return self.folder / "plan.bin"

    def run(self, command: Command) -> tuple[Outcome, str]:
        heard: list[str] = []
        ended = process.run(command, stop=Stop(), on_line=heard.append)
        return cli.outcome(ended), "\n".join(heard)

    def plan(self, *, refresh_only: bool = False) -> tuple[Outcome, Collector]:
        collector = Collector()
        command = self.terraform.plan(self.place, self.out, refresh_only=refresh_only)
        ended = process.run(command, stop=Stop(), on_line=lambda line: collector.feed(line) and None)
        return cli.plan_outcome(ended), collector

    def write(self, text: str) -> None:
        self.folder.joinpath("main.tf").write_text(text)

    def state(self) -> dict:
        return json.loads(self.terraform.state_pull(self.place))

    def keep(self, **changed: object) -> Path:
        """The state as a file, with these members changed."""
        file = self.folder / "kept.json"
        file.write_text(json.dumps({**self.state(), **changed}))
        return file


@pytest.fixture
def empty(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path)
    lab.write('resource "terraform_data" "a" {\n  input = "one"\n}\n')
    assert lab.run(lab.terraform.init(lab.place))[0] is Outcome.DONE
    return lab


@pytest.fixture
def lab(empty: Lab) -> Lab:
    assert empty.plan()[0] is Outcome.CHANGES
    assert empty.run(empty.terraform.apply(empty.place, empty.out))[0] is Outcome.DONE
    return empty


@contextmanager
def locked(lab: Lab) -> Iterator[None]:
    """The state's lock in other hands, as another Terraform would hold it."""
    import fcntl

    with (lab.folder / "terraform.tfstate").open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


def test_where_nothing_was_applied_there_is_no_state_to_pull(empty: Lab) -> None:
    assert empty.terraform.state_pull(empty.place) == ""


def test_a_state_can_be_pulled(lab: Lab) -> None:
    state = lab.state()

    assert [(resource["type"], resource["name"]) for resource in state["resources"]] == [("terraform_data", "a")]
    assert state["serial"] == 1


def test_a_state_that_cannot_be_read_is_an_error(lab: Lab) -> None:
    lab.folder.joinpath("terraform.tfstate").write_text("no state")

    with pytest.raises(ExternalFailure, match=r"^terraform state pull ended with exit code 1: "):
        lab.terraform.state_pull(lab.place)


def test_a_state_with_a_higher_serial_can_be_pushed_and_gets_the_next_one(lab: Lab) -> None:
    kept = lab.keep(serial=7, resources=[])

    assert lab.run(lab.terraform.state_push(lab.place, kept))[0] is Outcome.DONE
    assert (lab.state()["serial"], lab.state()["resources"]) == (8, [])


@pytest.mark.parametrize("changed", [{"serial": 0}, {"lineage": "00000000-0000-0000-0000-000000000000"}])
def test_an_older_or_foreign_state_is_pushed_only_by_force(lab: Lab, changed: dict[str, object]) -> None:
    before, kept = lab.state(), lab.keep(**changed, resources=[])

    politely = lab.run(lab.terraform.state_push(lab.place, kept))[0]
    untouched = lab.state()
    by_force = lab.run(lab.terraform.state_push(lab.place, kept, force=True))[0]

    assert (politely, untouched, by_force) == (Outcome.FAILED, before, Outcome.DONE)
    assert lab.state()["resources"] == []


def test_nothing_is_pushed_while_another_holds_the_lock(lab: Lab) -> None:
    kept = lab.keep(serial=7)

    with locked(lab):
        outcome, said = lab.run(lab.terraform.state_push(lab.place, kept))

    assert (outcome, lab.state()["serial"]) == (Outcome.FAILED, 1)
    assert "Error acquiring the state lock" in said


def test_a_local_state_s_lock_cannot_be_broken(lab: Lab) -> None:
    outcome, said = lab.run(lab.terraform.force_unlock(lab.place, "00000000-0000-0000-0000-000000000000"))

    assert outcome is Outcome.FAILED
    assert said.startswith("Failed to unlock state")


def test_what_exists_can_be_imported(lab: Lab) -> None:
    lab.write('resource "terraform_data" "a" {\n  input = "one"\n}\n\nresource "terraform_data" "b" {}\n')

    outcome, _ = lab.run(lab.terraform.import_(lab.place, "terraform_data.b", "-its-id"))

    ids = {item["name"]: item["instances"][0]["attributes"]["id"] for item in lab.state()["resources"]}
    assert outcome is Outcome.DONE
    assert ids["b"] == "-its-id"


def test_an_import_of_what_no_code_describes_fails(lab: Lab) -> None:
    assert lab.run(lab.terraform.import_(lab.place, "terraform_data.b", "x"))[0] is Outcome.FAILED


def test_a_refresh_only_plan_plans_no_change_of_resources(lab: Lab) -> None:
    lab.write('resource "terraform_data" "a" {\n  input = "two"\n}\n')

    outcome, said = lab.plan(refresh_only=True)

    assert outcome is Outcome.UNCHANGED
    assert said.summary.is_empty
    assert lab.plan()[0] is Outcome.CHANGES


def test_the_commands_are_spelt_as_terraform_wants_them(tmp_path: Path) -> None:
    place, terraform = Place(tmp_path, {}, 60, 30), Terraform(Path("/bin/terraform"), "1.11.4")

    assert terraform.state_push(place, Path("/s"), force=True).argv[1:] == (
        *("state", "push", "-force", "-lock-timeout=60s", "--", "/s"),
    )
    assert terraform.force_unlock(place, "id").argv[1:] == ("force-unlock", "-force", "--", "id")
    assert terraform.import_(place, 'a.b["k"]', "id").argv[1:] == (
        *("import", "-no-color", "-input=false", "-lock-timeout=60s", "--", 'a.b["k"]', "id"),
    )
