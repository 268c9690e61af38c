"""Looks up what the references in the inputs of a run stand for: only when Terraform is about to run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.core import allowances, dynamic, resolving
from engine.core.allowances import Allowances
from engine.core.dynamic import Reference, Source
from engine.core.paths import dotted
from engine.errors import Invalid, LandformError, NotFound, Problem, Refused
from engine.external import aws_secrets
from engine.settings import environ
from engine.worker import env_files

if TYPE_CHECKING:
    from engine.external.aws import Access
    from engine.settings import Settings
    from engine.worker.work import Work

_RULE = "reference"
_SAID_OF_ONE = (Invalid, NotFound, Refused)
"""What is wrong with one reference; all else, as a service that does not answer, is wrong with all of them."""


def of(work: Work, settings: Settings, access: Callable[[], Access]) -> dict[str, str]:
    """Reference in the run's inputs -> its value, which fits the input's type.

    Raises Invalid with everything wrong with them, ExternalFailure when AWS cannot be asked.
    """
    if work.part is None or not dynamic.found(work.inputs):
        return {}
    file = str(settings.config_file)
    allowed = allowances.parse(settings.tables.get(allowances.TABLE), file)
    found = Sources(access, environ(), allowed, file).values(work.inputs)
    if problems := resolving.unfit(work.input_type, work.inputs, found):
        raise Invalid("What references stand for does not fit the inputs:", problems=problems)
    return found


@dataclass(frozen=True)
class Sources:
    """Where values come from."""

    access: Callable[[], Access]
    """To AWS, as the run has it; asked for only when it is needed."""
    environ: Mapping[str, str] = field(repr=False)
    """The variables of this process."""
    allowed: Allowances
    config_file: str
    """Where an admin would allow more."""

    def values(self, inputs: Mapping[str, object]) -> dict[str, str]:
        """The text of each reference in the inputs -> its value.

        Raises Invalid with everything wrong with any of them, ExternalFailure when AWS cannot be asked.
        """
        places = {text: dotted(path) for path, text in reversed([*dynamic.places(inputs)])}
        asked = _Asked(self)
        found: dict[str, str | Problem] = {}
        for wanted in dynamic.found(inputs):
            try:
                found[wanted.text] = _usable(asked.value(wanted))
            except _SAID_OF_ONE as error:
                # of several, each needs its own advice
                message = f"{wanted.text}: {error.message} {error.hint}".rstrip()
                found[wanted.text] = Problem("", 0, places[wanted.text], message, _RULE)
        problems = [value for value in found.values() if isinstance(value, Problem)]
        if problems:
            raise Invalid("References in the inputs cannot be resolved:", problems=problems)
        return {text: value for text, value in found.items() if isinstance(value, str)}


@dataclass
class _Asked:
    """One look at everything: two keys of one secret come from the same version of it."""

    sources: Sources
    secrets: dict[tuple[str, str, str], str] = field(default_factory=dict, repr=False)

    def value(self, wanted: Reference) -> str:
        """The value of a reference. Raises as Sources.values(), one by one."""
        if wanted.source is Source.ENV:
            return _variable(wanted.name, self.sources)
        if wanted.source is Source.FILE:
            return _file(wanted.name, self.sources)
        if wanted.source is Source.SECRETS_MANAGER:
            return aws_secrets.member(wanted, self._secret(wanted))
        return aws_secrets.parameter(self.sources.access(), wanted)

    def _secret(self, wanted: Reference) -> str:
        key = (wanted.name, wanted.version, wanted.stage)
        if key not in self.secrets:
            self.secrets[key] = aws_secrets.secret(self.sources.access(), wanted)
        return self.secrets[key]


def _variable(name: str, sources: Sources) -> str:
    if not sources.allowed.may_read_variable(name):
        raise _not_allowed(f"The variable {name}", "env", name, sources)
    if name not in sources.environ:
        hint = "It is looked for where the run is carried out."
        raise NotFound(f"The variable {name} is not set.", hint=hint)
    return sources.environ[name]


def _file(path: str, sources: Sources) -> str:
    places = sources.allowed.places_of(path)
    if not places:
        raise _not_allowed(f"The file {path}", "files", path, sources)
    # secrets that are mounted are links within their folder, as a rule
    real = os.path.realpath(path)
    if not any(real == os.path.realpath(place) or real.startswith(_below(place)) for place in places):
        raise Refused(f"The file {path} is a link that leads out of what may be read.")
    try:
        return env_files.text(real, os.O_NOFOLLOW)
    except UnicodeDecodeError:
        raise Invalid(f"The file {path} is not UTF-8 text.") from None
    except OSError as error:
        raise Invalid(f"The file {path} cannot be read: {error.strerror or error}.") from error


def _below(place: str) -> str:
    """How the real paths begin of what lies in a place; nothing lies in a file."""
    return os.path.realpath(place).rstrip("/") + "/" if place.endswith("/") else "\0"


def _not_allowed(what: str, name: str, item: str, sources: Sources) -> LandformError:
    hint = f'An admin can allow it, in {sources.config_file}: [{allowances.TABLE}] {name} = ["{item}"]'
    return Refused(f"{what} may not be read.", hint=hint)


def _usable(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        # not `from error`: that has the value in it
        raise Invalid("Its value is no text that has a form in UTF-8.") from None
    if "\0" in value:
        raise Invalid("Its value has a NUL character in it.")
    return value
