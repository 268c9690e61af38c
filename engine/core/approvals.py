"""Who may say yes to a plan, how many must, until when, and what is said while they have not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.core import guards, plans
from engine.core.guards import Refusal
from engine.core.plans import AutoApprove, Summary
from engine.core.rules import Rules
from engine.errors import Conflict, LandformError, Refused


@dataclass(frozen=True)
class Plan:
    """A plan that waits for approval, as far as its approval is concerned."""

    run_id: int
    requested_by: str
    approved_by: Sequence[str] = ()
    """Who has said yes so far, in order."""
    refusals: Sequence[Refusal] = ()
    """Which guards it breaks."""


def may_approve_itself(summary: Summary, policy: AutoApprove, rules: Rules) -> bool:
    """Whether a plan may be applied without anybody's yes: whoever asked for it says so, and the environment lets them.

    Who asks for a run that approves itself is the one person that has said yes to it.
    """
    return plans.approves_itself(summary, policy) and rules.approvals <= 1 and rules.own_approval


def why_it_waits(summary: Summary, policy: AutoApprove, rules: Rules) -> str:
    """Why a plan waits although whoever asked for it said that it need not; "" when that is not so."""
    if not plans.approves_itself(summary, policy) or may_approve_itself(summary, policy, rules):
        return ""
    wish = f"{rules.approvals} approvals" if rules.approvals > 1 else "somebody else's approval"
    return f"It does not approve itself: its environment asks for {wish}."


def refusal(plan: Plan, user: str, rules: Rules, excepted: Sequence[str] = ()) -> LandformError | None:
    """Why this user may not say yes to the plan; None when they may.

    `excepted` are the rules of guards that they let it break. Each of those whose yes is needed has to say so: what one
    person lets pass, the others have not looked at.
    """
    if user in plan.approved_by:
        said = progress(plan.approved_by, rules)
        hint = f"Somebody else has to: landform run approve {plan.run_id}"
        return Conflict(f"{user} has approved run {plan.run_id} already: {said}", hint=hint)
    if user == plan.requested_by and not rules.own_approval:
        return Refused(
            f"{user} asked for run {plan.run_id}: its environment wants somebody else to approve it.",
            hint=f"Anybody but {user} can: landform run approve {plan.run_id}",
        )
    return guards.unexcepted(plan.run_id, plan.refusals, excepted)


def is_enough(names: Collection[str], rules: Rules) -> bool:
    """Whether those who have said yes are as many as the environment asks for."""
    return len(set(names)) >= rules.approvals


def progress(names: Sequence[str], rules: Rules) -> str:
    """How many of the approvals that are needed have been given, and by whom, in a sentence."""
    noun = "approval" if rules.approvals == 1 else "approvals"
    return f"{len(names)} of {rules.approvals} {noun}" + (f": {', '.join(names)}." if names else ".")


def expires_at(planned_at: datetime | None, rules: Rules, default_ttl_s: float) -> datetime | None:
    """When a plan is void; None for one that was never made, or that stays good for ever.

    `default_ttl_s` is for environments that say nothing about it; 0 means never.
    """
    ttl_s = rules.plan_ttl_s or default_ttl_s
    return planned_at + timedelta(seconds=ttl_s) if planned_at and ttl_s else None


def expired(run_id: int, at: datetime) -> str:
    """What is said of a plan that has become void."""
    return f"The plan of run {run_id} was good until {at:%Y-%m-%d %H:%M:%S} UTC."
