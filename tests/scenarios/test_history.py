"""What runs leave behind: lists, logs, and the history of what is gone."""

from __future__ import annotations

import json

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

MANY_SPEC = "proton: ServiceSpec\ninstances:\n" + "".join(
    f"- {{name: i{number}, environment: prod, spec: {{port: {8000 + number}}}}}\n" for number in range(4)
)


def test_runs_are_listed_newest_first(deployed: World) -> None:
    rows = deployed.rows("run", "list")

    assert [(row["id"], row["address"], row["status"]) for row in rows] == [
        (2, "service/orders/prod", "succeeded"),
        (1, "environment/prod", "succeeded"),
    ]


def test_runs_are_listed_by_address_and_by_status(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    assert [row["id"] for row in deployed.rows("run", "list", "orders/prod")] == [3, 2]
    assert [row["id"] for row in deployed.rows("run", "list", "environment/prod")] == [1]
    assert [row["id"] for row in deployed.rows("run", "list", "--status", "planned")] == [3]
    assert [row["id"] for row in deployed.rows("run", "list", "orders/prod", "--status", "succeeded")] == [2]


def test_a_list_of_runs_goes_on_where_it_stopped(deployed: World) -> None:
    first = deployed.do("run", "list", "--limit", 1, "-o", "name")
    second = deployed.do("run", "list", "--limit", 1, "--after", 2, "-o", "name")

    assert (first.out, first.err) == ("2\n", "There are more: --after 2\n")
    assert (second.out, second.err) == ("1\n", "")


def test_a_log_has_what_terraform_said_in_plan_and_apply(deployed: World) -> None:
    log = deployed.do("run", "logs", 2).out.splitlines()

    assert log.count("terraform_data.app: Plan to create") == 2
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in log
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in log


def test_a_log_in_json_is_terraforms_own_stream(deployed: World) -> None:
    lines = deployed.do("run", "logs", 2, "-o", "json").out.splitlines()

    assert [json.loads(line)["type"] for line in lines][-1] == "outputs"


def test_a_plan_can_be_read_in_terraforms_own_words(deployed: World) -> None:
    text = deployed.do("run", "show", 2, "--plan").out

    assert '  + resource "terraform_data" "app" {\n' in text
    assert "Plan: 1 to add, 0 to change, 0 to destroy.\n" in text


def test_the_inputs_of_a_run_are_kept_with_it(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    folders = [deployed.home / f"service/orders/prod/runs/{number}/inputs.json" for number in (2, 3)]

    ports = [json.loads(path.read_text())["service_instance"]["inputs"]["port"] for path in folders]
    assert ports == [80, 81]


def test_the_history_of_an_instance_outlives_it(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")

    history = deployed.rows("instance", "history", "orders/prod")

    assert [(row["id"], row["operation"]) for row in history] == [(3, "destroy"), (2, "deploy")]
    assert "Destruction complete" in deployed.do("run", "logs", 3).out


def test_what_is_gone_is_not_found(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")

    shown = deployed.run("instance", "show", "orders/prod")
    retried = deployed.run("run", "retry", 2)

    assert shown.code == 8
    assert retried.code == 9


def test_a_name_can_be_used_again_and_its_history_goes_on(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")

    deployed.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert [row["id"] for row in deployed.rows("instance", "history", "orders/prod")] == [4, 3, 2]
    assert deployed.row("instance", "show", "orders/prod")["status"] == "succeeded"


@pytest.mark.parametrize("parallel", [1, 4])
def test_the_instances_of_a_service_are_deployed_side_by_side(deployed: World, parallel: int) -> None:
    create = ("service", "create", "shop", "-t", "web", "-f", "-", "--auto-approve", "--parallel", parallel)

    deployed.do(*create, stdin=MANY_SPEC)

    rows = deployed.rows("instance", "list", "--service", "shop")
    ports = [deployed.row("instance", "show", f"shop/{row['name']}")["outputs"]["port"]["value"] for row in rows]
    assert [(row["name"], row["status"]) for row in rows] == [(f"i{number}", "succeeded") for number in range(4)]
    assert ports == [8000, 8001, 8002, 8003]


def test_progress_goes_to_stderr_and_results_to_stdout(deployed: World) -> None:
    result = deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve", "-o", "name")

    assert result.out == "3\n"
    assert result.err.splitlines()[:3] == [
        "orders/prod: planning",
        "orders/prod: terraform_data.app: Plan to update",
        "orders/prod: applying",
    ]


def test_quiet_prints_nothing_but_the_result(deployed: World) -> None:
    result = deployed.do("-q", "instance", "update", "orders/prod", "--set", "port=81", "--yes", "-o", "name")

    assert (result.out, result.err) == ("3\n", "")
