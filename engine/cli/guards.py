"""`landform guards`, `landform env guards` and `landform template guards`: what plans must keep to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.cli import arguments, display, failures
from engine.cli.common import Session, pass_session
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.core.guards import Guards
    from engine.core.versions import TemplateRef

GUARDS = display.Shape("landform.guards/1", display.columns("NAME=name"), "name")
_ENVIRONMENT = click.argument("name", metavar="ENV", shell_complete=arguments.complete("environment"))
_TEMPLATE = click.argument("name", metavar="[KIND/]NAME", shell_complete=arguments.complete("template"))


@click.group("guards", cls=failures.Noun)
def guards() -> None:
    """Guards: what plans must keep to, checked before they are set."""


@guards.command("check")
@click.argument("file")
@display.option
@pass_session
def check(session: Session, file: str, output: str) -> None:
    """Find everything that is wrong with a file of guards, and with the policies that it names."""
    found = _read(file)
    _show(file, found, output)
    session.say("Next: landform env guards set ENV FILE, or landform template guards set NAME FILE")


@click.group("guards", cls=failures.Noun)
def of_environment() -> None:
    """What all plans in an environment must keep to."""


@of_environment.command("set")
@_ENVIRONMENT
@click.argument("file")
@display.option
@pass_session
def set_environment(session: Session, name: str, file: str, output: str) -> None:
    """Have all plans in an environment keep to the guards in a YAML file; - reads standard input. Needs no run."""
    from engine.actions import guards

    found = _read(file)
    stale = guards.keep_environment(session.open_app().desk, name, found)
    _show(name, found, output)
    _say_stale(session, stale)


@of_environment.command("show")
@_ENVIRONMENT
@display.option
@pass_session
def show_environment(session: Session, name: str, output: str) -> None:
    """Show the guards of an environment; those of templates count too."""
    from engine.actions import guards

    _show(name, guards.of_environment(session.open_app().desk, name), output)


@of_environment.command("clear")
@_ENVIRONMENT
@display.option
@pass_session
def clear_environment(session: Session, name: str, output: str) -> None:
    """Take the guards of an environment away."""
    from engine.actions import guards
    from engine.core.guards import Guards

    stale = guards.keep_environment(session.open_app().desk, name, Guards())
    _show(name, Guards(), output)
    _say_stale(session, stale)


@click.group("guards", cls=failures.Noun)
def of_template() -> None:
    """What the plans of all instances of a template must keep to."""


@of_template.command("set")
@_TEMPLATE
@click.argument("file")
@display.option
@pass_session
def set_template(session: Session, name: str, file: str, output: str) -> None:
    """Have the plans of all instances of a template keep to the guards in a YAML file. Needs no run."""
    from engine.actions import guards

    found = _read(file)
    stale = guards.keep_template(session.open_app().desk, _named(name), found)
    _show(name, found, output)
    _say_stale(session, stale)


@of_template.command("show")
@_TEMPLATE
@display.option
@pass_session
def show_template(session: Session, name: str, output: str) -> None:
    """Show the guards of a template; those of environments count too."""
    from engine.actions import guards

    _show(name, guards.of_template(session.open_app().desk, _named(name)), output)


@of_template.command("clear")
@_TEMPLATE
@display.option
@pass_session
def clear_template(session: Session, name: str, output: str) -> None:
    """Take the guards of a template away."""
    from engine.actions import guards
    from engine.core.guards import Guards

    stale = guards.keep_template(session.open_app().desk, _named(name), Guards())
    _show(name, Guards(), output)
    _say_stale(session, stale)


def _named(name: str) -> TemplateRef:
    from engine.core.versions import parse_ref

    ref = parse_ref(name)
    if ref.number is not None or ref.major is not None:
        raise Usage(f"{name} names a version.", hint=f"Guards hold for all versions of a template: write {ref.name}.")
    return ref


def _read(file: str) -> Guards:
    from engine.actions import guards
    from engine.core import located

    text, name = arguments.read_text(file)
    folder = Path() if file == "-" else Path(file).parent
    return guards.read(located.parse(text, name), folder)


def _show(name: str, found: Guards, output: str) -> None:
    from engine.core.guards import words

    row = {"name": name, "guards": found.to_json()}
    lines = [f"{rule:<18} {text}" for rule, text in words(found).items()] or ["Nothing is guarded."]
    display.one(row, GUARDS, output, lambda: display.printable("\n".join([f"Guards of {name}", *lines])))


def _say_stale(session: Session, run_ids: Sequence[int]) -> None:
    if run_ids:
        numbers = ", ".join(map(str, run_ids))
        session.say(f"Plans that were made before are stale, and will not be applied: run {numbers}.")
