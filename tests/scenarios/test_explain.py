"""Why something is as it is, asked of what is really there."""

from __future__ import annotations

from typing import Any

from tests.scenarios.world import SERVICE_CODE, World

MORE = 'resource "terraform_data" "more" {}\n'
UPDATE = ("instance", "update", "orders/prod", "--set")


def reasons(world: World, subject: str) -> list[tuple[str, str]]:
    return [(each["topic"], each["text"]) for each in world.row("explain", subject)["reasons"]]


def test_an_instance_that_is_behind_and_read_what_has_changed_since_says_so(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", "1")
    deployed.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")
    deployed.do("env", "update", "prod", "--set", "size=2", "--auto-approve")

    said = deployed.do("explain", "orders/prod").out

    assert said == (
        "service/orders/prod: last run succeeded\n"
        "  it is on web@1.0, and web@1.1 is recommended\n"
        "  it is stale: output zone of environment/prod was changed by run 3 since it was read\n"
        "Next: landform instance update orders/prod --version 1.1\n"
        "Next: landform instance update orders/prod --kind current-version\n"
        "Next: landform instance show orders/prod\n"
    )


def test_a_campaign_and_its_instances_say_that_the_environment_is_frozen_and_what_its_runs_wait_for(
    deployed: World,
) -> None:
    deployed.publish("web", deployed.service_bundle(code=SERVICE_CODE + MORE), "--major", "1")
    calendar = deployed.write("calendar.yaml", "freezes: [{reason: incident 7}]")
    deployed.do("env", "calendar", "set", "prod", calendar)
    deployed.do("campaign", "start", "web", "--no-wait")

    frozen = 'environment is frozen until somebody ends that: "incident 7"'
    assert ("calendar", f"1 step in prod cannot begin: {frozen}") in reasons(deployed, "c1")
    assert ("calendar", f"campaigns change nothing in prod now: {frozen}") in reasons(deployed, "orders/prod")
    assert ("campaign", "campaign 1 (running) has it: its step in wave 1 is pending") in reasons(
        deployed, "orders/prod"
    )
    assert f"closed now: {frozen}" in deployed.do("env", "calendar", "show", "prod").out
    assert "incident 7" in deployed.do("env", "show", "prod").out

    deployed.do("env", "calendar", "clear", "prod")
    deployed.run("campaign", "resume", 1)

    waits = "service/orders/prod: run 3 is planned: waits for approval (0 of 1)"
    assert ("approval", waits) in reasons(deployed, "c1")
    assert ("campaign", "campaign 1 asked for it") in reasons(deployed, "3")


def test_run_explain_is_the_same_as_explain_of_the_run(deployed: World) -> None:
    deployed.do(*UPDATE, "port=81", "--no-wait")
    found: Any = deployed.row("explain", 3)

    assert found == deployed.row("run", "explain", 3)
    assert (found["schema"], found["subject"], found["name"]) == ("landform.explanation/2", "run", "3")
    assert (found["run"], found["address"], found["waiting_on"]) == (3, "service/orders/prod", "worker")
    assert found["is_blocked"]


def test_what_names_nothing_is_refused_with_examples(deployed: World) -> None:
    result = deployed.run("explain", "prod")

    assert (result.code, result.err) == (
        64,
        "Error: 'prod' names nothing that could be explained.\n"
        "Hint: Write an address like orders/prod or environment/prod, a run like 7, or a campaign like c3.\n",
    )
