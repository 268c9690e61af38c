"""Carries out one run, and kills at one moment of it: the worker, Terraform, both, or all that the worker has started.

A program of its own: `python worker.py HOME RUN POINT VICTIM`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from engine import app, settings
from engine.core import address
from engine.worker.following import watch_nothing
from engine.worker.journal import path, recorded_process
from engine.worker.triggers import Point


def main(home: str, run_id: str, point: str, victim: str) -> None:
    """Carries the run out for as long as nobody is killed."""
    chosen = settings.load(home=home)

    def trigger(now: Point) -> None:
        if now is Point(point):
            kill(victim, terraform)

    opened = app.build(chosen, trigger)
    with opened.catalog.read() as tx:
        where = address.parse(tx.run(int(run_id)).address)
    terraform = path(chosen.home, where, int(run_id)).parent
    opened.executor.execute(int(run_id), app.stop(), watch_nothing)
    opened.close()


def kill(victim: str, folder: Path) -> None:
    """Kills; returns only when the worker is to go on."""
    if victim == "all":
        # nobody may react to the death of another: that is what a power cut is like
        if who := recorded_process(folder):
            # first of all: it works on while we look for the others
            send(-int(who["pid"]), signal.SIGSTOP)
        stopped: set[int] = set()
        # what one of them had started just before it was stopped is found by the next look
        while found := set(descendants(os.getpid())) - stopped:
            for pid in found:
                send(pid, signal.SIGSTOP)
            stopped |= found
        for pid in stopped:
            send(pid, signal.SIGKILL)
    if victim in ("terraform", "both"):
        who = recorded_process(folder)
        assert who is not None
        send(int(who["pid"]), signal.SIGKILL)
    if victim != "terraform":
        os.kill(os.getpid(), signal.SIGKILL)


def descendants(pid: int) -> Iterator[int]:
    """The processes that the process has started, and those that they have."""
    # a thread or a process may have ended meanwhile
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield int(child)
                    yield from descendants(int(child))


def send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
