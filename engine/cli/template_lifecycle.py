"""`landform template deprecate|yank|minimum`: what admins do with versions that others use already."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from engine.cli import arguments, display
from engine.cli.common import Session, pass_session
from engine.core.lifecycle import Verb
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.actions.templates import Moved

LIFE = display.Shape("landform.version/1", display.columns("VERSION=label STATUS=status"), "label")
MINIMUMS = display.Shape("landform.minimum/1", display.columns("TEMPLATE=template MINIMUMS=minimums"), "template")
F = TypeVar("F", bound=Callable[..., Any])


def _options(command: F) -> F:
    flags = (
        click.argument("version", metavar="NAME@MAJOR.MINOR", shell_complete=arguments.complete("version")),
        click.option("--reason", metavar="TEXT", help="Why; whoever uses the version is told."),
        click.option("--undo", is_flag=True, help="Take it back."),
        display.option,
    )
    for flag in reversed(flags):
        command = flag(command)
    return command


@click.command("deprecate")
@_options
@pass_session
def deprecate(session: Session, version: str, reason: str | None, output: str, *, undo: bool) -> None:
    """Warn whoever uses a version, and recommend it no more."""
    moved = _moved(session, version, (Verb.UNDEPRECATE if undo else Verb.DEPRECATE, reason))
    _show(session, moved, output)


@click.command("yank")
@_options
@pass_session
def yank(session: Session, version: str, reason: str | None, output: str, *, undo: bool) -> None:
    """Let nothing new be made from a version; what is on it may go on."""
    moved = _moved(session, version, (Verb.UNYANK if undo else Verb.YANK, reason))
    _show(session, moved, output)


def _moved(session: Session, version: str, what: tuple[Verb, str | None]) -> Moved:
    from engine.actions import templates

    verb, reason = what
    if verb in (Verb.UNDEPRECATE, Verb.UNYANK):
        if reason is not None:
            raise Usage("--undo takes no reason.", hint="Leave --reason out.")
    elif reason is None:
        raise Usage("There is no reason.", hint="Give it with --reason: whoever uses the version reads it.")
    return templates.change(session.open_app().desk, arguments.version_ref(version), verb, reason or "")


def _show(session: Session, moved: Moved, output: str) -> None:
    version, label = moved.target.version, moved.target.label
    row = {"label": label, "status": version.status, "message": version.message, "discarded": list(moved.discarded)}
    display.one(row, LIFE, output, lambda: f"{label} is {version.status}.")
    _say_discarded(session, moved)
    session.say(f"Next: landform template usage {label}")


def _say_discarded(session: Session, moved: Moved) -> None:
    if moved.discarded:
        numbers = ", ".join(map(str, moved.discarded))
        session.say(f"Discarded, as they led to what may not be deployed any more: run {numbers}.")


@click.command("minimum")
@click.argument("version", metavar="NAME@MAJOR.MINOR", shell_complete=arguments.complete("version"))
@click.option("--clear", is_flag=True, help="Let every version of NAME@MAJOR be used again.")
@display.option
@pass_session
def minimum(session: Session, version: str, output: str, *, clear: bool) -> None:
    """Set the lowest minor version of a major version that may still be deployed."""
    from engine.actions import templates
    from engine.core.versions import parse_ref

    desk = session.open_app().desk
    if clear:
        ref = parse_ref(version)
        if ref.number is None and ref.major is None:
            raise Usage(f"{version} names no major version.", hint=f"Write {ref.name}@MAJOR.")
        moved, template = None, templates.clear_minimum(desk, ref)
    else:
        moved = templates.set_minimum(desk, arguments.version_ref(version))
        template = moved.target.template
    minimums = {major: f"{major}.{minor}" for major, minor in sorted(template.minimums.items())}
    row = {"template": template.name, "minimums": minimums, "discarded": list(moved.discarded) if moved else []}
    text = (
        f"Nothing below {', '.join(minimums.values())} may be deployed." if minimums else "Every version may be used."
    )
    display.one(row, MINIMUMS, output, lambda: f"{template.name}: {text}")
    if moved:
        _say_discarded(session, moved)
        session.say(f"Next: landform template usage {template.name}")
