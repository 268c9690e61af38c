"""Prints one line a measurement, in a table where that is easier to read: python -m tests.bench [NAME ...]

Without a name, all of them.
"""

from __future__ import annotations

import sys

from tests.bench import (
    bench_catalog,
    bench_dispatch,
    bench_fleet,
    bench_memory,
    bench_preview,
    bench_redaction,
    bench_runs,
    bench_start,
)

BENCHES = {
    "start": bench_start.main,
    "catalog": bench_catalog.main,
    "redaction": bench_redaction.main,
    "runs": bench_runs.main,
    "fleet": bench_fleet.main,
    "dispatch": bench_dispatch.main,
    "memory": bench_memory.main,
    "preview": bench_preview.main,
}


def main(names: list[str]) -> None:
    """Takes the measurements that are named."""
    unknown = sorted(set(names) - BENCHES.keys())
    if unknown:
        raise SystemExit(f"There is no bench {', '.join(unknown)}: only {', '.join(BENCHES)}.")
    for name in names or BENCHES:
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
