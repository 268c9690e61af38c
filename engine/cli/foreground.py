"""What commands that make runs have in common: their options, and what is shown of how the runs ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from engine.cli import common, display, endings, requests
from engine.cli.carrying import Carrier, Manner
from engine.cli.common import Session
from engine.cli.turns import Deadline
from engine.core.plans import AutoApprove
from engine.core.runs import Status
from engine.errors import TimedOut

if TYPE_CHECKING:
    from engine.actions.changes import Consent
    from engine.app import App
    from engine.catalog.reads import Row
    from engine.core.asked import Asked

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Options:
    """How a change is carried out."""

    auto_approve: bool = False
    allow_destroy: bool = False
    yes: bool = False
    reason: str = ""
    queue: bool = False
    idempotency_key: str | None = None
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

        return Consent(self.policy, self.reason, self.queue, self.asked())

    def asked(self) -> Asked | None:
        """What the command line asks for, its documents having been read; None without an idempotency key."""
        return requests.asked(self.idempotency_key)


def options(command: F) -> F:
    """Adds the options of a command that makes runs; it gets them as `how`."""
    return _with(command, (*_CONSENT, _QUEUE, *_CARRYING))


def recording(command: F) -> F:
    """Adds the options of a command that finds out by itself which runs to make; it gets them as `how`."""
    return _with(command, (*_CONSENT, _QUEUE, _WAIT))


def agreeing(command: F) -> F:
    """Adds the options of a command that carries out runs which are there already; it gets them as `how`."""
    return _with(command, (*_CONSENT, *_CARRYING))


def carrying(command: F) -> F:
    """Adds the options of a command that carries out what somebody has said yes to; it gets them as `how`."""
    return _with(command, _CARRYING)


def planning(command: F) -> F:
    """Adds the options of a command that makes runs which only plan; it gets them as `how`."""
    return _with(command, (_QUEUE, *_ASKING))


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
_QUEUE = click.option(
    "--queue", is_flag=True, help="Where another run holds the instance: wait in line, and build on what it will make."
)
_WAIT = click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Carry the runs out here, or only record them."
)
_ASKING = (
    click.option("--reason", default="", metavar="TEXT", help="Why; recorded with the run or the approval."),
    requests.option,
    _WAIT,
    click.option(
        "--timeout",
        type=common.Seconds(),
        metavar="SECONDS",
        help="Ask Terraform to stop, or stop waiting, after this long.",
    ),
)
_CARRYING = (
    click.option("--yes", "-y", is_flag=True, help="Answer every question with yes."),
    *_ASKING,
    click.option(
        "--parallel",
        type=common.WholeNumber(999),
        help="Runs carried out side by side.  [default: the number of cores]",
    ),
)


def settle(session: Session, app: App, run_ids: Sequence[int], how: Options) -> list[Row]:
    """The runs when nothing more happens to them by itself; nobody is asked for approval. Raises TimedOut."""
    carrier = Carrier(
        session, app, Manner(AutoApprove.NONE, how.reason, parallel=1, may_ask=False), Deadline(how.timeout)
    )
    runs = carrier.settled(_warned(session, carrier.rows(run_ids)))
    if carrier.is_late.is_set():
        raise _too_late(how)
    return runs


def _too_late(how: Options) -> TimedOut:
    return TimedOut(f"{how.timeout:g} seconds were not enough.", hint="See what came of it: landform run list")


def carry_out(session: Session, app: App, run_ids: Sequence[int], how: Options, *, goes_on: bool = False) -> int:
    """Carries the runs out, each once, and shows how they ended. Raises what their ending calls for, else 0.

    `goes_on`: programs are given what comes next instead, if all goes well.
    """
    ids = list(dict.fromkeys(run_ids))
    may_ask = how.output == "table" and common.is_interactive()
    manner = Manner(how.policy, how.reason, how.parallel or app.settings.parallel, may_ask)
    carrier = Carrier(session, app, manner, Deadline(how.timeout))
    rows = _warned(session, carrier.rows(ids))
    try:
        ended = carrier.carry_in_order(rows) if how.wait else rows
    except click.exceptions.Exit:
        # detached: others go on with them
        _show(session, carrier.rows(ids), how)
        raise
    if not (goes_on and how.output != "table" and all(run["status"] == Status.SUCCEEDED for run in ended)):
        _show(session, ended, how)
    if carrier.is_late.is_set():
        raise _too_late(how)
    if how.wait:
        endings.raise_for(ended)
    return 0


def _warned(session: Session, runs: list[Row]) -> list[Row]:
    """The runs, after their warnings were said, each once."""
    for warning in dict.fromkeys(warning for run in runs for warning in run["warnings"]):
        session.say(f"Warning: {warning}")
    return runs


RESULTS = display.Shape(
    "landform.run/1",
    display.columns("RUN=id ADDRESS=address OPERATION=operation TEMPLATE=template STATUS=status PLAN=plan"),
    "id",
)


def _show(session: Session, runs: Sequence[Row], how: Options) -> None:
    display.many(runs, RESULTS, how.output)
    if how.output == "table":
        _say_what_came(session, runs, how)


def _say_what_came(session: Session, runs: Sequence[Row], how: Options) -> None:
    """Says why runs ended as they did, what they gave, and what to type for those that nobody works on yet."""
    for run in runs:
        short = run["address"].partition("/")[2]
        if run["message"]:
            session.say(f"{short}: {run['message']}")
        for name, output in (run["outputs"] or {}).items():
            session.say(f"{short}: {name} = {display.output_text(output)}")
    queued = [str(run["id"]) for run in runs if run["waiting_on"] == "worker"]
    if queued and not how.wait:
        session.say(f"Next: landform run apply {' '.join(queued)}")
