"""Carries runs out here: executes them side by side, follows those that are elsewhere, asks for approval in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Timer
from typing import TYPE_CHECKING

from engine.cli import common, texts
from engine.cli.common import Session
from engine.cli.progress import Progress
from engine.cli.signals import stoppable
from engine.cli.turns import Deadline, Turns
from engine.core import plans
from engine.core.plans import AutoApprove
from engine.core.runs import Status

if TYPE_CHECKING:
    from engine.app import App
    from engine.catalog.reads import Row
    from engine.external.process import Stop


@dataclass(frozen=True)
class Manner:
    """How runs are carried out."""

    policy: AutoApprove
    """Which plans are approved without asking whoever sits here."""
    reason: str
    parallel: int
    may_ask: bool
    """Whether whoever sits here can be asked about the others."""


@dataclass(frozen=True)
class Carrier:
    """Whoever sits at the command line, with all that it takes to carry runs out."""

    session: Session
    app: App
    manner: Manner
    deadline: Deadline
    is_late: Event = field(default_factory=Event)
    """Set when `--timeout` has stopped what was under way."""
    is_stopped: Event = field(default_factory=Event)
    """Set when whoever sits here has stopped what was under way."""

    def carry_in_order(self, runs: Sequence[Row]) -> list[Row]:
        """As carry(), but those that come after others begin once all of these have succeeded."""
        ids = {run["id"] for run in runs}
        first = [run for run in runs if ids.isdisjoint(run["after_run_ids"])]
        ended = self.carry(first)
        rest = self.rows([run["id"] for run in runs if run not in first])
        is_next = any(run["status"] == Status.QUEUED and not run["after_run_ids"] for run in rest)
        return ended + (self.carry_in_order(rest) if is_next and not self._is_over() else rest)

    def carry(self, runs: Sequence[Row]) -> list[Row]:
        """The runs as they are when nothing more can be done about them here."""
        if not runs:
            return []
        done = self.settled(runs)
        if self._is_over():
            return done
        agreed = self._agreed([run for run in done if run["status"] == Status.PLANNED])
        again = {run["id"]: run for run in self.carry(self.rows([run["id"] for run in agreed]))}
        return self._tried_again([again.get(run["id"]) or self._row(run) for run in done])

    def _tried_again(self, ended: Sequence[Row]) -> list[Row]:
        """The runs; in place of one that failed for a reason that passes, the run that tries the same again."""
        if self._is_over():
            return list(ended)
        failed = [run for run in ended if run["status"] == Status.FAILED]
        retries = {run["id"]: retry for run in failed if (retry := self.app.executor.retry_of(run["id"])) is not None}
        for run in failed:
            if run["id"] in retries:
                self.session.say(f"{run['address'].partition('/')[2]}: {run['message']}")
        again = dict(zip(retries, self.carry(self.rows(list(retries.values()))), strict=True))
        return [again.get(run["id"], run) for run in ended]

    def settled(self, runs: Sequence[Row]) -> list[Row]:
        """The runs when nothing more happens to them by itself, or when time is up."""
        settled = {run["id"]: run for run in self._execute(runs)}
        turns = Turns(self.session, self.app, self.deadline)
        while not self._is_over() and (unsettled := turns.unsettled(list(settled.values()))):
            news = turns.news(unsettled)
            settled |= {run["id"]: run for run in news.runs}
            if self.deadline.is_over:
                self.is_late.set()
            elif news.ready:
                settled |= {run["id"]: run for run in self._execute([settled[run_id] for run_id in news.ready])}
        return [settled[run["id"]] for run in runs]

    def rows(self, run_ids: Sequence[int]) -> list[Row]:
        """The runs as they are now."""
        return [self.session.reads().run(run_id) for run_id in run_ids]

    def _is_over(self) -> bool:
        return self.is_late.is_set() or self.is_stopped.is_set()

    def _execute(self, runs: Sequence[Row]) -> list[Row]:
        parallel = min(self.manner.parallel, len(runs))
        with Progress(self.session, runs) as progress, self.app.notifier.alongside(), self._stoppable() as stop:

            def one(run: Row) -> Row:
                self.app.executor.execute(run["id"], stop, progress.watch(run["id"]))
                ended = self._row(run)
                progress.ended(ended)
                return ended

            if parallel == 1:
                return [one(run) for run in runs]
            with ThreadPoolExecutor(parallel, thread_name_prefix="run") as pool:
                return list(pool.map(one, runs))

    @contextmanager
    def _stoppable(self) -> Iterator[Stop]:
        with stoppable(self.session) as stop:

            def expire() -> None:
                self.session.say("Time is up: asking Terraform to stop.")
                self.is_late.set()
                stop.request()

            left_s = self.deadline.left_s()
            timer = Timer(left_s or 0, expire)
            if left_s is not None:
                timer.start()
            try:
                yield stop
            finally:
                timer.cancel()
                if stop.requested:
                    self.is_stopped.set()

    def _agreed(self, waiting: Sequence[Row]) -> list[Row]:
        """Those of the runs whose plan was approved just now: by a flag of this command, or by whoever sits here.

        A run that was recorded by this very command has looked at the flags itself; one that is older has not.
        """
        from engine.actions import runs

        flagged = [run for run in waiting if plans.approves_itself(plans.from_json(run["summary"]), self.manner.policy)]
        agreed = self._may_approve(flagged, alone=True)
        others = self._may_approve([run for run in waiting if run not in flagged])
        if others and self.manner.may_ask:
            agreed += self._asked(others)
        runs.approve(self.app.desk, [run["id"] for run in agreed], runs.Yes(self.manner.reason))
        return agreed

    def _may_approve(self, waiting: Sequence[Row], *, alone: bool = False) -> list[Row]:
        from engine.actions import runs

        ids = runs.approvable(self.app.desk, [run["id"] for run in waiting], alone=alone)
        return [run for run in waiting if run["id"] in ids]

    def _asked(self, waiting: Sequence[Row]) -> list[Row]:
        """The runs, when whoever sits here says yes; none after a no, which discards them, or when they are to wait."""
        from engine.actions import runs

        for run in waiting:
            self.session.say(self.app.executor.plan_text(run["id"]))
            self.session.say(texts.plan_heading(run))
        what = "this plan" if len(waiting) == 1 else f"these {len(waiting)} plans"
        answer = common.ask(f"Apply {what}? (yes, no: discard, later: let it wait)", ("yes", "no", "later"), "later")
        if answer == "no":
            for run in waiting:
                runs.discard(self.app.desk, run["id"], self.manner.reason)
        return list(waiting) if answer == "yes" else []

    def _row(self, run: Row) -> Row:
        return self.session.reads().run(run["id"])
