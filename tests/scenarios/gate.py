"""A service whose apply waits at a gate where its title is `slow`: somebody else can be in the middle of it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from tests.scenarios import workers
from tests.scenarios.world import SERVICE_CODE, World

_WAIT = "touch began; until [ -e open ]; do sleep 0.05; done"
_GATE = """
resource "terraform_data" "gate" {
  triggers_replace = var.service_instance.inputs.title

  provisioner "local-exec" {
    command = var.service_instance.inputs.title == "slow" ? "%s" : "true"
  }
}
"""
CODE = SERVICE_CODE + _GATE % _WAIT
WORKSPACE = "service/gate/prod/workspace"


def deploy(world: World) -> None:
    """Service `gate` with the instance gate/prod; its run is 3."""
    world.publish("gate", world.service_bundle("gate", code=CODE))
    world.do("service", "create", "gate", "-t", "gate", "--env", "prod", "--auto-approve")


@contextlib.contextmanager
def applying(world: World) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of applying run 4 of gate/prod, which sets its title; it goes on after open_gate()."""
    update = ("instance", "update", "gate/prod", "--set", "title=slow", "--yes")
    with workers.start(world, *update) as process:
        try:
            workers.until((world.home / WORKSPACE / "began").exists)
            yield process
        finally:
            open_gate(world)
            process.communicate()


def open_gate(world: World) -> None:
    """Lets the apply go on."""
    (world.home / WORKSPACE / "open").touch()
