"""Waits with runs that cannot be carried out here yet, or that somebody else carries out: in line, or elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.cli import signals
from engine.core.runs import Status, is_terminal
from engine.errors import ExternalFailure

if TYPE_CHECKING:
    from engine.app import App
    from engine.catalog.bells import Bell
    from engine.catalog.reads import Row
    from engine.cli.common import Session
    from engine.core.scheduling import Snapshot

_LOOK_EVERY_S = 1.0
_OUTAGE_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Between two attempts to reach a catalog that cannot be; the last one again and again."""
_AT_REST = (Status.PLANNED, Status.PROPOSED, Status.INTERRUPTED)


class Deadline:
    """When somebody does not want to wait any longer."""

    def __init__(self, timeout_s: float | None) -> None:
        self._end = None if timeout_s is None else time.monotonic() + timeout_s

    def left_s(self) -> float | None:
        """Seconds that are left, 0 when it is over; None when there is no end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.left_s() == 0


@dataclass(frozen=True)
class News:
    """How the runs are that were waited with."""

    runs: list[Row]
    """Those that have ended or come to rest, and those whose turn it is; of all, when the time was up."""
    ready: frozenset[int] = frozenset()
    """Those whose turn it is."""


@dataclass
class Turns:
    """Follows runs of one command line."""

    session: Session
    app: App
    deadline: Deadline
    _said: set[str] = field(default_factory=set)

    def unsettled(self, runs: Sequence[Row]) -> list[Row]:
        """Those of the runs that will go on without anybody doing anything about it, as far as can be told now."""
        moving = [run for run in runs if _moves(run)]
        if not moving:
            return []
        try:
            snapshot = self._line()
            going = [run for run in moving if self._goes_on(snapshot, run)]
        except ExternalFailure:
            # news() waits for the catalog
            return moving
        for run in moving:
            if run not in going:
                self._say_why(snapshot, run)
        return going

    def news(self, runs: Sequence[Row]) -> News:
        """What becomes of these runs; returns when it is one's turn, when all have come to rest, or when time is up.

        A catalog that cannot be reached is waited for. Ctrl-C leaves them to others, with exit code 130.
        """
        ids = [run["id"] for run in runs]
        bell: Bell | None = None
        outages = 0
        with signals.detachable(self.session, ids), ExitStack() as stack:
            while True:
                found = None
                try:
                    bell = bell or stack.enter_context(self.app.catalog.listen())
                    self.app.reaper.reap()
                    found = self._look(ids)
                    outages = 0
                except ExternalFailure as error:
                    outages += 1
                    self._say_once(f"{error.message} Trying again.")
                if found is not None or self.deadline.is_over:
                    return found or News([])
                self._pause(bell, outages)

    def _look(self, ids: Sequence[int]) -> News | None:
        rows = [self.session.reads().run(run_id) for run_id in ids]
        snapshot = self._line()
        ready = frozenset(row["id"] for row in rows if _moves(row) and not self.app.executor.obstacles(row["id"]))
        going = [row for row in rows if _moves(row) and self._goes_on(snapshot, row)]
        if ready or not going or self.deadline.is_over:
            return News(rows, ready)
        for row in going:
            self._say_why(snapshot, row)
        return None

    def _goes_on(self, snapshot: Snapshot, run: Row) -> bool:
        from engine.core import turns

        own = self.app.executor.obstacles(run["id"])
        return turns.stuck(snapshot, run["id"]) is None and not turns.is_hopeless(snapshot, run["id"], own)

    def _line(self) -> Snapshot:
        with self.app.catalog.read() as tx:
            return tx.whole_line(self.app.settings.max_runs)

    def _pause(self, bell: Bell | None, outages: int) -> None:
        seconds = _OUTAGE_S[min(outages, len(_OUTAGE_S)) - 1] if outages else _LOOK_EVERY_S
        left_s = self.deadline.left_s()
        wait = bell.wait if bell else threading.Event().wait
        wait(seconds if left_s is None else min(seconds, left_s))

    def _say_why(self, snapshot: Snapshot, run: Row) -> None:
        from engine.core import turns

        self._say_once(f"{run['address'].partition('/')[2]}: {turns.waits_for(snapshot, run['id'])}")

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self.session.say(text)


def _moves(run: Row) -> bool:
    status = Status(run["status"])
    return not is_terminal(status) and status not in _AT_REST
