"""Rendered workspaces under real Terraform: what it makes of our files, of prepared versions, and of hostile values."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.core.arns import Owner
from engine.core.bundle import Part, PartName
from engine.core.namespace import (
    AttachedComponent,
    Attachment,
    ComponentValues,
    EnvironmentValues,
    InstanceValues,
    PipelineInstance,
    PipelineValues,
    ServiceValues,
    Upstream,
    Values,
)
from engine.core.rendering import HEADER_LINES, Rendering, render
from engine.external.stop import Stop
from engine.terraform.backends import Managed
from engine.terraform.preparation import Preparation, Prepared
from engine.terraform.workspace import Workspace

pytestmark = pytest.mark.terraform

OWNER = Owner("000000000000", "local")
PLACE = Upstream("dev", "000000000000", {"vpc_id": "vpc-1", "ports": [80, 81], "token": "hunter2"})
SERVICE = ServiceValues("orders")
STRINGS = ["${path.module}", "%{ if true }", "$${x} $$${x} %%{x}", 'a"b\\c', "\n\t\b\f\x1f", "é 😀", "$", "{"]


def terraform(folder: Path, *arguments: str, data_dir: Path | None = None, code: int = 0) -> str:
    """What Terraform printed. It must end with `code`."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME")}
    environment |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
    environment |= {"TF_DATA_DIR": str(data_dir)} if data_dir else {}
    command = [os.environ.get("LANDFORM_TERRAFORM", "terraform"), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def init(folder: Path) -> None:
    terraform(folder, "init", "-input=false", "-no-color")


def init_in_full(folder: Path) -> None:
    terraform(folder, "init", "-input=false", "-no-color", data_dir=folder / ".terraform")


def rendered(values: Values, engine: str = "hcl", **files: bytes) -> dict[str, bytes]:
    named = {name.replace("__", "/").replace("_tf", ".tf").replace("_j2", ".j2"): text for name, text in files.items()}
    templates = tuple(sorted(name for name in named if "/" not in name))
    others = tuple(sorted(named.keys() - set(templates)))
    part = Part(PartName.INFRASTRUCTURE, engine, templates, others)
    return render(Rendering(part, named, values, OWNER, Managed().override()))


def prepared(tmp_path: Path, files: dict[str, bytes]) -> tuple[Workspace, Prepared]:
    """A workspace with the files, and the version it shares."""
    ready = Preparation(tmp_path / "prepared").ensure("k", files, init, Stop())
    workspace = Workspace(tmp_path / "instance")
    workspace.write(ready.with_lock(files))
    return workspace, ready


def outputs(tmp_path: Path, files: dict[str, bytes]) -> dict[str, Any]:
    """The outputs after a plan and an apply of that plan."""
    workspace, ready = prepared(tmp_path, files)
    plan = str(workspace.run_folder(1) / "plan")
    said = terraform(workspace.root, "plan", "-input=false", "-no-color", f"-out={plan}", data_dir=ready.data_dir)
    terraform(workspace.root, "apply", "-input=false", "-no-color", plan, data_dir=ready.data_dir)
    assert "Warning" not in said
    return {name: output["value"] for name, output in Managed().outputs(workspace.root).items()}


def digest(folder: Path) -> str:
    found = sorted((path.as_posix(), path.read_bytes()) for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_an_environment_gets_its_inputs_with_their_types(tmp_path: Path) -> None:
    inputs = {"port": 80, "ratio": 2.5, "on": True, "zones": ["a", "b"], "tags": {"k": 1}}
    code = b"""
output "inputs" { value = jsonencode(var.environment.inputs) }
output "next" { value = var.environment.inputs.port + 1 }
output "unset" { value = contains(keys(var.environment.inputs), "size") }
output "account" { value = var.proton_tags["proton:account"] }
"""

    found = outputs(tmp_path, rendered(EnvironmentValues("dev", "vpc", inputs), main_tf=code))

    assert json.loads(found.pop("inputs")) == inputs
    assert found == {"next": 81, "unset": False, "account": "000000000000"}


def test_a_service_instance_gets_its_namespace_and_its_state_stays_here(tmp_path: Path) -> None:
    code = b"""
terraform {
  backend "s3" {}
}
output "port" { value = jsonencode(var.service_instance.inputs.port) }
output "component" { value = can(var.service_instance.components.default) }
output "vpc" { value = var.environment.outputs.vpc_id }
output "ports" { value = jsondecode(var.environment.outputs.ports)[1] }
output "token" {
  value     = var.environment.outputs["token"]
  sensitive = true
}
output "branch" { value = var.service.branch_name }
"""
    files = rendered(InstanceValues("prod", "web", SERVICE, PLACE, {"port": 80}), main_tf=code)

    found = outputs(tmp_path, files)

    assert found == {"port": "80", "component": False, "vpc": "vpc-1", "ports": 81, "token": "hunter2", "branch": ""}
    assert (tmp_path / "instance" / "workspace" / "main.tf").read_bytes().split(b"\n", HEADER_LINES)[-1] == code
    assert (tmp_path / "instance" / "workspace" / "terraform.tfstate").is_file()


def test_a_service_instance_sees_its_component(tmp_path: Path) -> None:
    component = AttachedComponent("cache", {"url": "redis://x"})
    code = b'output "url" { value = var.service_instance.components.default.outputs.url }'

    found = outputs(tmp_path, rendered(InstanceValues("prod", "web", SERVICE, PLACE, {}, component), main_tf=code))

    assert found == {"url": "redis://x"}


def test_a_pipeline_sees_instances_with_different_inputs_and_their_types_stay(tmp_path: Path) -> None:
    instances = (
        PipelineInstance("a", PLACE, {"port": 80, "host": "x"}, {"url": "http://a"}),
        PipelineInstance("b", PLACE, {"port": 81}, {}),
    )
    code = b"""
output "inputs" { value = jsonencode(var.service_instances[*].inputs) }
output "url" { value = var.service_instances[0].outputs.url }
output "dir" { value = var.pipeline.inputs.dir }
"""

    found = outputs(tmp_path, rendered(PipelineValues("web", SERVICE, {"dir": "src"}, instances), main_tf=code))

    assert json.loads(found.pop("inputs")) == [{"port": 80, "host": "x"}, {"port": 81, "host": None}]
    assert found == {"url": "http://a", "dir": "src"}


@pytest.mark.parametrize(("exact", "port"), [(False, "80"), (True, '"80"')])
def test_a_component_gets_the_inputs_of_its_instance(tmp_path: Path, exact: bool, port: str) -> None:
    attachment = Attachment("orders", "prod", {"port": 80})
    code = b'output "port" { value = jsonencode(var.service_instance.inputs.port) }'

    found = outputs(tmp_path, rendered(ComponentValues("cache", PLACE, attachment, exact=exact), main_tf=code))

    assert found == {"port": port}


def test_a_detached_component_has_no_service(tmp_path: Path) -> None:
    code = b'output "alone" { value = var.service == null && var.service_instance == null }'

    assert outputs(tmp_path, rendered(ComponentValues("cache", PLACE), main_tf=code)) == {"alone": True}


def test_a_pipeline_may_have_no_instances(tmp_path: Path) -> None:
    code = b'output "count" { value = length(var.service_instances) }'

    assert outputs(tmp_path, rendered(PipelineValues("web", SERVICE), main_tf=code)) == {"count": 0}


@pytest.mark.parametrize("prepare", [init, init_in_full])
def test_a_prepared_version_with_modules_serves_two_instances_and_stays_as_it_was(
    tmp_path: Path, prepare: Callable[[Path], None]
) -> None:
    far = tmp_path / "far"
    far.mkdir()
    (far / "main.tf").write_text('output "path" { value = path.module }', encoding="utf-8")
    code = f"""
module "near" {{ source = "./modules/near" }}
module "far" {{ source = "{far}" }}
resource "terraform_data" "a" {{ input = var.environment.name }}
output "paths" {{ value = [module.near.path, module.far.path] }}
""".encode()
    near = b'output "path" { value = path.module }'
    found, digests = [], []
    for name in ("one", "two"):
        files = rendered(EnvironmentValues(name, "vpc"), main_tf=code, modules__near__main_tf=near)
        ready = Preparation(tmp_path / "prepared").ensure("k", files, prepare, Stop())
        digests.append(digest(tmp_path / "prepared"))
        workspace = Workspace(tmp_path / name)
        workspace.write(ready.with_lock(files))
        workspace.link(ready.data_dir)
        terraform(workspace.root, "plan", "-input=false", "-out=../plan", data_dir=ready.data_dir)
        terraform(workspace.root, "apply", "-input=false", "../plan", data_dir=ready.data_dir)
        found.append(Managed().outputs(workspace.root)["paths"]["value"])
        assert Managed().resources(workspace.root) == ("terraform_data.a",)

    assert found == [["modules/near", ".terraform/modules/far"]] * 2
    assert [digests[0], digests[0]] == [digests[1], digest(tmp_path / "prepared")]


def test_a_jinja_part_writes_code_that_no_value_can_break_out_of(tmp_path: Path) -> None:
    template = b"""
{% for text in environment.inputs.strings %}
output "o{{ loop.index }}" { value = {{ text | hcl }} }
{% endfor %}
output "tree" { value = jsonencode({{ environment.inputs | tojson }}) }
module "x" {
  source = "./modules/x"
  count  = {{ environment.inputs.strings | length }}
}
"""
    inputs = {"strings": STRINGS, "${k}": {'a"b': [1, 2.5, True, None, 1e21]}}
    values = EnvironmentValues("dev", "vpc", inputs)

    found = outputs(tmp_path, rendered(values, "jinja", main_tf_j2=template, modules__x__main_tf=b"# nothing\n"))

    assert json.loads(found.pop("tree")) == inputs
    assert list(found.values()) == STRINGS


def test_a_cloud_block_and_a_path_of_the_bundle_do_not_move_the_state(tmp_path: Path) -> None:
    code = b'terraform {\n  cloud {\n    organization = "x"\n  }\n}\noutput "x" { value = 1 }\n'
    path = b'terraform {\n  backend "local" {\n    path = "../elsewhere"\n  }\n}\noutput "x" { value = 1 }\n'

    assert outputs(tmp_path / "1", rendered(EnvironmentValues("dev", "vpc"), main_tf=code)) == {"x": 1}
    assert outputs(tmp_path / "2", rendered(EnvironmentValues("dev", "vpc"), main_tf=path)) == {"x": 1}
