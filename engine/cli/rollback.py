"""`rollback` of each noun: back to the version and inputs of an earlier deploy, by a new run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from engine.cli import arguments, foreground
from engine.cli.common import RUN, Session, pass_session
from engine.cli.foreground import Options
from engine.core import address
from engine.core.address import Address


def _command(name: str, kind: str, place: Callable[[str], Address], about: str) -> Callable[..., Any]:
    """A command that takes one argument, completed as names of that kind, and goes back."""

    @click.command("rollback", help=about)
    @click.argument("name", metavar=name, shell_complete=arguments.complete(kind))
    @click.option(
        "--to",
        type=RUN,
        metavar="RUN",
        help="Run whose version and inputs it gets again.  [default: its last deploy that was different]",
    )
    @foreground.options
    @pass_session
    def rollback(session: Session, name: str, to: int | None, how: Options) -> int:
        from engine.actions import rollbacks

        app = session.open_app()
        run_ids = rollbacks.rollback(app.desk, place(name), to, how.consent())
        return foreground.carry_out(session, app, run_ids, how)

    return rollback


of_environment = _command(
    "NAME", "environment", address.environment, "Bring an environment back to the version and inputs of an earlier run."
)
of_anything = _command(
    "ADDRESS",
    "instance",
    arguments.any_address,
    "Bring an instance back to the version and inputs of an earlier run. Takes addresses of every kind.",
)
of_pipeline = _command(
    "SERVICE", "service", address.pipeline, "Bring a pipeline back to the version and inputs of an earlier run."
)
of_component = _command(
    "NAME",
    "component",
    address.component,
    "Bring a component back to the file, the inputs and the place of an earlier run.",
)
