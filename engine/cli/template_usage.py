"""`landform template usage`: who uses a template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display
from engine.cli.common import Session, pass_session

if TYPE_CHECKING:
    from engine.actions.usage import Usage, User

USAGE = display.Shape("landform.usage/1", (), "template")
_COLUMNS = display.columns(
    "ADDRESS=address VERSION=version STATE=version_status ENVIRONMENT=environment STATUS=status BEHIND=behind RUN=run"
)


@click.command("usage")
@click.argument("name", metavar="NAME[@VERSION]", shell_complete=arguments.complete("version"))
@click.option("--select", "terms", multiple=True, metavar="TERM", help="Only some, as template=web or outdated.")
@display.option
@pass_session
def usage(session: Session, name: str, terms: tuple[str, ...], output: str) -> None:
    """Show who uses a template or a version: how far behind each is, and the runs under way."""
    from engine.actions import usage as actions
    from engine.core import selection
    from engine.core.versions import parse_ref

    found = actions.usage(session.open_app().desk, parse_ref(name), selection.parse(terms))
    if output == "name":
        click.echo("".join(f"{user.address}\n" for user in found.users), nl=False)
        return
    display.one(found.to_json(), USAGE, output, lambda: _text(found))


def _text(found: Usage) -> str:
    best = f", {found.recommended} is recommended" if found.recommended else ", nothing is recommended"
    lines = [f"{found.template} ({found.kind}{best})"]
    lines += [f"  lowest usable of major version {key}: {key}.{minor}" for key, minor in sorted(found.minimums.items())]
    for version in found.versions:
        why = f": {version.message}" if version.status in ("deprecated", "yanked") else ""
        below = ", below the minimum" if version.is_below_minimum else ""
        fits = f"; fits {', '.join(version.compatible)}" if version.compatible else ""
        lines.append(f"  {version.version} {version.status}{why}{below}, {version.instances} in use{fits}")
    rows = [_row(user) for user in found.users]
    return display.printable(
        "\n".join([*lines, "", *(display.table(rows, _COLUMNS) if rows else ["Nothing uses it."])])
    )


def _row(user: User) -> dict[str, object]:
    run = f"{user.run.id} {user.run.status} to {user.run.template}" if user.run else ""
    return {
        "address": user.address,
        "version": user.version,
        "version_status": user.version_status,
        "environment": user.environment,
        "status": user.status,
        "behind": user.behind or "",
        "run": run,
    }
