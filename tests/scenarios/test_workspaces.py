"""The folder Terraform runs in: what Landform writes into it, and what it leaves as it is."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.scenarios.world import MANIFEST, REGISTRATION, SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

ELSEWHERE = """\
terraform {
  backend "s3" {
    bucket = "states"
    key    = "orders"
    region = "eu-west-1"
  }
}

"""


def workspace(world: World, address: str = "service/orders/prod") -> Path:
    """Where an instance lives."""
    return world.home / address / "workspace"


def names(world: World) -> list[str]:
    """The files in the workspace of orders/prod that are not Terraform's."""
    found = [path.relative_to(workspace(world)).as_posix() for path in workspace(world).rglob("*") if path.is_file()]
    return sorted(name for name in found if not name.startswith((".terraform", "terraform.tfstate")))


def service_bundle(world: World, files: dict[str, str]) -> Path:
    """A service template's bundle with these files of infrastructure."""
    every = {
        "schema/schema.yaml": SERVICE_SCHEMA,
        "instance_infrastructure/manifest.yaml": MANIFEST,
        ".template-registration.yaml": REGISTRATION.format(environment="lab:1"),
        **{f"instance_infrastructure/{name}": text for name, text in files.items()},
    }
    return world.bundle("web", every)


def test_a_workspace_has_the_bundle_and_what_landform_adds(deployed: World) -> None:
    assert names(deployed) == [
        "landform_override.tf.json",
        "main.tf",
        "proton.auto.tfvars.json",
        "proton.service_instance.variables.tf",
    ]


def test_the_text_of_a_bundle_is_not_edited(deployed: World) -> None:
    text = (workspace(deployed) / "main.tf").read_text()

    assert text.startswith("/*\nLandform writes this file.")
    assert text.endswith("*/\n\n" + SERVICE_CODE)


def test_files_that_have_left_the_bundle_leave_the_workspace(deployed: World) -> None:
    extra = {"main.tf": SERVICE_CODE, "more.tf": 'resource "terraform_data" "more" {\n}\n', "docs/notes.md": "notes\n"}
    deployed.publish("web", service_bundle(deployed, extra), "--major", 1)
    deployed.publish("web", service_bundle(deployed, {"main.tf": SERVICE_CODE}), "--major", 1, "--force")
    deployed.do("instance", "update", "orders/prod", "--version", "1.1", "--yes")
    before = names(deployed)

    deployed.do("instance", "update", "orders/prod", "--version", "1.2", "--yes")

    assert {"more.tf", "docs/notes.md"} <= set(before)
    assert names(deployed) == [name for name in before if name not in ("more.tf", "docs/notes.md")]
    assert [resource["name"] for resource in deployed.state("service/orders/prod")["resources"]] == ["app"]


def test_local_modules_and_data_files_travel_with_the_bundle(deployed: World) -> None:
    module = 'variable "text" {\n  type = string\n}\n\noutput "text" {\n  value = upper(var.text)\n}\n'
    files = {
        "main.tf": SERVICE_CODE + 'module "loud" {\n  source = "./modules/loud"\n  text   = file("hello.txt")\n}\n'
        'output "hello" {\n  value = module.loud.text\n}\n',
        "modules/loud/main.tf": module,
        "hello.txt": "hello",
    }
    deployed.publish("web", service_bundle(deployed, files), "--major", 1)

    deployed.do("instance", "update", "orders/prod", "--yes")

    assert deployed.row("instance", "show", "orders/prod")["outputs"]["hello"]["value"] == "HELLO"
    assert (workspace(deployed) / "modules/loud/main.tf").read_text() == module


def test_the_backend_of_a_bundle_is_overridden_and_its_text_left_alone(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(code=ELSEWHERE + SERVICE_CODE), "--major", 1)

    deployed.do("instance", "update", "orders/prod", "--yes")

    assert (workspace(deployed) / "main.tf").read_text().endswith("*/\n\n" + ELSEWHERE + SERVICE_CODE)
    assert (workspace(deployed) / "terraform.tfstate.sealed").exists()
    assert json.loads((workspace(deployed) / "landform_override.tf.json").read_text()) == {
        "terraform": {"backend": {"local": {}}}
    }


def test_what_is_shown_is_what_is_in_the_workspace(deployed: World) -> None:
    shown = deployed.row("instance", "render", "orders/prod")["files"]

    assert shown == {name: (workspace(deployed) / name).read_text() for name in names(deployed)}


def test_the_files_of_an_environment_are_shown_too(deployed: World) -> None:
    shown = deployed.row("instance", "render", "environment/prod")["files"]

    path = workspace(deployed, "environment/prod")
    assert shown == {name: (path / name).read_text() for name in shown}
    assert sorted(shown) == [
        "landform_override.tf.json",
        "main.tf",
        "proton.auto.tfvars.json",
        "proton.environment.variables.tf",
    ]


