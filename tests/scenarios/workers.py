"""Other processes that work on runs of a home: alive, dead, or killed in the middle of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from engine import app, settings
from engine.core.runs import Event
from engine.external import process
from tests.scenarios.world import World

_PATIENCE_S = 30.0
LANDFORM = "from engine.cli.main import entry; entry()"


def living() -> Mapping[str, object]:
    """The identity of a process that outlives the test."""
    return process.identity(1)


def dead() -> Mapping[str, object]:
    """The identity of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", "open(0).read()"], stdin=subprocess.PIPE)
    identity = process.identity(ended.pid)
    ended.communicate()
    return identity


def claim(world: World, run_id: int, worker: Mapping[str, object]) -> None:
    """Gives a queued or approved run to that worker, as far as anybody can tell."""
    catalog = app.build(settings.load(home=str(world.home))).catalog
    with catalog.write() as tx:
        tx.move(run_id, Event.CLAIM, executor=dict(worker))
    catalog.close()


def start(world: World, *arguments: object) -> subprocess.Popen[str]:
    """The command line in a process of its own, which can be killed."""
    argv = [sys.executable, "-c", LANDFORM, "--home", str(world.home), *map(str, arguments)]
    environment = {"LANDFORM_GRACE_S": "10", **os.environ}
    return subprocess.Popen(
        argv, cwd=world.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def terraform_of(world: World, address: str, run_id: int) -> int:
    """The process id of the Terraform that works, or last worked, for a run; its group has the same number."""
    pid: int = json.loads((world.home / address / f"runs/{run_id}/process.json").read_text())["pid"]
    return pid


def until(happened: Callable[[], bool]) -> None:
    """Returns as soon as it has happened; fails when that takes very long."""
    deadline = time.monotonic() + _PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)
