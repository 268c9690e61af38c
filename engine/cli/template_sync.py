"""`landform template sync`: templates that follow a branch of a Git repository."""

from __future__ import annotations

import click

from engine.cli import arguments, display, failures, looking, sync
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.cli.looking import Look
from engine.core.syncs import Kind


@click.group("sync", cls=failures.Noun)
def template_sync() -> None:
    """Templates that follow a branch of a Git repository."""


@template_sync.command("add")
@click.argument("name", metavar="[KIND/]NAME", shell_complete=arguments.complete("template"))
@click.argument("repository")
@click.option("--branch", default="main", show_default=True, help="Branch to follow.")
@click.option("--subdirectory", default="", metavar="FOLDER", help="Folder that the template's own lies below.")
@display.option
@pass_session
def add(session: Session, name: str, repository: str, branch: str, subdirectory: str, output: str) -> None:
    """Follow a branch: each v<N> folder below that of the template is a major version.

    A template that is not there yet is named with its kind, as service/web: its first bundle makes it.
    """
    from engine.actions import syncs
    from engine.actions.changes import Consent

    follower = session.open_app().follower(Consent())
    found = syncs.add(follower, Kind.TEMPLATE, name, syncs.Source(repository, branch, subdirectory))
    [row] = session.reads().syncs(Kind.TEMPLATE, found.name)
    display.one(row, sync.SYNCS, output, lambda: f"Template {row['name']} follows {branch} of {repository}.")
    session.say(f"Next: landform template sync run {row['name']}")


@template_sync.command("list")
@display.option
@pass_session
def list_syncs(session: Session, output: str) -> None:
    """List the templates that follow a branch."""
    display.many(session.reads().syncs(Kind.TEMPLATE), sync.SYNCS, output)


@template_sync.command("remove")
@click.argument("name", shell_complete=arguments.complete("template"))
@display.option
@pass_session
def remove(session: Session, name: str, output: str) -> None:
    """Follow no longer. The template and its versions stay."""
    from engine.actions import syncs

    found = syncs.remove(session.open_app().desk, Kind.TEMPLATE, name)
    row = {"kind": Kind.TEMPLATE.value, "name": found, "id": None}
    display.one(row, sync.SYNCS, output, lambda: f"Template {found} follows no branch any more.")


@template_sync.command("run")
@click.argument("name", required=False, shell_complete=arguments.complete("template"))
@looking.retry
@display.option
@pass_session
def run_syncs(session: Session, name: str | None, output: str, *, retry: bool) -> int:
    """Register what is new as drafts, of one template or of all. Exit code 1 when anything failed."""
    return looking.once(session, Look(Kind.TEMPLATE, name, Options(output=output), retry))


@template_sync.command("status")
@click.argument("name", shell_complete=arguments.complete("template"))
@display.option
@pass_session
def status(session: Session, name: str, output: str) -> None:
    """Show what came last of each major version."""
    sync.status(session, Kind.TEMPLATE, name, output)
