"""Variables of Terraform's environment whose values lie in files: secrets, which Landform reads and keeps nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.worker.triggers import Point
from tests.scenarios import slow
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

SECRET = "correct-horse-battery"
CODE = """\
variable "token" {
  type    = string
  default = "none"
}

resource "terraform_data" "net" {
  input = [var.environment.inputs.zone, var.environment.inputs.size, var.token]

  provisioner "local-exec" {
    command = "env > env.txt; echo $TF_VAR_token"
  }

  lifecycle {
    precondition {
      condition     = var.environment.inputs.zone != "bad"
      error_message = "Nothing works with ${var.token} there."
    }
  }
}

output "zone" {
  value = "the token is ${var.token}"
}
"""
SERVICE_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.zone]

  provisioner "local-exec" {
    command = "env > env.txt"
  }
}

output "port" {
  value = var.service_instance.inputs.port
}
"""


@pytest.fixture
def lab(world: World) -> World:
    """Templates lab and web, which write down the environment they run in, and a file with a secret."""
    world.publish("lab", world.environment_bundle(code=CODE))
    world.publish("web", world.service_bundle(code=SERVICE_CODE))
    world.write("token", f"{SECRET}\n")
    return world


def create(lab: World, *options: object) -> None:
    lab.do("env", "create", "prod", "-t", "lab", "--auto-approve", *options)


