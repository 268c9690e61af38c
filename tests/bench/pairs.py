"""How a measurement is taken and printed: in turns, A B A B ..., so that a machine that slows down slows both.

One line a measurement: `bench <name> ratio=<x> ours=<ms> theirs=<ms> n=<runs>`.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parents[2]
_STRAY = ("LANDFORM_", "TF_", "PYTHONDONTWRITEBYTECODE")


def environment(**more: str) -> dict[str, str]:
    """The environment of everything that is measured: ours, without what would change what is measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_STRAY)}
    return {**kept, "CHECKPOINT_DISABLE": "1", **more}


def command(argv: Sequence[str], cwd: Path, **more: str) -> str:
    """What a program printed. It must end well."""
    done = subprocess.run(argv, cwd=cwd, env=environment(**more), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def in_turns(contestants: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """For each contestant, the milliseconds that it took in each round."""
    taken = [[timed(contestant) for contestant in contestants] for _ in range(rounds)]
    return [list(times) for times in zip(*taken, strict=True)]


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that `act` took."""
    start = perf_counter()
    act()
    return (perf_counter() - start) * 1000


def line(name: str, ours: Sequence[float], theirs: Sequence[float]) -> str:
    """One measurement: the median of the pairs' ratios, and the medians of both sides."""
    ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return f"bench {name} ratio={ratio:.2f} ours={median(ours):.2f} theirs={median(theirs):.2f} n={len(ours)}"
