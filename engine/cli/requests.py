"""The only place that tells what a command line asks for, so that asking it again under one key does it once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from engine import settings
from engine.cli.common import Session
from engine.core.asked import FROM_CI, Asked, check_key, digest_of, from_ci, variables
from engine.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCUMENTS = f"{__name__}.documents"
_FILES = ("spec", "source", "file", "manifest")
"""Parameters that name what is read, with note_document() or note_files()."""
_HOW = frozenset({"output", "wait", "parallel", "timeout", "idempotency_key"})
"""Parameters that say how a change is carried out or shown, and nothing about what it is."""


option = click.option(
    "--idempotency-key",
    envvar="LANDFORM_IDEMPOTENCY_KEY",
    metavar="KEY",
    help="Asked again with the same key, it is not done again; ci makes one from a pipeline's variables.",
)
"""For every command that asked() is called in."""


def note_document(path: str, content: bytes) -> None:
    """Remembers what was read from a file, for the rest of this command: what counts is what it said."""
    _note(path, digest_of(content))


def note_files(source: str, files: Mapping[str, bytes]) -> None:
    """As note_document(), for a bundle."""
    _note(source, digest_of({name: digest_of(content) for name, content in files.items()}))


def _note(source: str, digest: str) -> None:
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta.setdefault(_DOCUMENTS, {})[source] = digest


def asked(key: str | None) -> Asked | None:
    """What this command line asks for, its documents having been read; None where it is to have no key.

    Raises Usage for a key that is none, and for `ci` outside of a pipeline.
    """
    context = click.get_current_context()
    # an empty one, of a variable that is not set, is a mistake and not a wish to go without
    if key is None and not _is_derived(context):
        return None
    key = FROM_CI if key is None else key
    wish = Asked(key, context.command_path, dict(_parts(context)))
    if key != FROM_CI:
        check_key(key)
        return wish
    derived = from_ci(wish, settings.environ())
    if derived is None and context.params["idempotency_key"] == FROM_CI:
        hint = f"A pipeline sets {variables()}. Elsewhere, give a key of your own."
        raise Usage("There is no pipeline here to make an idempotency key from.", hint=hint)
    return derived


def _is_derived(context: click.Context) -> bool:
    return context.ensure_object(Session).settings.idempotency == FROM_CI


def _parts(context: click.Context) -> Iterator[tuple[str, str]]:
    """What was given, as people name it, and its digest; of a document, that of its content."""
    documents = context.meta.get(_DOCUMENTS, {})
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if parameter.name in _HOW or value in (None, False, "", ()):
            continue
        name = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
        yield name, documents[value] if parameter.name in _FILES and value in documents else digest_of(value)
