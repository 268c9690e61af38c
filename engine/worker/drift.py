"""Looks whether something was changed outside of Landform: read-only, beside whatever goes on with an instance."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from engine.core import drift
from engine.core.drift import Finding, Standing
from engine.core.drift_turns import Watched, due
from engine.core.plans import Summary
from engine.errors import Cancelled, ExternalFailure, LandformError
from engine.external.process import Stop
from engine.worker import speculation
from engine.worker.following import watch_nothing
from engine.worker.work import wanted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.runs import Status
    from engine.worker.ground import Ground
    from engine.worker.work import Work

logger = logging.getLogger(__name__)
_NO_TIME = "There was no time left for it."
_NOT_TOLD = "Terraform said more than could be read."


@dataclass(frozen=True)
class Checked:
    """What one check came to."""

    address: str
    standing: Standing
    message: str = ""
    """Why it was skipped or has failed."""


@dataclass(frozen=True)
class _Look:
    """A check under way, and what must not have changed at its end."""

    instance_id: int
    work: Work
    began: datetime
    before: datetime | None
    """When somebody had last begun to look."""
    applied: Mapping[int, Status]
    """The runs that had begun to apply by then."""


Plan = Callable[["Work", Stop, bool], Summary]
"""What a plan of the work comes to, with True of one that only refreshes. Raises as speculation.planned()."""


def plan_in(ground: Ground) -> Plan:
    """Plans with the tools of one home, on copies."""

    def plan(work: Work, stop: Stop, refresh_only: bool) -> Summary:
        return speculation.planned(ground, work, stop, watch_nothing, refresh_only=refresh_only).summary

    return plan


@dataclass(frozen=True)
class Checks:
    """Drift checks of one catalog; safe to use from several threads."""

    catalog: Catalog
    plan: Plan

    def many(
        self, wished: Iterable[Watched], parallel: int, stop: Stop, tell: Callable[[Checked], object]
    ) -> list[Checked]:
        """Checks all of them side by side, in this order, and tells of each. What there is no time for is skipped."""

        def one(found: Watched) -> Checked:
            checked = self.one(found, stop)
            tell(checked)
            return checked

        with ThreadPoolExecutor(parallel, thread_name_prefix="drift") as pool:
            return list(pool.map(one, wished))

    def one(self, wished: Watched, stop: Stop, *, only_if_due: bool = False) -> Checked:
        """Checks an instance, unless a run has it; what was found is kept, unless it was deployed meanwhile.

        With `only_if_due` it is skipped where somebody else has just taken it. Raises LandformError when the catalog
        cannot be reached.
        """
        skipped = partial(Checked, wished.address, Standing.SKIPPED)
        if stop.requested:
            return skipped(_NO_TIME)
        found = self._begun(wished.instance_id, only_if_due=only_if_due)
        if isinstance(found, str):
            return skipped(found)
        try:
            finding = self._found(found, stop)
        except Cancelled:
            self._given_back(found)
            return skipped(_NO_TIME)
        except LandformError as error:
            return self._kept(found, error.message)
        return self._kept(found, finding)

    def _begun(self, instance_id: int, *, only_if_due: bool) -> _Look | str:
        """The check, ours from now on; a sentence when it cannot be made now."""
        with self.catalog.write() as tx:
            watched = tx.watched_one(instance_id)
            if watched is None:
                return "It has been deleted."
            if watched.obstacle:
                return watched.obstacle
            if only_if_due and not watched.is_due(tx.now()):
                return "Somebody else looks at it."
            instance = tx.instance_by_id(instance_id)
            before = instance.drift_checked_at
            work = wanted(tx.related(instance_id, instance.version_id), instance.inputs)
            return _Look(instance_id, work, tx.begin_look(instance), before, tx.applied_runs(instance_id))

    def _found(self, look: _Look, stop: Stop) -> Finding:
        """What has drifted. Raises as speculation.planned()."""
        outside = self.plan(look.work, stop, True)
        if outside.changes:
            # nothing is ever planned here: that stands for what was cut off
            raise ExternalFailure(_NOT_TOLD)
        if not drift.classified(outside.drift, Summary()):
            return Finding(look.began)
        # what it means costs as much again: only where there is something to be told
        ahead = self.plan(look.work, stop, False)
        return Finding(look.began, drift.classified(outside.drift, ahead), ahead.sentence())

    def _kept(self, look: _Look, found: Finding | str) -> Checked:
        """Keeps what was found, or why nothing could be, unless that is about something else by now."""
        where = str(look.work.address)
        with self.catalog.write() as tx:
            instance = _same(tx, look)
            if instance is None:
                return Checked(where, Standing.SKIPPED, "It was changed or looked at meanwhile: nothing was kept.")
            if isinstance(found, str):
                before = drift.from_json(instance.drift) if instance.drift else Finding()
                found = before.failed(look.began, found)
            tx.keep_drift(instance, found)
            ignoring = drift.ignored(instance.drift_ignored)
            return Checked(where, drift.standing(found, ignoring, tx.now()), found.message)

    def _given_back(self, look: _Look) -> None:
        """Leaves it to others, as if nobody had looked."""
        with self.catalog.write() as tx:
            instance = _same(tx, look)
            if instance is not None:
                tx.end_look(instance, look.before)


def _same(tx: Tx, look: _Look) -> Instance | None:
    """The instance, if it is as it was when the look began; None when somebody has deployed or deleted it since, began
    to, or looks at it himself by now.
    """
    instance = tx.find_instance(look.work.address)
    if instance is None or instance.id != look.instance_id or tx.applied_runs(look.instance_id) != look.applied:
        return None
    return instance if instance.drift_checked_at == look.began else None


@dataclass(frozen=True)
class Rounds:
    """The checks that a worker makes by itself, one at a time, while it has nothing better to do."""

    checks: Checks
    labels: tuple[str, ...]
    """Of the worker: it checks what it could run."""
    has_room: Callable[[], bool]
    """Whether it could take another run."""
    stop: Stop = field(default_factory=Stop)

    def look(self) -> None:
        """Checks what is due, longest unchecked first. Raises LandformError when the catalog cannot be reached."""
        with self.checks.catalog.read() as tx:
            waiting = due(tx.watched(), self.labels, tx.now())
        for wished in waiting:
            if self.stop.requested or not self.has_room():
                return
            checked = self.checks.one(wished, self.stop, only_if_due=True)
            logger.info("drift was looked for: %s", checked.standing.value, extra={"address": checked.address})
