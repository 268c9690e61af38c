"""Carries runs out in the foreground: side by side, with approval in between, stoppable, and told truthfully."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import wraps
from threading import Event, Timer
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from engine.cli import common, display, texts
from engine.cli.common import Session
from engine.cli.progress import Progress
from engine.core import plans
from engine.core.plans import AutoApprove
from engine.core.runs import Operation, Status
from engine.errors import Busy, Cancelled, ExternalFailure, LandformError, OutcomeUnknown, Stale, TimedOut, Waiting

if TYPE_CHECKING:
    from types import FrameType

    from engine.actions.changes import Consent
    from engine.app import App
    from engine.catalog.reads import Row
    from engine.external.process import Stop

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Options:
    """How a change is carried out."""

    auto_approve: bool = False
    allow_destroy: bool = False
    yes: bool = False
    reason: str = ""
    wait: bool = True
    parallel: int | None = None
    timeout: float | None = None
    """Seconds; None waits for as long as it takes."""
    output: str = "table"

    @property
    def policy(self) -> AutoApprove:
        """Which plans approve themselves."""
        if self.yes or (self.auto_approve and self.allow_destroy):
            return AutoApprove.ALL
        return AutoApprove.SAFE if self.auto_approve else AutoApprove.NONE

    def consent(self) -> Consent:
        """The conditions that are recorded with the runs."""
        from engine.actions.changes import Consent

        return Consent(self.policy, self.reason)


def options(command: F) -> F:
    """Adds the options of a command that makes runs; it gets them as `how`."""
    return _with(command, (*_CONSENT, *_CARRYING))


def carrying(command: F) -> F:
    """Adds the options of a command that carries out what somebody has said yes to; it gets them as `how`."""
    return _with(command, _CARRYING)


def _with(command: F, flags: Sequence[Callable[[Any], Any]]) -> F:
    @wraps(command)
    def take(*args: object, **given: Any) -> object:
        how = Options(**{each.name: given.pop(each.name) for each in fields(Options) if each.name in given})
        return command(*args, how=how, **given)

    wrapped = display.option(take)
    for add in reversed(flags):
        wrapped = add(wrapped)
    return cast(F, wrapped)


_CONSENT = (
    click.option(
        "--auto-approve", is_flag=True, help="Apply without asking, unless something is destroyed or replaced."
    ),
    click.option(
        "--allow-destroy", is_flag=True, help="With --auto-approve: also when something is destroyed or replaced."
    ),
)
_CARRYING = (
    click.option("--yes", "-y", is_flag=True, help="Answer every question with yes."),
    click.option("--reason", default="", metavar="TEXT", help="Why; recorded with the run or the approval."),
    click.option(
        "--wait/--no-wait", default=True, show_default=True, help="Carry the runs out here, or only record them."
    ),
    click.option(
        "--parallel",
        type=common.WholeNumber(999),
        help="Runs carried out side by side.  [default: the number of cores]",
    ),
    click.option("--timeout", type=common.Seconds(), metavar="SECONDS", help="Stop as Ctrl-C does after this long."),
)


def carry_out(session: Session, app: App, run_ids: Sequence[int], how: Options) -> int:
    """Carries the runs out, each once, and shows how they ended. Raises what their ending calls for, else 0.

    Destroys begin after every other run has succeeded; they stay queued while one of those waits for approval.
    """
    runs = [session.reads().run(run_id) for run_id in dict.fromkeys(run_ids)]
    foreground = _Foreground(session, app, how)
    ended = _in_order(foreground, runs) if how.wait else runs
    display.many(ended, RESULTS, how.output)
    if how.output == "table":
        _say_what_came(session, ended)
    if foreground.is_late.is_set():
        raise TimedOut(f"{how.timeout:g} seconds were not enough.", hint="See what came of it: landform run list")
    if how.wait:
        _raise_for(ended)
    return 0


def _in_order(foreground: _Foreground, runs: Sequence[Row]) -> list[Row]:
    destroys = [run for run in runs if run["operation"] == Operation.DESTROY]
    ended = foreground.carry([run for run in runs if run["operation"] != Operation.DESTROY])
    statuses = {run["status"] for run in ended}
    if statuses <= {Status.SUCCEEDED}:
        return ended + foreground.carry(destroys)
    if statuses <= {Status.SUCCEEDED, Status.PLANNED}:
        return ended + destroys
    return ended + [foreground.call_off(run) for run in destroys]


@dataclass(frozen=True)
class _Foreground:
    """Executes runs here, side by side, and asks for approval in between."""

    session: Session
    app: App
    how: Options
    is_late: Event = field(default_factory=Event)
    """Set when `--timeout` has stopped what was under way."""

    def carry(self, runs: Sequence[Row]) -> list[Row]:
        """The runs as they are when nothing more can be done about them here."""
        if not runs:
            return []
        done = self._execute(runs)
        agreed = self._agreed([run for run in done if run["status"] == Status.PLANNED])
        again = {run["id"]: run for run in self.carry([self._row(run) for run in agreed])}
        return [again.get(run["id"]) or self._row(run) for run in done]

    def call_off(self, run: Row) -> Row:
        """The run, discarded because what had to come before it did not succeed."""
        from engine.actions import runs

        runs.discard(self.app.desk, run["id"], "what had to come before it did not succeed")
        return self._row(run)

    def _execute(self, runs: Sequence[Row]) -> list[Row]:
        parallel = min(self.how.parallel or self.app.settings.parallel, len(runs))
        with Progress(self.session, runs) as progress, self._stoppable() as stop:

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

            timer = Timer(self.how.timeout or 0, expire)
            if self.how.timeout is not None:
                timer.start()
            try:
                yield stop
            finally:
                timer.cancel()

    def _agreed(self, waiting: Sequence[Row]) -> list[Row]:
        """Those of the runs whose plan was approved just now: by a flag of this command, or by whoever sits here.

        A run that was recorded by this very command has looked at the flags itself; one that is older has not.
        """
        from engine.actions import runs

        agreed = [run for run in waiting if plans.approves_itself(plans.from_json(run["summary"]), self.how.policy)]
        others = [run for run in waiting if run not in agreed]
        if others and self._may_ask():
            agreed += self._asked(others)
        runs.approve(self.app.desk, [run["id"] for run in agreed], self.how.reason)
        return agreed

    def _may_ask(self) -> bool:
        return self.how.output == "table" and common.is_interactive()

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
                runs.discard(self.app.desk, run["id"], self.how.reason)
        return list(waiting) if answer == "yes" else []

    def _row(self, run: Row) -> Row:
        return self.session.reads().run(run["id"])


@contextmanager
def stoppable(session: Session) -> Iterator[Stop]:
    """A means to stop what goes on: a first signal asks Terraform to stop, a second one kills it; each says so."""
    from engine.app import stop as new_stop

    stop = new_stop()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            stop.force()
            session.say("Killing Terraform. Its state is kept.")
        else:
            # first the deed: the next signal may come while this one is still being told of
            stop.request()
            session.say("Asking Terraform to stop; Ctrl-C again kills it.")

    before = {number: signal.signal(number, on_interrupt) for number in _STOPPING}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a pipeline that is cancelled, a terminal that is closed."""


