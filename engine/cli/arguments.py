"""Arguments and options that several commands share, and what they are read into."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from engine.cli import requests
from engine.cli.common import WholeNumber
from engine.cli.display import Page
from engine.core import address
from engine.core.address import Address, Kind, quoted
from engine.core.run_env import EnvValue, from_file
from engine.core.updates import UpdateKind
from engine.core.versions import TemplateRef, parse, parse_ref
from engine.errors import Invalid, Usage

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from engine.actions.changes import Update
    from engine.actions.inputs import Given
    from engine.core.located import Document, Json
    from engine.core.schema import Schema

F = TypeVar("F", bound=Callable[..., Any])
COMPLETIONS_MAX = 100


def read_document(path: str | None) -> Document | None:
    """The spec document in a file, `-` for standard input; None when no file was named. Raises Invalid."""
    if path is None:
        return None
    from engine.core import spec

    return spec.parse(*read_text(path))


def read_text(path: str) -> tuple[str, str]:
    """The text of a file, `-` for standard input, and what messages call it. Raises Invalid."""
    from engine.core import located

    name = "standard input" if path == "-" else path
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    requests.note_document(path, raw)
    return located.decode(raw, name), name


def assignments(pairs: Iterable[str], option: str) -> dict[str, str]:
    """{name: value} of `NAME=VALUE` words. Raises Usage for a word without `=` or a name given twice."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise Usage(f"{option} takes NAME=VALUE, not {pair!r}.")
        if name in values:
            raise Usage(f"{option} {name} is given twice.")
        values[name] = value
    return values


def run_env(values: Iterable[str], paths: Iterable[str]) -> dict[str, EnvValue]:
    """The variables of `--run-env` and `--run-env-file`; "" where nothing follows the `=`. Raises Usage as above."""
    plain, files = assignments(values, "--run-env"), assignments(paths, "--run-env-file")
    for name in plain.keys() & files.keys():
        raise Usage(f"{name} is given with --run-env and with --run-env-file.")
    absolute = {name: path and str(Path(path).expanduser().absolute()) for name, path in files.items()}
    return {**plain, **{name: path and from_file(path) for name, path in absolute.items()}}


@dataclass(frozen=True)
class GivenText:
    """Inputs as typed: a spec file, `--set` assignments, or both."""

    spec: str | None
    sets: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether none were given."""
        return self.spec is None and not self.sets

    def read(self) -> Given:
        """The inputs, read from the file. Raises Invalid."""
        from engine.actions.inputs import Given

        return Given(read_document(self.spec), self.sets)


def given(command: F) -> F:
    """Adds `--spec` and `--set`; the command gets them as `given`."""

    def take(*args: object, spec: str | None, sets: tuple[str, ...], **rest: object) -> object:
        return command(*args, given=GivenText(spec, sets), **rest)

    return _with(command, take, _SPEC, _SET)


@dataclass(frozen=True)
class UpdateText:
    """An update as typed."""

    kind: str | None
    number: str | None
    given: GivenText

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked for that needs a run."""
        deploys = self.kind not in (None, UpdateKind.NONE) or self.number is not None
        return not deploys and self.given.is_empty

    def read(self) -> Update:
        """The update; its kind follows from what was given where it was not named. Raises Invalid."""
        from engine.actions.changes import Update

        return Update(self._kind(), parse(self.number) if self.number else None, self.given.read())

    def _kind(self) -> UpdateKind | None:
        if self.kind is not None:
            return UpdateKind(self.kind)
        if self.number is not None:
            return None
        return UpdateKind.MINOR_VERSION if self.given.is_empty else UpdateKind.CURRENT_VERSION


