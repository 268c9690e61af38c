"""`landform pipeline`: what developers do with the pipelines of services. They come and go with their services."""

from __future__ import annotations

import click

from engine.cli import arguments, details, display, failures, foreground, texts
from engine.cli.common import Session, pass_session
from engine.cli.foreground import Options
from engine.core import address

PIPELINES = display.Shape(
    "landform.instance/1",
    display.columns(
        "PIPELINE=service TEMPLATE=template VERSION=version RECOMMENDED=recommended LAST_RUN=status STALE=stale "
        "DRIFT=drift_level"
    ),
    "address",
)


@click.group(cls=failures.Noun)
def pipeline() -> None:
    """Pipelines of services, each named like its service."""


pipeline.elsewhere = {"rollback": "engine.cli.rollback:of_pipeline"}


@pipeline.command("list")
@click.option("--outdated", is_flag=True, help="Only those behind the recommended version.")
@display.option
@arguments.page
@pass_session
def list_pipelines(session: Session, page: display.Page, output: str, *, outdated: bool) -> None:
    """List the pipelines."""
    rows = session.reads().pipelines(outdated=outdated, after=page.after, limit=page.limit + 1)
    display.page(session, rows, PIPELINES, page, output)


@pipeline.command("show")
@click.argument("service", shell_complete=arguments.complete("service"))
@display.option
@pass_session
def show(session: Session, service: str, output: str) -> None:
    """Show a pipeline: version, inputs, outputs, and whether it is outdated or stale."""
    reads = session.reads()
    row = details.of_instance(reads, reads.instance(address.pipeline(service)))
    display.one(row, PIPELINES, output, lambda: texts.instance(row))


@pipeline.command("outputs")
@click.argument("service", shell_complete=arguments.complete("service"))
@display.option
@pass_session
def outputs(session: Session, service: str, output: str) -> None:
    """Print the outputs of a pipeline."""
    display.outputs(session.reads().instance(address.pipeline(service))["outputs"], output)


@pipeline.command("update")
@click.argument("service", shell_complete=arguments.complete("service"))
@arguments.update
@foreground.options
@pass_session
def update(session: Session, service: str, wish: arguments.UpdateText, how: Options) -> int:
    """Bring a pipeline to another version or other inputs; of a spec, its `pipeline` section counts.

    Without options, it goes to the recommended minor version of its major version.
    """
    from engine.actions import pipelines

    app = session.open_app()
    run_ids = pipelines.update(app.desk, service, wish.read(), how.consent())
    return foreground.carry_out(session, app, run_ids, how)
