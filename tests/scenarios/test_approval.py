"""Between a plan and its apply: who says yes, to what, and what happens without."""

from __future__ import annotations

import pytest

from tests.scenarios.world import SERVICE_CODE, World

pytestmark = pytest.mark.terraform

REPLACED = SERVICE_CODE.replace(
    'resource "terraform_data" "app" {',
    'resource "terraform_data" "app" {\n  triggers_replace = var.service_instance.inputs.title\n',
)
TWO_SPEC = """\
proton: ServiceSpec
instances:
- {name: one, environment: prod, spec: {}}
- {name: two, environment: prod, spec: {}}
"""


@pytest.fixture
def replacing(deployed: World) -> World:
    """As `deployed`, and service `shop` whose resource is replaced when its title changes; its run is 3."""
    deployed.publish("replaced", deployed.service_bundle("replaced", code=REPLACED))
    deployed.do("service", "create", "shop", "-t", "replaced", "--env", "prod", "--auto-approve")
    return deployed


def port(world: World) -> object:
    """The port of orders/prod, as it is deployed."""
    return world.row("instance", "show", "orders/prod")["outputs"]["port"]["value"]


def test_a_plan_waits_for_approval(deployed: World) -> None:
    result = deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    run = deployed.row("run", "show", 3)
    assert result.code == 3
    assert result.err.endswith(
        "Waiting: Run 3 came to a plan that needs approval.\n"
        "Hint: See it: landform run show 3. Then: landform run approve 3\n"
    )
    assert (run["status"], run["waiting_on"]) == ("planned", "approval")
    assert run["next_actions"] == ["approve", "discard", "cancel"]
    assert port(deployed) == 80


