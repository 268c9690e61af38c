"""What a campaign does not let the plans of its runs come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core import campaigns

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.core.plans import Summary


def refusal(tx: Tx, run: Run, summary: Summary) -> str:
    """Why the plan is not applied, as a sentence; "" when no campaign has anything against it."""
    if run.campaign_id is None:
        return ""
    allowed = campaigns.manner_from_json(tx.campaign(run.campaign_id).manner).allow
    if summary.shape in allowed:
        return ""
    shapes = ", ".join(allowed)
    return (
        f"Its plan comes to {summary.shape.value}, and campaign {run.campaign_id} allows {shapes}. {summary.sentence()}"
    )
