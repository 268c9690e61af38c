"""One environment and 200 services in it: by Landform in one process, by one of its workers, and by the best script.

The process creates and executes all, its start included. For the worker, one process makes the environment and records
the services, and then `landform worker run --once` carries them out; both starts are included. `engine-cpu` is what the
process itself takes for each run, in CPU milliseconds, beside what Terraform takes; half a second of start comes to it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench.bench_runs import Contestants
from tests.bench.fleet import ready
from tests.bench.pairs import in_turns, line

ROUNDS = 5
SERVICES = 200


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        fleet = Contestants(ready(Path(folder)), SERVICES)
        process, worker, best = in_turns((fleet.process, fleet.worker, fleet.best), ROUNDS)
        print(line("fleet-process-best-script", process, best))
        print(line("fleet-worker-best-script", worker, best))
        print(line("fleet-engine-cpu-per-run", fleet.per_run("own"), fleet.per_run("terraform")))


if __name__ == "__main__":
    main()
