"""Campaigns: gates, pauses, and what stops one."""

from __future__ import annotations

import os

import pytest

from tests.scenarios.world import SERVICE_CODE, World

NAMES = ("a", "b", "c")
FREEZE = "freezes:\n  - {from: 2020-01-01, to: 2999-01-01, reason: not now}\n"
REPLACED = SERVICE_CODE.replace('"app" {', '"app" {\n  triggers_replace = "again"')
QUICK = ("--auto-approve", "--concurrency", "1")


@pytest.fixture
def fleet(world: World) -> World:
    """Three services of web@1.0 in prod; web@1.1 changes nothing, web@1.2 replaces the resource."""
    world.deployed()
    for name in NAMES:
        world.do("service", "create", name, "-t", "web", "--env", "prod", "--auto-approve")
    world.do("service", "delete", "orders", "--yes")
    for code in (SERVICE_CODE + "\n", REPLACED):
        world.publish("web", world.service_bundle(code=code), "--major", 1)
    return world


def standing(world: World, campaign: int) -> tuple[str, dict[str, int]]:
    row = world.row("campaign", "status", campaign)
    return row["status"], row["statuses"]


@pytest.mark.terraform
def test_a_campaign_waits_between_waves_and_halts_at_what_is_not_well(fleet: World) -> None:
    asked = fleet.run("campaign", "start", "web@1.1", "--canary", 1, "--approve-waves", *QUICK)
    assert (asked.code, standing(fleet, 1)) == (3, ("paused", {"succeeded": 1, "pending": 2}))
    assert "Wave 1 is done: wave 2 waits for somebody to say yes." in asked.err

    other = fleet.run("campaign", "start", "web@1.2", "-o", "json")
    assert (other.code, other.error["message"]) == (
        9,
        "Another campaign has service/b/prod, service/c/prod: campaign 1.",
    )

    fleet.do("campaign", "abort", 1, "--reason", "enough")
    assert standing(fleet, 1) == ("aborted", {"succeeded": 1, "called off": 2})

    # the canary is one that has something to do
    outline = fleet.rows("campaign", "plan", "web@1.1", "--canary", 1)
    assert [(row["wave"], row["address"]) for row in outline] == [(1, "service/b/prod"), (2, "service/c/prod")]

    # a program that is named from here is found wherever it is started
    probe = fleet.write("probe", "#!/bin/sh\necho not today\nexit 3\n")
    probe.chmod(0o755)
    asking = ("--health-command", f"./{os.path.relpath(probe)}", "--health-timeout", "1s")
    sick = fleet.run("campaign", "start", "web@1.1", *asking, *QUICK)
    assert f"{probe} ended with exit code 3: not today" in sick.err
    assert (sick.code, standing(fleet, 2)) == (1, ("halted", {"failed": 1, "pending": 1}))
    assert [row["version"] for row in fleet.rows("instance", "list")] == ["1.1", "1.1", "1.0"]


@pytest.mark.terraform
def test_a_campaign_applies_no_plan_that_does_more_than_it_allows(fleet: World) -> None:
    before = [fleet.state(f"service/{name}/prod")["serial"] for name in NAMES]

    halted = fleet.run("campaign", "start", "web@1.2", *QUICK)

    assert (halted.code, standing(fleet, 1)) == (1, ("halted", {"failed": 1, "pending": 2}))
    assert fleet.row("campaign", "status", 1)["steps"][0]["message"] == (
        "Run 7 failed: Its plan comes to replace, and campaign 1 allows no-change, add, in-place. "
        "1 to add, 0 to change, 1 to destroy, 1 output changes."
    )
    assert [fleet.state(f"service/{name}/prod")["serial"] for name in NAMES] == before


def test_a_campaign_begins_nothing_in_an_environment_that_is_frozen(fleet: World) -> None:
    fleet.do("env", "calendar", "set", "prod", fleet.write("calendar.yaml", FREEZE))

    late = fleet.run("campaign", "start", "web@1.1", "--timeout", 1, *QUICK)

    assert (late.code, standing(fleet, 1)) == (124, ("paused", {"pending": 3}))
    assert 'prod: environment is frozen until 2999-01-02 00:00 UTC: "not now"' in late.err
