"""Prints one line a measurement: python -m tests.bench [catalog] [runs] [start]; all of them when none is named."""

from __future__ import annotations

import sys

from tests.bench import bench_catalog, bench_runs, bench_start

BENCHES = {"start": bench_start.main, "catalog": bench_catalog.main, "runs": bench_runs.main}


def main(names: list[str]) -> None:
    """Takes the measurements that are named."""
    unknown = sorted(set(names) - BENCHES.keys())
    if unknown:
        raise SystemExit(f"There is no bench {', '.join(unknown)}: only {', '.join(BENCHES)}.")
    for name in names or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
