"""What every command shares: its session, and the one door to what is slow to import."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from engine import forms, settings
from engine.core.address import quoted
from engine.errors import LandformError, Usage
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.app import App
    from engine.bundles.sources import Fetched
    from engine.catalog.reads import Reads
    from engine.worker.terms import Card

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "LANDFORM", "max_content_width": 100}


@dataclass
class Session:
    """The options before the noun, and what is opened on first use."""

    home: str | None = None
    no_color: bool = False
    quiet: bool = False
    _settings: Settings | None = field(default=None, repr=False)
    _is_truthful: bool = field(default=False, repr=False)
    """Whether somebody has looked after runs that a crash left behind."""
    _opened: list[App] = field(default_factory=list, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises Invalid with every wrong one."""
        if self._settings is None:
            self._settings = settings.load(home=self.home)
        return self._settings

    def open_app(self, worker: Card | None = None) -> App:
        """The catalog, stores and tools. The one door through which commands import what is slow to import.

        `worker` is None for a command that carries out at most what it was told to.
        """
        from engine import app, logs

        logs.configure(self.settings)
        self._is_truthful = True
        self._opened.append(app.build(self.settings, worker=worker))
        return self._opened[-1]

    def close(self) -> None:
        """Says goodbye wherever this process was a worker."""
        if not self._opened:
            return
        from engine import logs

        while self._opened:
            self._opened.pop().close()
        logs.reset()

    def reads(self) -> Reads:
        """What lists are read from: the catalog, without what makes changes.

        Runs that a crash left behind have been put right, where the home can be written to.
        """
        from engine.catalog import places
        from engine.catalog.reads import Reads

        reads = Reads(places.named(self.settings), self.settings.plan_ttl_s)
        if not self._is_truthful:
            self._is_truthful = True
            if not self.settings.home.exists():
                self.say(f"There is no home at {self.settings.home} yet.")
            if _is_worker_gone(reads):
                with suppress(LandformError):
                    self.open_app()
        return reads

    def look_again(self) -> None:
        """Lets the next reads() look after runs that a crash left behind, as the first one does."""
        self._is_truthful = False

    def fetch(self, source: str) -> Fetched:
        """The files of a bundle: a folder, a .tar.gz, an s3:// object, or git::ADDRESS//FOLDER?ref=BRANCH.

        Raises Invalid, NotFound, ExternalFailure.
        """
        from engine import app

        return app.fetch(source, self.settings)

    def is_readable(self, code: bytes) -> bool:
        """Whether Terraform can read the text of a `.tf` file; False where there is none."""
        from engine import app

        return app.is_readable(self.settings, code)

    def say(self, text: str) -> None:
        """A line of progress, on stderr."""
        if not self.quiet:
            click.echo(text, err=True, color=self.color)

    @property
    def color(self) -> bool | None:
        """False when colour was turned off; None lets the terminal decide."""
        return False if self.no_color or "NO_COLOR" in settings.environ() else None


if TYPE_CHECKING:
    _Int = click.ParamType[int]
    _Float = click.ParamType[float]
else:
    # older clicks have no generic class
    _Int = _Float = click.ParamType

pass_session = click.make_pass_decorator(Session)


class WholeNumber(_Int):
    """A whole number from 1 up to `most`; `words` say what it is, as in "'x' is not ..."."""

    name = "integer"

    def __init__(self, most: int, words: str = "") -> None:
        self._most = most
        self._words = words or f"a whole number from 1 to {most:,}"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, as click asks for it."""
        text = str(value)
        # int() reads digits of every script, and takes quadratic time for very many
        if text.isascii() and text.isdigit() and len(text) <= len(str(self._most)) and 1 <= int(text) <= self._most:
            return int(text)
        return self.fail(f"{quoted(text)} is not {self._words}.", param, ctx)


class Seconds(_Float):
    """A number of seconds from 1 up; never endless, never no number."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, as click asks for it."""
        text, form = str(value), forms.POSITIVE_SECONDS
        if not re.fullmatch(form.pattern, text):
            self.fail(f"{quoted(text)} is not {form.words}.", param, ctx)
        return float(text)


RUN = WholeNumber(2**53 - 1, "the number of a run")


def _is_worker_gone(reads: Reads) -> bool:
    """Whether a run is said to be worked on by a process of this machine that has ended; cheap where there is none."""
    from engine.core.runs import Status

    executing = [row["id"] for status in (Status.PLANNING, Status.APPLYING) for row in reads.runs(status=status)]
    if not executing:
        return False
    from engine.external.process import is_alive

    workers = (reads.run(run_id)["executor"] for run_id in executing)
    return any(worker is not None and is_alive(worker) is False for worker in workers)


def confirm(question: str, *, yes: bool) -> bool:
    """Whether the user says yes. Raises Usage where nobody can be asked."""
    if yes:
        return True
    if not is_interactive():
        raise Usage(f"{question} Nobody can be asked here.", hint="Give --yes to go on without a question.")
    return click.confirm(question, err=True)


def ask(question: str, answers: Sequence[str], default: str) -> str:
    """Which of the answers the user gives, by its first letter or whole; `default` for Enter, and for Ctrl-C."""
    letters = {answer[0]: answer for answer in answers}
    choice = click.Choice([*answers, *letters])
    try:
        typed: str = click.prompt(question, default=default, type=choice, show_choices=False, err=True)
    except click.Abort:
        click.echo(err=True)
        return default
    return letters.get(typed, typed)


def is_interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
