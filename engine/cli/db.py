"""`landform db`: the catalog as a database: bringing it up to date, looking after it, moving it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from click.core import ParameterSource

from engine import settings
from engine.cli import display, failures
from engine.cli.common import Session, pass_session
from engine.errors import Usage

UPGRADED = display.Shape(
    "landform.catalog-upgrade/1", display.columns("CATALOG=catalog BEFORE=before AFTER=after"), "after"
)
FINDINGS = display.Shape(
    "landform.catalog-finding/1", display.columns("CHECK=check OK=ok DETAIL=detail HINT=hint"), "check"
)
COPIED = display.Shape("landform.catalog-table/1", display.columns("TABLE=table ROWS=rows SHA256=sha256"), "table")


@click.group(cls=failures.Noun)
def db() -> None:
    """The catalog as a database: a file of this home, or PostgreSQL for many machines."""


@db.command("upgrade")
@click.option("--force", is_flag=True, help="Also while workers of a shared catalog have been heard of just now.")
@display.option
@pass_session
def upgrade(session: Session, output: str, *, force: bool) -> None:
    """Bring the catalog's schema up to date; makes the catalog where there is none."""
    from engine.catalog import places, upkeep

    place = places.place(places.named(session.settings))
    found = upkeep.upgrade(place, force=force)
    display.one({"catalog": str(place), **asdict(found)}, UPGRADED, output)
    session.say("Next: landform db check")


@db.command("check")
@display.option
@pass_session
def check(session: Session, output: str) -> int:
    """Say whether the catalog is sound: schema, integrity, rows, references. Ends with 1 when it is not."""
    from engine.catalog import places, upkeep

    findings = upkeep.findings(places.place(places.named(session.settings)))
    display.many([asdict(finding) for finding in findings], FINDINGS, output)
    return 0 if all(finding.ok for finding in findings) else 1


@db.command("copy")
@click.option("--to", "url", metavar="URL", help="sqlite:////path or postgresql://user@host/database.")
@click.option("--to-file", "file", metavar="FILE", help="A file that holds the URL, for one with a password.")
@display.option
@pass_session
def copy(session: Session, url: str | None, file: str | None, output: str) -> None:
    """Copy the catalog to an empty database, all of it or nothing, and compare the two table by table."""
    target = _target(url, file)
    copied = session.open_app().copy_catalog(target)
    display.many([asdict(table) for table in copied], COPIED, output)
    session.say("Nothing has changed here. To work with the copy, name it with LANDFORM_CATALOG_FILE.")


def _target(url: str | None, file: str | None) -> str:
    if bool(url) == bool(file):
        raise Usage("Where to is not said, or twice.", hint="Give --to URL or --to-file FILE.")
    if file:
        from engine.catalog import places

        return places.url_in(Path(file))
    assert url is not None
    source = click.get_current_context().get_parameter_source("url")
    if source is ParameterSource.COMMANDLINE and settings.has_password(url):
        hint = "Write the URL to a file that only you can read, and give --to-file FILE."
        raise Usage("A password on the command line can be read by everybody on this machine.", hint=hint)
    return url
