"""One case of the matrix: what is killed when, on which backend, and what is true afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.external.process import group_alive, identity
from engine.worker.triggers import Point
from tests.scenarios import workers
from tests.scenarios.world import World

ADDRESS = "service/crash/prod"
NAMES = ("first", "second", "third")
WORKER, TERRAFORM, BOTH, ALL = "worker", "terraform", "both", "all"
TABLE = "LANDFORM_MATRIX"
"""The variable that names a file which gets a row for each case."""
_HEADING = """\
| state | killed after | what | told as | made by then | what a person does | done twice | lost |
|---|---|---|---|---|---|---|---|
"""
_RUNNING = frozenset({Point.PLAN_STARTED, Point.APPLY_STARTED, Point.RESOURCE_DONE})
"""The moments when Terraform runs: at the others there is none to be killed."""
_PLANNING = (Point.CLAIMED_TO_PLAN, Point.WORKSPACE_WRITTEN, Point.PLAN_STARTED, Point.PLAN_MADE, Point.PLAN_KEPT)
_OVER = (Point.OUTCOME_RECORDED, Point.WORKSPACE_FORGOTTEN)
_PROPOSING = frozenset({Point.PROPOSAL_NOTED, Point.BRANCH_PUSHED, Point.PULL_REQUEST_OPENED})
"""The moments of runs that others carry out."""
_RESOURCE = """\
resource "terraform_data" "{name}" {{
  input            = var.service_instance.inputs
  triggers_replace = var.service_instance.inputs.port
  depends_on       = [{after}]

  provisioner "local-exec" {{
    command = "echo made {name} ${{self.id}} >> {ledger}; sleep 0.2"
  }}

  provisioner "local-exec" {{
    when    = destroy
    command = "echo gone {name} ${{self.id}} >> {ledger}"
  }}
}}
"""


@dataclass(frozen=True)
class Case:
    """Who is killed, and when."""

    point: Point
    victim: str

    @property
    def status(self) -> str:
        """What the run is then, and no other status would be true."""
        if self.point in _PLANNING:
            return "queued"
        return "succeeded" if self.point in _OVER else "interrupted"

    @property
    def run(self) -> int:
        """The run that is carried out: the first deploy, or the destroy that comes after it."""
        return 4 if self.point is Point.WORKSPACE_FORGOTTEN else 3


CASES = tuple(
    Case(point, victim)
    for point in Point
    if point not in _PROPOSING
    for victim in (WORKER, TERRAFORM, BOTH, ALL)
    if point in _RUNNING or victim in (WORKER, ALL)
)


@dataclass(frozen=True)
class Effects:
    """What has happened in the world, as the ledger has it."""

    made: tuple[tuple[str, str], ...]
    """Name and id of each resource that was made, in order."""
    gone: tuple[tuple[str, str], ...]

    @property
    def there(self) -> set[tuple[str, str]]:
        """What exists."""
        return set(self.made) - set(self.gone)

    def doubled(self, replaced: Collection[str] = ()) -> list[str]:
        """Names of what was made again while it was there; `replaced` are ids of what went unheard."""
        made = [name for name, key in self.made if key not in replaced]
        gone = [name for name, _ in self.gone]
        return sorted({name for name in made if made.count(name) > 1 + gone.count(name)})


class Scene:
    """A home with service crash, of whose runs everything that happens in the world is written down."""

    def __init__(self, world: World, backend: str, unlock: Callable[[], None] = lambda: None) -> None:
        """`unlock` is what a person does about a lock of which nobody knows whose it is."""
        self.world = world
        self.backend = backend
        self._unlock = unlock
        self.tainted: set[str] = set()
        """Ids of what Terraform itself knew to be half-made. It replaces that, and its destroy-time provisioners do not
        run: the ledger does not hear of its end.
        """
        self._ledger = world.root.parent / "ledger"
        names = dict(zip(NAMES, ("", *(f"terraform_data.{name}" for name in NAMES)), strict=False))
        code = "\n".join(_RESOURCE.format(name=n, after=a, ledger=self._ledger) for n, a in names.items())
        world.publish("crash", world.service_bundle("crash", code=code))
        create = ("service", "create", "crash", "-t", "crash", "--env", "prod", "--auto-approve")
        world.do(*create, "--no-wait")

    def die(self, case: Case) -> None:
        """Carries the run out until somebody is killed, and until nothing runs any more."""
        if case.run == 4:
            self.world.do("run", "apply", 3)
            self.world.do("service", "delete", "crash", "--yes", "--no-wait")
        argv = [sys.executable, str(Path(__file__).with_name("worker.py")), str(self.world.home), str(case.run)]
        died = subprocess.run([*argv, case.point, case.victim], cwd=self.world.root, check=False)
        assert died.returncode == (0 if case.victim == TERRAFORM else -9)
        workers.until(lambda: self.processes() == [])
        if case.victim == ALL:
            self._boot()

    def processes(self) -> list[int]:
        """The processes that have to do with this home, but for this one."""
        found = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
        return [pid for pid in found if pid != os.getpid() and self._is_ours(pid)]

    def effects(self) -> Effects:
        """What has happened in the world until now."""
        lines = [line.split() for line in self._ledger.read_text().splitlines()] if self._ledger.exists() else []
        told = {word: tuple((name, key) for what, name, key in lines if what == word) for word in ("made", "gone")}
        return Effects(told["made"], told["gone"])

    def state(self) -> dict[str, tuple[str, bool]]:
        """Name -> id and whether it is tainted, of what the newest state that was kept knows."""
        text = self.world.do("state", "pull", "crash/prod").out
        found = [(resource["name"], one) for resource in json.loads(text)["resources"] for one in resource["instances"]]
        return {name: (one["attributes"]["id"], one.get("status") == "tainted") for name, one in found}

    def known(self) -> set[tuple[str, str]]:
        """Name and id of all that the state knows."""
        return {(name, key) for name, (key, _) in self.state().items()}

    def recover(self, status: str) -> str:
        """Does what the product offers then, as a person would who believes the evidence; in a word, what that was."""
        if status == "queued":
            self.world.do("run", "apply", 3)
            return "planned again"
        if status == "succeeded":
            return "nothing to do"
        evidence = self.world.row("run", "recover", 3)
        is_locked = "left alone" in evidence["states"]["lock"]
        if is_locked:
            # killed before Landform had seen which lock its Terraform took
            self._unlock()
        missing = evidence["missing"]
        has_state = bool(self.world.rows("state", "list", "crash/prod"))
        self.tainted = {key for key, is_tainted in self.state().values() if is_tainted} if has_state else set()
        there = dict(self.effects().there)
        adopted = [
            (f"terraform_data.{name}", key) for name, key in there.items() if f"terraform_data.{name}" in missing
        ]
        options = [word for name, key in adopted for word in ("--adopt", f"{name}={key}")]
        self.world.do("run", "recover", 3, *options, "--retry", "--yes")
        words = ("unlocked by hand" if is_locked else "", f"adopted {len(adopted)}" if adopted else "", "retried")
        return ", ".join(filter(None, words))

    def row(self, case: Case, *cells: object) -> None:
        """Adds a row to the table, where one is wanted."""
        if file := os.environ.get(TABLE):
            with open(file, "a", encoding="utf-8") as table:
                if not table.tell():
                    table.write(_HEADING)
                table.write(f"| {' | '.join(map(str, (self.backend, case.point.value, case.victim, *cells)))} |\n")

    def _is_ours(self, pid: int) -> bool:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            return str(self.world.home).encode() in words or group_of(pid) in self._groups()
        except OSError:
            return False

    def _groups(self) -> set[int]:
        return {json.loads(file.read_text())["pid"] for file in (self.world.home / ADDRESS).glob("runs/*/process.json")}

    def _boot(self) -> None:
        """Makes all that was noted about processes look as if it came from before a boot."""
        boot = str(identity()["boot_id"]).partition("/")[0]
        with closing(sqlite3.connect(self.world.home / "catalog.db")) as catalog:
            catalog.execute("UPDATE run SET executor = replace(executor, ?, 'an-earlier-boot')", (boot,))
            catalog.execute("UPDATE worker SET identity = replace(identity, ?, 'an-earlier-boot')", (boot,))
            catalog.commit()
        for file in (self.world.home / ADDRESS).glob("runs/*/process.json"):
            file.write_text(file.read_text().replace(boot, "an-earlier-boot"))


def group_of(pid: int) -> int:
    """The group of a process. Raises OSError when it is gone."""
    return os.getpgid(pid)


def terraform_is_gone(scene: Scene, case: Case) -> bool:
    """Whether the group of the run's last Terraform has nobody left."""
    file = scene.world.home / ADDRESS / f"runs/{case.run}/process.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"pid": 2**22}
    return not group_alive(found["pid"])
