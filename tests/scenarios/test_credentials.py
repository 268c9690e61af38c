"""Credentials of an environment, as its people meet them; keys in files, so that no AWS is needed."""

from __future__ import annotations

import pytest

from tests.bucket import bucket
from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform

SECRET = "hunter2-and-more"
PROFILES = """\
[credentials.dev]
source = "static"
access_key_id_file = "id"
secret_access_key_file = "secret"
account_id = "{account}"
region = "eu-west-1"

[credentials.prod]
source = "static"
access_key_id_file = "gone"
secret_access_key_file = "secret"
"""
CODE = """\
resource "terraform_data" "net" {
  input = var.environment.inputs.zone

  provisioner "local-exec" {
    command = "env > env.txt; echo $AWS_SECRET_ACCESS_KEY"
  }
}

output "zone" {
  value = var.proton_tags["proton:account"]
}
"""
SERVICE_CODE = """\
resource "terraform_data" "app" {
  input = [var.environment.account_id, var.service_instance.inputs]

  provisioner "local-exec" {
    command = "env > env.txt"
  }
}

output "port" {
  value = terraform_data.app.output
}
"""


@pytest.fixture
def lab(world: World) -> World:
    """Templates lab and web, and credentials dev and prod, of which prod lack a file."""
    world.publish("lab", world.environment_bundle(code=CODE))
    world.publish("web", world.service_bundle(code=SERVICE_CODE))
    world.write("id", "AKIADEV")
    world.write("secret", SECRET)
    world.write("landform.toml", PROFILES.format(account="111111111111"))
    return world


def variables(world: World, address: str) -> dict[str, str]:
    """Those of AWS in the environment that Terraform ran in."""
    text = (world.home / address / "workspace/env.txt").read_text()
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs if name.startswith("AWS_")}


def test_what_lives_in_an_environment_has_its_credentials_and_its_account(
    lab: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the one who types")
    lab.do("env", "create", "dev", "-t", "lab", "--credentials", "dev", "--auto-approve")
    lab.do("service", "create", "orders", "-t", "web", "--env", "dev", "--auto-approve")

    expected = {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIADEV",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    assert variables(lab, "environment/dev") == expected
    assert variables(lab, "service/orders/dev") == expected
    assert lab.given("service/orders/dev")["environment"]["account_id"] == "111111111111"
    assert lab.row("env", "show", "dev")["outputs"]["zone"]["value"] == "111111111111"
    assert "credentials        dev" in lab.do("env", "show", "dev").out
    assert SECRET not in lab.do("run", "logs", "1").out
    (lab.home / "environment/dev/workspace/env.txt").unlink()
    (lab.home / "service/orders/dev/workspace/env.txt").unlink()
    holding = [path for path in lab.home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert holding == []


def test_credentials_that_landform_toml_does_not_have_are_refused_before_anything_is_recorded(lab: World) -> None:
    result = lab.run("env", "create", "dev", "-t", "lab", "--credentials", "dve")

    assert result.code == 1
    assert f"{lab.root}/landform.toml has no credentials of the name dve." in result.err
    assert 'These are there: dev, prod. Did you mean "dev"?' in result.err
    assert lab.rows("env", "list") == []


def test_a_run_fails_where_its_worker_does_not_know_the_credentials(lab: World) -> None:
    assert lab.run("env", "create", "dev", "-t", "lab", "--credentials", "dev").code == 3
    lab.write("landform.toml", "")

    result = lab.run("run", "approve", "1")

    assert result.code == 1
    assert lab.row("run", "show", "1")["message"].startswith(
        f"{lab.root}/landform.toml has no credentials of the name dev.\nWrite them there as [credentials.dev]."
    )
    assert not (lab.home / "environment/dev/workspace/terraform.tfstate").exists()


def test_a_run_without_its_keys_fails_before_terraform_starts(lab: World) -> None:
    result = lab.run("env", "create", "prod", "-t", "lab", "--credentials", "prod", "--auto-approve")

    assert result.code == 1
    assert f"{lab.root}/gone: access_key_id_file: cannot be read: No such file or directory." in result.err
    assert not (lab.home / "environment/prod/workspace/env.txt").exists()


def test_a_plan_is_stale_when_somebody_else_would_apply_it_and_not_when_keys_are_new(lab: World) -> None:
    lab.do("env", "create", "dev", "-t", "lab", "--credentials", "dev", "--auto-approve")
    lab.write("secret", "other-keys-of-the-same")
    assert lab.run("env", "update", "dev", "--set", "zone=b").code == 3
    lab.write("secret", "again-other-keys")
    lab.do("run", "approve", "2")

    assert lab.run("env", "update", "dev", "--set", "zone=c").code == 3
    lab.do("env", "update", "dev", "--credentials", "")
    result = lab.run("run", "approve", "3")

    assert result.code == 5
    assert "Changed since it was made: credentials" in lab.row("run", "show", "3")["message"]


def test_whoever_looks_at_a_plan_needs_no_credentials_for_the_states_that_its_secrets_came_from(lab: World) -> None:
    output = 'output "token" {\n  value     = "s3cr3t-token"\n  sensitive = true\n}\n'
    lab.publish("vault", lab.environment_bundle("vault", code=f"{ENVIRONMENT_CODE}{output}"))
    code = SERVICE_CODE.replace("account_id", "outputs.token")
    lab.publish("shop", lab.service_bundle("shop", code=code, environment="vault:1"))
    with bucket() as s3:
        lab.write("landform.toml", f'backend = "{s3.address}"\n{PROFILES.format(account="1" * 12)}')
        lab.do("env", "create", "dev", "-t", "vault", "--credentials", "dev", "--auto-approve")
        lab.do("service", "create", "orders", "-t", "shop", "--env", "dev", "--auto-approve")
    (lab.root / "secret").unlink()

    shown = lab.do("run", "show", "2", "--plan").out
    rendered = lab.do("instance", "render", "orders/dev", "-o", "json").out

    assert ("Plan: 1 to add" in shown, "s3cr3t-token" in shown + rendered) == (True, False)
