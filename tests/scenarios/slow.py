"""A service whose apply takes as long as a test needs: it can be stopped, killed, and looked at in the middle."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from engine.external.process import group_alive
from engine.worker.triggers import Point
from tests.scenarios import workers
from tests.scenarios.world import World

ADDRESS = "service/slow/prod"
WORKSPACE = f"{ADDRESS}/workspace"
RUN = 3
CODE = """\
resource "terraform_data" "first" {
  input = var.environment.outputs.zone
}

resource "terraform_data" "slow" {
  input      = var.service_instance.inputs
  depends_on = [terraform_data.first]

  provisioner "local-exec" {
    command = "echo made >>ledger; touch started; [ -e ready ] || exec sleep 120"
  }
}

output "port" {
  value = try(terraform_data.slow.output.port, 80)
}
"""
CREATE = ("service", "create", "slow", "-t", "slow", "--env", "prod")


def publish(world: World, code: str = CODE) -> None:
    """The template slow@1.0."""
    world.publish("slow", world.service_bundle("slow", code=code))


@contextlib.contextmanager
def applying(world: World) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of applying run 3, the first of slow/prod, which is published."""
    with workers.start(world, *CREATE, "--auto-approve") as landform:
        try:
            workers.until((world.home / WORKSPACE / "started").exists)
            yield landform
        finally:
            landform.kill()


@contextlib.contextmanager
def frozen(world: World) -> Iterator[int]:
    """The Terraform of run 3, which is being applied: it does not do what it is asked to, and can only be killed."""
    terraform = workers.terraform_of(world, ADDRESS, RUN)
    os.kill(terraform, signal.SIGSTOP)
    try:
        yield terraform
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(terraform, signal.SIGKILL)


def lose(world: World, landform: subprocess.Popen[str]) -> None:
    """Kills Landform, and returns when its Terraform has stopped."""
    terraform = workers.terraform_of(world, ADDRESS, RUN)
    landform.kill()
    landform.communicate()
    workers.until(lambda: not group_alive(terraform))


def crash(world: World, landform: subprocess.Popen[str]) -> None:
    """Kills Landform and all that it has started, as when the machine fails."""
    terraform = workers.terraform_of(world, ADDRESS, RUN)
    landform.send_signal(signal.SIGSTOP)
    os.killpg(terraform, signal.SIGKILL)
    landform.kill()
    landform.communicate()
    workers.until(lambda: not group_alive(terraform))


def die_at(world: World, point: Point, run_id: int = RUN) -> None:
    """Carries a run out in a process that is killed at that moment."""
    script = f"""
import os, signal
from engine import app, settings
from engine.external.process import Stop
from engine.worker.following import watch_nothing
from engine.worker.triggers import Point

def trigger(point):
    if point is Point.{point.name}:
        os.kill(os.getpid(), signal.SIGKILL)

opened = app.build(settings.load(home={str(world.home)!r}), trigger)
opened.executor.execute({run_id}, Stop(), watch_nothing)
"""
    died = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -signal.SIGKILL


def finished(world: World) -> list[str]:
    """Names of the resources that are whole in the state of slow/prod."""
    found = world.state(ADDRESS)["resources"]
    return [resource["name"] for resource in found for one in resource["instances"] if "status" not in one]


def mend(world: World) -> None:
    """Lets the slow resource be quick."""
    (world.home / WORKSPACE / "ready").touch()


def ledger(world: World) -> list[str]:
    """A line for each time that the slow resource was made."""
    return (world.home / WORKSPACE / "ledger").read_text().splitlines()
