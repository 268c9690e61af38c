"""`landform env`: what admins do with environments."""

from __future__ import annotations

from functools import partial

import click

from engine.cli import (
    adoption,
    arguments,
    details,
    display,
    failures,
    foreground,
    marks,
    propagation,
    provisioning,
    texts,
)
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.core.rules import NAMES as RULES

ENVIRONMENTS = display.Shape(
    "landform.environment/1",
    display.columns(
        "NAME=name TEMPLATE=template VERSION=version RECOMMENDED=recommended LAST_RUN=status RUN=last_run_id "
        "DRIFT=drift_level EXPIRES=expires_at HIBERNATED=hibernated_at"
    ),
    "name",
)


@click.group(cls=failures.Noun)
def env() -> None:
    """Environments, which services run in."""


env.elsewhere = {
    "calendar": "engine.cli.env_calendar:calendar",
    "guards": "engine.cli.guards:of_environment",
    "rollback": "engine.cli.rollback:of_environment",
}


@env.command("create")
@click.argument("name")
@click.option(
    "--template",
    "-t",
    required=True,
    metavar="NAME[@VERSION]",
    help="Template; its recommended version, or that of a major version (NAME@1), unless one is named.",
    shell_complete=arguments.complete("version"),
)
@arguments.given
@click.option(
    "--run-env",
    multiple=True,
    metavar="NAME=VALUE",
    help="Environment variable for Terraform here and in all that lives here.",
)
@click.option(
    "--run-env-file",
    "run_env_files",
    multiple=True,
    metavar="NAME=PATH",
    help="The same for a secret: its value is read from the file when Terraform runs, and kept nowhere.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Rule for the runs here: {', '.join(RULES)}.",
)
@click.option("--description", default="", help="What it is for.")
@provisioning.options
@adoption.option
@marks.credentials
@marks.tags
@marks.ttl
@foreground.options
@pass_session
def create(
    session: Session,
    name: str,
    template: str,
    given: arguments.GivenText,
    run_env: tuple[str, ...],
    run_env_files: tuple[str, ...],
    rules: tuple[str, ...],
    description: str,
    proposed_in: provisioning.Text,
    adopt_state: str | None,
    credentials: str | None,
    tags: dict[str, str],
    ttl: str | None,
    how: Options,
) -> int:
    """Create an environment from a template."""
    from engine.actions import environments
    from engine.actions.lifetimes import limited
    from engine.core.versions import parse_ref

    variables, wishes = arguments.run_env(run_env, run_env_files), arguments.assignments(rules, "--rule")
    wish = environments.NewEnvironment(
        name,
        parse_ref(template),
        given.read(),
        description,
        run_env=variables,
        rules=wishes,
        provisioning=proposed_in.read(),
        credentials=credentials or "",
        tags=tags,
    )
    app, ttl_s = session.open_app(), marks.ttl_s(ttl)
    made = partial(environments.create, wish=wish, consent=how.consent())
    run_ids = adoption.made(app, adopt_state, lambda desk: made(limited(desk, ttl_s)))
    return foreground.carry_out(session, app, run_ids, how)


@env.command("update")
@click.argument("name", shell_complete=arguments.complete("environment"))
@arguments.update
@click.option(
    "--run-env",
    multiple=True,
    metavar="NAME=VALUE",
    help="Environment variable for Terraform; NAME= takes it away. Needs no run.",
)
@click.option(
    "--run-env-file",
    "run_env_files",
    multiple=True,
    metavar="NAME=PATH",
    help="The same for a secret: its value is read from the file when Terraform runs. Needs no run.",
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"Rule for the runs here: {', '.join(RULES)}; NAME= is the default. Needs no run.",
)
@click.option("--description", help="What it is for. Needs no run.")
@provisioning.options
@marks.credentials
@marks.tags
@propagation.onwards
@foreground.options
@pass_session
def update(
    session: Session,
    name: str,
    wish: arguments.UpdateText,
    run_env: tuple[str, ...],
    run_env_files: tuple[str, ...],
    rules: tuple[str, ...],
    description: str | None,
    proposed_in: provisioning.Text,
    credentials: str | None,
    tags: dict[str, str],
    how: Options,
    *,
    propagate: bool,
) -> int:
    """Bring an environment to another version or other inputs."""
    from engine.actions import environments
    from engine.actions import propagation as follow

    app = session.open_app()
    variables = {key: value or None for key, value in arguments.run_env(run_env, run_env_files).items()}
    wishes = arguments.assignments(rules, "--rule")
    said = environments.Details(description, variables, wishes, proposed_in.read(), credentials, tags)
    only_details = wish.is_empty and said != environments.Details()
    if propagate:
        propagation.refuse(only_details=only_details)
    desk = follow.propagating(app.desk, name, propagation.manner(app, how)) if propagate else app.desk
    run_ids = environments.update(desk, name, None if only_details else wish.read(), how.consent(), said)
    if only_details:
        row = session.reads().instance(f"environment/{name}")
        display.one(row, ENVIRONMENTS, how.output, lambda: marks.changed(f"Environment {name}", tags))
        return 0
    if propagate:
        return propagation.carry_out(session, app, run_ids, how)
    return foreground.carry_out(session, app, run_ids, how)


@env.command("delete")
@click.argument("name", shell_complete=arguments.complete("environment"))
@propagation.away
@foreground.options
@pass_session
def delete(session: Session, name: str, how: Options, *, propagate: bool) -> int:
    """Destroy an environment that nothing lives in; with --propagate, and all that does."""
    from engine.actions import environments, propagation

    app = session.open_app()
    act = propagation.delete if propagate else environments.delete
    return foreground.carry_out(session, app, act(app.desk, name, how.consent()), how)


@env.command("list")
@click.option("--outdated", is_flag=True, help="Only those behind the recommended version.")
@display.option
@arguments.page
@pass_session
def list_environments(session: Session, page: display.Page, output: str, *, outdated: bool) -> None:
    """List the environments."""
    display.page(
        session,
        session.reads().environments(outdated=outdated, after=page.after, limit=page.limit + 1),
        ENVIRONMENTS,
        page,
        output,
    )


@env.command("show")
@click.argument("name", shell_complete=arguments.complete("environment"))
@display.option
@pass_session
def show(session: Session, name: str, output: str) -> None:
    """Show an environment: version, inputs, outputs, and who lives in it."""
    from engine.core import address

    reads = session.reads()
    row = details.of_environment(reads, reads.instance(address.environment(name)))
    display.one(row, ENVIRONMENTS, output, lambda: texts.instance(row))


@env.command("outputs")
@click.argument("name", shell_complete=arguments.complete("environment"))
@display.option
@pass_session
def outputs(session: Session, name: str, output: str) -> None:
    """Print the outputs that services can read."""
    from engine.core import address

    display.outputs(session.reads().instance(address.environment(name))["outputs"], output)
