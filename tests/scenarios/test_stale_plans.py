"""A plan is applied only while everything that it was made from is still as it was then."""

from __future__ import annotations

import json
import os

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
ORDERS = "service/orders/prod"


@pytest.fixture
def planned(deployed: World) -> World:
    """As `deployed`, with an update of orders/prod that waits for approval as run 3."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    return deployed


def refusal(world: World) -> tuple[int, str, str]:
    """What approving run 3 comes to: exit code, status, message."""
    result = world.run("run", "approve", 3)
    run = world.row("run", "show", 3)
    return result.code, run["status"], run["message"]


def test_a_plan_is_refused_when_an_output_that_it_used_has_changed(planned: World) -> None:
    planned.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    assert refusal(planned) == (
        5,
        "discarded",
        "The plan is stale. Changed since it was made: environment/prod output zone.",
    )


def test_a_plan_does_not_mind_an_output_that_it_did_not_use(planned: World) -> None:
    planned.do("env", "update", "prod", "--set", "size=2", "--auto-approve")

    planned.do("run", "approve", 3)

    assert planned.row("run", "show", 3)["status"] == "succeeded"


def test_a_plan_is_refused_when_the_state_has_moved(planned: World) -> None:
    state = planned.state(ORDERS)
    planned.lay_open(ORDERS).write_text(json.dumps({**state, "serial": state["serial"] + 1}))

    assert refusal(planned) == (5, "discarded", "The plan is stale. Changed since it was made: state.")


def test_a_plan_is_refused_when_its_file_has_been_changed(planned: World) -> None:
    path = planned.home / "service/orders/prod/runs/3/plan.tfplan"
    path.write_bytes(path.read_bytes() + b"\0")

    assert refusal(planned) == (5, "discarded", "The plan is stale. Changed since it was made: plan file.")


def test_a_plan_is_refused_when_its_file_is_gone(planned: World) -> None:
    (planned.home / "service/orders/prod/runs/3/plan.tfplan").unlink()

    assert refusal(planned) == (5, "discarded", "The plan is stale. Changed since it was made: plan file.")


def test_everything_that_moved_is_named(planned: World) -> None:
    (planned.home / "service/orders/prod/runs/3/plan.tfplan").unlink()
    planned.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    assert refusal(planned) == (
        5,
        "discarded",
        "The plan is stale. Changed since it was made: environment/prod output zone, plan file.",
    )


def test_a_stale_plan_changes_nothing_and_frees_its_instance(planned: World) -> None:
    planned.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")
    before = planned.state_bytes(ORDERS)
    planned.run("run", "approve", 3)
    after = planned.state_bytes(ORDERS)

    planned.do("run", "retry", 3, "--auto-approve")

    assert after == before
    assert planned.given("service/orders/prod")["environment"]["outputs"]["zone"] == "b"


def test_a_plan_of_an_older_terraform_is_refused(planned: World, monkeypatch: pytest.MonkeyPatch) -> None:
    other = planned.write("terraform", _OTHER)
    os.chmod(other, 0o755)
    monkeypatch.setenv("LANDFORM_TERRAFORM", str(other))

    assert refusal(planned) == (5, "discarded", "The plan is stale. Changed since it was made: terraform version.")


_OTHER = """\
#!/bin/sh
echo '{"terraform_version": "1.99.0", "platform": "linux_amd64", "provider_selections": {}}'
"""
