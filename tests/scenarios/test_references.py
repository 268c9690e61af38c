"""Inputs that are references: what they stand for is in the environment of Terraform, and nowhere else."""

from __future__ import annotations

import hashlib

import pytest

from tests.scenarios.world import World

SECRET = 'correct-horse "ä" ${battery} %{staple}'
TOKEN = "0123-token-4567"
SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  {kind}_input_type: "Input"
  types:
    Input:
      type: object
      properties:
        zone: {{type: string, default: "a"}}
        password: {{type: string, minLength: 8}}
        port: {{type: integer, maximum: 65535}}
        logins: {{type: array, items: {{type: string}}}}
"""
OWN = """\
variable "password" {
  type      = string
  default   = null
  sensitive = true
}

variable "logins" {
  type      = list(string)
  default   = []
  sensitive = true
  ephemeral = true
}

resource "terraform_data" "net" {
  input = [var.environment.inputs.zone, var.password]

  provisioner "local-exec" {
    command = "for file in /proc/[0-9]*/cmdline; do tr '\\\\0' ' ' < $file; echo; done > processes.txt"
  }
}

output "zone" {
  value = var.environment.inputs.zone
}

output "proof" {
  value = nonsensitive(sha256(var.password))
}

output "given" {
  value = var.environment.inputs.password
}

output "passed" {
  value = "https://${nonsensitive(var.password)}@example.org"
}
"""
WHOLE = """\
resource "terraform_data" "app" {
  input = var.service_instance.inputs
}

output "proof" {
  value = nonsensitive(sha256("${var.service_instance.inputs.password} ${var.service_instance.inputs.port + 1}"))
}
"""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def lab(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Templates lab and web, a file and a variable with secrets that references may read."""
    folder = world.root / "secrets"
    world.write("secrets/password", f"{SECRET}\n")
    world.write("landform.toml", f'[references]\nenv = ["LAB_*"]\nfiles = ["{folder}/"]\n')
    monkeypatch.chdir(world.root)
    monkeypatch.setenv("LAB_TOKEN", TOKEN)
    monkeypatch.setenv("LAB_PORT", "50432")
    world.publish("lab", world.environment_bundle(code=OWN, schema=SCHEMA.format(kind="environment")))
    world.publish("web", world.service_bundle(code=WHOLE, schema=SCHEMA.format(kind="service")))
    return world


def password(lab: World) -> str:
    return f"{{{{resolve:file:{lab.root}/secrets/password}}}}"


def found(lab: World, *texts: str) -> list[str]:
    """The files of the home in which one of the texts is."""
    files = [path for path in lab.home.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(text.encode() in path.read_bytes() for text in texts)]