def seen(lab: World, address: str = "environment/prod") -> dict[str, str]:
    """The environment of Terraform's child while the instance was deployed."""
    lines = (lab.home / address / "workspace/env.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def kept(lab: World) -> dict[str, bytes]:
    """Every file of the home that Landform writes for itself, without what Terraform was given or keeps."""
    files = (path for path in lab.home.rglob("*") if path.is_file())
    theirs = ("workspace", "states", "plan.tfplan")
    return {
        str(path.relative_to(lab.home)): path.read_bytes()
        for path in files
        if not any(part in theirs for part in path.parts)
    }


def test_a_value_from_a_file_reaches_terraform_in_the_environment_and_all_that_lives_in_it(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token")
    lab.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    assert seen(lab)["TF_VAR_token"] == SECRET
    assert seen(lab, "service/orders/prod")["TF_VAR_token"] == SECRET


def test_only_the_path_is_kept_and_shown(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token", "--run-env", "AWS_REGION=eu-west-1")

    row, text = lab.row("env", "show", "prod"), lab.do("env", "show", "prod").out

    assert row["run_env"] == {"AWS_REGION": "eu-west-1", "TF_VAR_token": {"file": str(lab.root / "token")}}
    assert f"in {lab.root / 'token'}" in text
    assert SECRET not in text


def test_a_secret_is_in_nothing_that_landform_keeps_or_prints(lab: World) -> None:
    created = lab.do("env", "create", "prod", "-t", "lab", "--run-env-file", "TF_VAR_token=token", "--yes")
    plan, log, events = (
        lab.do("run", "show", 1, "--plan").out,
        lab.do("run", "logs", 1).out,
        lab.do("run", "logs", 1, "-o", "json").out,
    )

    assert [name for name, content in kept(lab).items() if SECRET.encode() in content] == []
    assert SECRET not in created.out + created.err + plan + log + events
    assert "terraform_data.net: (local-exec): (sensitive)" in log


def test_an_output_that_passes_a_secret_on_is_sensitive(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token")

    outputs = lab.row("env", "show", "prod")["outputs"]

    assert (outputs["zone"]["sensitive"], "value" in outputs["zone"]) == (True, False)


def test_a_secret_is_taken_out_of_an_error(lab: World) -> None:
    result = lab.run(
        *("env", "create", "prod", "-t", "lab", "--yes", "--set", "zone=bad", "--run-env-file", "TF_VAR_token=token")
    )

    message = lab.row("run", "show", 1)["message"]
    assert (result.code, SECRET in result.err + message) == (1, False)
    assert "Nothing works with (sensitive) there." in message


@pytest.mark.parametrize(
    ("content", "value"),
    [(b"abc\n", "abc"), (b"abc\r\n", "abc"), (b"abc\n\n", "abc\n"), (b" abc ", " abc "), (b"", ""), (b"\n", "")],
)
def test_the_newline_at_the_end_of_a_file_is_no_part_of_the_value(lab: World, content: bytes, value: str) -> None:
    (lab.root / "token").write_bytes(content)

    create(lab, "--run-env-file", "TF_VAR_token=token")

    assert lab.state("environment/prod")["outputs"]["zone"]["value"] == f"the token is {value}"


def test_a_plan_is_stale_when_the_file_has_changed_since(lab: World) -> None:
    lab.run("env", "create", "prod", "-t", "lab", "--run-env-file", "TF_VAR_token=token")
    lab.write("token", "another-secret")

    result = lab.run("run", "approve", 1)

    assert (result.code, lab.row("run", "show", 1)["message"]) == (
        5,
        "The plan is stale. Changed since it was made: run environment TF_VAR_token.",
    )


def test_a_plan_does_not_mind_that_its_file_was_written_anew_or_moved(lab: World) -> None:
    lab.run("env", "create", "prod", "-t", "lab", "--run-env-file", "TF_VAR_token=token")
    (lab.root / "token").unlink()
    lab.write("elsewhere", SECRET)
    (lab.root / "token").symlink_to(lab.root / "elsewhere")

    lab.do("run", "approve", 1)

    assert seen(lab)["TF_VAR_token"] == SECRET


def test_a_file_that_is_missing_is_named_and_the_run_can_be_retried(lab: World) -> None:
    (lab.root / "token").unlink()
    result = lab.run("env", "create", "prod", "-t", "lab", "--auto-approve", "--run-env-file", "TF_VAR_token=token")
    message = lab.row("run", "show", 1)["message"]
    lab.write("token", SECRET)

    lab.do("run", "retry", 1, "--auto-approve")

    assert (result.code, message) == (
        1,
        "Values of the run environment cannot be read from their files:\n"
        f"{lab.root / 'token'}: TF_VAR_token: cannot be read: No such file or directory.\n"
        "The files are read where Terraform runs, by the user it runs as.",
    )
    assert seen(lab)["TF_VAR_token"] == SECRET


def test_a_file_that_is_gone_before_the_apply_ends_the_run_before_anything_is_done(lab: World) -> None:
    lab.run("env", "create", "prod", "-t", "lab", "--run-env-file", "TF_VAR_token=token")
    (lab.root / "token").unlink()

    result = lab.run("run", "approve", 1)

    assert (result.code, lab.row("run", "show", 1)["status"]) == (1, "failed")
    assert not (lab.home / "environment/prod/workspace/terraform.tfstate").exists()


def unusable(lab: World) -> dict[str, str]:
    """Name of a variable -> what is wrong with its file."""
    lab.root.joinpath("large").write_bytes(b"x" * 70_000)
    lab.root.joinpath("nul").write_bytes(b"a\0b")
    lab.root.joinpath("latin").write_bytes(b"\xe9")
    lab.root.joinpath("folder").mkdir()
    return {
        "large": "cannot be read: it is larger than 64 KiB.",
        "nul": "The value of V_nul has a NUL character in it.",
        "latin": "is not UTF-8 text.",
        "folder": "cannot be read: Is a directory.",
    }


def test_every_file_that_cannot_be_used_is_named(lab: World) -> None:
    wrong = unusable(lab)
    options = [word for name in wrong for word in ("--run-env-file", f"V_{name}={name}")]

    lab.run("env", "create", "prod", "-t", "lab", "--auto-approve", *options)

    lines = lab.row("run", "show", 1)["message"].splitlines()[1:-1]
    assert sorted(lines) == sorted(f"{lab.root / name}: V_{name}: {text}" for name, text in wrong.items())


def test_files_of_the_home_reach_every_terraform(lab: World) -> None:
    lab.write("landform.toml", '[run_env_files]\nTF_VAR_token = "token"\n')

    create(lab)

    assert seen(lab)["TF_VAR_token"] == SECRET
    assert lab.row("env", "show", "prod")["run_env"] == {}


@pytest.mark.parametrize("option", [("--run-env", "TF_VAR_token=plain-value"), ("--run-env-file", "TF_VAR_token=own")])
def test_what_an_environment_says_goes_before_what_the_home_says(lab: World, option: tuple[str, str]) -> None:
    lab.write("landform.toml", '[run_env_files]\nTF_VAR_token = "no/such/file"\n')
    lab.write("own", "plain-value")

    create(lab, *option)

    assert seen(lab)["TF_VAR_token"] == "plain-value"


def test_a_file_can_be_changed_and_taken_away_without_a_run(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token", "--run-env-file", "OTHER=token")

    lab.do("env", "update", "prod", "--run-env-file", "TF_VAR_token=/run/secrets/token", "--run-env-file", "OTHER=")

    assert lab.row("env", "show", "prod")["run_env"] == {"TF_VAR_token": {"file": "/run/secrets/token"}}
    assert len(lab.rows("run", "list")) == 1


def test_a_value_takes_the_place_of_a_file_and_the_other_way_round(lab: World) -> None:
    create(lab, "--run-env-file", "A=token", "--run-env", "B=1")

    lab.do("env", "update", "prod", "--run-env", "A=2", "--run-env-file", "B=token")

    assert lab.row("env", "show", "prod")["run_env"] == {"A": "2", "B": {"file": str(lab.root / "token")}}


def test_one_variable_cannot_be_given_both_ways(lab: World) -> None:
    result = lab.run("env", "create", "prod", "-t", "lab", "--run-env", "A=1", "--run-env-file", "A=token")

    assert (result.code, result.err.splitlines()[0]) == (
        64,
        "Error: A is given with --run-env and with --run-env-file.",
    )


@pytest.mark.parametrize("name", ["TF_DATA_DIR", "HOME", "TF_CLI_ARGS_apply", "LANDFORM_HOME"])
def test_what_landform_sets_itself_cannot_be_given_in_a_file(lab: World, name: str) -> None:
    result = lab.run("env", "create", "prod", "-t", "lab", "--run-env-file", f"{name}=token")

    assert result.code == 1
    assert f"  --run-env-file: {name}: {name} is set by Landform itself and cannot be given." in result.err
    assert lab.rows("env", "list") == []


def test_a_pipe_in_place_of_a_file_makes_nobody_wait(lab: World) -> None:
    import os

    os.mkfifo(lab.root / "pipe")

    lab.run("env", "create", "prod", "-t", "lab", "--auto-approve", "--run-env-file", "A=pipe")

    assert "cannot be read: it is not a file." in lab.row("run", "show", 1)["message"]


def test_a_secret_file_is_not_read_for_a_preview(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token")
    lab.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
    Path(lab.root / "token").unlink()

    lab.do("instance", "render", "orders/prod")


def test_a_secret_is_in_no_export(lab: World) -> None:
    create(lab, "--run-env-file", "TF_VAR_token=token")

    lab.do("run", "export", 1, "--dir", "out")

    files = {path.name: path.read_text() for path in (lab.root / "out").rglob("*") if path.is_file()}
    assert files != {}
    assert [name for name, text in files.items() if SECRET in text] == []


def test_a_secret_that_was_replaced_since_an_apply_was_lost_stays_out_of_its_log(lab: World) -> None:
    create = ("env", "create", "prod", "-t", "lab", "--auto-approve", "--run-env-file", "TF_VAR_token=token")
    lab.do(*create, "--no-wait")
    slow.die_at(lab, Point.RESOURCE_DONE, 1)
    words = {"@level": "info", "@message": f"terraform_data.net: {SECRET}", "type": "log"}
    with (lab.home / "environment/prod/runs/1/orphan.jsonl").open("a") as unheard:
        unheard.write(f"{json.dumps(words)}\n")

    lab.write("token", "another\n")
    lab.do("run", "recover", 1)

    assert [name for name, content in kept(lab).items() if SECRET.encode() in content] == []
