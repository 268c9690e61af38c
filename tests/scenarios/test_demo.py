"""The demonstration does what it says, and leaves nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine import app, settings
from engine.terraform import at_rest
from tests import demo_remains

pytestmark = pytest.mark.terraform

ROOT = Path(__file__).parents[2]


def demo(what: str, home: Path) -> tuple[int, str]:
    """The exit code of the demonstration in this home, and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo", what, "--home", str(home)],
        cwd=ROOT,
        env={**os.environ, "LANDFORM_PARALLEL": "none of the demonstration's business"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def squeezed(text: str) -> str:
    """The text with each run of blanks as one, so that tables can be compared."""
    return re.sub(r" +", " ", text)


def test_the_demonstration_shows_the_main_job_and_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "demo"

    code, shown = demo("up", home)
    code_again, shown_again = demo("up", home)
    ports = [int(port) for port in re.findall(r"port: (\d+)", (home / "shop.yaml").read_text())]
    answered = [demo_remains.answers(port) for port in ports]
    code_down, shown_down = demo("down", home)

    assert code == 0, shown
    table = squeezed(shown)
    assert "3 service/shop/dev deploy static-site@1.0 planned 3 to add, 0 to change, 0 to destroy" in table
    assert "3 service/shop/dev deploy static-site@1.0 succeeded" in table
    assert "4 service/shop/prod deploy static-site@1.0 succeeded" in table
    assert shown.count("<h1>Shop</h1>") == 1
    assert shown.count("<h1>Shop (dev)</h1>") == 2
    assert "dev shop dev static-site 1.0 1.1 succeeded -" in table
    assert "-/+ terraform_data.content" in table
    assert "5 pipeline/shop deploy static-site@1.0 succeeded" in table
    assert ' - landform run plan service/shop/prod --spec "$SPEC"' in table
    assert "6 service/shop/dev deploy static-site@1.1 succeeded" in table
    assert "dev shop dev static-site 1.1 1.1 succeeded environment/dev log_root" in table
    assert "prod shop prod static-site 1.0 1.1 succeeded -" in table
    assert "To destroy all of it: make demo-clean" in shown
    assert (code_again, "The demonstration is there already" in shown_again) == (0, True)
    assert answered == [True, True]
    assert code_down == 0, shown_down
    assert "No service, instance or environment is in the catalog." in shown_down
    assert f"Nobody answers at {min(ports)} and {max(ports)} any more." in shown_down
    assert shown_down.endswith("Nothing is left.\n")
    assert not home.exists()
    assert [demo_remains.answers(port) for port in ports] == [False, False]


def test_clearing_away_where_nothing_is_says_so(tmp_path: Path) -> None:
    code, shown = demo("down", tmp_path / "demo")

    assert code == 0, shown
    assert shown.endswith("demo. Nothing is left.\n")


def test_a_demonstration_that_was_cut_off_at_its_start_can_be_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()

    begun, shown = demo("up", tmp_path / "demo")
    cleared, _ = demo("down", tmp_path / "demo")

    assert begun == 1
    assert "Clear it away first: make demo-clean" in shown
    assert cleared == 0
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_the_demonstration_did_not_make_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.tex").write_text("Chapter 1")

    code, shown = demo("down", tmp_path / "demo")

    assert code == 1
    assert "was not made by this demonstration." in shown
    assert (tmp_path / "demo" / "thesis.tex").read_text() == "Chapter 1"


def test_a_process_that_goes_on_is_named_and_its_folder_stays(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    (home / "shop.yaml").write_text("instances: []\n")
    line = [sys.executable, "-c", "input()", str(home / "site")]

    with subprocess.Popen(line, stdin=subprocess.PIPE) as process:
        code, shown = demo("down", home)
        process.communicate(b"\n")

    assert code == 1
    assert f"LEFT: Process {process.pid} runs: {' '.join(line)}" in shown
    assert home.exists()


def test_resources_in_a_state_are_named_and_their_folder_stays(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    state = home / "service" / "shop" / "dev" / "workspace" / "terraform.tfstate"
    state.parent.mkdir(parents=True)
    (home / "shop.yaml").write_text("instances: []\n")
    state.write_text('{"version": 4, "resources": [{}, {}]}')

    code, shown = demo("down", home)

    assert code == 1
    assert f"LEFT: {state} has 2 resources." in shown
    assert state.exists()


def test_resources_in_an_encrypted_state_are_named_too(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir(mode=0o700)
    (home / "shop.yaml").write_text("instances: []\n")
    landform = app.build(settings.load(home=str(home)))
    folder = home / "service" / "shop" / "dev" / "workspace"
    state = b'{"version": 4, "serial": 1, "lineage": "l", "resources": [{}, {}]}'
    at_rest.of(landform.states.cipher, "service/shop/dev", home).put(folder, state)
    landform.close()

    code, shown = demo("down", home)

    assert code == 1
    assert f"LEFT: {folder}/terraform.tfstate.sealed has 2 resources." in shown
