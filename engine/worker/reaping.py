"""Tells the truth about workers that are gone, and only when it is proven: whose process and Terraform have ended on
this machine, or whose lease is over by the catalog's clock.

A worker is given up first, in the transaction that moves its runs: what it does afterwards counts for nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core import address, workers
from engine.core.runs import Status
from engine.errors import Conflict
from engine.external import alive
from engine.worker.journal import path, recorded_process
from engine.worker.losing import lose
from engine.worker.terms import lease_file

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.catalog.worker_tables import Worker

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Suspect:
    """A worker that may be gone, with what it works on."""

    identity: Mapping[str, Any]
    runs: Sequence[Run]
    worker: Worker | None = None
    """None for one that is not registered, or that said goodbye."""
    is_expired: bool = False
    """Whether its lease is over, and what others wait beyond that."""
    has_ended: bool = False
    """Whether it said goodbye."""


@dataclass(frozen=True)
class Reaper:
    """Looks after what the workers of one catalog leave behind when they go without a word."""

    catalog: Catalog
    home: Path
    """Where runs of this machine are looked up whose worker did not say where it keeps them."""
    then: Callable[[], None] = lambda: None
    """Called after each look, for what can be done about interrupted runs without a person."""

    def reap(self, steady_s: float = 0) -> list[Run]:
        """The runs that were taken from workers that are gone: a lost plan is queued again, a lost apply interrupted.

        `steady_s` is for how long the caller's own lease has been renewed without a break; only somebody who has seen
        the catalog work for long enough judges workers whose end cannot be seen from here. Ends the Terraform of a
        worker of this machine whose lease is over, which may take some seconds. Raises LandformError.
        """
        with self.catalog.read() as tx:
            suspects = _suspects(tx)
        lost = [run for suspect in suspects for run in self._reap_one(suspect, steady_s)]
        self.then()
        return lost

    def _reap_one(self, suspect: _Suspect, steady_s: float) -> list[Run]:
        why = self._why_gone(suspect, steady_s)
        if not why:
            return []
        lost = _taken_from(self.catalog, suspect, why)
        if suspect.worker is not None:
            lease_file(self._home_of(suspect) / "tmp", suspect.worker.id).unlink(missing_ok=True)
        return lost

    def _why_gone(self, suspect: _Suspect, steady_s: float) -> str:
        """What is known of a worker that is gone, as the beginning of a sentence; "" unless that is proven."""
        is_alive = False if suspect.has_ended else alive.is_alive(suspect.identity)
        if is_alive is False:
            is_over = self._is_over(suspect, patience_s=0 if suspect.is_expired else None)
            return f"process {suspect.identity.get('pid')} died" if is_over else ""
        if suspect.worker is None or not suspect.is_expired:
            return ""
        lease = timedelta(seconds=suspect.worker.lease_s)
        if not workers.may_judge(timedelta(seconds=steady_s), lease):
            return ""
        # its guards have had their time: one that is suspended with them cannot ask its Terraform to stop
        if is_alive and not self._is_over(suspect, patience_s=0):
            return ""
        return f"worker {suspect.worker.id} on host {suspect.identity.get('host')} was not heard of any more"

    def _is_over(self, suspect: _Suspect, patience_s: float | None) -> bool:
        """Whether nothing of what the worker started runs any more, as far as that can be seen from here.

        What does is ended when it has not gone within `patience_s`; None leaves it to its guard.
        """
        home = self._home_of(suspect)
        folders = [path(home, address.parse(run.address), run.id or 0).parent for run in suspect.runs]
        started = [who for who in map(recorded_process, folders) if who is not None]
        if patience_s is None:
            return not any(alive.remains(who) for who in started)
        left = [alive.outlast(who, patience_s) for who in started]
        return not any(left)

    def _home_of(self, suspect: _Suspect) -> Path:
        return Path(suspect.identity.get("home") or self.home)


def _suspects(tx: Tx) -> list[_Suspect]:
    """Everybody who is said to work, with what they work on."""
    executing = tx.executing()
    living = {worker.id: worker for worker in tx.living_workers()}
    registered = [
        _Suspect(
            worker.identity,
            [run for run in executing if run.worker_id == worker.id],
            worker,
            tx.is_worker_expired(worker),
        )
        for worker in living.values()
    ]
    others = [run for run in executing if run.worker_id not in living]
    return registered + [_Suspect(run.executor or {}, [run], has_ended=run.worker_id is not None) for run in others]


def _taken_from(catalog: Catalog, suspect: _Suspect, why: str) -> list[Run]:
    worker = suspect.worker
    with catalog.write() as tx:
        if worker is None:
            runs = [run for seen in suspect.runs if (run := _unchanged(tx, seen)) is not None]
        else:
            assert worker.id is not None
            if not tx.give_up_worker(worker.id, worker.beat_at):
                # it has been heard of, or somebody else was faster
                return []
            runs = tx.runs_of_worker(worker.id)
        lost = [lose(tx, run, f"{why} while {_DOING[Status(run.status)]}.") for run in runs]
    logger.info("a worker is gone: %s", why, extra={"worker": worker.id if worker else None, "runs": len(lost)})
    return lost


def _unchanged(tx: Tx, seen: Run) -> Run | None:
    """The run as it is now, when it is still worked on as it was seen; None when it has moved on."""
    assert seen.id is not None
    try:
        return tx.note(seen.id, fence=seen.fence)
    except Conflict:
        return None


_DOING = {Status.PLANNING: "planning", Status.APPLYING: "applying"}
