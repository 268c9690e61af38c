"""What Terraform says in a run is read from any place on, while it is said and afterwards."""

from __future__ import annotations

import json

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

SLOW_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs]

  provisioner "local-exec" {
    command = "for n in 1 2 3 4 5; do echo grösse $n; sleep 0.2; done"
  }
}
"""


@pytest.fixture
def planned(deployed: World) -> World:
    """As `deployed`, with a plan in run 3 that waits for approval."""
    deployed.do("run", "plan", "orders/prod", "--set", "port=81")
    return deployed


def test_a_log_goes_on_where_it_was_left_weeks_ago(planned: World) -> None:
    whole_plan = planned.do("run", "logs", 3, "-f")
    offset = whole_plan.err.split()[-1]
    planned.do("run", "approve", 3)

    rest = planned.do("run", "logs", 3, "--offset", offset).out

    assert whole_plan.out + rest == planned.do("run", "logs", 3).out
    assert "Modifying..." in rest
    assert "Plan: 0 to add" not in rest


def test_following_a_log_ends_when_the_run_waits_for_a_person(planned: World) -> None:
    followed = planned.do("run", "logs", 3, "--follow")

    assert followed.out == planned.do("run", "logs", 3).out
    assert followed.err == f"Next: landform run logs 3 --offset {len(followed.out.encode())}\n"


def test_events_are_followed_as_lines_of_json(planned: World) -> None:
    followed = planned.do("run", "logs", 3, "-f", "-o", "json")

    assert [json.loads(line)["type"] for line in followed.out.splitlines()][:1] == ["version"]
    assert json.loads(followed.err) == {
        "schema": "landform.log/1",
        "run": 3,
        "offset": len((planned.home / "service/orders/prod/runs/3/events.jsonl").read_bytes()),
    }


def test_a_log_is_followed_while_somebody_else_applies(deployed: World) -> None:
    deployed.publish("slow", deployed.service_bundle("slow", code=SLOW_CODE))
    deployed.do("service", "create", "slow", "-t", "slow", "--env", "prod", "--no-wait")
    deployed.do("run", "plan", "slow/prod")
    deployed.do("run", "approve", 4, "--no-wait")

    with workers.start(deployed, "run", "logs", 4, "-f") as following:
        deployed.do("run", "apply", 4)
        out, _ = following.communicate()

    assert following.returncode == 0
    assert out == deployed.do("run", "logs", 4).out
    assert [line for line in out.splitlines() if "grösse" in line][-5:] == [
        f"terraform_data.app: (local-exec): grösse {n}" for n in range(1, 6)
    ]


def test_there_is_nothing_behind_the_end_of_a_log(planned: World) -> None:
    result = planned.do("run", "logs", 3, "--offset", 10**9)

    assert (result.out, result.err) == ("", f"Next: landform run logs 3 --offset {10**9}\n")


def test_a_run_that_has_not_begun_has_no_log(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", "--no-wait")

    result = deployed.do("run", "logs", 3)

    assert (result.out, result.err) == ("", "Run 3 has no log: Terraform was not started.\n")


@pytest.mark.parametrize("offset", ["-1", "x", "1.5", "", "99999999999999999999"])
def test_an_offset_is_a_number_of_bytes(planned: World, offset: str) -> None:
    assert planned.run("run", "logs", 3, "--offset", offset).code == 64
