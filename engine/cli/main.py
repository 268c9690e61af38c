"""The command `landform`: its nouns, loaded when used, and how every error reaches the user."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from engine.cli import common, failures

COMMANDS = {
    "init": ("engine.cli.setup:init", "Make this folder a Landform home."),
    "template": ("engine.cli.template:template", "Templates and their versions."),
    "env": ("engine.cli.env:env", "Environments, which services run in."),
    "service": ("engine.cli.service:service", "Services and their instances, together."),
    "instance": ("engine.cli.instance:instance", "Single service instances."),
    "run": ("engine.cli.run:run", "Runs: plans, approvals, applies, logs."),
    "doctor": ("engine.cli.setup:doctor", "Say which Terraform is used and what is missing."),
    "completion": ("engine.cli.setup:completion", "Print the completion script of a shell."),
    "version": ("engine.cli.setup:version", "Print the versions of Landform and Terraform."),
}
"""Command -> where it is defined, and its line in the help: the whole tree is never imported to print it."""


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The nouns in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named when there is none."""
        failures.suggest_command(ctx, args, list(COMMANDS))
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings=common.CONTEXT)
@click.option("--home", metavar="FOLDER", help="Folder of the catalog, bundles and workspaces.")
@click.option("--no-color", is_flag=True, help="Never colour the output.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but results and errors.")
@click.pass_context
def landform(ctx: click.Context, home: str | None, *, no_color: bool, quiet: bool) -> None:
    """Self-service infrastructure from versioned Terraform templates.

    \b
    Admins      landform template register|publish, landform env create
    Developers  landform service create, landform instance update
    Pipelines   every command with -o json; exit codes tell what happened

    Start with: landform init
    """
    ctx.obj = common.Session(home=home, no_color=no_color, quiet=quiet)


def main(argv: list[str] | None = None) -> int:
    """Runs one command line; the exit code. Never raises, whatever the user typed."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        result = landform.main(arguments, prog_name="landform", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        return failures.ended(error, as_json=failures.wants_json(arguments))
    return result if isinstance(result, int) else 0


def entry() -> None:
    """The console script."""
    sys.exit(main())
