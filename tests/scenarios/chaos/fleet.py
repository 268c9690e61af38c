"""Machines that execute runs for one catalog on PostgreSQL, each with a home of its own, and what their runs did.

Every apply of an instance appends its number to the instance's ledger; a file of the test, which no Landform knows.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine import app, settings
from engine.actions import environments, instances, recovery, services
from engine.actions.changes import Consent, Update
from engine.actions.inputs import Given
from engine.app import App
from engine.catalog.reads import Reads
from engine.core import address
from engine.core.plans import AutoApprove
from engine.core.runs import Status
from engine.core.updates import UpdateKind
from engine.core.versions import parse_ref
from tests.scenarios.world import World

LANDFORM = str(Path(sys.executable).with_name("landform"))
LEASE_S, GRACE_S = 4, 2
_SERVICE_SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  service_input_type: Step
  types:
    Step:
      type: object
      properties:
        number: {type: integer, default: 0}
"""
_SERVICE_CODE = """\
resource "terraform_data" "step" {
  triggers_replace = var.service_instance.inputs.number

  provisioner "local-exec" {
    command = "echo ${var.service_instance.inputs.number} >> LEDGERS/${var.service.name}"
  }
}

output "number" {
  description = "The step it is at."
  value       = var.service_instance.inputs.number
}
"""
_ALL = Consent(AutoApprove.ALL)
_QUEUED = Consent(AutoApprove.ALL, queue=True)


@dataclass
class Fleet:
    """One catalog, its operator, and the machines."""

    folder: Path
    catalog: str
    """URL of an empty catalog on PostgreSQL."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Settings of every machine, as environment variables."""
    prefixes: Sequence[Sequence[str]] = ((),)
    """What the commands of machine 0, 1, ... are started with, in turns: where a machine has a network of its own."""
    machines: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledgers.mkdir(parents=True)
        self._key.write_bytes(secrets.token_bytes(32))
        self._key.chmod(0o600)
        self.operator: App = app.build(settings.load(self._environ("operator", self.catalog), self.folder))

    @property
    def reads(self) -> Reads:
        """What anybody can see."""
        return Reads(self.catalog)

    @property
    def ledgers(self) -> Path:
        """The folder of what the runs did."""
        return self.folder / "ledgers"

    @property
    def _key(self) -> Path:
        return self.folder / "key"

    def populate(self, names: Sequence[str]) -> None:
        """Templates, one environment, and a service of each name with one instance, whose first step is 0."""
        world = World(self.folder, self.folder / "unused")
        self._register("lab", world.environment_bundle())
        code = _SERVICE_CODE.replace("LEDGERS", str(self.ledgers))
        self._register("step", world.service_bundle("step", code, _SERVICE_SCHEMA))
        desk = self.operator.desk
        [run_id] = environments.create(desk, environments.NewEnvironment("prod", parse_ref("lab")), _ALL)
        run = self.operator.executor.execute(run_id, app.stop(), lambda _phase, _event: None)
        assert run.status == Status.SUCCEEDED, run.message
        for name in names:
            services.create(desk, services.NewService(name, parse_ref("step"), environments=("prod",)), _ALL)

    def step(self, name: str, number: int) -> None:
        """Lines up a run that brings the instance to that step."""
        wish = Update(UpdateKind.CURRENT_VERSION, given=Given(None, (f"number={number}",)))
        instances.update(self.operator.desk, address.service_instance(name, "prod"), wish, _QUEUED)

    def start(self, number: int, catalog: str = "") -> None:
        """Starts machine `number`, again if it was there before: its home is as it was left."""
        name = f"machine-{number}"
        with (self.folder / f"{name}.log").open("ab") as log:
            self.machines[number] = subprocess.Popen(
                [
                    *self.prefixes[number % len(self.prefixes)],
                    LANDFORM,
                    "worker",
                    "run",
                    "--name",
                    name,
                    "--parallel",
                    "2",
                ],
                env=self._environ(name, catalog or self.catalog),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, number: int) -> None:
        """SIGKILL for what executes runs on that machine."""
        machine = self.machines.pop(number)
        machine.kill()
        machine.wait()

    def decide(self) -> list[int]:
        """What a person does about interrupted runs, having looked into the ledger: their numbers."""
        found = [row["id"] for row in self.reads.runs(status=Status.INTERRUPTED)]
        for run_id in found:
            recovery.mark_failed(self.operator.desk, run_id, "its worker was killed")
        return found

    def left(self) -> int:
        """How many runs have not ended."""
        return sum(not row["is_terminal"] for row in self.reads.runs())

    def did(self, name: str) -> list[int]:
        """The steps that were made, in order."""
        ledger = self.ledgers / name
        return [int(line) for line in ledger.read_text().split()] if ledger.exists() else []

    def stop(self) -> None:
        """Ends all machines."""
        for machine in self.machines.values():
            machine.send_signal(signal.SIGTERM)
        for machine in self.machines.values():
            with suppress(subprocess.TimeoutExpired):
                machine.wait(60)
            machine.kill()
            machine.wait()
        self.operator.close()

    def _register(self, name: str, bundle: Path) -> None:
        subprocess.run(
            [LANDFORM, "template", "register", name, str(bundle), "--publish"],
            env=self._environ("operator", self.catalog),
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def _environ(self, name: str, catalog: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANDFORM_HOME": str(self.folder / name),
            "LANDFORM_CATALOG": catalog,
            "LANDFORM_KEY_FILE": str(self._key),
            "LANDFORM_LEASE_S": str(LEASE_S),
            "LANDFORM_GRACE_S": str(GRACE_S),
            **self.extra,
        }
