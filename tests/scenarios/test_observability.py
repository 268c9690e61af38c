"""Whoever operates Landform sees what goes on: in log lines about a run, and in one trace of plan and apply."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def logged(said: str) -> list[dict[str, Any]]:
    """The log lines among what was said on stderr, without their times."""
    found = [json.loads(line) for line in said.splitlines() if line.startswith('{"time"')]
    return [{name: value for name, value in line.items() if name != "time"} for line in found]


def spans(said: str) -> list[dict[str, Any]]:
    """The spans among what was said on stderr, in the order in which they ended."""
    return [json.loads(text) for text in re.findall(r"^\{\n.*?^\}$", said, re.MULTILINE | re.DOTALL)]


def test_log_lines_are_about_their_run(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_LOG_FORMAT", "json")
    monkeypatch.setenv("LANDFORM_LOG_LEVEL", "INFO")

    said = deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve").err

    about = {"run": "3", "address": "service/orders/prod", "worker": "3"}
    first = {"level": "INFO", "logger": "engine.worker.telling", "message": "work on a run has begun", **about}
    last = {"level": "INFO", "logger": "engine.worker.telling", "message": "work on a run is over", **about}
    lines = [line for line in logged(said) if "run" in line]
    assert (lines[0], lines[-1]) == ({**first, "stage": "plan", "attempt": "1"}, {**last, "status": "succeeded"})
    assert {line["address"] for line in lines} == {"service/orders/prod"}


def test_by_default_only_warnings_are_logged_as_text(deployed: World) -> None:
    said = deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve").err

    assert "INFO" not in said


def test_plan_and_apply_in_two_commands_are_one_trace(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_OTEL", "console")

    planned = spans(deployed.run("instance", "update", "orders/prod", "--set", "port=81").err)
    applied = spans(deployed.do("run", "approve", 3).err)

    assert [span["name"] for span in planned] == ["plan", "run"]
    assert [span["name"] for span in applied] == ["apply", "run"]
    assert len({span["context"]["trace_id"] for span in [*planned, *applied]}) == 1
    assert applied[-1]["links"][0]["context"]["span_id"] == planned[-1]["context"]["span_id"]
    outcomes = [span["attributes"]["landform.outcome"] for span in (planned[-1], applied[-1])]
    assert outcomes == ["planned", "succeeded"]
    assert applied[-1]["attributes"]["landform.address"] == "service/orders/prod"


def test_an_apply_that_follows_its_plan_is_in_the_same_span(deployed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_OTEL", "console")

    said = deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve").err

    assert [span["name"] for span in spans(said)] == ["plan", "apply", "run"]
