"""Live progress of runs on stderr: a table that updates itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from engine.cli import live
from engine.cli.common import Session
from engine.core.plans import Action
from engine.terraform import events

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

    from engine.catalog.reads import Row

_OF_LOCK_FILES = "Incomplete lock file information"
"""How a warning begins that every init with a mirror prints, and that asks for what people of Landform cannot do."""


@dataclass
class _Line:
    """How far one run is."""

    address: str
    phase: str = "queued"
    planned: int = 0
    done: int = 0
    current: str = ""


class Progress:
    """Shows what Terraform reports, run by run, while it is used as a context."""

    def __init__(self, session: Session, runs: Sequence[Row]) -> None:
        self._session = session
        self._lines = {run["id"]: _line(run) for run in runs}
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        self._live = live.started(self._session, self._table)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def watch(self, run_id: int) -> Callable[[str, events.Event | None], None]:
        """What the run's execution calls: with its phase when that begins, and with every event of Terraform's."""
        line = self._lines[run_id]

        def on(phase: str, event: events.Event | None) -> None:
            with self._lock:
                text = _advance(line, phase, event)
            if text and self._live is None:
                self._session.say(f"{line.address}: {text}")

        return on

    def ended(self, run: Row) -> None:
        """The run is over, or waits."""
        with self._lock:
            line = self._lines[run["id"]]
            line.phase, line.current = run["status"], run["message"].partition("\n")[0]

    def _table(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 3))
        with self._lock:
            for line in self._lines.values():
                count = f"{line.done}/{line.planned}" if line.planned else ""
                table.add_row(*(Text(cell) for cell in (line.address, line.phase, count, line.current)))
        return table


def _line(run: Row) -> _Line:
    planned = sum((run["changes"] or {}).values())
    return _Line(run["address"].partition("/")[2], run["status"], planned)


def _advance(line: _Line, phase: str, event: events.Event | None) -> str:
    """Moves the line on; what to print of it where nothing updates itself, "" for nothing."""
    if event is None:
        line.phase, line.current = phase, ""
        return phase
    if isinstance(event, events.PlannedChange) and phase == "plan":
        # a replacement is told as a delete and a create
        line.planned += 2 if event.change.action is Action.REPLACE else 1
        return event.text
    if isinstance(event, events.ApplyStart):
        line.current = event.text
        return event.text
    if isinstance(event, events.ApplyComplete | events.ApplyErrored):
        line.done += 1
        line.current = event.text
        return event.text
    if isinstance(event, events.Diagnostic):
        return "" if event.summary.startswith(_OF_LOCK_FILES) else f"{event.severity}: {event.summary}"
    if isinstance(event, events.Message) and event.kind == events.RETRY:
        line.planned, line.current = 0, event.text
        return event.text
    return ""
