"""What every command shares: its session, and the one door to what is slow to import."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from engine import settings
from engine.errors import Usage
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.app import App
    from engine.bundles.sources import Fetched
    from engine.catalog.reads import Reads

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "LANDFORM", "max_content_width": 100}


@dataclass
class Session:
    """The options before the noun, and what is opened on first use."""

    home: str | None = None
    no_color: bool = False
    quiet: bool = False
    _settings: Settings | None = field(default=None, repr=False)

    @property
    def settings(self) -> Settings:
        """The settings in force. Raises Invalid with every wrong one."""
        if self._settings is None:
            self._settings = settings.load(home=self.home)
        return self._settings

    def open_app(self) -> App:
        """The catalog, stores and tools. The one door through which commands import what is slow to import."""
        from engine import app

        return app.build(self.settings)

    def reads(self) -> Reads:
        """What lists are read from: the catalog, without what makes changes."""
        from engine.catalog.reads import Reads

        return Reads(self.settings.home / "catalog.db")

    def fetch(self, source: str) -> Fetched:
        """The files of a bundle: a folder, a .tar.gz or an s3:// object. Raises Invalid, NotFound, ExternalFailure."""
        from engine import app

        return app.fetch(source)

    def say(self, text: str) -> None:
        """A line of progress, on stderr."""
        if not self.quiet:
            click.echo(text, err=True, color=self.color)

    @property
    def color(self) -> bool | None:
        """False when colour was turned off; None lets the terminal decide."""
        return False if self.no_color or "NO_COLOR" in settings.environ() else None


pass_session = click.make_pass_decorator(Session)


def confirm(question: str, *, yes: bool) -> bool:
    """Whether the user says yes. Raises Usage where nobody can be asked."""
    if yes:
        return True
    if not is_interactive():
        raise Usage(f"{question} Nobody can be asked here.", hint="Give --yes to go on without a question.")
    return click.confirm(question, err=True)


def is_interactive() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()