def test_approving_a_plan_applies_it(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    deployed.do("run", "approve", 3, "--reason", "looked at it")

    run = deployed.row("run", "show", 3)
    assert (run["status"], run["approval_reason"]) == ("succeeded", "looked at it")
    assert port(deployed) == 81


def test_exactly_the_approved_plan_is_applied(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    planned = (deployed.home / "service/orders/prod/runs/3/plan.tfplan").read_bytes()

    deployed.do("run", "approve", 3)

    log = deployed.do("run", "logs", 3).out
    assert (deployed.home / "service/orders/prod/runs/3/plan.tfplan").read_bytes() == planned
    assert log.count("terraform_data.app: Plan to update\n") == 2
    assert log.count("terraform_data.app: Modifying...") == 1


def test_saying_yes_and_applying_can_be_two_steps(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    said = deployed.do("run", "approve", 3, "--no-wait")
    between = (deployed.row("run", "show", 3)["status"], port(deployed))
    deployed.do("run", "apply", 3)

    assert said.err == "Next: landform run apply 3\n"
    assert between == ("approved", 80)
    assert port(deployed) == 81


def test_a_run_can_be_recorded_now_and_carried_out_later(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve", "--no-wait")
    before = deployed.row("run", "show", 3)["status"]

    deployed.do("run", "apply", 3)

    assert before == "queued"
    assert port(deployed) == 81


def test_consent_may_be_given_when_a_run_is_carried_out(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")

    deployed.do("run", "apply", 3, "--auto-approve", "--reason", "nightly")

    run = deployed.row("run", "show", 3)
    assert (run["status"], run["approved_by"], run["approval_reason"]) == ("succeeded", run["requested_by"], "nightly")


def test_auto_approve_applies_what_destroys_nothing(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    run = deployed.row("run", "show", 3)
    assert (run["status"], run["approved_by"], run["auto_approve"]) == ("succeeded", "auto-approve", "safe")


def test_auto_approve_does_not_approve_a_replacement(replacing: World) -> None:
    result = replacing.run("instance", "update", "shop/prod", "--set", "title=new", "--auto-approve")

    run = replacing.row("run", "show", 4)
    assert result.code == 3
    assert (run["status"], run["changes"]) == ("planned", {"add": 1, "change": 0, "destroy": 1})


def test_auto_approve_does_not_approve_a_destroy(deployed: World) -> None:
    result = deployed.run("service", "delete", "orders", "--auto-approve")

    assert result.code == 3
    assert deployed.row("run", "show", 3)["status"] == "planned"


@pytest.mark.parametrize("consent", [["--auto-approve", "--allow-destroy"], ["--yes"]])
def test_what_is_destroyed_is_approved_by_a_flag_that_says_so(replacing: World, consent: list[str]) -> None:
    replacing.do("instance", "update", "shop/prod", "--set", "title=new", *consent)
    replacing.do("service", "delete", "shop", *consent)

    assert [run["status"] for run in replacing.rows("run", "list", "--limit", 2)] == ["succeeded", "succeeded"]


def test_to_allow_a_destroy_is_not_to_approve_it(replacing: World) -> None:
    result = replacing.run("instance", "update", "shop/prod", "--set", "title=new", "--allow-destroy")

    assert result.code == 3


def test_a_discarded_plan_is_never_applied(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    deployed.do("run", "discard", 3, "--reason", "not today")
    late = deployed.run("run", "approve", 3)

    run = deployed.row("run", "show", 3)
    assert (late.code, late.err.splitlines()[0]) == (9, "Error: Cannot approve a run that is discarded.")
    assert run["message"] == f"Discarded by {run['requested_by']}: not today"
    assert port(deployed) == 80


def test_a_discarded_run_frees_its_instance(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "discard", 3)

    deployed.do("instance", "update", "orders/prod", "--set", "port=82", "--auto-approve")

    assert port(deployed) == 82


def test_a_discarded_run_can_be_retried_with_a_new_plan(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "discard", 3)

    deployed.do("run", "retry", 3, "--auto-approve")

    assert (deployed.row("run", "show", 4)["retry_of"], port(deployed)) == (3, 81)


def test_a_run_that_succeeded_is_not_retried(deployed: World) -> None:
    result = deployed.run("run", "retry", 2)

    assert (result.code, result.err) == (9, "Error: Run 2 succeeded: there is nothing to retry.\n")


def test_only_a_plan_that_waits_can_be_approved(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")

    queued = deployed.run("run", "approve", 3)
    ended = deployed.run("run", "approve", 2)

    assert (queued.code, queued.err.splitlines()[0]) == (9, "Error: Cannot approve a run that is queued.")
    assert (ended.code, ended.err.splitlines()[0]) == (9, "Error: Cannot approve a run that is succeeded.")


def test_a_summary_says_what_a_plan_would_do(replacing: World) -> None:
    replacing.run("instance", "update", "shop/prod", "--set", "title=new", "--set", "port=81")

    run = replacing.row("run", "show", 4)
    assert run["plan"] == "1 to add, 0 to change, 1 to destroy, 1 output changes."
    assert run["summary"] == {
        "changes": [{"address": "terraform_data.app", "action": "replace", "reason": "cannot_update"}],
        "outputs": [{"name": "port", "action": "update", "sensitive": False}],
        "drift": [],
    }


def test_a_summary_is_shown_resource_by_resource(replacing: World) -> None:
    replacing.run("instance", "update", "shop/prod", "--set", "title=new", "--set", "port=81")

    text = replacing.do("run", "show", 4).out

    assert text.endswith(
        "Plan of run 4 for service/shop/prod: 1 to add, 0 to change, 1 to destroy, 1 output changes.\n"
        "    -/+ terraform_data.app (cannot update)\n"
        "    ~   output port\n"
        "\n"
        "Next: landform run show 4 --plan\n"
        "Next: landform run approve 4\n"
        "Next: landform run discard 4\n"
        "Next: landform run cancel 4\n"
    )


def test_every_instance_of_a_service_has_a_plan_of_its_own(deployed: World) -> None:
    result = deployed.run("service", "create", "shop", "-t", "web", "-f", "-", stdin=TWO_SPEC)

    assert result.code == 3
    assert "Waiting: Runs 3, 4 came to a plan that needs approval.\n" in result.err
    assert [run["status"] for run in deployed.rows("run", "list", "--status", "planned")] == ["planned", "planned"]
