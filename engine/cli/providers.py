"""`landform providers`: which providers the home has, and fetching them ahead of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from engine.cli import arguments, display, failures
from engine.cli.common import Session, pass_session
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.catalog.reads import Reads
    from engine.terraform.events import Event
    from engine.terraform.mirror import Package

PROVIDERS = display.Shape(
    "landform.provider/1",
    display.columns("PROVIDER=provider VERSION=version PLATFORM=platform SIZE=size USED_BY=used_by FOLDER=folder"),
    "provider",
)
_MEGABYTE = 1_000_000


@click.group(cls=failures.Noun)
def providers() -> None:
    """Terraform's providers: each is fetched once for all template versions, which link to it."""


@providers.command("warm")
@click.argument("template", metavar="TEMPLATE[@VERSION]", shell_complete=arguments.complete("version"))
@arguments.given
@display.option
@pass_session
def warm(session: Session, template: str, given: arguments.GivenText, output: str) -> None:
    """Fetch what a template version needs, so that nothing made from it has to wait or reach out for it.

    Inputs count only where Jinja decides with them what the code is.
    """
    from engine.core import bundle, registered
    from engine.core.versions import parse_ref
    from engine.worker import warming

    row = session.reads().version(parse_ref(template))
    if not row["bundle"]:
        raise Conflict(
            f"{row['label']} failed its registration and cannot be used.",
            hint=f"See why: landform template show {row['label']}",
        )
    facts = bundle.from_json(row["facts"])
    schema = registered.schema_of(row["schema_text"], customer_managed=facts.customer_managed)
    inputs = {} if given.is_empty else arguments.example_inputs(given, schema)
    ground = session.open_app().phases.ground
    works = warming.examples(ground, row, facts, inputs)
    found = {package for work in works for package in warming.warm(ground, work, schema, _watch(session))}
    rows = [_row(package, [row["label"]]) for package in sorted(found, key=str)]
    display.many(rows, PROVIDERS, output)
    if not found:
        session.say(f"{row['label']} needs no provider that has to be fetched.")


@providers.command("list")
@display.option
@pass_session
def list_providers(session: Session, output: str) -> None:
    """List the providers of the home, with the template versions that were made ready with them."""
    from engine.terraform.mirror import Mirror
    from engine.terraform.preparation import Preparation

    home = session.settings.home
    labels = _labels(session.reads())
    used_by: dict[Package, set[str]] = defaultdict(set)
    for package in Mirror(home / "providers").packages():
        used_by[package] = set()
    for key, package in Preparation(home / "prepared").providers():
        used_by[package] |= labels[key.partition("-")[0]]
    rows = [_row(package, sorted(users)) for package, users in sorted(used_by.items(), key=lambda item: str(item[0]))]
    display.many(rows, PROVIDERS, output)


def _labels(reads: Reads) -> defaultdict[str, set[str]]:
    """What the names of a bundle's preparations begin with -> the versions that have it, as `web@1.2`."""
    from engine.terraform.preparation import bundle_prefix

    labels: defaultdict[str, set[str]] = defaultdict(set)
    for template in {template["name"] for template in reads.templates()}:
        for version in reads.versions(template):
            labels[bundle_prefix(version["bundle"])].add(version["label"])
    return labels


def _row(package: Package, users: list[str]) -> dict[str, Any]:
    size_bytes = package.size_bytes()
    return {
        "provider": package.source,
        "version": package.version,
        "platform": package.platform,
        "size": f"{size_bytes / _MEGABYTE:.0f} MB",
        "size_bytes": size_bytes,
        "used_by": users,
        "folder": str(package.folder),
    }


def _watch(session: Session) -> Callable[[str, Event | None], None]:
    """Says what init fetches, and what it tries again."""
    from engine.terraform import events

    def on(_phase: str, event: Event | None) -> None:
        if isinstance(event, events.Message) and event.kind in ("log", events.RETRY):
            session.say(event.text)

    return on
