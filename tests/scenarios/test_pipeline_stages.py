"""A pipeline plans in one stage and applies in another: what each command leaves behind, and how it ends."""

from __future__ import annotations

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

PORT = ("--set", "port=81")
CUSTOMER_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "Given"
  types:
    Given:
      type: object
      properties:
        zone:
          type: string
"""
BROKEN_CODE = 'resource "terraform_data" "app" {\n  input = file("missing.txt")\n}\n'


# Planning


def test_a_plan_waits_for_approval_and_is_applied_by_a_later_stage(deployed: World) -> None:
    planned = deployed.row("run", "plan", "orders/prod", *PORT)
    applied = deployed.rows("run", "approve", 3)

    assert (planned["run"]["id"], planned["run"]["status"]) == (3, "planned")
    assert (applied[0]["status"], applied[0]["outputs"]["port"]["value"]) == ("succeeded", 81)


def test_a_plan_tells_programs_what_it_would_do(deployed: World) -> None:
    plan = deployed.row("run", "plan", "service/orders/prod", *PORT)

    assert {name: value for name, value in plan.items() if name != "run"} == {
        "schema": "landform.plan/1",
        "speculative": False,
        "address": "service/orders/prod",
        "operation": "deploy",
        "template": "web@1.0",
        "has_changes": True,
        "plan": "0 to add, 1 to change, 0 to destroy, 1 output changes.",
        "changes": {"add": 0, "change": 1, "destroy": 0},
        "resources": [{"address": "terraform_data.app", "action": "update", "reason": ""}],
        "outputs": [{"name": "port", "action": "update", "sensitive": False}],
        "drift": [],
        "placeholders": [],
        "notes": [],
        "refusals": [],
        "next": [f"landform run {verb} 3" for verb in plan["run"]["next_actions"]],
    }


def test_a_plan_with_changes_ends_with_2_where_that_was_asked_for(deployed: World) -> None:
    result = deployed.run("run", "plan", "orders/prod", *PORT, "--detailed-exitcode", "-o", "name")

    assert (result.code, result.out) == (2, "3\n")


def test_a_plan_without_changes_ends_with_0(deployed: World) -> None:
    result = deployed.run("run", "plan", "orders/prod", "--detailed-exitcode", "-o", "json")

    assert result.code == 0
    assert (result.json["has_changes"], result.json["run"]["status"]) == (False, "succeeded")


def test_a_plan_is_shown_to_people_with_what_to_type_next(deployed: World) -> None:
    text = deployed.do("run", "plan", "orders/prod", *PORT).out

    assert "Run 3: deploy service/orders/prod with web@1.0\n" in text
    assert "    ~   terraform_data.app\n" in text
    assert "Next: landform run approve 3\n" in text


def test_a_plan_never_approves_itself(deployed: World) -> None:
    plan = deployed.row("run", "plan", "orders/prod", *PORT)

    assert plan["run"]["auto_approve"] == "none"
    assert deployed.row("instance", "outputs", "orders/prod")["items"][0]["value"] == 80


def test_what_has_never_been_deployed_is_planned_as_it_was_asked_for(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--set", "zone=b", "--no-wait")

    plan = world.row("run", "plan", "environment/prod")

    assert (plan["run"]["id"], plan["run"]["supersedes"], plan["run"]["inputs"]) == (2, 1, {"zone": "b"})
    assert plan["changes"] == {"add": 2, "change": 0, "destroy": 0}
    assert world.rows("run", "approve", 2)[0]["status"] == "succeeded"


def test_a_newer_version_can_be_planned(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)

    plan = deployed.row("run", "plan", "orders/prod", "--version", "1.1")

    assert (plan["template"], plan["run"]["update_kind"]) == ("web@1.1", "minor-version")


def test_the_end_of_an_instance_can_be_planned(deployed: World) -> None:
    deployed.do("service", "create", "billing", "-t", "web", "--env", "prod", "--auto-approve")
    deployed.do("service", "delete", "billing", "--yes")

    refused = deployed.run("run", "plan", "orders/prod", "--destroy")
    planned = deployed.run("run", "plan", "environment/prod", "--destroy", "-o", "json")

    assert (refused.code, planned.code) == (9, 9)
    assert "orders/prod is the last instance of service orders" in refused.err
    assert "Environment prod is in use by orders/prod." in planned.error["message"]


def test_a_plan_that_destroys_is_carried_out_by_a_later_stage(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")

    plan = world.row("run", "plan", "environment/prod", "--destroy")
    world.do("run", "approve", 2)

    assert (plan["operation"], plan["changes"]) == ("destroy", {"add": 0, "change": 0, "destroy": 2})
    assert world.rows("env", "list") == []


def test_a_plan_can_be_left_to_somebody_else(deployed: World) -> None:
    result = deployed.run("run", "plan", "orders/prod", *PORT, "--no-wait", "--detailed-exitcode", "-o", "json")

    assert result.code == 0
    assert (result.json["run"]["status"], result.json["has_changes"], result.json["plan"]) == ("queued", None, None)


def test_a_plan_that_fails_ends_with_1(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=BROKEN_CODE))
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")

    result = world.run("run", "plan", "environment/prod", "--detailed-exitcode")

    assert result.code == 1
    assert "missing.txt" in result.out
    assert "Error: Run 2 failed." in result.err


def test_nothing_is_planned_while_somebody_may_apply_another_plan(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)
    deployed.do("run", "approve", 3, "--no-wait")

    result = deployed.run("run", "plan", "orders/prod", "-o", "json")

    assert (result.code, result.error["code"]) == (6, "Busy")


def test_a_newer_plan_supersedes_one_that_waits(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)

    newer = deployed.row("run", "plan", "orders/prod", "--set", "port=82")

    assert newer["run"]["supersedes"] == 3
    assert deployed.row("run", "show", 3)["status"] == "discarded"


def test_a_stage_that_is_repeated_under_its_key_makes_no_second_plan(deployed: World) -> None:
    again = [deployed.row("run", "plan", "orders/prod", *PORT, "--idempotency-key", "job-7") for _ in range(2)]

    assert [plan["run"]["id"] for plan in again] == [3, 3]
    assert len(deployed.rows("run", "list")) == 3


@pytest.mark.parametrize(
    ("address", "create"),
    [("environment/test", "env create test"), ("orders/test", "service create orders"), ("x/y", "service create x")],
)
def test_what_does_not_exist_cannot_be_planned_but_created(deployed: World, address: str, create: str) -> None:
    result = deployed.run("run", "plan", address, "-o", "json")

    assert result.code == 8
    assert f"landform {create} --template TEMPLATE --spec FILE" in result.error["hint"]


def test_where_a_plan_would_be_all_nothing_is_planned(world: World) -> None:
    world.publish("given", world.bundle("given", {"schema/schema.yaml": CUSTOMER_SCHEMA}))
    world.do("env", "create", "prod", "-t", "given", "--set", "zone=a", "--auto-approve")

    result = world.run("run", "plan", "environment/prod", "--set", "zone=b", "-o", "json")

    assert (result.code, result.error["hint"]) == (9, "landform env update prod")
    assert world.row("env", "show", "prod")["outputs"]["zone"]["value"] == "a"


def test_what_has_nothing_left_is_not_forgotten_by_a_plan(world: World) -> None:
    world.publish("lab", world.environment_bundle(code="# nothing\n"))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")

    result = world.run("run", "plan", "environment/prod", "--destroy", "-o", "json")

    assert (result.code, result.error["message"]) == (9, "environment/prod has nothing left to destroy.")
    assert [row["name"] for row in world.rows("env", "list")] == ["prod"]


@pytest.mark.parametrize(
    "options",
    [
        ("--destroy", "--set", "port=81"),
        ("--destroy", "--kind", "current-version"),
        ("--destroy", "--template", "web", "--speculative"),
        ("--template", "web"),
        ("--env", "prod"),
        ("--env", "prod", "--speculative"),
        ("--speculative", "--template", "web", "--version", "1.0"),
        ("--speculative", "--no-wait"),
    ],
)
def test_options_that_do_not_go_together_are_refused(deployed: World, options: tuple[str, ...]) -> None:
    result = deployed.run("run", "plan", "orders/prod", *options)

    assert (result.code, result.out) == (64, "")


# Waiting


def test_waiting_ends_when_a_run_waits_for_a_person(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)

    result = deployed.run("run", "wait", 3, "-o", "name")

    assert (result.code, result.out) == (3, "3\n")
    assert "Run 3 came to a plan that needs approval." in result.err


def test_a_plan_that_was_waited_for_is_no_error(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)

    assert deployed.run("run", "wait", 3, "--for", "planned").code == 0
    assert deployed.run("run", "wait", 2, 3, "--for", "planned").code == 0


def test_the_exit_code_of_waiting_is_that_of_the_worst_run(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)
    deployed.do("run", "discard", 3)

    assert deployed.run("run", "wait", 1, 2).code == 0
    assert deployed.run("run", "wait", 1, 3).code == 7
    assert deployed.run("run", "wait", 41).code == 8


def test_waiting_for_the_end_goes_on_over_a_plan_until_time_is_up(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)

    result = deployed.run("run", "wait", 3, "--for", "ended", "--timeout", 1)

    assert result.code == 124
    assert "1 seconds were not enough for run 3." in result.err


def test_a_run_that_somebody_else_applies_is_waited_for(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)

    with workers.start(deployed, "run", "wait", 3, "--for", "ended", "--timeout", 60) as waiting:
        deployed.do("run", "approve", 3)
        out, err = waiting.communicate()

    assert waiting.returncode == 0
    assert "succeeded" in out
    assert err.splitlines()[-1] == "Run 3, orders/prod: succeeded"


def test_whoever_waits_sees_that_the_worker_of_a_run_is_gone(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *PORT)
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, workers.dead())

    result = deployed.run("run", "wait", 3, "--timeout", 60)

    assert result.code == 10
    assert deployed.row("run", "show", 3)["status"] == "interrupted"
