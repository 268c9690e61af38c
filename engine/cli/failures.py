"""How errors reach the user: a sentence, where, what to type next; for programs, one envelope."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from types import MappingProxyType

import click

from engine import settings
from engine.cli import display
from engine.errors import Invalid, LandformError, Problem, Usage

INTERRUPTED = 130


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, told before it is parsed so that usage errors obey it too."""
    joined = ("-ojson", "--output=json")
    apart = set(pairwise(arguments))
    return any(argument in joined for argument in arguments) or ("-o", "json") in apart or ("--output", "json") in apart


def ended(error: BaseException, *, as_json: bool) -> int:
    """Shows why a command line came to an end before its command had; the exit code."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message())
            return 0
        case click.Abort() | KeyboardInterrupt():
            click.echo("Interrupted.", err=True)
            return INTERRUPTED
        case BrokenPipeError():
            return _broken_pipe()
        case click.ClickException():
            return report(Usage(error.format_message(), hint=_usage_hint(error)), as_json=as_json)
        case LandformError():
            return report(error, as_json=as_json)
    return _report_own(error, as_json=as_json)


def report(error: LandformError, *, as_json: bool) -> int:
    """Shows an error on stderr; its exit code."""
    if as_json:
        click.echo(display.to_json({"schema": "landform.error/1", "error": envelope(error)}), err=True)
    else:
        click.echo(display.printable("\n".join(_lines(error))), err=True)
    return error.exit_code


def envelope(error: LandformError) -> dict[str, object]:
    """An error as machines read it."""
    problems = error.problems if isinstance(error, Invalid) else ()
    return {
        "code": type(error).__name__,
        "exit_code": error.exit_code,
        "message": error.message,
        "hint": error.hint,
        "problems": [problem_view(problem) for problem in problems],
    }


def problem_view(problem: Problem) -> dict[str, object]:
    """A problem as machines read it."""
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.field,
        "message": problem.message,
        "rule": problem.rule,
        "severity": problem.severity.value,
        "hint": problem.hint,
    }


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Problems as people read them: one a line, its hint below."""
    return [display.printable(line) for problem in problems for line in _problem_lines(problem)]


def _report_own(error: BaseException, *, as_json: bool) -> int:
    """Shows an error that nobody foresaw, without a traceback unless debugging."""
    if settings.environ().get("LANDFORM_LOG_LEVEL") == "DEBUG":
        import traceback

        click.echo(display.printable("".join(traceback.format_exception(error))), err=True, nl=False)
    hint = "This is a bug of Landform. Run it again with LANDFORM_LOG_LEVEL=DEBUG and report what it prints."
    return report(LandformError(f"Landform itself failed: {type(error).__name__}.", hint=hint), as_json=as_json)


def _broken_pipe() -> int:
    """The reader of stdout has gone: no error, and nothing more to say to it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption) and context is not None:
        root = context.find_root()
        if any(error.option_name in option.opts for option in root.command.params):
            return f"It goes before the command: {root.command_path} {error.option_name} ..."
    return f"See: {context.command_path} --help" if context else ""


_SENTENCE = 1000
"""Longer than any."""


class Noun(click.Group):
    """A group of verbs that suggests the nearest one, and whose help has the whole sentence about each."""

    elsewhere: Mapping[str, str] = MappingProxyType({})
    """Verb -> `module:attribute`, for verbs that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in order."""
        return sorted({*self.commands, *self.elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, imported now where it lies elsewhere."""
        place = self.elsewhere.get(cmd_name)
        return imported(place) if place else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click does, without an end cut off."""
        verbs = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.get_short_help_str(_SENTENCE)) for name, verb in verbs if verb])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest verb named when there is none."""
        suggest_command(ctx, args, self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def imported(place: str) -> click.Command:
    """The command at `module:attribute`."""
    module, _, attribute = place.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command


def suggest_command(ctx: click.Context, arguments: Sequence[str], commands: Sequence[str]) -> None:
    """Raises Usage naming the nearest command when the first argument is none."""
    if not arguments or arguments[0].startswith("-") or arguments[0] in commands:
        return
    from engine.core.nearest import nearest

    near = nearest(arguments[0], commands)
    hint = f"Did you mean: {ctx.command_path} {near}" if near else f"See: {ctx.command_path} --help"
    raise Usage(f"{ctx.command_path} has no command {arguments[0]!r}.", hint=hint)


def _lines(error: LandformError) -> list[str]:
    problems = error.problems if isinstance(error, Invalid) else ()
    lines = [f"{error.label}: {error.message}", *(f"  {line}" for line in problem_lines(problems))]
    return [*lines, f"Hint: {error.hint}"] if error.hint else lines


def _problem_lines(problem: Problem) -> list[str]:
    mark = "" if problem.severity == "error" else "warning: "
    return [f"{mark}{problem}", *([f"  {problem.hint}"] if problem.hint else [])]
