"""The stages of a pipeline on two machines with one catalog: each sees what the other did, also after an outage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import postgres
from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def worlds(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """Two homes with one catalog and one key, and nothing in them."""
    (folder / "key").write_bytes(b"k" * 32)
    monkeypatch.setenv("LANDFORM_CATALOG", url)
    monkeypatch.setenv("LANDFORM_KEY_FILE", str(folder / "key"))
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    return World(folder / "work", folder / "a"), World(folder / "work", folder / "b")


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[World, World]:
    """As World.deployed() on the first machine; run 3 is a plan of it that waits for approval."""
    a, b = worlds(tmp_path, postgres_url, monkeypatch)
    a.deployed()
    a.do("run", "plan", "orders/prod", "--set", "port=81")
    return a, b


def test_a_log_is_read_on_another_machine_over_phases_that_ran_on_both(machines: tuple[World, World]) -> None:
    a, b = machines
    planned = b.do("run", "logs", 3, "-f")
    b.do("run", "approve", 3)

    rest = a.do("run", "logs", 3, "--offset", planned.err.split()[-1]).out

    assert planned.out + rest == a.do("run", "logs", 3).out == b.do("run", "logs", 3).out
    assert ("Plan: 0 to add" in planned.out, "Modifying..." in rest) == (True, True)


def test_a_plan_is_exported_on_a_machine_that_has_not_made_it(machines: tuple[World, World]) -> None:
    _, b = machines

    b.do("run", "export", 3, "--dir", "out")

    plan = json.loads((b.root / "out/plan.json").read_text())
    assert [change["change"]["actions"] for change in plan["resource_changes"]] == [["update"]]


def test_a_machine_that_has_deployed_nothing_looks_at_what_another_one_has(machines: tuple[World, World]) -> None:
    _, b = machines

    plan = b.row("run", "plan", "orders/prod", "--set", "port=82", "--speculative")

    assert plan["changes"] == {"add": 0, "change": 1, "destroy": 0}
    assert not (b.home / "service").exists()


def test_waiting_goes_on_after_the_catalog_was_out_of_reach(
    tmp_path: Path, own_postgres: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = worlds(tmp_path, own_postgres.url, monkeypatch)
    a.publish("lab", a.environment_bundle())
    a.do("env", "create", "prod", "-t", "lab", "--no-wait")

    with workers.start(a, "run", "wait", 1, "--for", "ended", "--timeout", 100) as waiting:
        assert waiting.stderr is not None
        first = waiting.stderr.readline()
        own_postgres.stop("immediate")
        second = waiting.stderr.readline()
        own_postgres.start()
        a.do("run", "apply", 1, "--auto-approve")
        out, err = waiting.communicate()

    assert first == "Run 1, prod: queued\n"
    assert second.endswith(" Trying again.\n")
    assert err.splitlines()[-1] == "Run 1, prod: succeeded"
    assert (waiting.returncode, "succeeded" in out) == (0, True)
