"""What a worker holds in memory while it carries out 50 runs at once, on PostgreSQL with a simulated Terraform.

RSS counts what processes share in each of them, PSS only once. `guards` are the small shells beside each Terraform.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import processes
from tests.bench.crowd import crowd, until

RUNS = 50
_PLAN_S = 5.0


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder, crowd(Path(folder), RUNS) as made:
        made.take_s(_PLAN_S)
        with made.workers(1, slots=RUNS) as [worker]:
            pid = worker.process.pid
            _print("idle", 0, [pid])
            ids = made.submit(made.names)
            until(lambda: len(processes.below(pid)) >= RUNS and made.executed() == RUNS)
            until(lambda: _terraforms(pid) >= RUNS)
            guards = [child for child in processes.below(pid) if processes.is_guard(child)]
            _print("worker", RUNS, [pid])
            _print("guards", RUNS, guards)
            made.done(ids)


def _terraforms(pid: int) -> int:
    """How many programs sleep: each simulated Terraform that has begun, and no guard."""
    return sum(not processes.is_guard(child) for child in processes.below(pid)) // 2


def _print(what: str, runs: int, pids: list[int]) -> None:
    rss, pss = processes.memory_mb(pids)
    print(f"bench memory-{what} runs={runs} processes={len(pids)} rss_mb={rss:.0f} pss_mb={pss:.0f}")


if __name__ == "__main__":
    main()
