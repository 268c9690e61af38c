"""`--propagate`: what a change of an environment means for all that lives in it, carried out with the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import campaign, foreground
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


def refuse(*, only_details: bool) -> None:
    """Raises Usage where there is no run that anything could follow from."""
    if only_details:
        raise Usage(
            "Nothing is deployed, so that nothing can be propagated.",
            hint="To deploy it again as it is: --kind current-version",
        )


def manner(app: App, how: Options) -> Manner:
    """As the options have it: what may approve itself may also be destroyed or replaced only where they say so."""
    anything = tuple(shape for shape in Shape if shape is not Shape.FAIL)
    allow = Manner().allow if how.policy is AutoApprove.SAFE else anything
    return Manner(concurrency=how.parallel or app.settings.parallel, approve=how.policy, allow=allow)


def carry_out(session: Session, app: App, run_ids: list[int], how: Options) -> int:
    """Carries the runs of the environment out, and then the campaign that follows them; shows how they ended.

    Raises what their ending calls for, else 0.
    """
    from engine.actions import propagation

    deadline, number = Deadline(how.timeout), propagation.of_run(app.desk, run_ids[0])
    session.say(f"Campaign {number} brings up to date what reads its outputs, once it has succeeded.")
    try:
        foreground.carry_out(session, app, run_ids, how, goes_on=how.wait)
    except LandformError:
        session.say(f"Once it has: landform campaign resume {number}. Or leave it to a worker.")
        raise
    if how.wait:
        campaign.follow(session, app, number, how.output, deadline.left_s())
    return 0
