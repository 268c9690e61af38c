"""`landform instance`: what developers do with one instance of a service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, details, display, failures, foreground, marks, texts
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.core.address import environment as environment_address

if TYPE_CHECKING:
    from engine.catalog.reads import Row

INSTANCES = display.Shape(
    "landform.instance/1",
    display.columns(
        "INSTANCE=name SERVICE=service ENVIRONMENT=environment TEMPLATE=template "
        "VERSION=version RECOMMENDED=recommended LAST_RUN=status STALE=stale DRIFT=drift_level "
        "EXPIRES=expires_at HIBERNATED=hibernated_at"
    ),
    "address",
)
HISTORY = display.Shape(
    "landform.run/1",
    display.columns(
        "RUN=id LIVE=is_live OPERATION=operation FROM=template_before TEMPLATE=template INPUTS=inputs_changed "
        "SHAPE=shape STATUS=status PLAN=plan BY=requested_by APPROVED=approvers EXCEPTIONS=exceptions "
        "CAMPAIGN=campaign_id CREATED=created_at"
    ),
    "id",
)


@click.group(cls=failures.Noun)
def instance() -> None:
    """Single service instances, as SERVICE/NAME."""


instance.elsewhere = {
    "rollback": "engine.cli.rollback:of_anything",
    "extend": "engine.cli.instance_life:extend",
    "hibernate": "engine.cli.instance_life:hibernate",
    "wake": "engine.cli.instance_life:wake",
    "expire": "engine.cli.instance_life:expire",
}


@instance.command("list")
@click.option(
    "--service", metavar="NAME", help="Only instances of this service.", shell_complete=arguments.complete("service")
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Only instances in this environment.",
    shell_complete=arguments.complete("environment"),
)
@click.option(
    "--outdated", is_flag=True, help="Only those behind a newer version, or stale: an output they read has changed."
)
@display.option
@arguments.page
@pass_session
def list_instances(
    session: Session, service: str | None, environment: str | None, page: display.Page, output: str, *, outdated: bool
) -> None:
    """List service instances."""
    reads = session.reads()
    if service is not None:
        reads.service(service)
    if environment is not None:
        reads.instance(environment_address(environment))
    find = partial(reads.service_instances, service, environment, after=page.after, limit=page.limit + 1)
    rows = _by_address(find(outdated=True), find(stale=True), page.limit + 1) if outdated else find()
    display.page(session, rows, INSTANCES, page, output)


def _by_address(some: Sequence[Row], others: Sequence[Row], limit: int) -> list[Row]:
    """Two lists as one, each row once, at most `limit`."""
    rows = {row["address"]: row for row in (*some, *others)}
    return [rows[found] for found in sorted(rows)[:limit]]


@instance.command("show")
@click.argument("address", shell_complete=arguments.complete("instance"))
@display.option
@pass_session
def show(session: Session, address: str, output: str) -> None:
    """Show an instance: version, inputs, outputs, and whether it is outdated or stale."""
    reads = session.reads()
    row = details.of_instance(reads, reads.instance(arguments.instance_address(address)))
    display.one(row, INSTANCES, output, lambda: texts.instance(row))


@instance.command("outputs")
@click.argument("address", shell_complete=arguments.complete("instance"))
@display.option
@pass_session
def outputs(session: Session, address: str, output: str) -> None:
    """Print the outputs of an instance."""
    display.outputs(session.reads().instance(arguments.instance_address(address))["outputs"], output)


@instance.command("history")
@click.argument("address", shell_complete=arguments.complete("instance"))
@display.option
@arguments.page
@pass_session
def history(session: Session, address: str, page: display.Page, output: str) -> None:
    """List the runs of an instance, newest first: what each changed, who said yes, and which one is live."""
    rows = session.reads().history(arguments.any_address(address), before=page.before, limit=page.limit + 1)
    if output == "table":
        rows = [row | {"approvers": row["approvers"] or row["approved_by"]} for row in rows]
    display.page(session, rows, HISTORY, page, output)


@instance.command("update")
@click.argument("address", shell_complete=arguments.complete("instance"))
@arguments.update
@marks.tags
@foreground.options
@pass_session
def update(session: Session, address: str, wish: arguments.UpdateText, tags: dict[str, str], how: Options) -> int:
    """Bring an instance to another version or other inputs.

    Without options, it goes to the recommended minor version of its major version.
    """
    from engine.actions import instances

    app, where = session.open_app(), arguments.instance_address(address)
    if tags and wish.is_empty:
        instances.tag(app.desk, where, tags)
        row = session.reads().instance(where)
        display.one(row, INSTANCES, how.output, lambda: marks.changed(f"Instance {address}", tags))
        return 0
    run_ids = instances.update(app.desk, where, wish.read(), how.consent(), tags)
    return foreground.carry_out(session, app, run_ids, how)


@instance.command("delete")
@click.argument(
    "addresses", nargs=-1, required=True, metavar="SERVICE/NAME...", shell_complete=arguments.complete("instance")
)
@foreground.options
@pass_session
def delete(session: Session, addresses: tuple[str, ...], how: Options) -> int:
    """Destroy instances. The last one of a service goes with: landform service delete."""
    from engine.actions import instances

    app = session.open_app()
    wanted = [arguments.instance_address(text) for text in addresses]
    return foreground.carry_out(session, app, instances.delete(app.desk, wanted, how.consent()), how)


@instance.command("render")
@click.argument("address", shell_complete=arguments.complete("instance"))
@click.option("--dir", "folder", metavar="FOLDER", help="Write the files there.  [default: print them]")
@display.option
@pass_session
def render(session: Session, address: str, folder: str | None, output: str) -> None:
    """Show the files Terraform would be given now, secrets masked. Takes environment/NAME too."""
    from engine.worker import previews

    app = session.open_app()
    display.files(previews.of_instance(app.catalog, app.phases.ground, arguments.any_address(address)), folder, output)
