"""How far an apply came, as far as its own words are here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import app, settings
from engine.app import App
from engine.catalog.tables import Run
from engine.core.evidence import Act, Steps
from engine.external.process import identity
from engine.worker import remains
from tests.worker.test_retries import WORK


def event(kind: str, address: str, action: str = "create") -> str:
    hook = {"resource": {"addr": address}, "action": action, "elapsed_seconds": 1}
    return json.dumps({"@message": f"{address}: {kind}", "type": kind, "hook": hook}) + "\n"


SAID = (
    event("apply_start", "a.done")
    + event("apply_start", "a.open", "delete")
    + event("apply_complete", "a.done")
    + event("apply_complete", "a.open", "delete")
    + event("apply_start", "a.open")
    + event("apply_progress", "a.open")
    + event("apply_start", "a.broken", "update")
    + event("apply_errored", "a.broken", "update")
)
FAR = Steps((Act("a.done", "create"),), (Act("a.broken", "update"),), (Act("a.open", "create"),))


def steps(opened: App, executor: dict[str, object]) -> Steps:
    return remains.steps(opened.phases.ground, Run(executor=executor), WORK)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[App]:
    """A home of one machine, with what the run has said."""
    opened = app.build(settings.load({"LANDFORM_HOME": str(tmp_path)}))
    folder = tmp_path / "environment/prod/runs/1"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_text(SAID)
    yield opened
    opened.catalog.close()


@pytest.fixture
def shared(tmp_path: Path, postgres_url: str) -> Iterator[App]:
    """A home of one of several machines, in which the run has said nothing."""
    opened = app.build(settings.load({"LANDFORM_HOME": str(tmp_path), "LANDFORM_CATALOG": postgres_url}))
    yield opened
    opened.catalog.close()


def test_of_each_resource_the_last_that_was_heard_counts(alone: App) -> None:
    assert steps(alone, {}) == FAR


def test_a_machine_that_has_another_name_by_now_is_still_the_same(alone: App) -> None:
    assert steps(alone, {"host": "c1"}) == FAR


def test_after_a_power_cut_nobody_claims_to_know_all_that_was_said(alone: App) -> None:
    assert steps(alone, {**identity(), "boot_id": "before/pid:[1]"}) == replace(FAR, is_known=False)


def test_a_container_that_was_started_anew_has_lost_no_word(alone: App) -> None:
    boot = str(identity()["boot_id"]).partition("/")[0]

    assert steps(alone, {**identity(), "boot_id": f"{boot}/pid:[1]"}) == FAR


def test_of_another_machine_nobody_claims_to_know_all_that_was_said(shared: App) -> None:
    assert steps(shared, {"host": "c1"}) == Steps(is_known=False)


def test_of_another_home_neither(shared: App) -> None:
    assert steps(shared, {"host": identity()["host"], "home": "/elsewhere"}) == Steps(is_known=False)


def test_an_apply_that_said_nothing_came_nowhere(shared: App) -> None:
    assert steps(shared, dict(identity())) == Steps()


def test_a_replacement_that_was_not_finished_is_open(alone: App) -> None:
    assert replace(steps(alone, {}), finished=(), failed=()) == Steps(begun=(Act("a.open", "create"),))
