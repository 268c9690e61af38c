"""The product as a user meets it: a home, bundles on disk, and the command line, with few verbs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli.main import main
from engine.external.cipher import Cipher
from engine.terraform import at_rest
from engine.terraform.at_rest import Rest

MANIFEST = """\
infrastructure:
  templates:
    - file: "*"
      rendering_engine: hcl
      template_language: terraform
"""
REGISTRATION = "compatible_environments:\n  - {environment}\n"
ENVIRONMENT_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "EnvironmentInput"
  types:
    EnvironmentInput:
      type: object
      properties:
        zone:
          type: string
          default: "a"
        size:
          type: integer
          default: 1
          minimum: 1
"""
ENVIRONMENT_CODE = """\
resource "terraform_data" "net" {
  input = var.environment.inputs.zone
}

resource "terraform_data" "size" {
  input = var.environment.inputs.size
}

output "zone" {
  description = "Where it is."
  value       = terraform_data.net.output
}

output "size" {
  description = "How large it is."
  value       = terraform_data.size.output
}
"""
SERVICE_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "ServiceInput"
  types:
    ServiceInput:
      type: object
      properties:
        port:
          type: integer
          minimum: 1
          maximum: 65535
          default: 80
        title:
          type: string
          default: "untitled"
"""
SERVICE_CODE = """\
resource "terraform_data" "app" {
  input = {
    port  = var.service_instance.inputs.port
    title = var.service_instance.inputs.title
    zone  = var.environment.outputs.zone
  }
}

output "port" {
  description = "Where it listens."
  value       = terraform_data.app.output.port
}
"""


@dataclass(frozen=True)
class Result:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """The error it printed, as JSON."""
        return json.loads(self.err)["error"]


class World:
    """One home and one working folder, used through the command line only."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home

    def run(self, *arguments: object, stdin: str = "") -> Result:
        """Types a command line."""
        out, err = io.StringIO(), io.StringIO()
        before = sys.stdin
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(["--home", str(self.home), *map(str, arguments)])
        finally:
            sys.stdin = before
        return Result(code, out.getvalue(), err.getvalue())

    def do(self, *arguments: object, stdin: str = "") -> Result:
        """Types a command line that must succeed."""
        result = self.run(*arguments, stdin=stdin)
        assert result.code == 0, f"{arguments} ended with {result.code}:\n{result.out}\n{result.err}"
        return result

    def row(self, *arguments: object) -> Any:
        """The one result of a command, as JSON."""
        return self.do(*arguments, "-o", "json").json

    def rows(self, *arguments: object) -> list[Any]:
        """The results of a command, as JSON."""
        items: list[Any] = self.row(*arguments)["items"]
        return items

    def given(self, address: str) -> Any:
        """The values in the workspace of an instance, as Terraform was given them."""
        return json.loads((self.home / address / "workspace/proton.auto.tfvars.json").read_text())

    def state(self, address: str) -> Any:
        """The state of an instance."""
        return json.loads(self.state_bytes(address))

    def state_bytes(self, address: str) -> bytes:
        """The state in the workspace of an instance, as Terraform wrote it."""
        content = self._rest(address).content(self.home / address / "workspace")
        assert content is not None
        return content

    def lay_open(self, address: str) -> Path:
        """The file with the state in the workspace of an instance, which nobody has encrypted from now on."""
        folder = self.home / address / "workspace"
        content = self.state_bytes(address)
        (folder / "terraform.tfstate").write_bytes(content)
        (folder / "terraform.tfstate.sealed").unlink(missing_ok=True)
        return folder / "terraform.tfstate"

    def opened(self, address: str, name: str) -> bytes:
        """What an encrypted file beside the workspace of an instance holds."""
        return self._rest(address).opened((self.home / address / name).read_bytes())

    def _rest(self, address: str) -> Rest:
        key = os.environ.get("LANDFORM_KEY_FILE") or self.home / "key"
        return at_rest.of(Cipher(Path(key).read_bytes()), address, self.home)

    def write(self, name: str, text: str) -> Path:
        """A file in the working folder."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def bundle(self, name: str, files: Mapping[str, str]) -> Path:
        """A bundle on disk, made anew."""
        folder = self.root / "bundles" / name
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            self.write(f"bundles/{name}/{path}", text)
        return folder

    def environment_bundle(
        self, name: str = "lab", code: str = ENVIRONMENT_CODE, schema: str = ENVIRONMENT_SCHEMA
    ) -> Path:
        """An environment template's bundle."""
        files = {"infrastructure/manifest.yaml": MANIFEST, "infrastructure/main.tf": code}
        return self.bundle(name, {"schema/schema.yaml": schema, **files})

    def service_bundle(
        self, name: str = "web", code: str = SERVICE_CODE, schema: str = SERVICE_SCHEMA, environment: str = "lab:1"
    ) -> Path:
        """A service template's bundle."""
        files = {
            "schema/schema.yaml": schema,
            "instance_infrastructure/manifest.yaml": MANIFEST,
            "instance_infrastructure/main.tf": code,
            ".template-registration.yaml": REGISTRATION.format(environment=environment),
        }
        return self.bundle(name, files)

    def publish(self, name: str, bundle: Path, *options: object) -> str:
        """Registers and publishes a bundle; its label, `web@1.0`."""
        label: str = self.row("template", "register", name, bundle, "--publish", *options)["label"]
        return label

    def deployed(self) -> None:
        """Environment `prod` of lab@1.0, and service `orders` of web@1.0 with one instance in it."""
        self.publish("lab", self.environment_bundle())
        self.publish("web", self.service_bundle())
        self.do("env", "create", "prod", "-t", "lab", "--auto-approve")
        self.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")
