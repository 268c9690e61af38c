"""One environment and 20 services in it, created through Landform and by two scripts.

`best` is tests/bench/best.sh, `usual` tests/bench/usual.sh. `runs-process` is one process that creates and executes
all, its start included; `runs-cli` is one command for each, as a person would type it, as many at a time as there are
cores. Terraform's work is the same for all, and so is the code.
"""

from __future__ import annotations

import json
import sys
import tempfile
from itertools import count
from pathlib import Path

from tests.bench.fleet import ENVIRONMENT, LANDFORM, SERVICE, Fleet, landform, ready
from tests.bench.pairs import ROOT, command, in_turns, line

ROUNDS = 7
SERVICES = 20
_CREATE_ALL = f"""\
seq {SERVICES} | xargs -P "$(nproc)" -I '{{}}' {LANDFORM} --quiet service create "$0-"'{{}}' \
  --template {SERVICE} --env "$0" --auto-approve
"""


class Contestants:
    """The four ways; each call makes everything anew."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._number = count()
        self.cpu: list[dict[str, float]] = []
        """Of each process(): as one_process prints it."""

    def process(self) -> None:
        """Landform, opened once."""
        argv = (sys.executable, "-m", "tests.bench.one_process", self._name(), str(SERVICES))
        self.cpu.append(json.loads(command(argv, ROOT, LANDFORM_HOME=str(self._fleet.home))))

    def cli(self) -> None:
        """Landform, a command each."""
        name = self._name()
        landform(self._fleet, "env", "create", name, "--template", ENVIRONMENT, "--auto-approve")
        command(("sh", "-c", _CREATE_ALL, name), self._fleet.folder, LANDFORM_HOME=str(self._fleet.home))

    def best(self) -> None:
        """The best script."""
        self._script("best.sh")

    def usual(self) -> None:
        """The usual script."""
        self._script("usual.sh")

    def _script(self, name: str) -> None:
        made = self._fleet.folder / self._name()
        command(("sh", name, str(self._fleet.versions), str(made), str(SERVICES)), self._fleet.folder)
        assert len(list(made.glob("*/terraform.tfstate"))) == SERVICES + 1

    def _name(self) -> str:
        return f"bench-{next(self._number)}"


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        all_of_them = Contestants(ready(Path(folder)))
        for warm_up in (all_of_them.process, all_of_them.best):
            warm_up()
        all_of_them.cpu.clear()
        measure(all_of_them)


def measure(all_of_them: Contestants) -> None:
    """Prints a line for each pair."""
    ways = (all_of_them.process, all_of_them.best, all_of_them.cli, all_of_them.usual)
    process, best, cli, usual = in_turns(ways, ROUNDS)
    print(line("runs-process-best-script", process, best))
    print(line("runs-process-usual-script", process, usual))
    print(line("runs-cli-best-script", cli, best))
    print(line("runs-cli-usual-script", cli, usual))
    runs = SERVICES + 1
    own, terraform = ([cpu[who] / runs for cpu in all_of_them.cpu] for who in ("own", "terraform"))
    print(line("engine-cpu-per-run", own, terraform))
    print(line("engine-cpu-start", [cpu["start"] for cpu in all_of_them.cpu], terraform))


if __name__ == "__main__":
    main()
