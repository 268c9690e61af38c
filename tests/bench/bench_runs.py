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
seq "$1" | xargs -P "$(nproc)" -I '{{}}' {LANDFORM} --quiet service create "$0-"'{{}}' \
  --template {SERVICE} --env "$0" --auto-approve
"""


class Contestants:
    """The ways; each call makes everything anew."""

    def __init__(self, fleet: Fleet, services: int) -> None:
        self._fleet = fleet
        self._services = str(services)
        self._number = count()
        self.cpu: list[dict[str, float]] = []
        """Of each process(): as one_process prints it."""

    def per_run(self, who: str) -> list[float]:
        """CPU milliseconds a run of each process(), its own (`own`) or those of what it started (`terraform`)."""
        return [cpu[who] / (int(self._services) + 1) for cpu in self.cpu]

    def process(self) -> None:
        """Landform, opened once."""
        self.cpu.append(json.loads(self._one_process()))

    def worker(self) -> None:
        """A worker, which finds the services recorded."""
        self._one_process("--record")
        landform(self._fleet, "--quiet", "worker", "run", "--once")

    def cli(self) -> None:
        """Landform, a command each."""
        name = self._name()
        landform(self._fleet, "env", "create", name, "--template", ENVIRONMENT, "--auto-approve")
        command(
            ("sh", "-c", _CREATE_ALL, name, self._services), self._fleet.folder, LANDFORM_HOME=str(self._fleet.home)
        )

    def best(self) -> None:
        """The best script."""
        self._script("best.sh")

    def usual(self) -> None:
        """The usual script."""
        self._script("usual.sh")

    def _script(self, name: str) -> None:
        made = self._fleet.folder / self._name()
        command(("sh", name, str(self._fleet.versions), str(made), self._services), self._fleet.folder)
        assert len(list(made.glob("*/terraform.tfstate"))) == int(self._services) + 1

    def _one_process(self, *options: str) -> str:
        argv = (sys.executable, "-m", "tests.bench.one_process", self._name(), self._services, *options)
        return command(argv, ROOT, **self._fleet.environ)

    def _name(self) -> str:
        return f"bench-{next(self._number)}"


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        all_of_them = Contestants(ready(Path(folder)), SERVICES)
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
    terraform = all_of_them.per_run("terraform")
    print(line("engine-cpu-per-run", all_of_them.per_run("own"), terraform))
    print(line("engine-cpu-start", [cpu["start"] for cpu in all_of_them.cpu], terraform))


if __name__ == "__main__":
    main()
