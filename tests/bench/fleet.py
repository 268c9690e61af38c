"""What the contestants of bench_runs make: the code of one environment and of a service, and a home that knows both."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.pairs import ROOT, command

ENVIRONMENT, SERVICE = "bench-environment", "bench-service"
LANDFORM = str(Path(sys.executable).with_name("landform"))
TERRAFORM = "terraform"
_MANIFEST = """\
infrastructure:
  templates:
    - file: "*"
      rendering_engine: hcl
      template_language: terraform
"""
_ENVIRONMENT_SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Network
  types:
    Network:
      type: object
      properties:
        cidr: {type: string, default: "10.0.0.0/16"}
        zones: {type: number, default: 2, minimum: 1, maximum: 6}
"""
_SERVICE_SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  service_input_type: Job
  types:
    Job:
      type: object
      properties:
        port: {type: number, default: 8080, minimum: 1, maximum: 65535}
        image: {type: string, default: "orders:1"}
"""
_ENVIRONMENT_CODE = """\
resource "terraform_data" "network" {
  input = { name = var.environment.name, cidr = var.environment.inputs.cidr }
}

resource "terraform_data" "cluster" {
  input            = { network = terraform_data.network.id, zones = var.environment.inputs.zones }
  triggers_replace = terraform_data.network.id
}

output "network_id" { value = terraform_data.network.id }
output "cluster_id" { value = terraform_data.cluster.id }
output "cidr" { value = terraform_data.network.output.cidr }
"""
_SERVICE_CODE = """\
resource "terraform_data" "volume" {
  input = { network = var.environment.outputs.network_id, cidr = var.environment.outputs.cidr }
}

resource "terraform_data" "task" {
  input = { image = var.service_instance.inputs.image, port = var.service_instance.inputs.port }
}

resource "terraform_data" "job" {
  input = {
    cluster = var.environment.outputs.cluster_id
    task    = terraform_data.task.id
    volume  = terraform_data.volume.id
    name    = "${var.service.name}.${var.service_instance.name}"
  }
}

output "job_id" { value = terraform_data.job.id }
output "address" { value = "${var.service.name}:${var.service_instance.inputs.port}" }
"""
_NAMES = {"environment": ("environment",), "service": ("environment", "service", "service_instance")}


@dataclass(frozen=True)
class Fleet:
    """A folder with all that is needed to begin."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)
    """Settings of its Landform beside the home, as environment variables."""

    @property
    def home(self) -> Path:
        """Landform's, with both templates published and prepared."""
        return self.folder / "home"

    @property
    def versions(self) -> Path:
        """What the scripts copy: `environment` and `service`, each with the `.terraform` of one init."""
        return self.folder / "versions"

    @property
    def environ(self) -> dict[str, str]:
        """The variables of its Landform."""
        return {"LANDFORM_HOME": str(self.home), **self.more}


def ready(folder: Path) -> Fleet:
    """A fleet in that folder, where everything that is done once has been done."""
    fleet = Fleet(folder)
    publish(fleet)
    _prepare(fleet)
    return fleet


def publish(fleet: Fleet) -> None:
    """Its home knows both templates, and has made the environment `warm-up` with a service."""
    environment, service = fleet.folder / "bundles" / "environment", fleet.folder / "bundles" / "service"
    _bundle(environment, "infrastructure", _ENVIRONMENT_SCHEMA, _ENVIRONMENT_CODE)
    _bundle(service, "instance_infrastructure", _SERVICE_SCHEMA, _SERVICE_CODE)
    landform(fleet, "template", "register", ENVIRONMENT, str(environment), "--publish")
    landform(fleet, "template", "register", SERVICE, str(service), "--publish", "--compatible", f"{ENVIRONMENT}:1")
    landform(fleet, "env", "create", "warm-up", "--template", ENVIRONMENT, "--auto-approve")
    landform(fleet, "service", "create", "warm-up", "--template", SERVICE, "--env", "warm-up", "--auto-approve")


def service_code(word: str) -> str:
    """The code of a service's version that has `word` in it."""
    return _SERVICE_CODE.replace("image = var.service_instance.inputs.image", f'image = "{word}"')


def publish_service(fleet: Fleet, word: str) -> None:
    """Registers and publishes a minor version of the service that has `word` in its code."""
    service = fleet.folder / "bundles" / "service"
    _bundle(service, "instance_infrastructure", _SERVICE_SCHEMA, service_code(word))
    landform(
        fleet,
        "template",
        "register",
        SERVICE,
        str(service),
        "--publish",
        "--major",
        "1",
        "--compatible",
        f"{ENVIRONMENT}:1",
    )


def deploy(fleet: Fleet, environment: str, count: int) -> None:
    """Deploys an environment and so many services into it, in one process."""
    argv = (sys.executable, "-m", "tests.bench.one_process", environment, str(count))
    command(argv, fleet.folder, PYTHONPATH=str(ROOT), **fleet.environ)


def successor(fleet: Fleet) -> None:
    """Registers a draft of the service's next version, which changes one resource of each in place."""
    code = service_code("orders:2")
    folder = fleet.folder / "bundles" / "successor"
    _bundle(folder, "instance_infrastructure", _SERVICE_SCHEMA, code)
    _version(fleet, "successor", "service", code)
    landform(fleet, "template", "register", SERVICE, str(folder), "--major", "1", "--compatible", f"{ENVIRONMENT}:1")


def landform(fleet: Fleet, *words: str) -> str:
    """What the command line answered."""
    return command((LANDFORM, *words), fleet.folder, **fleet.environ)


def _prepare(fleet: Fleet) -> None:
    for name, code in (("environment", _ENVIRONMENT_CODE), ("service", _SERVICE_CODE)):
        _version(fleet, name, name, code)
    for script in ("best.sh", "usual.sh"):
        shutil.copy(ROOT / "tests" / "bench" / script, fleet.folder)


def _version(fleet: Fleet, name: str, kind: str, code: str) -> None:
    """What the scripts copy, after one init."""
    variables = "".join(f'variable "{variable}" {{ type = any }}\n' for variable in _NAMES[kind])
    _write(fleet.versions / name / "main.tf", code)
    _write(fleet.versions / name / "variables.tf", variables)
    command((TERRAFORM, "init", "-input=false"), fleet.versions / name)


def _bundle(folder: Path, part: str, schema: str, code: str) -> None:
    _write(folder / "schema" / "schema.yaml", schema)
    _write(folder / part / "manifest.yaml", _MANIFEST)
    _write(folder / part / "main.tf", code)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
