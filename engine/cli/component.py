"""`landform component`: what developers do with components, one Terraform file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli import adoption, arguments, details, display, failures, foreground, requests, texts
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.core import address
from engine.errors import NotFound, Usage

if TYPE_CHECKING:
    from engine.bundles.components import Source

COMPONENTS = display.Shape(
    "landform.instance/1",
    display.columns(
        "COMPONENT=name ENVIRONMENT=environment ATTACHED=attached VERSION=version LAST_RUN=status STALE=stale "
        "DRIFT=drift_level"
    ),
    "address",
)


@click.group(cls=failures.Noun)
def component() -> None:
    """Components: one Terraform file each, attached to a service instance or by itself in an environment."""


component.elsewhere = {"rollback": "engine.cli.rollback:of_component"}


_FILE = "Terraform file that it is made of."
_MANIFEST = "Its manifest.yaml, which names the file.  [default: one is written]"
_SPEC = click.option("--spec", "-f", metavar="FILE", help="ServiceSpec whose inputs of the instance it is to get.")


@component.command("create")
@click.argument("name")
@click.option("--file", required=True, metavar="FILE", help=_FILE)
@click.option("--manifest", metavar="FILE", help=_MANIFEST)
@click.option("--env", "environment", metavar="NAME", help="Environment it lives in, by itself.")
@click.option(
    "--instance",
    metavar="SERVICE/NAME",
    help="Service instance to attach it to; it lives where that does.",
    shell_complete=arguments.complete("instance"),
)
@_SPEC
@click.option("--description", default="", help="What it is for.")
@adoption.option
@foreground.options
@pass_session
def create(
    session: Session,
    name: str,
    file: str,
    manifest: str | None,
    environment: str | None,
    instance: str | None,
    spec: str | None,
    description: str,
    adopt_state: str | None,
    how: Options,
) -> int:
    """Create a component in an environment, or attached to a service instance."""
    from engine.actions import components

    attach = arguments.instance_address(instance) if instance else None
    given = arguments.GivenText(spec, ()).read()
    wish = components.NewComponent(name, _source(file, manifest), environment, attach, given, description)
    app = session.open_app()
    run_ids = adoption.made(app, adopt_state, lambda desk: components.create(desk, wish, how.consent()))
    return foreground.carry_out(session, app, run_ids, how)


@component.command("update")
@click.argument("name", shell_complete=arguments.complete("component"))
@click.option("--file", metavar="FILE", help=_FILE)
@click.option("--manifest", metavar="FILE", help=_MANIFEST)
@click.option(
    "--attach",
    metavar="SERVICE/NAME",
    help="Service instance to attach it to.",
    shell_complete=arguments.complete("instance"),
)
@click.option("--detach", is_flag=True, help="Take it from the instance that it is attached to.")
@_SPEC
@click.option("--description", help="What it is for. Needs no run.")
@foreground.options
@pass_session
def update(
    session: Session,
    name: str,
    file: str | None,
    manifest: str | None,
    attach: str | None,
    spec: str | None,
    description: str | None,
    how: Options,
    *,
    detach: bool,
) -> int:
    """Give a component another file, attach it or detach it. Without options, it is deployed again."""
    from engine.actions import components

    if manifest is not None and file is None:
        raise Usage("A manifest needs the file that it names.", hint="Give --file FILE.")
    source = _source(file, manifest) if file else None
    wanted = arguments.instance_address(attach) if attach else None
    wish = components.ComponentUpdate(source, wanted, detach, arguments.GivenText(spec, ()).read(), description)
    app = session.open_app()
    run_ids = components.update(app.desk, name, wish, how.consent(), again=description is None)
    if not run_ids:
        row = session.reads().instance(address.component(name))
        display.one(row, COMPONENTS, how.output, lambda: f"Component {name} was changed; no run was needed.")
        return 0
    return foreground.carry_out(session, app, run_ids, how)


@component.command("delete")
@click.argument("names", nargs=-1, required=True, metavar="NAME...", shell_complete=arguments.complete("component"))
@foreground.options
@pass_session
def delete(session: Session, names: tuple[str, ...], how: Options) -> int:
    """Destroy components that are not attached."""
    from engine.actions import components

    app = session.open_app()
    return foreground.carry_out(session, app, components.delete(app.desk, names, how.consent()), how)


@component.command("list")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Only components in this environment.",
    shell_complete=arguments.complete("environment"),
)
@click.option(
    "--instance",
    metavar="SERVICE/NAME",
    help="Only the one that is attached to this instance.",
    shell_complete=arguments.complete("instance"),
)
@display.option
@arguments.page
@pass_session
def list_components(
    session: Session, environment: str | None, instance: str | None, page: display.Page, output: str
) -> None:
    """List the components."""
    reads = session.reads()
    if environment is not None:
        reads.instance(address.environment(environment))
    attached = reads.instance(arguments.instance_address(instance))["address"] if instance else None
    rows = reads.components(environment, attached, after=page.after, limit=page.limit + 1)
    display.page(session, rows, COMPONENTS, page, output)


@component.command("show")
@click.argument("name", shell_complete=arguments.complete("component"))
@display.option
@pass_session
def show(session: Session, name: str, output: str) -> None:
    """Show a component: its file, what it is attached to, and its outputs."""
    reads = session.reads()
    row = details.of_instance(reads, reads.instance(address.component(name)))
    display.one(row, COMPONENTS, output, lambda: texts.instance(row))


@component.command("outputs")
@click.argument("name", shell_complete=arguments.complete("component"))
@display.option
@pass_session
def outputs(session: Session, name: str, output: str) -> None:
    """Print the outputs of a component, which the instance that it is attached to can read."""
    display.outputs(session.reads().instance(address.component(name))["outputs"], output)


def _source(file: str, manifest: str | None) -> Source:
    from engine.bundles.components import Source

    return Source(Path(file).name, _content(file), _content(manifest) if manifest else None)


def _content(file: str) -> bytes:
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise NotFound(f"{file} cannot be read: {error.strerror}.") from error
    requests.note_document(file, content)
    return content
