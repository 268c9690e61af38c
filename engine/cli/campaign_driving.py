"""Drives a campaign from the command line: begins its steps, carries their runs out here, and says how it goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from engine.cli.campaign_progress import Progress
from engine.cli.common import Session
from engine.cli.signals import stoppable
from engine.cli.turns import Deadline, Turns
from engine.core.campaigns import Status
from engine.core.runs import TABLE, Event, is_terminal
from engine.core.runs import Status as RunStatus
from engine.errors import Cancelled, Conflict, LandformError, Unreachable
from engine.external.process import Stop

if TYPE_CHECKING:
    from engine.actions.driving import Driver, View
    from engine.app import App

_LOOK_EVERY_S = 1.0
_TAKEABLE = frozenset(TABLE[Event.CLAIM])


@dataclass
class Conductor:
    """One command line that drives one campaign; other processes may drive it too."""

    session: Session
    app: App
    campaign_id: int
    deadline: Deadline
    _news: SimpleQueue[BaseException | None] = field(default_factory=SimpleQueue)
    """Something has ended here, or has failed in a way that nobody expected."""
    _busy: set[tuple[str, int]] = field(default_factory=set)
    """What is under way here: ("run", number) or ("check", step)."""
    _rests: dict[int, float] = field(default_factory=dict)
    """Run -> when it was last looked at in vain."""
    _asking: Stop = field(default_factory=Stop)
    """Ends the asking whether instances are well, which can be done again, when what is applied comes to its end."""
    _ends: bool = False
    """Whether it was paused from here."""

    def __post_init__(self) -> None:
        self._turns = Turns(self.session, self.app, self.deadline)

    def carry_out(self) -> View:
        """The campaign when nothing more happens without a person, when time is up, or when it was stopped here; then
        it is paused, and what was under way has come to its end. A catalog that cannot be reached is waited for.
        """
        driver = self.app.driver()
        row = self.session.reads().campaign_standing(self.campaign_id)
        workers = row["manner"]["concurrency"]
        with (
            stoppable(self.session) as stop,
            self.app.notifier.alongside(),
            Progress(self.session, row) as progress,
            ThreadPoolExecutor(workers, thread_name_prefix="step") as pool,
        ):
            is_out = False
            while True:
                try:
                    view = self._turn(driver, pool, stop, progress)
                except Unreachable as error:
                    # what is under way here waits for the catalog, too
                    if self._ends:
                        raise
                    if not is_out:
                        self.session.say(f"{error.message} Trying again.")
                    is_out = True
                    time.sleep(_LOOK_EVERY_S)
                    continue
                is_out = False
                if view is not None:
                    return view

    def _turn(self, driver: Driver, pool: ThreadPoolExecutor, stop: Stop, progress: Progress) -> View | None:
        """Does what is to be done now, and waits until something else may be; the campaign when this is over."""
        ends = self._has_to_end(stop)
        view = driver.advance(self.campaign_id)
        if not ends:
            self._begin(view, driver, pool, stop, progress)
        if not self._busy and (ends or self._is_over(view)):
            return view
        self._wait(progress, stop)
        return None

    def _has_to_end(self, stop: Stop) -> bool:
        """Whether nothing more may begin here; then it is paused, so that nothing begins elsewhere either."""
        from engine.actions import campaigns

        if not stop.requested and not self.deadline.is_over:
            return False
        if not self._ends:
            self._ends = True
            self._asking.request()
            if not stop.requested and self._busy:
                self.session.say("Time is up: finishing what is under way.")
            # it may have ended, or was stopped before
            with suppress(Conflict):
                campaigns.pause(self.app.desk, self.campaign_id)
        return True

    def _begin(self, view: View, driver: Driver, pool: ThreadPoolExecutor, stop: Stop, progress: Progress) -> None:
        for run_id in view.runs:
            if time.monotonic() - self._rests.get(run_id, -_LOOK_EVERY_S) >= _LOOK_EVERY_S:
                self._submit(pool, ("run", run_id), partial(self._execute, run_id, stop, progress))
        for step_id in view.checks:
            self._submit(pool, ("check", step_id), partial(self._check, driver, step_id))

    def _submit(self, pool: ThreadPoolExecutor, what: tuple[str, int], work: Callable[[], object]) -> None:
        if what in self._busy:
            return
        self._busy.add(what)

        def done(ended: Future[object]) -> None:
            self._busy.discard(what)
            self._news.put(ended.exception())

        pool.submit(work).add_done_callback(done)

    def _execute(self, run_id: int, stop: Stop, progress: Progress) -> None:
        try:
            ended = self.app.executor.execute(run_id, stop, progress.watch(run_id))
        except LandformError as error:
            # another process has it, which says what comes of it, or it was given back
            self.session.say(error.message)
            self._rests[run_id] = time.monotonic()
            return
        if RunStatus(ended.status) in _TAKEABLE or ended.ended_at is None:
            self._rests[run_id] = time.monotonic()

    def _check(self, driver: Driver, step_id: int) -> None:
        try:
            driver.check(step_id, self._asking)
        except Cancelled:
            # whoever goes on with the campaign asks again
            return
        except LandformError as error:
            self.session.say(error.message)

    def _is_over(self, view: View) -> bool:
        """Whether nothing more happens unless somebody does something about it; then it is said why."""
        rows = [self.session.reads().run(run_id) for run_id in (*view.runs, *view.held_by)]
        if view.checks or any(is_terminal(RunStatus(row["status"])) for row in rows):
            return False
        if view.status is Status.RUNNING and not rows:
            return False
        return not self._turns.unsettled(rows)

    def _wait(self, progress: Progress, stop: Stop) -> None:
        """Returns when something has ended here, or is to be looked at; raises what nobody expected."""
        left_s = None if self._ends else self.deadline.left_s()
        try:
            failed = self._news.get(timeout=_LOOK_EVERY_S if left_s is None else min(_LOOK_EVERY_S, max(left_s, 0.05)))
        except Empty:
            self.app.reaper.reap()
            failed = None
        if failed is not None:
            # as if it had been stopped: what else is under way must not go on for hours, with nobody to see it
            stop.request()
            raise failed
        progress.look()
