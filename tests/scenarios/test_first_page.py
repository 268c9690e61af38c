"""The first page of the help, which is told without click."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.cli.first_page import COMMANDS, OPTIONS
from engine.cli.main import main
from engine.cli.root import landform


def test_the_first_page_is_the_same_with_and_without_click(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    alone = capsys.readouterr().out

    assert main(["--quiet", "--help"]) == 0

    assert capsys.readouterr().out == alone
    assert alone.startswith("Usage: landform [OPTIONS] COMMAND [ARGS]...\n\n  Self-service infrastructure ")
    assert alone.endswith("\n  version     Print the versions of Landform and Terraform.\n")


def test_the_help_of_a_noun_cuts_no_sentence_off(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0

    said = " ".join(capsys.readouterr().out.partition("Commands:")[2].split())
    assert "cancel Stop runs: those that wait are over at once; of others, Terraform is asked to stop, and" in said
    assert "..." not in said


def test_the_first_page_has_every_option_that_click_takes() -> None:
    taken = {option for parameter in landform.params for option in (*parameter.opts, *parameter.secondary_opts)}

    told = {word for names in OPTIONS for word in names.replace(",", "").split() if word.startswith("-")}

    assert told == taken | {"-h", "--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_first_page_is_there(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0

    assert capsys.readouterr().out.startswith(f"Usage: landform {name} ")


def test_the_first_page_does_without_what_is_slow_to_import() -> None:
    check = "import sys; from engine.cli.main import main; main(['--help']); sys.exit('click' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], stdout=subprocess.DEVNULL, check=False).returncode == 0
