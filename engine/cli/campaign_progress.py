"""How a campaign goes, on stderr: a table that updates itself on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from engine.cli import live
from engine.cli.common import Session
from engine.core.campaigns import NOT_DONE, UNDER_WAY, UNFINISHED, StepStatus

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from engine.catalog.reads import Row
    from engine.terraform.events import Event

_MOST_STEPS = 12


class Progress:
    """Shows one campaign while it is used as a context."""

    def __init__(self, session: Session, row: Row) -> None:
        self._session = session
        self._row = row
        self._said: dict[int, str] = {step["id"]: step["status"] for step in row["steps"]}
        self._message = ""
        self._phases: dict[int, str] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        self._live = live.started(self._session, self._table)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.look()
        if self._live is not None:
            self._live.stop()

    def watch(self, run_id: int) -> Callable[[str, Event | None], None]:
        """What a run's execution calls with its phase."""

        def on(phase: str, event: Event | None) -> None:
            if event is None:
                with self._lock:
                    self._phases[run_id] = phase

        return on

    def look(self) -> None:
        """Reads how the campaign is now, and says what is new."""
        row = self._session.reads().campaign_standing(self._row["id"])
        with self._lock:
            self._row = row
            news = [step for step in row["steps"] if self._said.get(step["id"]) != step["status"]]
            self._said |= {step["id"]: step["status"] for step in news}
        if self._live is not None:
            return
        for step in news:
            if step["status"] not in UNFINISHED:
                message = f": {step['message']}" if step["message"] else ""
                done = f"{row['steps_done']} of {row['steps_in_all']}"
                self._session.say(f"{step['address'].partition('/')[2]}: {step['status']}{message} ({done})")
        if row["message"] and row["message"] != self._message:
            self._session.say(row["message"])
        self._message = row["message"]

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 3))
        with self._lock:
            row, phases = self._row, dict(self._phases)
        for wave in sorted({step["wave"] for step in row["steps"]}):
            steps = [step for step in row["steps"] if step["wave"] == wave]
            table.add_row(Text(f"wave {wave}"), Text(counts(steps)))
        under_way = [step for step in row["steps"] if step["status"] in UNDER_WAY]
        for step in under_way[:_MOST_STEPS]:
            phase = phases.get(step["run_id"], "") if step["status"] == StepStatus.RUNNING else step["status"]
            table.add_row(Text(f"  {step['address'].partition('/')[2]}"), Text(phase))
        if row["message"]:
            table.add_row(Text(""), Text(row["message"]))
        return table


def counts(steps: Sequence[Row]) -> str:
    """How far the steps of a wave are: `12 of 20 done, 1 failed`."""
    by_status = Counter(step["status"] for step in steps)
    done = sum(count for status, count in by_status.items() if status not in NOT_DONE)
    failed = f", {by_status[StepStatus.FAILED]} failed" if by_status[StepStatus.FAILED] else ""
    return f"{done} of {len(steps)} done{failed}"
