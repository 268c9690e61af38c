"""Workers on PostgreSQL with a simulated Terraform: how soon a run begins, and how many are done in a second.

Latency is that of single runs for workers that wait: from the commit that records one until a worker has claimed it,
and until its Terraform has started. Runs in a second are those of a queue that is there at once, 24 runs a worker.
`linear` is the rate beside that of one worker, for each worker; `busy` says how many cores worked; then come the CPU
milliseconds a run of the workers themselves, of what they started (Terraform and its guard), and of the database.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median, quantiles

from tests.bench import processes
from tests.bench.crowd import Crowd, Worker, crowd
from tests.postgres import connected

WORKERS = (1, 2, 4, 8)
RUNS = 24
"""Of each worker."""
SHOTS = 40
CASES = ((0.05, 1), (2.5, 8))
"""Seconds that a plan takes, and an apply; slots of each worker."""
_REST_S = 0.2
_HEAD = "bench dispatch terraform_s slots workers runs runs/s linear busy worker_ms terraform_ms database_ms"


@dataclass(frozen=True)
class Rate:
    """How fast some runs were done, and at what cost."""

    runs: int
    took_s: float
    cpu_s: tuple[float, ...]
    """Of the workers, of what they started, of the database."""

    @property
    def runs_per_s(self) -> float:
        """Runs in a second."""
        return self.runs / self.took_s

    def shown(self, linear: float) -> str:
        """The last columns of a line."""
        costs = " ".join(f"{each * 1000 / self.runs:.1f}" for each in self.cpu_s)
        return f"{self.runs_per_s:.2f} {linear:.2f} {sum(self.cpu_s) / self.took_s:.2f} {costs}"


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder, crowd(Path(folder), RUNS * max(WORKERS)) as made:
        for count in (min(WORKERS), max(WORKERS)):
            latency(made, count)
        print(_HEAD)
        for seconds, slots in CASES:
            made.take_s(seconds)
            rates = {count: throughput(made, count, slots) for count in WORKERS}
            alone = rates[WORKERS[0]].runs_per_s
            for count, rate in rates.items():
                linear = rate.runs_per_s / alone / count
                print(f"bench dispatch {2 * seconds:g} {slots} {count} {rate.runs} {rate.shown(linear)}")


def latency(made: Crowd, count: int) -> None:
    """Prints how soon a run begins while nothing else is done."""
    made.take_s(0)
    with made.workers(count, slots=1) as crew:
        shots = [_shot(made, crew, name) for name in made.names[: SHOTS + 1]][1:]
    for what, times in zip(("claim", "terraform"), zip(*shots, strict=True), strict=True):
        p95 = quantiles(times, n=20)[-1]
        print(f"bench dispatch-{what}-ms workers={count} median={median(times):.0f} p95={p95:.0f} n={len(times)}")


def _shot(made: Crowd, crew: list[Worker], name: str) -> tuple[float, float]:
    [run_id] = made.submit([name])
    committed = time.time()
    made.done([run_id])
    # as long as anybody may still be busy with it, the next one would wait
    time.sleep(_REST_S)
    return _ms(committed, _claimed_at(crew, run_id)), _ms(committed, made.started_at(name))


def _claimed_at(crew: list[Worker], run_id: int) -> float:
    said = (line for worker in crew for line in worker.said())
    begun = (line for line in said if line.get("run") == str(run_id) and line["message"].startswith("a run begins"))
    return datetime.fromisoformat(next(begun)["time"]).timestamp()


def _ms(start: float, end: float) -> float:
    return (end - start) * 1000


def throughput(made: Crowd, count: int, slots: int) -> Rate:
    """How fast that many workers do a queue that is there at once."""
    names = made.names[: RUNS * count]
    with made.workers(count, slots) as crew:
        before = _cpu_s(made, crew)
        start = time.time()
        took_s = made.done(made.submit(names)) - start
        after = _cpu_s(made, crew)
    return Rate(len(names), took_s, tuple(now - then for now, then in zip(after, before, strict=True)))


def _cpu_s(made: Crowd, crew: list[Worker]) -> tuple[float, float, float]:
    """CPU seconds until now: of the workers, of what they started, of the database."""
    workers = [processes.cpu_s(worker.process.pid) for worker in crew]
    with connected(made.fleet.more["LANDFORM_CATALOG"]) as connection:
        pids = [pid for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    database = sum(sum(processes.cpu_s(pid)) for pid in pids)
    return sum(own for own, _ in workers), sum(children for _, children in workers), database


if __name__ == "__main__":
    main()
