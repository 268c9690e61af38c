"""A transaction of the catalog: its methods are facts of the domain, split by noun."""

from __future__ import annotations

from engine.catalog.approvals import Approvals
from engine.catalog.blobs import Blobs
from engine.catalog.campaigns import Campaigns
from engine.catalog.drift import Drifts
from engine.catalog.fleet import Fleet
from engine.catalog.letters import Letters
from engine.catalog.lifetimes import Lifetimes
from engine.catalog.line import Line
from engine.catalog.logs import Logs
from engine.catalog.records import Row
from engine.catalog.related import Relations
from engine.catalog.requests import Requests
from engine.catalog.services import Services
from engine.catalog.states import States
from engine.catalog.tables import Instance
from engine.catalog.versions import Versions
from engine.catalog.workers import Workers
from engine.catalog.wrapped import WrappedKeys


class Tx(
    Versions,
    Services,
    Relations,
    Approvals,
    Requests,
    States,
    Blobs,
    Logs,
    Workers,
    Line,
    Fleet,
    Drifts,
    Lifetimes,
    Campaigns,
    Letters,
    WrappedKeys,
):
    """What is known, and what becomes known, between `with catalog.read() as tx` and its end."""

    def save(self, row: Row) -> Row:
        """The row, with what was assigned to it written; JSON columns must have been replaced, not changed in place."""
        if isinstance(row, Instance):
            row.updated_at = self._now()
        self._session.add(row)
        self._session.flush()
        return row
