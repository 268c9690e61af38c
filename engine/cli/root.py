"""The command `landform` for click: its nouns, loaded when used, and how every error reaches the user."""

from __future__ import annotations

import click

from engine.cli import common, failures, first_page
from engine.cli.first_page import COMMANDS, OPTIONS
from engine.core.address import quoted
from engine.errors import Usage


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The nouns in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        return failures.imported(COMMANDS[cmd_name][0]) if cmd_name in COMMANDS else None

    def get_help(self, ctx: click.Context) -> str:
        """The first page, the same whether click was asked or not."""
        return first_page.text()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named when there is none."""
        failures.suggest_command(ctx, args, list(COMMANDS))
        return super().resolve_command(ctx, args)


@click.group(cls=Lazy, context_settings=common.CONTEXT)
# LANDFORM_HOME is read with the other settings, so that doctor can tell where a home was named
@click.option("--home", metavar="FOLDER", help=OPTIONS["--home FOLDER"], allow_from_autoenv=False)
@click.option("--no-color", is_flag=True, help=OPTIONS["--no-color"])
@click.option("--quiet", "-q", is_flag=True, help=OPTIONS["-q, --quiet"])
@click.pass_context
def landform(ctx: click.Context, home: str | None, *, no_color: bool, quiet: bool) -> None:
    """Self-service infrastructure from versioned Terraform templates."""
    session = ctx.obj = common.Session(home=home, no_color=no_color, quiet=quiet)
    ctx.call_on_close(session.close)


def run(arguments: list[str]) -> int:
    """Runs one command line; the exit code. Never raises, whatever the user typed."""
    try:
        _refuse_other_encodings(arguments)
        result = landform.main(arguments, prog_name="landform", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        return failures.ended(error, as_json=failures.wants_json(arguments))
    return result if isinstance(result, int) else 0


def _refuse_other_encodings(arguments: list[str]) -> None:
    """Raises Usage for an argument that is not UTF-8: nothing of it could be stored or shown."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            hint = "Set the terminal to UTF-8, or rename the file."
            raise Usage(f"The argument {quoted(argument)} is not UTF-8 text.", hint=hint) from None
