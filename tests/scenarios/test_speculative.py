"""A plan that is made only to be looked at touches nothing, needs no lock, and can never be applied."""

from __future__ import annotations

import hashlib

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

TOUCHED = ("prepared", "providers", "terraform.json", "terraform.rc", "terraform-home", "tmp", "catalog.db-wal")
"""What in a home says nothing about any instance; the catalog's log is emptied when somebody reads it."""
LOOK = ("--speculative", "-o", "json")
TYPED_CODE = """\
output "size" {
  value = 3
}

output "zones" {
  value = tolist(["a", "b"])
}

output "zone" {
  value = "a"
}
"""
TYPED_READER = """\
resource "terraform_data" "app" {
  count = tonumber(var.environment.outputs.size)
  input = [
    var.service_instance.inputs,
    jsondecode(var.environment.outputs.zones)[0],
    try(var.environment.outputs.tier, "none"),
  ]
}
"""
PLACE_CODE = """\
resource "terraform_data" "app" {
  input = [abspath(path.module), var.service_instance.inputs, var.environment.outputs.zone]
}
"""
FILE_CODE = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.zone, fileexists("made/by-hand.txt")]
}
"""
SECRET = 'output "token" {\n  value     = "s3cr3t-token"\n  sensitive = true\n}\n'
SECRET_READER = """\
resource "terraform_data" "app" {
  input = [var.service_instance.inputs, var.environment.outputs.token]
}

