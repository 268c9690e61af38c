"""`landform run recover`: shows what is known of an interrupted run, and takes down what somebody decides about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.cli import common, display, evidence_texts, foreground, signals, texts
from engine.cli.common import RUN, Session, pass_session
from engine.cli.foreground import RESULTS, Options
from engine.core.runs import EXECUTING, Status
from engine.errors import Refused, Usage

if TYPE_CHECKING:
    from engine.app import App
    from engine.catalog.shapes import Row
    from engine.core.evidence import Evidence
    from engine.terraform.events import Event

EVIDENCE = display.Shape("landform.evidence/1", display.columns("RUN=run STATUS=status"), "run")
_RETRY, _LATER = "retry", "later"
_MARKS = ("succeeded", "failed")
# an index may hold any text, `=` too
_ADOPTED = re.compile(r"""((?:[^=\[\s]|\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\])+)=(.+)""", re.DOTALL)


@click.command("recover")
@click.argument("run_id", type=RUN, metavar="RUN")
@click.option("--retry", is_flag=True, help="Try again in a new run; this one counts as failed.")
@click.option("--mark", type=click.Choice(_MARKS), help="Say what became of it; needs --reason.")
@click.option(
    "--adopt", multiple=True, metavar="ADDRESS=ID", help="Take a resource that exists, but is in no state, into it."
)
@foreground.options
@pass_session
def recover(
    session: Session, run_id: int, mark: str | None, adopt: tuple[str, ...], how: Options, *, retry: bool
) -> int:
    """Show what is known of an interrupted run, and decide what became of it.

    What still runs of it is ended, its state is kept, and Terraform plans afresh; nothing is applied.
    A run whose worker nobody can see from here is given up first, when you know for certain that it is gone.
    """
    ids = _adopted(adopt)
    if mark and retry:
        raise Usage("--mark and --retry cannot be given together.")
    if mark and not how.reason:
        raise Usage("--mark needs a --reason: it is what others will read about this run.")
    recovery = Recovery(session, session.open_app(), run_id, how)
    if not recovery.is_interrupted(retry=retry):
        return recovery.shown()
    if ids:
        recovery.adopt(ids)
    return recovery.decide(_RETRY if retry else mark)


def retried(session: Session, app: App, run_id: int, how: Options) -> int:
    """As `run recover --retry`, for the retry of a run that was interrupted."""
    return Recovery(session, app, run_id, how).decide(_RETRY)


@dataclass(frozen=True)
class Recovery:
    """One run that is looked at and decided upon."""

    session: Session
    app: App
    run_id: int
    how: Options

    def is_interrupted(self, *, retry: bool) -> bool:
        """Whether there is something to decide; a run of a worker that is gone is taken from it first.

        Raises Usage where nobody can be asked whether it is, Conflict for a run that is over.
        """
        from engine.actions import recovery

        run = self._row()
        if run["status"] == Status.INTERRUPTED or (retry and run["status"] not in EXECUTING):
            return True
        if run["status"] in EXECUTING:
            recovery.expect_lost(self.app.desk, self.run_id)
            worker = run["executor"] or {}
            who = f"process {worker.get('pid')} on host {worker.get('host')}"
            if not common.confirm(f"Is {who} gone for certain, and all that it started?", yes=self.how.yes):
                raise Usage(f"Run {self.run_id} was left alone.")
        recovery.give_up(self.app.desk, self.run_id)
        return bool(self._row()["status"] == Status.INTERRUPTED)

    def shown(self) -> int:
        """Shows the run as it is now."""
        run = self._row()
        display.one(run, RESULTS, self.how.output, lambda: texts.run(run))
        return 0

    def adopt(self, ids: dict[str, str]) -> None:
        """Takes what exists into the state."""
        from engine.worker.evidence import Inquiry, Look

        with signals.stoppable(self.session) as stop:
            Inquiry(self.app.catalog, self.app.phases.ground).adopt(self.run_id, ids, Look(stop, self._say))

    def decide(self, verdict: str | None) -> int:
        """Looks, and does what was decided; where nothing was, what somebody at the terminal answers, or nothing."""
        from engine.actions import recovery

        if verdict == _RETRY and self._row()["status"] != Status.INTERRUPTED:
            # refused, unless it was asked for before with the same key
            return self._retry()
        found = self._evidence()
        if verdict is None and self.how.output == "table" and common.is_interactive():
            self.session.say(evidence_texts.evidence(self._row(), found))
            verdict = common.ask(
                f"What became of run {self.run_id}? ({_RETRY}, {', '.join(_MARKS)}, {_LATER}: decide another time)",
                (_RETRY, *_MARKS, _LATER),
                _LATER,
            )
        elif verdict is None:
            return self._show(found)
        else:
            self.session.say(f"Run {self.run_id}: {found.plan.sentence() if found.plan else 'no plan could be made.'}")
        if verdict == _RETRY:
            return self._retry()
        if verdict == "failed":
            recovery.mark_failed(self.app.desk, self.run_id, self._reason())
        if verdict == "succeeded":
            self._mark_succeeded(found)
        return self.shown()

    def _evidence(self) -> Evidence:
        from engine.worker.evidence import Inquiry, Look

        self.session.say(f"Looking at what run {self.run_id} has left behind.")
        with signals.stoppable(self.session) as stop:
            return Inquiry(self.app.catalog, self.app.phases.ground).evidence(self.run_id, Look(stop, self._say))

    def _show(self, found: Evidence) -> int:
        run = self._row()
        shown = {"run": self.run_id, "address": run["address"], "status": run["status"], **found.to_json()}
        display.one(shown, EVIDENCE, self.how.output, lambda: evidence_texts.evidence(run, found))
        return 0

    def _retry(self) -> int:
        from engine.actions import recovery

        new_ids: Sequence[int] = recovery.retry(self.app.desk, self.run_id, self.how.consent())
        return foreground.carry_out(self.session, self.app, new_ids, self.how)

    def _mark_succeeded(self, found: Evidence) -> None:
        from engine.worker import verdicts

        if not found.is_clean and not self.how.yes:
            would = found.plan.sentence() if found.plan else "that cannot be told."
            raise Refused(
                f"Run {self.run_id} is not marked as succeeded, for what Terraform would change now: {would}",
                hint="Try again: --retry. Or, if you know better, say so: --mark succeeded --yes",
            )
        said = verdicts.Said(self.app.desk.user, self._reason())
        verdicts.succeeded(self.app.catalog, self.app.phases, self.run_id, said)

    def _reason(self) -> str:
        return self.how.reason or click.prompt("Why", err=True)

    def _row(self) -> Row:
        return self.session.reads().run(self.run_id)

    def _say(self, phase: str, event: Event | None) -> None:
        if event is None:
            self.session.say(f"Run {self.run_id}: {phase}")


def _adopted(pairs: Sequence[str]) -> dict[str, str]:
    """Address -> id. Raises Usage."""
    found = {}
    for pair in pairs:
        match = _ADOPTED.fullmatch(pair)
        if match is None:
            raise Usage(f"--adopt takes ADDRESS=ID, not {pair!r}.")
        found[match[1]] = match[2]
    return found
