"""`landform init|doctor|completion|version`: what is not about any noun."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path

import click

from engine.cli import common, display
from engine.cli.common import Session, pass_session
from engine.errors import Conflict, Invalid, LandformError
from engine.settings import CONFIG_FILE, SETTINGS

SHELLS = click.Choice(["bash", "zsh", "fish"])
HOME = display.Shape("landform.home/1", display.columns("HOME=home CONFIG=config"), "home")
FINDINGS = display.Shape("landform.finding/1", display.columns("CHECK=check OK=ok DETAIL=detail HINT=hint"), "check")
VERSIONS = display.Shape("landform.versions/1", display.columns("LANDFORM=landform TERRAFORM=terraform"), "landform")
_CONFIG = """\
# Landform's settings for this folder and all below it. See them all: landform doctor
home = ".landform"

# Environment variables for every Terraform of this home. No secrets: this file is meant to be shared.
[run_env]
"""


@click.command()
@click.option("--dir", "folder", default=".", metavar="FOLDER", help="Which folder.  [default: this one]")
@display.option
@pass_session
def init(session: Session, folder: str, output: str) -> None:
    """Make this folder a Landform home: writes landform.toml and makes the catalog."""
    root = Path(folder)
    config = root / CONFIG_FILE
    if config.exists():
        raise Conflict(f"{config} exists already.", hint="Use it as it is, or edit it.")
    try:
        root.mkdir(parents=True, exist_ok=True)
        config.write_text(_CONFIG, encoding="utf-8")
    except OSError as error:
        raise display.unwritable(config, error) from error
    home = session.home or str((root / ".landform").absolute())
    common.Session(home=home, quiet=session.quiet).open_app()
    # state and keys are never to be committed
    (Path(home) / ".gitignore").write_text("*\n", encoding="utf-8")
    display.one({"home": home, "config": str(config)}, HOME, output)
    if (variable := session.settings.origins["home"]) == "LANDFORM_HOME":
        session.say(f"{variable} is set and goes before {config}: its home is {session.settings.home}")
    session.say("Next: landform doctor")


@click.command()
@display.option
@pass_session
def doctor(session: Session, output: str) -> int:
    """Say which Terraform is used, where everything is kept, and what is missing."""
    findings = [_terraform(session), _home(session), _catalog(session), *_tables(session), *_settings(session)]
    display.many(findings, FINDINGS, output)
    return 0 if all(finding["ok"] for finding in findings) else 1


@click.command()
@click.argument("shell", type=SHELLS, metavar="SHELL")
def completion(shell: str) -> None:
    """Print the script that completes commands and live names in a shell.

    \b
    bash   landform completion bash > ~/.local/share/bash-completion/completions/landform
    zsh    landform completion zsh > "${fpath[1]}/_landform"
    fish   landform completion fish > ~/.config/fish/completions/landform.fish
    """
    from click.shell_completion import get_completion_class

    from engine.cli.root import landform

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(landform, {}, "landform", "_LANDFORM_COMPLETE").source())


@click.command()
@display.option
@pass_session
def version(session: Session, output: str) -> None:
    """Print the versions of Landform and of the Terraform it uses."""
    finding = _terraform(session)
    display.one({"landform": metadata.version("landform"), "terraform": finding["version"]}, VERSIONS, output)


def _terraform(session: Session) -> dict[str, object]:
    from engine import app

    try:
        found = app.found_terraform(session.settings)
    except LandformError as error:
        return {"check": "terraform", "ok": False, "detail": error.message, "hint": error.hint, "version": None}
    detail = f"{found.kind.value} {found.version} at {found.program} (from {found.origin})"
    problems = " ".join(problem.message for problem in found.problems)
    return {"check": "terraform", "ok": not problems, "detail": detail, "hint": problems, "version": found.version}


def _home(session: Session) -> dict[str, object]:
    home = session.settings.home
    nearest = next(place for place in (home, *home.parents) if place.exists())
    ok = os.access(nearest, os.W_OK) and nearest.is_dir()
    detail = f"{home} ({'' if home.exists() else 'made on first use, '}{session.settings.origins['home']})"
    hint = "" if ok else f"{nearest} cannot be written to: choose another home with LANDFORM_HOME."
    return {"check": "home", "ok": ok, "detail": detail, "hint": hint}


def _catalog(session: Session) -> dict[str, object]:
    from engine.catalog import places, schema

    settings = session.settings
    origin = settings.origins["catalog_file" if settings.catalog_file and not settings.catalog else "catalog"]
    try:
        place = places.place(places.named(settings))
        found = schema.revision(place)
        schema.expect(place, found)
    except LandformError as error:
        return {"check": "catalog", "ok": False, "detail": error.message, "hint": error.hint}
    state = f"schema {found}" if found else "made on first use"
    return {"check": "catalog", "ok": True, "detail": f"{place} ({state}, {origin})", "hint": ""}


def _tables(session: Session) -> list[dict[str, object]]:
    """The tables of landform.toml that are there, or ought to be, each with all that is wrong in it.

    No file is read that they name, and nobody is asked: that is for whoever carries runs out.
    """
    from engine.core import allowances, credentials, provider_overrides, targets

    tables, file = session.settings.tables, str(session.settings.config_file)
    given = tables.get(credentials.TABLE, {})
    named = set(given) if isinstance(given, dict) else {"NAME"}
    profiles = {*named, session.settings.pipeline_credentials} - {""}
    checks: dict[str, Callable[[], object]] = {
        f"{credentials.TABLE}.{name}": partial(credentials.parse, tables.get(credentials.TABLE), name, file)
        for name in sorted(profiles)
    }
    for module in (targets, provider_overrides, allowances):
        if module.TABLE in tables:
            checks[module.TABLE] = partial(module.parse, tables[module.TABLE], file)
    return [_table(name, file, check) for name, check in checks.items()]


def _table(name: str, file: str, check: Callable[[], object]) -> dict[str, object]:
    row: dict[str, object] = {"check": f"table {name}", "ok": True, "detail": file, "hint": ""}
    try:
        check()
    except Invalid as error:
        row |= {"ok": False, "detail": " ".join(map(str, error.problems)) or error.message, "hint": error.hint}
    return row


def _settings(session: Session) -> list[dict[str, object]]:
    settings = session.settings
    return [
        {
            "check": f"setting {setting.name}",
            "ok": True,
            "detail": f"{getattr(settings, setting.name) or '-'} ({settings.origins[setting.name]})",
            "hint": "",
        }
        for setting in SETTINGS
        if setting.name not in ("home", "terraform", "catalog")
    ]