output "port" {
  value = "${var.environment.outputs.token}:${var.service_instance.inputs.port}"
}
"""


def belongings(world: World) -> dict[str, str]:
    """Every file of the home that belongs to an instance or to a run, with its digest."""
    files = (path for path in world.home.rglob("*") if path.is_file())
    names = {str(path.relative_to(world.home)): path for path in files}
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not name.startswith(TOUCHED)
    }


@pytest.fixture
def undeployed(world: World) -> World:
    """An environment `prod` that is recorded and has never been deployed, and a template of services for it."""
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")
    return world


# What is there


def test_a_speculative_plan_says_what_a_run_might_plan(deployed: World) -> None:
    plan = deployed.row("run", "plan", "orders/prod", "--set", "port=81", *LOOK)

    assert plan == {
        "schema": "landform.plan/1",
        "speculative": True,
        "run": None,
        "address": "service/orders/prod",
        "operation": "deploy",
        "template": "web@1.0",
        "has_changes": True,
        "plan": "0 to add, 1 to change, 0 to destroy, 1 output changes.",
        "changes": {"add": 0, "change": 1, "destroy": 0},
        "resources": [{"address": "terraform_data.app", "action": "update", "reason": ""}],
        "outputs": [{"name": "port", "action": "update", "sensitive": False}],
        "drift": [],
        "placeholders": [],
        "notes": [],
        "refusals": [],
        "next": [],
    }


def test_a_speculative_plan_touches_nothing(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", *LOOK)
    before = belongings(deployed)

    deployed.do("run", "plan", "orders/prod", "--set", "port=81", *LOOK)

    assert belongings(deployed) == before
    assert len(deployed.rows("run", "list")) == 2


def test_a_speculative_plan_leaves_no_plan_that_could_be_applied(deployed: World) -> None:
    before = sorted(deployed.home.rglob("*.tfplan"))

    deployed.do("run", "plan", "orders/prod", "--set", "port=81", *LOOK)

    assert sorted(deployed.home.rglob("*.tfplan")) == before
    assert list((deployed.home / "tmp").iterdir()) == []


def test_a_speculative_plan_needs_no_lock(deployed: World) -> None:
    deployed.do("run", "plan", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    deployed.do("run", "plan", "environment/prod", "--set", "size=2")
    deployed.do("run", "approve", 4, "--no-wait")

    plan = deployed.row("run", "plan", "orders/prod", "--set", "port=82", *LOOK)

    assert plan["changes"] == {"add": 0, "change": 1, "destroy": 0}
    assert [row["status"] for row in deployed.rows("run", "list")][:2] == ["approved", "approved"]


def test_the_exit_code_of_a_speculative_plan_says_whether_anything_changes(deployed: World) -> None:
    changes = deployed.run("run", "plan", "orders/prod", "--set", "port=81", *LOOK, "--detailed-exitcode")
    none = deployed.run("run", "plan", "orders/prod", *LOOK, "--detailed-exitcode")

    assert (changes.code, none.code) == (2, 0)
    assert none.json["plan"] == "No changes."


def test_a_newer_version_is_looked_at(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(code=f"{SERVICE_CODE}{TYPED_CODE}"), "--major", 1)

    plan = deployed.row("run", "plan", "orders/prod", "--version", "1.1", *LOOK)

    assert (plan["template"], [output["name"] for output in plan["outputs"]]) == ("web@1.1", ["size", "zone", "zones"])


def test_the_end_of_an_instance_is_looked_at(deployed: World) -> None:
    plan = deployed.row("run", "plan", "environment/prod", "--destroy", *LOOK)

    assert (plan["operation"], plan["changes"]) == ("destroy", {"add": 0, "change": 0, "destroy": 2})


def test_what_is_wrong_with_a_change_is_told_as_by_the_change_itself(deployed: World) -> None:
    looked = deployed.run("run", "plan", "orders/prod", "--set", "port=0", *LOOK)
    changed = deployed.run("instance", "update", "orders/prod", "--set", "port=0", "-o", "json")

    assert looked.code == changed.code == 1
    assert looked.error == changed.error


def test_files_that_resources_left_in_the_workspace_are_seen(deployed: World) -> None:
    deployed.publish("files", deployed.service_bundle("files", code=FILE_CODE))
    deployed.do("service", "create", "filed", "-t", "files", "--env", "prod", "--auto-approve")
    made = deployed.home / "service/filed/prod/workspace/made/by-hand.txt"

    before = deployed.row("run", "plan", "filed/prod", *LOOK)
    made.parent.mkdir()
    made.touch()
    after = deployed.row("run", "plan", "filed/prod", *LOOK)

    assert (before["has_changes"], after["has_changes"]) == (False, True)


def test_code_that_a_newer_version_has_no_longer_is_not_seen(deployed: World) -> None:
    bundle = deployed.service_bundle()
    more = deployed.write("bundles/web/instance_infrastructure/more.tf", 'resource "terraform_data" "more" {\n}\n')
    deployed.publish("web", bundle, "--major", 1)
    deployed.do("instance", "update", "orders/prod", "--auto-approve")
    more.unlink()
    deployed.publish("web", bundle, "--major", 1, "--force")

    plan = deployed.row("run", "plan", "orders/prod", "--version", "1.2", *LOOK)

    assert [(each["address"], each["action"]) for each in plan["resources"]] == [("terraform_data.more", "delete")]


def test_code_that_asks_for_its_place_is_told_of(deployed: World) -> None:
    deployed.publish("placed", deployed.service_bundle("placed", code=PLACE_CODE))
    deployed.do("service", "create", "placed", "-t", "placed", "--env", "prod", "--auto-approve")

    [note] = deployed.row("run", "plan", "placed/prod", *LOOK)["notes"]

    assert note.startswith("The code asks for the absolute path of its folder, and this plan was made in another one:")


def test_a_secret_is_not_seen_in_a_speculative_plan(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=ENVIRONMENT_CODE + SECRET))
    world.publish("web", world.service_bundle(code=SECRET_READER))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    looked = world.do("run", "plan", "orders/prod", "--set", "port=81", "--speculative")

    assert "s3cr3t-token" not in looked.out + looked.err
    assert "    ~   output port\n" in looked.out


# What is not there yet


def test_an_instance_is_looked_at_before_it_exists(deployed: World) -> None:
    plan = deployed.row("run", "plan", "billing/prod", "--template", "web", "--env", "prod", "--set", "port=81", *LOOK)

    assert (plan["address"], plan["template"], plan["changes"]) == (
        "service/billing/prod",
        "web@1.0",
        {"add": 1, "change": 0, "destroy": 0},
    )
    assert plan["placeholders"] == []
    assert [row["name"] for row in deployed.rows("service", "list")] == ["orders"]


def test_an_instance_of_a_spec_is_looked_at_before_it_exists(deployed: World) -> None:
    entry = "- {name: blue, environment: prod, spec: {port: 81}}"
    spec = deployed.write("spec.yaml", f"proton: ServiceSpec\ninstances:\n{entry}\n")

    plan = deployed.row("run", "plan", "billing/blue", "--template", "web@1.0", "--spec", spec, *LOOK)
    elsewhere = deployed.run("run", "plan", "billing/blue", "-t", "web", "--spec", spec, "--env", "test", *LOOK)
    other = deployed.run("run", "plan", "billing/green", "-t", "web", "--spec", spec, *LOOK)

    assert plan["changes"]["add"] == 1
    assert elsewhere.error["message"].endswith("says that blue lives in prod, and --env says test.")
    assert other.error["message"].endswith("has no instance green (there are: blue).")


def test_an_environment_is_looked_at_before_it_exists(undeployed: World) -> None:
    plan = undeployed.row("run", "plan", "environment/test", "--template", "lab", "--set", "size=2", *LOOK)

    assert (plan["changes"]["add"], [output["name"] for output in plan["outputs"]]) == (2, ["size", "zone"])
    assert [row["name"] for row in undeployed.rows("env", "list")] == ["prod"]


def test_placeholders_stand_in_for_outputs_that_are_not_there_yet(undeployed: World) -> None:
    plan = undeployed.row("run", "plan", "orders/prod", "--template", "web", "--env", "prod", *LOOK)

    assert plan["placeholders"] == [{"name": "zone", "type": "string", "value": "<zone>"}]
    assert plan["changes"] == {"add": 1, "change": 0, "destroy": 0}


def test_a_plan_with_placeholders_can_never_be_applied(undeployed: World) -> None:
    plan = undeployed.row("run", "plan", "orders/prod", "--template", "web", "--env", "prod", *LOOK)

    assert (plan["run"], plan["next"]) == (None, [])
    assert [row["id"] for row in undeployed.rows("run", "list")] == [1]
    assert list(undeployed.home.rglob("*.tfplan")) == []
    assert [path for path in undeployed.home.rglob("*") if path.is_file() and b"<zone>" in path.read_bytes()] == []


def test_placeholders_are_of_the_type_that_another_environment_has(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=TYPED_CODE))
    world.publish("web", world.service_bundle(code=TYPED_READER))
    world.do("env", "create", "test", "-t", "lab", "--auto-approve")
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")

    plan = world.row("run", "plan", "orders/prod", "--template", "web", "--env", "prod", *LOOK)
    text = world.do("run", "plan", "orders/prod", "--template", "web", "--env", "prod", "--speculative").out

    assert plan["placeholders"] == [
        {"name": "size", "type": "number", "value": 1},
        {"name": "zones", "type": ["list", "string"], "value": ["<zones>"]},
    ]
    assert plan["changes"]["add"] == 1
    assert '    size = 1\n    zones = ["<zones>"]\n' in text


def test_an_environment_that_will_lack_an_output_is_refused(world: World) -> None:
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle())
    world.publish("lab", world.environment_bundle(code=SECRET), "--major", 1, "--force")
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")

    result = world.run("run", "plan", "orders/prod", "--template", "web", "--env", "prod", *LOOK)

    assert result.code == 9
    assert "environment.outputs.zone" in result.error["message"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("orders/prod", "-t", "web", "--env", "prod"), 9, "service/orders/prod exists already."),
        (("billing/prod",), 8, "There is no service instance billing/prod."),
        (("billing/prod", "-t", "web"), 1, "Nothing says which environment service/billing/prod would live in."),
        (("billing/prod", "-t", "web", "--env", "test"), 8, "There is no environment test."),
        (("billing/prod", "-t", "wob", "--env", "prod"), 8, "There is no service template wob."),
        (("environment/test", "-t", "web"), 8, "web is a service template, not an environment template."),
    ],
)
def test_what_cannot_be_looked_at_is_refused(deployed: World, options: tuple[str, ...], code: int, words: str) -> None:
    result = deployed.run("run", "plan", *options, *LOOK)

    assert (result.code, result.error["message"]) == (code, words)
