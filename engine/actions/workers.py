"""Intentions of people about workers, and their questions about whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.actions.desk import Desk
from engine.core import explanations
from engine.core.explanations import Explanation

if TYPE_CHECKING:
    from engine.catalog.worker_tables import Worker


def drain(desk: Desk, worker_id: int) -> Worker:
    """Has a worker finish what it has and take nothing new; then it ends. Raises NotFound, Conflict when it is gone."""
    with desk.catalog.write() as tx:
        return tx.drain_worker(worker_id)


def explain(desk: Desk, run_id: int) -> Explanation:
    """Why a run waits, and whether any worker could ever take it. Raises NotFound."""
    with desk.catalog.read() as tx:
        return explanations.explanation(tx.whole_line(desk.settings.max_runs), run_id, tx.run(run_id).address)