@pytest.mark.terraform
def test_what_references_stand_for_is_in_no_file_no_process_list_and_nothing_that_is_printed(lab: World) -> None:
    reference = password(lab)
    sets = ("--set", f"password={reference}", "--set", 'logins=["{{resolve:env:LAB_TOKEN}}"]')
    said = [lab.do("env", "create", "prod", "-t", "lab", "--auto-approve", *sets)]
    sets = ("--set", f"password={reference}", "--set", "port={{resolve:env:LAB_PORT}}")
    said += [lab.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve", *sets)]

    said += [lab.do(noun, "show", name, "-o", "json") for noun, name in (("env", "prod"), ("instance", "orders/prod"))]
    said += [lab.do("run", verb, run, *more) for run in (1, 2) for verb, *more in (("show", "--plan"), ("logs",))]
    said += [lab.do("instance", "render", "orders/prod", "-o", "json"), lab.do("run", "export", 2, "--dir", "export")]
    said += [lab.do("run", "plan", "orders/prod", "--speculative", "--set", "zone=b", "-o", "json")]

    outputs = lab.row("env", "show", "prod")["outputs"]
    assert outputs["proof"]["value"] == digest(SECRET)
    assert outputs["given"]["value"] == reference
    assert "value" not in outputs["passed"]
    assert lab.row("instance", "show", "orders/prod")["outputs"]["proof"]["value"] == digest(f"{SECRET} 50433")
    assert "terraform apply" in (lab.home / "environment/prod/workspace/processes.txt").read_text()
    secrets = ("correct-horse", "50432", TOKEN)
    assert found(lab, *secrets) == []
    assert [text for text in secrets if any(text in result.out + result.err for result in said)] == []
    assert found(lab, "{{resolve:env:LAB_PORT}}") != []
    exported = [path.read_text() for path in (lab.root / "export").iterdir()]
    assert [text for text in secrets if any(text in content for content in exported)] == []


@pytest.mark.terraform
def test_a_secret_that_changes_makes_the_plan_stale(lab: World) -> None:
    lab.run("env", "create", "prod", "-t", "lab", "--set", f"password={password(lab)}")
    lab.write("secrets/password", "another-horse")

    result = lab.run("run", "apply", 1, "--yes")

    reference = password(lab)
    assert result.code == 5
    assert lab.row("run", "show", 1)["message"].startswith(
        f"The plan is stale. Changed since it was made: secret {reference}."
    )


@pytest.mark.terraform
def test_what_a_reference_leads_to_is_checked_when_the_run_begins_and_may_be_missing_when_nothing_was_made(
    lab: World,
) -> None:
    lab.write("secrets/password", "short")
    sets = ("--set", f"password={password(lab)}", "--set", "port={{resolve:env:LAB_TOKEN}}")
    lab.run("env", "create", "prod", "-t", "lab", "--auto-approve", *sets)
    lab.run("env", "update", "prod", "--auto-approve", "--set", "port={{resolve:env:LAB_NONE}}")
    first, second = (lab.row("run", "show", run)["message"].splitlines() for run in (1, 2))

    lab.do("env", "delete", "prod", "--auto-approve")

    assert first[1:] == [
        f"password: {password(lab)}: has 5 characters; 8 at least.",
        "port: {{resolve:env:LAB_TOKEN}}: the value is not a whole number.",
    ]
    where = "It is looked for where the run is carried out."
    assert second[1] == f"port: {{{{resolve:env:LAB_NONE}}}}: The variable LAB_NONE is not set. {where}"
    assert lab.rows("env", "list") == []


@pytest.mark.terraform
def test_a_template_that_shows_its_inputs_is_told_how_to_take_a_secret(lab: World) -> None:
    shows = 'output "zone" {\n  value = var.environment.inputs.zone\n}\n'
    lab.publish("shows", lab.environment_bundle(code=shows))

    lab.run("env", "create", "prod", "-t", "shows", "--auto-approve", "--set", f"zone={password(lab)}")

    assert "declares a sensitive variable with the name of that input" in lab.row("run", "show", 1)["message"]


def test_references_that_would_be_shown_are_refused_where_they_are_asked_for(lab: World) -> None:
    shown = OWN.replace("  sensitive = true\n", "").replace("  ephemeral = true\n", "")
    lab.publish("open", lab.environment_bundle(name="open", code=shown, schema=SCHEMA.format(kind="environment")))
    schema = SCHEMA.format(kind="environment").replace(', default: "a"', "").split("        password")[0]
    lab.publish("given", lab.bundle("given", {"schema/schema.yaml": schema}))

    of_open = lab.run("env", "create", "a", "-t", "open", "--set", f"password={password(lab)}", "-o", "json")
    of_given = lab.run("env", "create", "b", "-t", "given", "--set", f"zone={password(lab)}", "-o", "json")

    assert [(each["file"], each["line"], each["message"]) for each in of_open.error["problems"]] == [
        (
            "infrastructure/main.tf",
            1,
            "The variable password has the name of an input that is a reference, and is not sensitive.",
        )
    ]
    assert of_given.error["message"] == "given@1.0 has no infrastructure: its inputs become its outputs."
    assert lab.rows("run", "list") == []
