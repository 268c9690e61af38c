"""What `landform --help` says. Without click: to import it takes twice as long as a bare Python takes to start."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS = {
    "init": ("engine.cli.setup:init", "Make this folder a Landform home."),
    "template": ("engine.cli.template:template", "Templates and their versions."),
    "env": ("engine.cli.env:env", "Environments, which services run in."),
    "service": ("engine.cli.service:service", "Services and their instances, together."),
    "instance": ("engine.cli.instance:instance", "Single service instances."),
    "pipeline": ("engine.cli.pipeline:pipeline", "Pipelines of services."),
    "component": ("engine.cli.component:component", "Components: one Terraform file each, beside a service."),
    "campaign": ("engine.cli.campaign:campaign", "Campaigns: one change for many instances, wave by wave."),
    "wiring": ("engine.cli.wiring:wiring", "Who feeds whom: outputs, and who reads them."),
    "run": ("engine.cli.run:run", "Runs: plans, approvals, applies, logs."),
    "explain": ("engine.cli.explain:explain", "Why something is as it is, and what to type next."),
    "guards": ("engine.cli.guards:guards", "Guards: what plans must keep to."),
    "drift": ("engine.cli.drift:drift", "Drift: what was changed outside of Landform."),
    "sync": ("engine.cli.sync:sync", "What follows branches of Git repositories."),
    "worker": ("engine.cli.worker:worker", "Workers: processes that carry out whatever comes."),
    "state": ("engine.cli.state:state", "States: what was kept, going back, moving."),
    "events": ("engine.cli.events:events", "Events: what others were told, and what did not arrive."),
    "providers": ("engine.cli.providers:providers", "Terraform's providers: fetched once, linked to."),
    "keys": ("engine.cli.keys:keys", "Keys that states and plans are encrypted with."),
    "db": ("engine.cli.db:db", "The catalog as a database: upgrade, check, copy."),
    "metrics": ("engine.cli.metrics:metrics", "What is measured, for Prometheus."),
    "doctor": ("engine.cli.setup:doctor", "Say which Terraform is used and what is missing."),
    "completion": ("engine.cli.setup:completion", "Print the completion script of a shell."),
    "version": ("engine.cli.setup:version", "Print the versions of Landform and Terraform."),
}
"""Command -> where it is defined, and its line in the help: the whole tree is never imported to print it."""
OPTIONS = {
    "--home FOLDER": "Folder of the catalog, bundles and workspaces.",
    "--no-color": "Never colour the output.",
    "-q, --quiet": "Print nothing but results and errors.",
    "-h, --help": "Show this message and exit.",
}
_HEAD = """\
Usage: landform [OPTIONS] COMMAND [ARGS]...

  Self-service infrastructure from versioned Terraform templates.

  Admins      landform template register|publish, landform env create
  Developers  landform service create, landform instance update
  Pipelines   every command with -o json; exit codes tell what happened

  Start with: landform init
"""


def text() -> str:
    """The page, without a newline at its end."""
    commands = {name: line for name, (_, line) in COMMANDS.items()}
    return "\n".join((_HEAD, *_section("Options", OPTIONS), "", *_section("Commands", commands)))


def _section(title: str, rows: Mapping[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"{title}:", *(f"  {name:{width}}  {line}" for name, line in rows.items())]