RESULTS = display.Shape(
    "landform.run/1",
    display.columns("RUN=id ADDRESS=address OPERATION=operation TEMPLATE=template STATUS=status PLAN=plan"),
    "id",
)


def _say_what_came(session: Session, runs: Sequence[Row]) -> None:
    """Says why runs ended as they did, what they gave, and what to type for those that nobody works on yet."""
    for run in runs:
        short = run["address"].partition("/")[2]
        if run["message"]:
            session.say(f"{short}: {run['message']}")
        for name, output in (run["outputs"] or {}).items():
            session.say(f"{short}: {name} = {display.output_text(output)}")
    queued = [str(run["id"]) for run in runs if run["waiting_on"] == "worker"]
    if queued:
        session.say(f"Next: landform run apply {' '.join(queued)}")


def _raise_for(runs: Sequence[Row]) -> None:
    """Raises the error of the worst ending; each kind has its exit code."""
    for status, kind, sentence, hint in _ENDINGS:
        found = [str(run["id"]) for run in runs if _ending(run) == status]
        if found:
            who = f"Run {found[0]}" if len(found) == 1 else f"Runs {', '.join(found)}"
            raise kind(f"{who} {sentence}.", hint=hint.format(id=found[0], ids=" ".join(found)))


def _ending(run: Row) -> str:
    """The run's status; STALE for one that was discarded although somebody had said yes to it."""
    return _STALE if run["status"] == Status.DISCARDED and run["approved_by"] else str(run["status"])


_STALE = "stale"
_ENDINGS: tuple[tuple[str, type[LandformError], str, str], ...] = (
    (Status.INTERRUPTED, OutcomeUnknown, "ended, and what it did is not known", "Look first: landform run show {id}"),
    (
        Status.FAILED,
        ExternalFailure,
        "failed",
        "Terraform's own words: landform run logs {id}. Then: landform run retry {id}",
    ),
    *(
        (status, Busy, "went to another process", "Follow it: landform run show {id}")
        for status in (Status.PLANNING, Status.APPLYING)
    ),
    (Status.CANCELLED, Cancelled, "stopped because you asked", "Start again: landform run retry {id}"),
    (_STALE, Stale, "came to nothing", "See why: landform run show {id}. Then: landform run retry {id}"),
    (Status.DISCARDED, Cancelled, "came to nothing: the plan was discarded", "Start again: landform run retry {id}"),
    (
        Status.PLANNED,
        Waiting,
        "came to a plan that needs approval",
        "See it: landform run show {id}. Then: landform run approve {ids}",
    ),
    *(
        (status, Busy, "cannot begin while the environment is being changed", "Later: landform run apply {ids}")
        for status in (Status.QUEUED, Status.APPROVED)
    ),
)
