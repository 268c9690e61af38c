"""The environment variables Terraform runs with: what operators set for it on purpose, and nothing else."""

from __future__ import annotations

import pytest

from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

CODE = """\
variable "region" {
  type    = string
  default = "none"
}

resource "terraform_data" "net" {
  input = [var.environment.inputs.zone, var.environment.inputs.size]

  provisioner "local-exec" {
    command = "env > env.txt"
  }
}

output "zone" {
  value = var.region
}
"""
SERVICE_CODE = """\
variable "region" {
  type    = string
  default = "none"
}

resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.zone]

  provisioner "local-exec" {
    command = "env > env.txt"
  }
}

output "region" {
  value = var.region
}
"""
HOME = """\
[run_env]
TF_VAR_region = "home"
HTTPS_PROXY = "http://proxy:3128"
"""


@pytest.fixture
def regional(world: World) -> World:
    """Templates lab and web, which read the variable `region` and write down the environment they run in."""
    world.publish("lab", world.environment_bundle(code=CODE))
    world.publish("web", world.service_bundle(code=SERVICE_CODE))
    return world


def create(world: World, *options: str) -> None:
    """Environment prod, with service orders in it."""
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve", *options)
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")


def seen(world: World, address: str) -> dict[str, str]:
    """The environment of Terraform's child while the instance was deployed."""
    lines = (world.home / address / "workspace/env.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def region(world: World, address: str) -> object:
    """The value of the variable `region`."""
    outputs = world.state(address)["outputs"]
    return next(iter(outputs.values()))["value"]


def test_variables_of_the_home_reach_every_terraform(regional: World) -> None:
    regional.write("landform.toml", HOME)

    create(regional)

    assert (region(regional, "environment/prod"), region(regional, "service/orders/prod")) == ("home", "home")
    assert seen(regional, "service/orders/prod")["HTTPS_PROXY"] == "http://proxy:3128"


def test_variables_of_an_environment_reach_it_and_all_that_lives_in_it(regional: World) -> None:
    create(regional, "--run-env", "TF_VAR_region=here", "--run-env", "AWS_REGION=eu-west-1")

    assert (region(regional, "environment/prod"), region(regional, "service/orders/prod")) == ("here", "here")
    assert seen(regional, "environment/prod")["AWS_REGION"] == "eu-west-1"
    assert seen(regional, "service/orders/prod")["AWS_REGION"] == "eu-west-1"


def test_a_variable_of_an_environment_goes_before_that_of_the_home(regional: World) -> None:
    regional.write("landform.toml", HOME)

    create(regional, "--run-env", "TF_VAR_region=here")

    assert region(regional, "service/orders/prod") == "here"
    assert seen(regional, "service/orders/prod")["HTTPS_PROXY"] == "http://proxy:3128"


def test_a_variable_can_be_changed_and_taken_away_without_a_run(regional: World) -> None:
    regional.do("env", "create", "prod", "-t", "lab", "--yes", "--run-env", "TF_VAR_region=here", "--run-env", "A=1")

    regional.do("env", "update", "prod", "--run-env", "TF_VAR_region=there", "--run-env", "A=")

    assert regional.row("env", "show", "prod")["run_env"] == {"TF_VAR_region": "there"}
    assert len(regional.rows("run", "list")) == 1


def test_a_variable_that_was_changed_counts_in_the_next_run(regional: World) -> None:
    create(regional, "--run-env", "TF_VAR_region=here")
    regional.do("env", "update", "prod", "--run-env", "TF_VAR_region=there")

    regional.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")

    assert region(regional, "service/orders/prod") == "there"


@pytest.mark.parametrize(
    "name",
    ["TF_DATA_DIR", "TF_WORKSPACE", "TF_INPUT", "TF_CLI_ARGS", "TF_CLI_ARGS_apply", "HOME", "LANDFORM_HOME"],
)
def test_what_landform_sets_itself_cannot_be_given(regional: World, name: str) -> None:
    result = regional.run("env", "create", "prod", "-t", "lab", "--run-env", f"{name}=x")

    assert result.code == 1
    assert result.err == (
        "Error: The run environment cannot be used:\n"
        f"  --run-env: {name}: {name} is set by Landform itself and cannot be given.\n"
    )
    assert regional.rows("env", "list") == []


def test_what_landform_sets_itself_is_refused_in_its_file_too(regional: World) -> None:
    path = regional.write("landform.toml", '[run_env]\nTF_CLI_ARGS_plan = "-lock=false"\n')

    result = regional.run("env", "create", "prod", "-t", "lab")

    assert result.code == 1
    assert result.err == (
        "Error: The settings cannot be used:\n"
        f"  {path}: run_env.TF_CLI_ARGS_plan: TF_CLI_ARGS_plan is set by Landform itself and cannot be given.\n"
    )


def test_nothing_of_the_callers_environment_reaches_terraform(regional: World, monkeypatch: pytest.MonkeyPatch) -> None:
    strays = {
        "TF_CLI_ARGS": "-bogus",
        "TF_CLI_ARGS_apply": "-bogus",
        "TF_VAR_region": "stray",
        "TF_LOG": "TRACE",
        "TF_WORKSPACE": "other",
        "AWS_REGION": "stray-1",
        "AWS_SECRET_ACCESS_KEY": "stray",
        "EDITOR": "vi",
    }
    for name, value in strays.items():
        monkeypatch.setenv(name, value)

    create(regional)

    assert region(regional, "service/orders/prod") == "none"
    assert strays.items() & seen(regional, "service/orders/prod").items() == set()


def test_terraforms_home_is_not_the_callers(regional: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nowhere")

    create(regional)

    variables = seen(regional, "environment/prod")
    assert variables["HOME"] == str(regional.home / "terraform-home")
    assert variables["TF_CLI_CONFIG_FILE"] == str(regional.home / "terraform.rc")


def test_another_terraform_configuration_can_be_given(regional: World) -> None:
    mirror = regional.write("mirror.rc", "disable_checkpoint = true\n")

    create(regional, "--run-env", f"TF_CLI_CONFIG_FILE={mirror}")

    assert seen(regional, "service/orders/prod")["TF_CLI_CONFIG_FILE"] == str(mirror)