def test_secrets_are_masked_where_files_are_shown(world: World) -> None:
    secret = 'output "zone" {\n  value     = "hush-${var.environment.inputs.zone}"\n  sensitive = true\n}\n'
    size = 'output "size" {\n  value = var.environment.inputs.size\n}\n'
    world.publish("lab", world.environment_bundle(code=secret + size))
    world.publish("web", world.service_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    shown = world.row("instance", "render", "orders/prod")["files"]

    given = {name: (workspace(world) / name).read_text() for name in names(world)}
    values, masked = (json.loads(files.pop("proton.auto.tfvars.json")) for files in (given, shown))
    # what holds a secret comes to Terraform by no file
    outputs = {"zone": "(sensitive)", "size": "1"}
    environment = {"account_id": "000000000000", "name": "prod", "outputs": outputs}
    assert masked == {**values, "environment": environment}
    assert "environment" not in values
    assert shown == given


def test_shown_files_can_be_written_to_a_folder(deployed: World) -> None:
    deployed.do("instance", "render", "orders/prod", "--dir", "shown")

    assert sorted(path.name for path in (deployed.root / "shown").iterdir()) == names(deployed)
    assert (deployed.root / "shown/main.tf").read_text() == (workspace(deployed) / "main.tf").read_text()


def test_only_their_owner_can_read_the_files_of_a_home(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    paths = [path for path in deployed.home.rglob("*") if not path.is_symlink()]
    written = [workspace(deployed) / name for name in names(deployed)]

    assert [str(path) for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}
    assert stat.S_IMODE(workspace(deployed).stat().st_mode) == 0o700


def test_a_version_is_initialised_once_for_all_its_instances(deployed: World) -> None:
    deployed.do("env", "create", "test", "-t", "lab", "--auto-approve")
    deployed.do("service", "create", "shop", "-t", "web", "--env", "prod", "--env", "test", "--auto-approve")

    logs = [deployed.do("run", "logs", number).out for number in (1, 2, 3, 4, 5)]

    assert ["Initializing" in log for log in logs] == [True, True, False, False, False]


def test_an_instance_that_goes_to_a_version_in_use_needs_no_init(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)
    deployed.publish("web", deployed.service_bundle(code=SERVICE_CODE + "# new\n"), "--major", 1)

    deployed.do("instance", "update", "orders/prod", "--version", "1.1", "--yes")
    deployed.do("instance", "update", "orders/prod", "--version", "1.2", "--yes")

    logs = [deployed.do("run", "logs", number).out for number in (3, 4)]
    assert ["Initializing" in log for log in logs] == [False, True]


def test_what_somebody_puts_into_a_workspace_by_hand_is_put_right(deployed: World) -> None:
    (workspace(deployed) / "main.tf").write_text("# gone\n")

    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--yes")

    assert (workspace(deployed) / "main.tf").read_text().endswith(SERVICE_CODE)
    assert deployed.row("run", "show", 3)["plan"] == "No changes."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("zz.auto.tfvars", 'service_instance = { name = "x", inputs = { port = 666, title = "x" } }\n'),
        ("terraform.tfvars.json", "{}\n"),
        ("extra.tf", 'resource "terraform_data" "evil" {\n}\n'),
        ("zz_override.tf", 'resource "terraform_data" "app" {\n  input = "evil"\n}\n'),
    ],
)
def test_what_somebody_puts_beside_the_bundle_takes_no_part_in_a_plan(deployed: World, name: str, text: str) -> None:
    (workspace(deployed) / name).write_text(text)

    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--yes")

    assert deployed.row("run", "show", 3)["plan"] == "No changes."
    assert not (workspace(deployed) / name).exists()


MEDDLING = """resource "terraform_data" "meddler" {
  provisioner "local-exec" {
    command = "chmod -R u+w $TF_DATA_DIR; echo evil > $TF_DATA_DIR/environment"
  }
}

output "workspace" {
  value = terraform.workspace
}

output "port" {
  value = var.service_instance.inputs.port
}
"""


def test_a_provisioner_cannot_move_the_states_of_all_instances_of_its_version(deployed: World) -> None:
    deployed.publish("meddler", deployed.service_bundle("meddler", code=MEDDLING))
    deployed.do("service", "create", "one", "-t", "meddler", "--env", "prod", "--yes")

    deployed.do("service", "create", "two", "-t", "meddler", "--env", "prod", "--yes")
    deployed.do("instance", "update", "one/prod", "--set", "port=81", "--yes")

    for name in ("one", "two"):
        found = deployed.row("instance", "show", f"{name}/prod")["outputs"]["workspace"]["value"]
        assert (found, deployed.state(f"service/{name}/prod")["outputs"]["workspace"]["value"]) == (
            "default",
            "default",
        )
        assert not (workspace(deployed, f"service/{name}/prod") / "terraform.tfstate.d").exists()
    logs = [deployed.do("run", "logs", number).out for number in (3, 4, 5)]
    # what was written there has gone: it is prepared anew before it is used again
    assert ["Initializing" in log for log in logs] == [True, True, True]


def test_a_prepared_version_is_not_written_by_its_runs(deployed: World) -> None:
    before = prepared(deployed)

    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    assert prepared(deployed) == before


def prepared(world: World) -> dict[str, tuple[int, bytes]]:
    """Everything below `prepared`: mode and content."""
    return {
        path.relative_to(world.home).as_posix(): (path.stat().st_mode, path.read_bytes())
        for path in (world.home / "prepared").rglob("*")
        if path.is_file() and path.name != ".landform.json"
    }


def test_what_a_killed_init_left_goes_with_the_next_command_that_may_change_something(deployed: World) -> None:
    left = deployed.home / "prepared" / ".building-x"
    left.mkdir()
    (left / "proton.auto.tfvars.json").write_text('{"token": "hunter2"}')

    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--yes")

    assert not left.exists()
