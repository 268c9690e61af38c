"""`landform service`: what developers do with a service and its instances together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import adoption, arguments, display, failures, foreground, marks, texts
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.catalog.reads import Row

SERVICES = display.Shape(
    "landform.service/1",
    display.columns(
        "NAME=name TEMPLATE=template INSTANCES=instances STATUS=status "
        "OUTDATED=outdated_instances STALE=stale_instances"
    ),
    "name",
)


@click.group(cls=failures.Noun)
def service() -> None:
    """Services and their instances, together."""


service.elsewhere = {"sync": "engine.cli.service_sync:service_sync"}


@service.command("create")
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
    "--env",
    "environments",
    multiple=True,
    metavar="NAME",
    help="Without a spec: an environment to run in, once for each.",
    shell_complete=arguments.complete("environment"),
)
@click.option("--description", default="", help="What it is for.")
@click.option("--repository", default="", metavar="OWNER/NAME", help="Repository of its code.")
@click.option("--branch", default="", help="Branch its pipeline follows.")
@click.option(
    "--repository-connection", default="", metavar="ARN", help="Connection its pipeline reads the repository with."
)
@adoption.option
@marks.tags
@marks.ttl
@foreground.options
@pass_session
def create(
    session: Session,
    name: str,
    template: str,
    given: arguments.GivenText,
    environments: tuple[str, ...],
    description: str,
    repository: str,
    branch: str,
    repository_connection: str,
    adopt_state: str | None,
    tags: dict[str, str],
    ttl: str | None,
    how: Options,
) -> int:
    """Create a service: an instance in each environment that its spec names."""
    from engine.actions import services
    from engine.actions.lifetimes import limited
    from engine.core.versions import parse_ref

    details = (description, repository, branch, repository_connection)
    wish = services.NewService(name, parse_ref(template), given.read(), environments, *details, tags)
    app, ttl_s = session.open_app(), marks.ttl_s(ttl)
    run_ids = adoption.made(app, adopt_state, lambda desk: services.create(limited(desk, ttl_s), wish, how.consent()))
    return foreground.carry_out(session, app, run_ids, how)


@service.command("update")
@click.argument("name", shell_complete=arguments.complete("service"))
@click.option(
    "--spec", "-f", metavar="FILE", help="The whole ServiceSpec: instances it lacks are destroyed, new ones created."
)
@click.option("--description", help="What it is for. Needs no run.")
@marks.tags
@marks.ttl
@foreground.options
@pass_session
def update(
    session: Session,
    name: str,
    spec: str | None,
    description: str | None,
    tags: dict[str, str],
    ttl: str | None,
    how: Options,
) -> int:
    """Add and remove instances. To change one, use: landform instance update."""
    from engine.actions import services
    from engine.actions.lifetimes import limited

    document = arguments.read_document(spec)
    if document is None and description is None and not tags:
        raise Usage("Nothing to change.", hint="Give --spec FILE, --description TEXT or --tag KEY=VALUE.")
    if document is None and ttl is not None:
        raise Usage("--ttl is for the instances that a spec adds.", hint="For one: landform instance extend")
    app = session.open_app()
    desk = limited(app.desk, marks.ttl_s(ttl))
    run_ids = [] if document is None else services.update(desk, name, document, how.consent(), tags)
    if description is not None or document is None:
        services.describe(app.desk, name, description, tags)
    if document is None:
        row = _counted(session.reads().service(name))
        display.one(row, SERVICES, how.output, lambda: marks.changed(f"Service {name}", tags))
        return 0
    if not run_ids:
        session.say(f"Service {name} has these instances already: nothing had to be done.")
    return foreground.carry_out(session, app, run_ids, how)


@service.command("delete")
@click.argument("name", shell_complete=arguments.complete("service"))
@foreground.options
@pass_session
def delete(session: Session, name: str, how: Options) -> int:
    """Destroy a service with all its instances."""
    from engine.actions import services

    app = session.open_app()
    return foreground.carry_out(session, app, services.delete(app.desk, name, how.consent()), how)


@service.command("list")
@display.option
@arguments.page
@pass_session
def list_services(session: Session, page: display.Page, output: str) -> None:
    """List the services."""
    display.page(
        session,
        [_counted(row) for row in session.reads().services(after=page.after, limit=page.limit + 1)],
        SERVICES,
        page,
        output,
    )


@service.command("show")
@click.argument("name", shell_complete=arguments.complete("service"))
@display.option
@pass_session
def show(session: Session, name: str, output: str) -> None:
    """Show a service and its instances."""
    reads = session.reads()
    row, instances = reads.service(name), reads.service_instances(service=name)
    display.one({**row, "items": instances}, SERVICES, output, lambda: texts.service(row, instances))


@service.command("spec")
@click.argument("name", shell_complete=arguments.complete("service"))
@pass_session
def show_spec(session: Session, name: str) -> None:
    """Print the ServiceSpec as it stands, ready to be edited and given back."""
    from engine.actions import services
    from engine.core import spec

    click.echo(spec.text(services.stored_spec(session.open_app().desk, name)), nl=False)


def _counted(row: Row) -> Row:
    """The row with its instances' statuses in words."""
    return {**row, "status": ", ".join(f"{count} {status}" for status, count in row["statuses"].items())}
