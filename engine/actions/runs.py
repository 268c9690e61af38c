"""Intentions of people about runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actions import changes
from engine.actions.changes import Consent
from engine.actions.desk import Desk
from engine.core import approvals, guards, runs
from engine.core.asked import Asked
from engine.core.guards import refusals_from_json
from engine.core.runs import Event, Status
from engine.errors import Conflict, Invalid, Refused, Stale

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx


@dataclass(frozen=True)
class Yes:
    """What somebody says who says yes to plans."""

    reason: str = ""
    exceptions: Sequence[str] = ()
    """The rules of guards that the plans may break, for that reason; of each plan those count that it breaks."""


def approve(desk: Desk, run_ids: Sequence[int], yes: Yes, asked: Asked | None = None) -> list[int]:
    """Says yes to plans that wait for approval: to all of them, or to none; the runs' ids.

    A run goes on when as many people as its environment asks for have said so; until then it waits.
    Raises NotFound, Conflict when one of the runs waits for none or this person has approved it before, Refused when
    somebody else has to or a guard needs an exception, Invalid for exceptions that nothing needs or that have no
    reason, Stale when a plan is no longer good.
    """
    if yes.exceptions and not yes.reason.strip():
        raise Invalid("An exception needs a reason.", hint="Say why it is right this time: --reason TEXT")
    refuse_expired(desk, run_ids)
    ids = list(dict.fromkeys(run_ids))

    def act(tx: Tx) -> list[int]:
        broken = {run_id: refusals_from_json(tx.run(run_id).refusals) for run_id in ids}
        guards.refuse_needless(broken, yes.exceptions)
        for run_id in ids:
            _approve(tx, desk, run_id, yes)
        return ids

    return desk.once(asked, act)


def _approve(tx: Tx, desk: Desk, run_id: int, yes: Yes) -> None:
    run, rules = tx.run(run_id), tx.rules_of(tx.run(run_id))
    if run.superseded_by:
        hint = f"See the newer one: landform run show {run.superseded_by}"
        raise Conflict(f"Cannot approve run {run_id}: run {run.superseded_by} superseded it.", hint=hint)
    runs.allow(Status(run.status), Event.APPROVE)
    if why := tx.withdrawn(run):
        raise Refused(f"Cannot approve run {run_id}: {why}", hint=f"Discard it: landform run discard {run_id}")
    if error := approvals.refusal(_plan(tx, run), desk.user, rules, yes.exceptions):
        raise error
    # A yes needs no digest of its own: a plan and its fingerprint are written once, with the move to `planned`, and are
    # never replaced in that status or after it. The apply computes the fingerprint again and compares it with that one,
    # so that what is applied is what every one of these people has seen.
    needed = guards.denied(refusals_from_json(run.refusals))
    tx.add_approval(run_id, desk.user, yes.reason, needed)
    names = [row.user_name for row in tx.approvals_of(run_id)]
    if approvals.is_enough(names, rules):
        tx.move(run_id, Event.APPROVE, approved_by=", ".join(names), approval_reason=yes.reason, message="")
    else:
        run.message = approvals.progress(names, rules)
        tx.save(run)


def approvable(desk: Desk, run_ids: Sequence[int], *, alone: bool = False) -> list[int]:
    """Those of the runs whose plan this person may say yes to; `alone`: and whose plan needs nobody else's yes."""
    with desk.catalog.read() as tx:
        found = [(run, tx.rules_of(run)) for run in map(tx.run, run_ids) if run.status == Status.PLANNED]
        return [
            plan.run_id
            for plan, rules in ((_plan(tx, run), rules) for run, rules in found)
            if approvals.refusal(plan, desk.user, rules) is None and not (alone and rules.approvals > 1)
        ]


def _plan(tx: Tx, run: Run) -> approvals.Plan:
    assert run.id is not None
    names = [row.user_name for row in tx.approvals_of(run.id)]
    return approvals.Plan(run.id, run.requested_by, names, refusals_from_json(run.refusals))


def refuse_expired(desk: Desk, run_ids: Sequence[int]) -> None:
    """Raises Stale when one of the runs has a plan that was good until now and not longer, and discards it."""
    with desk.catalog.write() as tx:
        stale = [tx.discard_expired(run_id, desk.settings.plan_ttl_s) for run_id in dict.fromkeys(run_ids)]
    for run in filter(None, stale):
        raise Stale(run.message, hint=f"Make a new one: landform run retry {run.id}")


def go_on(desk: Desk, run_ids: Sequence[int], asked: Asked | None = None) -> list[int]:
    """The runs' ids, when they can be carried out; those asked for before with the same key, whatever became of them.

    Raises Conflict when one of the runs has ended, OutcomeUnknown when nobody can tell how, Stale when its plan is no
    longer good, NotFound.
    """

    def act(tx: Tx) -> list[int]:
        for run in map(tx.run, run_ids):
            _refuse_ended(run)
        return list(dict.fromkeys(run_ids))

    ids = desk.once(asked, act)
    refuse_expired(desk, ids)
    return ids


def _refuse_ended(run: Run) -> None:
    if run.status == Status.INTERRUPTED:
        raise changes.interrupted(run)
    if runs.is_terminal(Status(run.status)):
        raise Conflict(
            f"Run {run.id} has ended: it is {run.status}.", hint=f"Start a new one: landform run retry {run.id}"
        )


def discard(desk: Desk, run_id: int, reason: str = "") -> Run:
    """Says no to a run that has not begun to apply. Raises NotFound, or Conflict when it is too late."""
    with desk.catalog.write() as tx:
        run = tx.run(run_id)
        runs.allow(Status(run.status), Event.DISCARD)
        message = f"Discarded by {desk.user}" + (f": {reason}" if reason else ".")
        return tx.move(run_id, Event.DISCARD, message=message)


def retry(desk: Desk, run_id: int, consent: Consent) -> list[int]:
    """Records a new run, with a new plan, for what an ended run wanted; its id in a list.

    Raises NotFound, Conflict while it has not ended, OutcomeUnknown when nobody knows how, Busy.
    """
    return desk.once(consent.asked, lambda tx: [changes.retry(tx, desk, tx.run(run_id), consent)])