def example_inputs(typed: GivenText, schema: Schema) -> Json:
    """Inputs for one thing made from a template, out of a spec document; of a ServiceSpec, its first instance's.

    Raises Invalid with every violation.
    """
    from engine.actions import inputs
    from engine.core import spec
    from engine.core.versions import TemplateKind

    given, section = typed.read(), inputs.Section({})
    if given.document and schema.kind is TemplateKind.ENVIRONMENT:
        found = spec.environment_spec(given.document)
        section = inputs.Section(found.inputs, found.at, given.document)
    elif given.document:
        instances = spec.service_spec(given.document, pipeline=schema.pipeline_type is not None).instances
        section = inputs.Section(instances[0].inputs, instances[0].at, given.document) if instances else section
    resolved, problems = inputs.resolved(schema.type, section, {}, given.sets)
    if problems:
        raise Invalid("The spec does not fit the template:", problems=problems)
    return resolved


def update(command: F) -> F:
    """Adds `--kind`, `--version`, `--spec` and `--set`; the command gets them as `wish`."""

    def take(
        *args: object, kind: str | None, number: str | None, spec: str | None, sets: tuple[str, ...], **rest: object
    ) -> object:
        return command(*args, wish=UpdateText(kind, number, GivenText(spec, sets)), **rest)

    return _with(command, take, _KIND, _VERSION, _SPEC, _SET)


def page(command: F) -> F:
    """Adds `--limit` and `--after`; the command gets them as `page`."""

    def take(*args: object, limit: int, after: str | None, **rest: object) -> object:
        return command(*args, page=Page(limit, after), **rest)

    return _with(command, take, _LIMIT, _AFTER)


_HINT = "Write SERVICE/NAME, as in orders/prod. For environments there is: landform env"
_ANY_HINT = "Write SERVICE/NAME, as in orders/prod, or a whole address, as in environment/dev."
_OTHER_KINDS = frozenset(kind.value for kind in Kind) - {Kind.SERVICE_INSTANCE.value}


def instance_address(text: str) -> Address:
    """The address of `orders/prod`, or of `service/orders/prod`. Raises Invalid."""
    return _instance_address(text, _HINT)


def _instance_address(text: str, hint: str) -> Address:
    if text.startswith(f"{Kind.SERVICE_INSTANCE.value}/") and text.count("/") == 2:
        return address.parse(text)
    service, slash, name = text.partition("/")
    if not slash or "/" in name or service in _OTHER_KINDS:
        raise Invalid(f"{quoted(text)} does not name a service instance.", hint=hint)
    return address.service_instance(service, name)


def any_address(text: str) -> Address:
    """The address of anything: whole, or short as `orders/prod`. Raises Invalid."""
    first = text.split("/")[0]
    is_whole = first in {kind.value for kind in Kind} and not (first == "service" and text.count("/") == 1)
    return address.parse(text) if is_whole else _instance_address(text, _ANY_HINT)


def version_ref(text: str) -> TemplateRef:
    """The version named by `web@1.2`. Raises Usage when the number is missing."""
    ref = parse_ref(text)
    if ref.number is None:
        raise Usage(
            f"{text} names no version.",
            hint=f"Write {ref.name}@MAJOR.MINOR. See them: landform template versions {ref.name}",
        )
    return ref


def complete(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Completes names that the catalog has: of templates, versions, environments, services or instances."""

    def names(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from engine.cli.common import Session

        # while it completes, click runs no command: the session of a real call is not there
        session = Session(home=ctx.find_root().params.get("home"))
        return [CompletionItem(name) for name in session.reads().names(kind, begun, COMPLETIONS_MAX)]

    return names


def _with(command: F, take: Callable[..., object], *flags: Callable[[Any], Any]) -> F:
    wrapped = wraps(command)(take)
    for flag in reversed(flags):
        wrapped = flag(wrapped)
    return cast(F, wrapped)


_SPEC = click.option("--spec", "-f", metavar="FILE", help="Spec document; - reads standard input.")
_SET = click.option("--set", "sets", multiple=True, metavar="INPUT=VALUE", help="An input; goes before the spec's.")
_KIND = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in UpdateKind]),
    help="How far the version may move.  [default: as needed]",
)
_VERSION = click.option(
    "--version", "number", metavar="MAJOR.MINOR", help="Version to go to.  [default: the recommended one]"
)
_LIMIT = click.option("--limit", type=WholeNumber(10_000), default=100, show_default=True, help="Rows to show.")
_AFTER = click.option("--after", metavar="NAME", help="Show what comes after this one.")
