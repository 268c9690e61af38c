"""What Terraform itself concluded decides, and nothing but the run's own plan and files takes part in it."""

from __future__ import annotations

import pytest

from tests.scenarios import workers
from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

REPLACED = """\
resource "terraform_data" "app" {
  triggers_replace = [var.service_instance.inputs.title, var.environment.outputs.word]
}
"""
WORD = '\noutput "word" {\n  value     = var.environment.inputs.zone\n  sensitive = true\n}\n'


def test_a_secret_that_is_one_of_terraforms_own_words_hides_no_change(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + WORD))
    world.publish("web", world.service_bundle(code=REPLACED))
    world.do("env", "create", "prod", "-t", "lab", "--set", "zone=change", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    result = world.run("instance", "update", "orders/prod", "--set", "title=new", "--auto-approve")

    assert result.code == 3
    assert world.row("run", "show", 3)["changes"] == {"add": 1, "change": 0, "destroy": 1}


def test_looking_at_an_old_plan_leaves_the_workspace_alone(deployed: World) -> None:
    new = SERVICE_CODE + '\nresource "terraform_data" "more" {}\n'
    deployed.publish("web", deployed.service_bundle(code=new), "--major", 1)
    deployed.do("instance", "update", "orders/prod", "--yes")
    before = deployed.given("service/orders/prod")

    shown = deployed.do("run", "show", 2, "--plan")

    assert "terraform_data.app" in shown.out
    assert deployed.given("service/orders/prod") == before
    assert "more" in (deployed.home / "service/orders/prod/workspace/main.tf").read_text()


def test_a_plan_is_refused_when_the_run_environment_has_changed(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("env", "update", "prod", "--run-env", "AWS_PROFILE=production")

    result = deployed.run("run", "approve", 3)

    assert result.code == 5
    message = "The plan is stale. Changed since it was made: run environment AWS_PROFILE."
    assert deployed.row("run", "show", 3)["message"] == message


def test_a_queued_run_waits_while_its_environment_is_being_changed(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    deployed.run("env", "update", "prod", "--set", "zone=b")

    result = deployed.run("run", "apply", 3, "--yes")

    assert result.code == 6
    assert deployed.row("run", "show", 3)["status"] == "queued"


def test_a_sensitive_output_is_not_taken_from_a_half_changed_environment(world: World) -> None:
    fails = 'resource "terraform_data" "gate" {\n  lifecycle {\n    postcondition {\n'
    fails += '      condition     = self.output < 9\n      error_message = "Too large."\n    }\n  }\n'
    fails += "  input      = var.environment.inputs.size\n  depends_on = [terraform_data.net]\n}\n"
    secret = '\noutput "token" {\n  value     = "token-${terraform_data.net.output}"\n  sensitive = true\n}\n'
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + secret + fails))
    reader = SERVICE_CODE.replace("zone  = var.environment.outputs.zone", "zone  = var.environment.outputs.token")
    world.publish("web", world.service_bundle(code=reader))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
    world.run("env", "update", "prod", "--set", "zone=b", "--set", "size=9", "--auto-approve")
    state = world.state("environment/prod")["outputs"]["token"]["value"]

    result = world.run("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    assert (state, result.code) == ("token-b", 1)
    message = "The state of environment/prod is not what its last successful run left: see its output token."
    assert world.row("run", "show", 4)["message"].splitlines()[0] == message


def test_what_terraform_says_can_be_read_while_it_works(world: World) -> None:
    slow = 'resource "terraform_data" "slow" {\n  provisioner "local-exec" {\n    command = "sleep 60"\n  }\n}\n'
    world.publish("lab", world.environment_bundle(code=slow))
    log = world.home / "environment/prod/runs/1/log"

    process = workers.start(world, "env", "create", "prod", "-t", "lab", "--auto-approve")
    workers.until(lambda: log.exists() and "terraform_data.slow: Creating..." in log.read_text())
    process.terminate()
    out, _ = process.communicate()

    assert process.returncode == 7
    assert "cancelled" in out
