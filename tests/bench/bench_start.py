"""How long the command line takes to answer, beside a bare Python and `terraform version`.

`help` is `landform --help`; `list` is `landform service list` in a home with 10,000 instances of 1,000 services.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench.catalog_fill import Size, filled
from tests.bench.fleet import LANDFORM, TERRAFORM
from tests.bench.pairs import command, in_turns, line

ROUNDS = 21
INSTANCES = Size(services=1_000, instances=10_000, runs=20_000)


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        filled(Path(folder) / "catalog.db", INSTANCES)
        measure(Path(folder))


def measure(home: Path) -> None:
    """Prints a line for each pair."""
    ways = [
        _way(home, LANDFORM, "--help"),
        _way(home, LANDFORM, "service", "list"),
        _way(home, sys.executable, "-c", "pass"),
        _way(home, TERRAFORM, "version"),
    ]
    in_turns(ways, 1)
    page, listed, bare, terraform = in_turns(ways, ROUNDS)
    print(line("start-help-python-pass", page, bare))
    print(line("start-help-terraform-version", page, terraform))
    print(line("start-list-python-pass", listed, bare))
    print(line("start-list-terraform-version", listed, terraform))


def _way(home: Path, *argv: str) -> Callable[[], object]:
    return partial(command, argv, home, LANDFORM_HOME=str(home))


if __name__ == "__main__":
    main()
