"""The only place that reads the URL of a catalog: which kind of database it lies in, and how that is spoken to.

Without SQLAlchemy, whose import alone would cost a list half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote

from engine.catalog import postgres, sqlite
from engine.errors import Invalid, LandformError
from engine.settings import Settings

_FILE = "catalog.db"
_SQLITE = "sqlite:///"
_HINT = "It looks like sqlite:////path or postgresql://user@host/database."


class Door(Protocol):
    """An open connection that only reads."""

    def revision(self) -> str | None:
        """The revision of the schema, whatever it is; None when there are no tables.

        Raises LandformError when the tables are not those of a catalog.
        """

    def rows(self, statement: str, values: Mapping[str, object]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The columns and rows of a statement in SQLite's words; JSON, times and booleans as the driver has them."""


class Place(Protocol):
    """A database that may hold a catalog. As a string: its name in messages, without a password."""

    @property
    def is_shared(self) -> bool:
        """Whether other machines may look at it too."""

    def door(self) -> AbstractContextManager[Door | None]:
        """An open connection; None where there is no database yet. Raises LandformError when there can be none."""

    def make(self) -> None:
        """Leaves a database that can be written to, maybe without tables. Raises LandformError."""

    def alone(self) -> AbstractContextManager[None]:
        """One process at a time, for what must not be done twice."""

    def explain(self, error: BaseException | None) -> LandformError | None:
        """What an error of the database's driver means to the user; None for those that are mistakes of ours."""


def place(url: str) -> Place:
    """Where the catalog of that URL lies; nothing is opened yet.

    Raises Invalid for an URL that names neither an SQLite file nor a PostgreSQL database, LandformError when the
    package that speaks to PostgreSQL is missing.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise Invalid("The URL of the catalog cannot be understood.", hint=_HINT)
    if scheme in postgres.SCHEMES:
        return postgres.Database.of(url)
    path = unquote(rest.removeprefix("/").partition("?")[0])
    if scheme != "sqlite" or not rest.startswith("/") or path in ("", ":memory:"):
        # the rest may hold a password
        raise Invalid(
            f"The URL of the catalog, {scheme}://..., names no SQLite file or PostgreSQL database.", hint=_HINT
        )
    return sqlite.File(Path(path))


def named(settings: Settings) -> str:
    """The URL of the catalog that the settings name. Raises Invalid when it lies in a file that cannot be read."""
    if settings.catalog or settings.catalog_file is None:
        return settings.catalog or url_of(settings.home / _FILE)
    return url_in(settings.catalog_file)


def url_in(file: Path) -> str:
    """The URL that is all there is in the file. Raises Invalid when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        hint = "It is to hold the URL of a catalog, and nothing else."
        raise Invalid(f"The file {file} cannot be read: {reason}.", hint=hint) from error


def url_of(path: Path) -> str:
    """The URL of the catalog file at `path`, whatever characters its name has."""
    return f"{_SQLITE}{quote(str(path))}"
