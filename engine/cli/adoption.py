"""The option `--adopt-state`: new instances go on with states that another tool has written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from engine import forms
from engine.errors import Usage

if TYPE_CHECKING:
    from engine.actions.desk import Desk
    from engine.actions.sites import Vault
    from engine.app import App
    from engine.core.adoption import Source

HELP = "Where the state lies: s3://BUCKET[/PREFIX][?region=REGION], or the object itself, s3://BUCKET/KEY.tfstate."
option = click.option(
    "--adopt-state",
    metavar="PLACE",
    help="Go on with states that another tool has written: s3://BUCKET[/PREFIX][?region=REGION], keys as AWS Proton's "
    "public workflow has them, or s3://BUCKET/KEY.tfstate.",
)


def source(text: str, name: str) -> Source:
    """The place that was typed for the option `name`. Raises Usage."""
    from engine.core import adoption

    if not re.fullmatch(forms.STATE_STORE.pattern, text):
        raise Usage(f"{name} takes {forms.STATE_STORE.words} or s3://BUCKET/KEY.tfstate, not {text!r}.")
    return adoption.source(text)


def vault(app: App) -> Vault:
    """What actions on states work with."""
    from engine.actions.sites import Vault

    return Vault(app.desk, app.states, app.env_of)


def made(app: App, place: str | None, make: Callable[[Desk], list[int]]) -> list[int]:
    """The ids of the runs that `make` records; with a `place`, its instances adopt the states there."""
    if place is None:
        return make(app.desk)
    from engine.actions import adoption

    return adoption.adopting(vault(app), source(place, "--adopt-state"), make)
