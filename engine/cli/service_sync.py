"""`landform service sync`: services whose instances follow specs in a Git repository."""

from __future__ import annotations

import click

from engine.cli import arguments, common, display, failures, foreground, looking, sync
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.cli.looking import Look
from engine.core.syncs import OPS_FILE, Kind

BLOCKERS = display.Shape(
    "landform.blocker/1",
    display.columns("BLOCKER=id SERVICE=service INSTANCE=instance REASON=reason BY=created_by CREATED=created_at")
    + display.columns("RESOLVED=resolved_reason RESOLVED_BY=resolved_by"),
    "id",
)
_ID = common.WholeNumber(2**53 - 1, "the number of a blocker: landform service sync blockers SERVICE lists them")


@click.group("sync", cls=failures.Noun)
def service_sync() -> None:
    """Services whose instances follow specs in a Git repository."""


@service_sync.command("add")
@click.argument("name", shell_complete=arguments.complete("service"))
@click.argument("repository")
@click.option("--branch", default="main", show_default=True, help="Branch that holds the ops file.")
@click.option("--file", default=OPS_FILE, show_default=True, metavar="PATH", help="The ops file, from the root.")
@display.option
@pass_session
def add(session: Session, name: str, repository: str, branch: str, file: str, output: str) -> None:
    """Follow the specs that an ops file names for the instances of a service."""
    from engine.actions import syncs
    from engine.actions.changes import Consent

    follower = session.open_app().follower(Consent())
    syncs.add(follower, Kind.SERVICE, name, syncs.Source(repository, branch, file))
    [row] = session.reads().syncs(Kind.SERVICE, name)
    display.one(row, sync.SYNCS, output, lambda: f"Service {name} follows {branch} of {repository}.")
    session.say(f"Next: landform service sync run {name}")


@service_sync.command("remove")
@click.argument("name", shell_complete=arguments.complete("service"))
@display.option
@pass_session
def remove(session: Session, name: str, output: str) -> None:
    """Follow no longer. The service and its instances stay as they are; blockers are forgotten."""
    from engine.actions import syncs

    syncs.remove(session.open_app().desk, Kind.SERVICE, name)
    row = {"kind": Kind.SERVICE.value, "name": name, "id": None}
    display.one(row, sync.SYNCS, output, lambda: f"Service {name} follows no branch any more.")


@service_sync.command("run")
@click.argument("name", required=False, shell_complete=arguments.complete("service"))
@looking.retry
@foreground.recording
@pass_session
def run_syncs(
    session: Session,
    name: str | None,
    how: Options,
    *,
    retry: bool,
) -> int:
    """Bring instances to what their specs say, of one service or of all. Exit code 1 when anything failed."""
    return looking.once(session, Look(Kind.SERVICE, name, how, retry))


@service_sync.command("status")
@click.argument("name", shell_complete=arguments.complete("service"))
@display.option
@pass_session
def status(session: Session, name: str, output: str) -> None:
    """Show what came last of each instance."""
    sync.status(session, Kind.SERVICE, name, output)


@service_sync.command("blockers")
@click.argument("name", shell_complete=arguments.complete("service"))
@click.option("--all", "everything", is_flag=True, help="Also those that have been resolved.")
@display.option
@pass_session
def blockers(session: Session, name: str, output: str, *, everything: bool) -> None:
    """List why instances of a service are not followed: somebody changed them by hand."""
    reads = session.reads()
    reads.service(name)
    display.many([row for row in reads.blockers(name) if everything or not row["resolved_at"]], BLOCKERS, output)


@service_sync.command("resolve")
@click.argument("blocker_id", type=_ID, metavar="BLOCKER")
@click.option("--reason", required=True, metavar="TEXT", help="Why the branch counts again.")
@display.option
@pass_session
def resolve(session: Session, blocker_id: int, reason: str, output: str) -> None:
    """Follow the branch again, from the next look on."""
    from engine.actions import syncs

    found = syncs.resolve(session.open_app().desk, blocker_id, reason)
    row = next(row for row in session.reads().blockers(found.service) if row["id"] == blocker_id)
    what = f"{found.service}/{found.instance}" if found.instance else found.service
    display.one(row, BLOCKERS, output, lambda: f"{what} follows its branch again.")
    session.say(f"Next: landform service sync run {found.service}")
