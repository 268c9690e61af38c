"""The only place that takes what journals write to a catalog that machines share, while they write it.

A journal's file is the source, and the catalog says how much of it is there already: after a crash, or an outage of the
database, shipping goes on where it stopped. What was not shipped is lost only with the machine.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Conflict, LandformError

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog

logger = logging.getLogger(__name__)
Ship = Callable[[int, int, Path], AbstractContextManager[None]]
"""Run, fence of its claim and folder -> while it is entered, what the files of the folder get goes to the catalog."""
CHUNK_BYTES = 1 << 16
_EVERY_S = 0.5
_LONGEST_PAUSE_S = 5.0
"""Between two tries while the database cannot be reached."""
_PATIENCE_S = 10.0
"""How long the end of a phase waits for the rest of its log."""


def nothing(_run_id: int, _fence: int, _folder: Path) -> AbstractContextManager[None]:
    """For a catalog that only this machine sees: who reads a log there reads the file."""
    return nullcontext()


class Shipping:
    """Ships the logs of every run of this process, in one thread, which is there while there is something to ship."""

    def __init__(
        self, catalog: Catalog, kinds: dict[str, str], every_s: float = _EVERY_S, patience_s: float = _PATIENCE_S
    ) -> None:
        """`kinds`: kind of log -> name of its file in a run's folder."""
        self._catalog = catalog
        self._kinds = kinds
        self._every_s = every_s
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._open: list[_Shipment] = []
        self._thread: threading.Thread | None = None
        self._failures = 0

    @contextmanager
    def of(self, run_id: int, fence: int, folder: Path) -> Iterator[None]:
        """What the run's files get meanwhile is in the catalog at the end, if the run is still the worker's then.

        An outage holds up nothing: what could not be shipped in time is shipped later.
        """
        shipment = _Shipment(run_id, fence, {kind: _File(folder / name) for kind, name in self._kinds.items()})
        with self._changed:
            self._open.append(shipment)
            self._begin()
        try:
            yield
        finally:
            with self._changed:
                shipment.is_closed = True
                self._changed.notify_all()
                is_done = self._changed.wait_for(lambda: shipment not in self._open, self._patience_s)
            if not is_done:
                atexit.register(self.close)
                logger.warning("the log of a run is on this machine only until the catalog can be written again")

    def close(self) -> None:
        """Waits a moment for what could not be shipped yet."""
        with self._changed:
            self._changed.notify_all()
            self._changed.wait_for(lambda: not any(each.is_closed for each in self._open), self._patience_s)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="shipping", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        try:
            while self._thread:
                self._once()
        finally:
            # whoever comes next begins anew, also after an error that nobody foresaw
            with self._changed:
                self._thread = None if self._thread is threading.current_thread() else self._thread

    def _once(self) -> None:
        """Ships what there is now."""
        with self._changed:
            if self._failures:
                self._changed.wait(min(self._every_s * 2.0**self._failures, _LONGEST_PAUSE_S))
            else:
                self._changed.wait_for(lambda: any(each.is_closed for each in self._open), self._every_s)
            # asked before it is shipped: what was written until then must not be missed
            shipments = {shipment: shipment.is_closed for shipment in self._open}
        came_to = {shipment: self._ship(shipment) for shipment in shipments}
        with self._changed:
            self._failures = self._failures + 1 if _CameTo.NOTHING_YET in came_to.values() else 0
            for shipment, is_closed in shipments.items():
                if came_to[shipment] is _CameTo.AN_END or (is_closed and came_to[shipment] is _CameTo.BE_THERE):
                    self._open.remove(shipment)
            self._thread = self._thread if self._open else None
            self._changed.notify_all()

    def _ship(self, shipment: _Shipment) -> _CameTo:
        about = {"run": shipment.run_id}
        try:
            shipment.ship(self._catalog)
        except Conflict:
            logger.info("the log of a run goes no further: its worker was given up", extra=about)
            return _CameTo.AN_END
        except OSError as error:
            logger.warning("the log of a run cannot be read: %s", error.strerror, extra=about)
            return _CameTo.AN_END
        except LandformError as error:
            if not self._failures:
                logger.warning("logs cannot be shipped for now: %s", error.message, extra=about)
            return _CameTo.NOTHING_YET
        return _CameTo.BE_THERE


class _CameTo(Enum):
    """What shipping a log came to."""

    BE_THERE = auto()
    """All of it is in the catalog, for now."""
    NOTHING_YET = auto()
    """It has to be tried again."""
    AN_END = auto()
    """No more of it will ever be shipped."""


class _Shipment:
    """The logs of one run, as long as one claim of it lasts."""

    def __init__(self, run_id: int, fence: int, files: dict[str, _File]) -> None:
        self.run_id = run_id
        self._fence = fence
        self._files = files
        self.is_closed = False
        """Nothing more will be written."""
        self._is_placed = False

    def ship(self, catalog: Catalog) -> None:
        """Everything that was written until now is in the catalog. Raises Conflict when the run was taken away."""
        if not self._is_placed and any(file.has_more() for file in self._files.values()):
            self._place(catalog)
        for kind, file in self._files.items():
            while self._is_placed and file.has_more():
                self._send(catalog, kind, file)

    def _place(self, catalog: Catalog) -> None:
        with catalog.read() as tx:
            for kind, file in self._files.items():
                file.place(*tx.last_log(self.run_id, kind))
        self._is_placed = True

    def _send(self, catalog: Catalog, kind: str, file: _File) -> None:
        start, content = file.chunk()
        if not content:
            return
        with catalog.quick() as tx:
            is_added = tx.add_log(self.run_id, kind, start, content, fence=self._fence)
        if is_added:
            file.sent(start + len(content))
            return
        # an answer got lost: what it was about has been added
        with catalog.read() as tx:
            file.sent(tx.log_size(self.run_id, kind))


class _File:
    """A file that only grows, and where it stands in the whole log of its run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size_before = self._size()
        self._base = 0
        """The whole log's offset of the file's first byte; others may have written to the log before and since."""
        self._sent = 0
        """The whole log's offset of the first byte that is to be sent."""

    def has_more(self) -> bool:
        """Whether there may be something to send."""
        return self._size() > self._sent - self._base

    def place(self, start: int, last: bytes) -> None:
        """Finds out where the file stands in a log whose last chunk is `last`, beginning at `start`.

        Either the log was made from this file, and goes on in it; or others have written to it, on another machine,
        and only what this file gets from now on belongs behind that.
        """
        self._sent = start + len(last)
        is_ours = self._sent <= self._size_before and self._read(start, len(last)) == last
        self._base = 0 if is_ours else self._sent - self._size_before

    def chunk(self) -> tuple[int, bytes]:
        """What is to be sent next, and its place in the whole log."""
        return self._sent, self._read(self._sent - self._base, CHUNK_BYTES)

    def sent(self, end: int) -> None:
        """The log is in the catalog up to that offset."""
        self._sent = end

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _read(self, offset: int, most: int) -> bytes:
        if offset >= self._size():
            return b""
        with self._path.open("rb") as file:
            file.seek(offset)
            return file.read(most)
