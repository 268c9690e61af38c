"""What a draft would do to 200 deployed services: by `landform template preview`, and by two loops of a shell.

`loop` copies the folder of each, puts the new code into it, and runs `terraform init` and `terraform plan`, as many at
a time as there are cores. `prepared-loop` shares one init of the new version between all, and keeps no plan: nobody can
do less by hand. Landform's start is included.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from functools import partial
from itertools import count
from pathlib import Path

from engine.core import address
from engine.core.address import Address
from engine.external.cipher import Cipher
from engine.terraform import at_rest
from tests.bench.fleet import SERVICE, Fleet, deploy, landform, ready, successor
from tests.bench.pairs import ROOT, command, in_turns, line

ROUNDS = 5
SERVICES = 200
_NAME = "fleet"
_PLAN = "Plan: 0 to add, 1 to change, 0 to destroy."
_DRAFT = f"{SERVICE}@1.1"


class Contestants:
    """The ways; each call looks at everything anew."""

    def __init__(self, fleet: Fleet, services: int) -> None:
        self._fleet = fleet
        self._count = services
        self._number = count()
        deploy(fleet, _NAME, services)
        successor(fleet)
        self._lay_out()

    def ours(self) -> None:
        """Landform, a command."""
        found = json.loads(self._preview())
        assert found["shapes"]["in-place"] == self._count, found["shapes"]

    def loop(self, how: str) -> None:
        """A loop of a shell."""
        scratch = self._fleet.folder / f"scratch-{next(self._number)}"
        script = str(ROOT / "tests" / "bench" / "preview.sh")
        new, old = str(self._fleet.versions / "successor"), str(self._fleet.folder / "deployed")
        said = command(("sh", script, new, old, str(scratch), how), self._fleet.folder)
        assert said.strip() == f"{self._count} {_PLAN}", said
        shutil.rmtree(scratch)

    def _preview(self) -> str:
        select = ("--select", f"environment={_NAME}")
        return landform(self._fleet, "--quiet", "template", "preview", _DRAFT, *select, "-o", "json")

    def _lay_out(self) -> None:
        """A folder for each service with its state and values, as somebody who works by hand has it."""
        cipher = Cipher((self._fleet.home / "key").read_bytes())
        for number in range(self._count):
            where = address.service_instance(f"{_NAME}-{number:02}", _NAME)
            folder = self._fleet.folder / "deployed" / where.service
            folder.mkdir(parents=True)
            workspace = self._workspace(where)
            state = at_rest.of(cipher, str(where), self._fleet.home).content(workspace)
            assert state is not None
            (folder / "terraform.tfstate").write_bytes(state)
            shutil.copy(workspace / "proton.auto.tfvars.json", folder / "terraform.tfvars.json")

    def _workspace(self, where: Address) -> Path:
        return self._fleet.home.joinpath(where.kind.value, *where.parts, "workspace")


def main(services: int = SERVICES, rounds: int = ROUNDS) -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        ways = Contestants(ready(Path(folder)), services)
        contestants = (ways.ours, partial(ways.loop, "init"), partial(ways.loop, "prepared"))
        for warm_up in contestants:
            warm_up()
        ours, loop, prepared = in_turns(contestants, rounds)
        print(line("preview-loop", ours, loop))
        print(line("preview-prepared-loop", ours, prepared))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
