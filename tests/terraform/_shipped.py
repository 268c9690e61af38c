"""The only place where tests give a shipped bundle to plain Terraform, as Landform would."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

MODULES = Path(__file__).parents[2] / "modules"
TERRAFORM = os.environ.get("LANDFORM_TERRAFORM") or shutil.which("terraform") or shutil.which("tofu") or ""
PATIENCE_S = 20
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))

SITES = ["service/static-site/v1", "service/static-site/v1.1", "service/static-site/v2"]
HOSTILE = [
    "'; touch pwned; '",
    '"$(touch pwned)" `touch pwned`',
    "line one\nline two\r\n\ttab",
    "${terraform_data.folder.id} %{if true}x%{endif} $title $$",
    "\\ back \\n slash %s {0} – ünïcödé ☃",
    "--help",
    "a\0b",
]
"""Texts that do harm where they are not passed on as texts."""

# reference/proton.md 2.4
VARIABLES = {
    "infrastructure": """
variable "environment" {
  type = object({
    inputs = any
    name   = string
  })
  default = null
}
""",
    "instance_infrastructure": """
variable "environment" {
  type = object({
    account_id = string
    name       = string
    outputs    = map(string)
  })
  default = null
}

variable "service" {
  type = object({
    name                      = string
    branch_name               = string
    repository_connection_arn = string
    repository_id             = string
  })
}

variable "service_instance" {
  type = object({
    name       = string
    inputs     = any
    components = map(any)
  })
  default = null
}
""",
}


@dataclass(frozen=True)
class Ended:
    """How a Terraform command ended, and what it said."""

    code: int
    text: str


class Root:
    """A folder in which Terraform runs a bundle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder.parent / "programs"
        folder.mkdir(parents=True)
        self.programs.mkdir(exist_ok=True)
        if not (self.programs / "python3").exists():
            # a Python without Landform's virtual environment
            (self.programs / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")

    def use(self, bundle: str) -> None:
        """Puts the files of a bundle into the folder; state and what else lies there stay."""
        part = part_of(bundle)
        shutil.rmtree(self.folder / "files", ignore_errors=True)
        shutil.copytree(part, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("manifest.yaml"))
        (self.folder / f"proton.{part.name}.variables.tf").write_text(VARIABLES[part.name])

    def give(self, values: Mapping[str, object]) -> None:
        """Writes the values that Terraform is given."""
        (self.folder / "proton.auto.tfvars.json").write_text(json.dumps(values))

    def run(self, *arguments: str) -> Ended:
        """Runs Terraform in a session of its own, and sweeps its process group when it has ended, as Landform does."""
        with self._terraform(*arguments) as process:
            text, _ = process.communicate(timeout=60)
        return Ended(process.returncode, text)

    def cut_off(self, words: str, *arguments: str) -> None:
        """Runs Terraform until it says these words, and kills it and its children."""
        with self._terraform(*arguments) as process:
            assert process.stdout is not None
            assert any(words in line for line in process.stdout)

    @contextlib.contextmanager
    def _terraform(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [TERRAFORM, *arguments],
            cwd=self.folder,
            env={
                "PATH": f"{self.programs}:{os.defpath}",
                "HOME": str(self.folder.parent),
                "TF_IN_AUTOMATION": "1",
                "TF_INPUT": "0",
                "CHECKPOINT_DISABLE": "1",
                "GOMAXPROCS": "1",
                "GOGC": "off",
                "SECRET_OF_THE_RUN": "hunter2",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def apply(self) -> str:
        """What a successful apply said."""
        return self._done("apply", "-auto-approve", "-no-color")

    def destroy(self) -> str:
        """What a successful destroy said."""
        return self._done("destroy", "-auto-approve", "-no-color")

    def forget(self, resource: str) -> None:
        """Leaves the state as it is when Terraform is killed before it has written the resource down."""
        self._done("state", "rm", resource)

    def planned(self) -> set[tuple[str, str]]:
        """(address, action) of what a plan would change."""
        lines = map(json.loads, self._done("plan", "-json").splitlines())
        changes = (line["change"] for line in lines if line["type"] == "planned_change")
        return {(change["resource"]["addr"], change["action"]) for change in changes}

    def outputs(self) -> dict[str, object]:
        """Output name -> value, from the state."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}

    def _done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.code == 0, ended.text
        return ended.text


class Instance(Root):
    """A service instance in a folder of its own, with its content in `lab` beside it."""

    def __init__(self, folder: Path, bundle: str, **environment_outputs: str) -> None:
        super().__init__(folder)
        self.lab = folder.parent / "lab"
        self.environment_outputs = {
            "content_root": str(self.lab),
            "domain": "lab.localhost",
            "tier": "dev",
            **environment_outputs,
        }
        self.use(bundle)

    @property
    def content(self) -> Path:
        """The folder of the instance."""
        return self.lab / "web.blue"

    @property
    def pid(self) -> int:
        """The process of the instance, as its pid file has it."""
        return int((self.content / "process.pid").read_text().split()[0])

    def give_inputs(self, inputs: Mapping[str, object]) -> None:
        """Writes the values of an instance `blue` of service `web` with these inputs, in environment `lab`."""
        repository = dict.fromkeys(("repository_connection_arn", "repository_id", "branch_name"), "")
        self.give(
            {
                "environment": {"account_id": "000000000000", "name": "lab", "outputs": self.environment_outputs},
                "service": {"name": "web", **repository},
                "service_instance": {"name": "blue", "inputs": inputs, "components": {}},
                "//": "arn",
            }
        )


def part_of(bundle: str) -> Path:
    """The Terraform folder of the bundle that is not its pipeline's."""
    kind = "infrastructure" if bundle.startswith("environment/") else "instance_infrastructure"
    return MODULES / bundle / kind


def inputs_of(bundle: str) -> dict[str, dict[str, object]]:
    """Input name -> its schema."""
    schema = yaml.safe_load((MODULES / bundle / "schema/schema.yaml").read_text())["schema"]
    name = schema.get("service_input_type") or schema["environment_input_type"]
    properties: dict[str, dict[str, object]] = schema["types"][name]["properties"]
    return properties


def defaults_of(bundle: str) -> dict[str, object]:
    """Input name -> default, for those that have one."""
    return {name: rule["default"] for name, rule in inputs_of(bundle).items() if "default" in rule}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def get(url: str) -> tuple[int, str]:
    """(status, body) of what the address answers."""
    try:
        with LOCAL.open(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def is_free(port: int) -> bool:
    """Whether nobody answers on the port."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0


@contextlib.contextmanager
def ending(pid: int) -> Iterator[None]:
    """Waits, after the block, until the process has ended."""
    watched = os.pidfd_open(pid)
    try:
        yield
        assert select.select([watched], [], [], PATIENCE_S)[0], f"process {pid} goes on"
    finally:
        os.close(watched)


def kill(pid: int) -> None:
    """Ends the process as a crash would."""
    with ending(pid):
        os.kill(pid, signal.SIGKILL)
