"""`--propagate`: what a change of an environment means for all that lives in it, carried out with the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import campaign, display, foreground
from engine.cli.common import Session
from engine.cli.foreground import Options
from engine.cli.turns import Deadline
from engine.core.campaigns import Manner
from engine.core.plans import AutoApprove, Shape
from engine.errors import LandformError, Usage

if TYPE_CHECKING:
    from engine.app import App

onwards = click.option(
    "--propagate",
    is_flag=True,
    help="Then deploy whatever reads an output that has changed: components, service instances, pipelines.",
)
away = click.option(
    "--propagate",
    is_flag=True,
    help="First destroy all that lives in it: pipelines left without instances, service instances, components.",
)
_LATER = "What is stale now can be brought up to date later: landform campaign start --redeploy --select stale"


def refuse(how: Options, *, only_details: bool) -> None:
    """Raises Usage where there is no run whose end could be waited for."""
    if not how.wait:
        raise Usage("--propagate waits for the environment's run.", hint=f"Leave --no-wait out. {_LATER}")
    if only_details:
        raise Usage(
            "Nothing is deployed, so that nothing can be propagated.",
            hint="To deploy it again as it is: --kind current-version",
        )


def carry_out(session: Session, app: App, name: str, run_ids: list[int], how: Options) -> int:
    """Carries the runs of the environment out, and then a campaign that follows from them; shows how they ended.

    Raises what their ending calls for, else 0.
    """
    from engine.actions import propagation

    deadline = Deadline(how.timeout)
    try:
        foreground.carry_out(session, app, run_ids, how, goes_on=True)
    except LandformError:
        session.say(f"Nothing was propagated. {_LATER}")
        raise
    found = propagation.start(app.desk, name, _manner(app, how))
    for address, why in found.left_out.items():
        session.say(f"{address} is left out. {why}")
    if found.campaign_id is None:
        session.say(f"Nothing is stale because of environment {name}.")
        if how.output != "table":
            display.many([], campaign.STEPS, how.output)
        return 0
    session.say(f"Campaign {found.campaign_id} brings up to date what reads outputs of {name}.")
    campaign.follow(session, app, found.campaign_id, how.output, deadline.left_s())
    return 0


def _manner(app: App, how: Options) -> Manner:
    """As the options have it: what may approve itself may also be destroyed or replaced only where they say so."""
    anything = tuple(shape for shape in Shape if shape is not Shape.FAIL)
    allow = Manner().allow if how.policy is AutoApprove.SAFE else anything
    return Manner(concurrency=how.parallel or app.settings.parallel, approve=how.policy, allow=allow)
