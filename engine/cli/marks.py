"""The options that write something on a thing without a run: tags, credentials and how long it lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar, cast

import click

from engine.cli import arguments

F = TypeVar("F", bound=Callable[..., Any])


def tags(command: F) -> F:
    """Adds `--tag`; the command gets key -> value as `tags`."""

    @wraps(command)
    def take(*args: object, tags: tuple[str, ...], **given: Any) -> object:
        return command(*args, tags=arguments.assignments(tags, "--tag"), **given)

    return cast(F, _TAG(take))


def changed(what: str, tags: Mapping[str, str]) -> str:
    """What is said of a change that needed no run."""
    return f"{what} was changed; no run was needed.{' The next run applies the tags.' if tags else ''}"


_TAG = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="KEY=VALUE",
    help="Tag for all that is made here, beside proton_tags; KEY= takes it away. The next run applies it.",
)


def ttl_s(text: str | None) -> int | None:
    """The seconds that were typed with `--ttl`; None without it. Raises Usage."""
    if text is None:
        return None
    from engine.core import lifetimes

    return lifetimes.ttl_s(text)


ttl = click.option(
    "--ttl",
    metavar="DURATION",
    help="Hibernate it by itself after so long: 30m, 72h or 7d. Later: landform instance extend",
)
credentials = click.option(
    "--credentials",
    metavar="NAME",
    help="The runs here work with [credentials.NAME] of landform.toml; an empty name: with what everybody gets.",
)
