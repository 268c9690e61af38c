"""A sensitive output reaches those who read it, and is seen nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform

SECRETS = """
output "token" {
  value     = "${var.environment.inputs.zone}-s3cr3t<&>\\"ä\\""
  sensitive = true
}

output "key" {
  value     = "BEGIN KEY\\n0123456789abcdef\\nfedcba9876543210\\nEND KEY"
  sensitive = true
}

output "login" {
  value     = { user = "admin", password = "correct-horse" }
  sensitive = true
}
"""
READER = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.token]

  provisioner "local-exec" {
    command = "echo $TOKEN; echo \\"$KEY\\"; echo $PASSWORD"
    environment = {
      TOKEN    = var.environment.outputs.token
      KEY      = var.environment.outputs.key
      PASSWORD = jsondecode(var.environment.outputs.login).password
    }
  }
}

output "url" {
  value = "https://${var.environment.outputs.token}@example.org"
}

output "user" {
  value = jsondecode(var.environment.outputs.login).user
}

output "proof" {
  value = sha256("${var.environment.outputs.token} ${var.environment.outputs.login}")
}
"""
LEAKS = ("s3cr3t", "0123456789abcdef", "correct-horse")
MAY_HOLD_SECRETS = ("terraform.tfstate", "terraform.tfstate.backup", "plan.tfplan")


def leaks(world: World) -> list[str]:
    """Files of the home that hold a secret and should not; the bundle that makes it up, of course, does."""
    files = [path for path in world.home.rglob("*") if path.is_file() and path.name not in MAY_HOLD_SECRETS]
    found = [path for path in files if any(secret.encode() in path.read_bytes() for secret in LEAKS)]
    return sorted(str(path.relative_to(world.home)) for path in found if not _is_bundle(path))


def _is_bundle(path: Path) -> bool:
    return "bundles" in path.parts or "environment" in path.parts


@pytest.fixture
def secretive(world: World) -> World:
    """Environment prod with sensitive outputs, and service orders that reads them and prints them."""
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + SECRETS))
    world.publish("web", world.service_bundle(code=READER))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
    return world


def test_a_sensitive_output_reaches_those_who_read_it(secretive: World) -> None:
    proof = secretive.row("instance", "show", "orders/prod")["outputs"]["proof"]["value"]

    given = 'a-s3cr3t<&>"ä" {"password":"correct-horse","user":"admin"}'
    assert proof == hashlib.sha256(given.encode()).hexdigest()


def test_a_secret_is_in_no_file_that_is_not_terraforms_own(secretive: World) -> None:
    assert leaks(secretive) == []


def test_a_secret_is_in_nothing_that_is_printed(secretive: World) -> None:
    commands = (
        ("env", "outputs", "prod", "-o", "json"),
        ("env", "show", "prod", "-o", "json"),
        ("instance", "show", "orders/prod", "-o", "json"),
        ("instance", "outputs", "orders/prod", "-o", "json"),
        ("instance", "render", "orders/prod", "-o", "json"),
        ("run", "show", 2, "-o", "json"),
        ("run", "show", 2, "--plan"),
        ("run", "logs", 2),
        ("run", "logs", 2, "-o", "json"),
    )

    printed = "".join(secretive.do(*command).out for command in commands)

    assert [secret for secret in LEAKS if secret in printed] == []


def test_a_log_says_where_a_secret_was(secretive: World) -> None:
    log = secretive.do("run", "logs", 2).out.splitlines()

    masked = "terraform_data.app: (local-exec): (sensitive)"
    assert [line for line in log if line.startswith("terraform_data.app: (local-exec): (")] == [masked] * 5


def test_what_passes_a_secret_on_is_sensitive_too(secretive: World) -> None:
    outputs = secretive.row("instance", "show", "orders/prod")["outputs"]

    assert (outputs["url"]["sensitive"], "value" in outputs["url"]) == (True, False)
    assert (outputs["user"]["sensitive"], outputs["user"]["value"]) == (False, "admin")


def test_a_secret_that_changes_makes_its_readers_stale_without_being_told(secretive: World) -> None:
    secretive.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")

    [row] = secretive.rows("instance", "list", "--outdated")
    assert row["stale"] == ["environment/prod token"]
    assert leaks(secretive) == []


def test_the_error_of_a_run_has_no_secret_in_it(secretive: World) -> None:
    code = READER + _FAILING
    secretive.publish("web", secretive.service_bundle(code=code), "--major", 1)

    result = secretive.run("instance", "update", "orders/prod", "--auto-approve")

    assert result.code == 1
    assert "s3cr3t" not in result.out + result.err
    assert secretive.row("run", "show", 3)["message"] == (
        "terraform plan ended with exit code 1:\nmain.tf:29: Resource precondition failed: Wrong token (sensitive)."
    )
    assert leaks(secretive) == []


_FAILING = """
resource "terraform_data" "check" {
  lifecycle {
    precondition {
      condition     = var.environment.outputs.token == ""
      error_message = "Wrong token ${var.environment.outputs.token}."
    }
  }
}
"""
