"""The only place that builds real things and hands them down: catalog, stores, Terraform, the clock, the home's key."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from engine.actions.desk import Desk
from engine.bundles.store import Store
from engine.catalog.catalog import Catalog, url_of
from engine.errors import ExternalFailure, LandformError, NotFound
from engine.external.process import Stop, identity
from engine.settings import Settings
from engine.terraform import embedded, programs
from engine.terraform.backends import Managed
from engine.terraform.cli import Terraform
from engine.terraform.preparation import Preparation
from engine.worker import execution
from engine.worker.execution import Executor
from engine.worker.ground import Ground
from engine.worker.phases import Phases

if TYPE_CHECKING:
    from engine.bundles.sources import Fetched

CATALOG_FILE = "catalog.db"
_KEY_FILE = "key"
_KEY_BYTES = 32


@dataclass(frozen=True)
class App:
    """Landform, opened on one home."""

    settings: Settings
    desk: Desk
    """For actions."""
    phases: Phases
    executor: Executor
    """For carrying out runs."""

    @property
    def catalog(self) -> Catalog:
        """What is known."""
        return self.desk.catalog


def build(settings: Settings) -> App:
    """Opens the home, making it first where there is none, and tells the truth about runs that a crash left behind.

    Raises LandformError when the home cannot be used.
    """
    home = settings.home
    with _expected(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalog = Catalog(url_of(home / CATALOG_FILE), lambda: datetime.now(UTC))
    with _expected(home):
        key = _key(home)
    store = Store(home / "bundles")
    preparation = Preparation(home / "prepared")
    with _expected(home):
        preparation.sweep()
    phases = Phases(Ground(settings, store, _terraform(settings), preparation, Managed(), key))
    execution.reap(catalog, phases)
    return App(
        settings,
        Desk(catalog, store, settings, partial(is_readable, settings)),
        phases,
        Executor(catalog, phases, identity()),
    )


def stop() -> Stop:
    """A new means to stop what is going on."""
    return Stop()


def found_terraform(settings: Settings) -> programs.Found:
    """Which Terraform is used. Raises NotFound when there is none."""
    return programs.find(settings.terraform, settings.path, settings.home, embedded.embedded())


def is_readable(settings: Settings, code: bytes) -> bool:
    """Whether Terraform can read the text of a `.tf` file; False where there is no Terraform to be asked."""
    try:
        return programs.can_read(found_terraform(settings).program, settings.path, code)
    except (NotFound, ExternalFailure):
        return False


def fetch(source: str) -> Fetched:
    """The files of a bundle: a folder, a .tar.gz or an s3:// object. Raises Invalid, NotFound, ExternalFailure."""
    from engine.bundles import sources
    from engine.external import aws

    return sources.fetch(source, aws.fetch_object)


def _terraform(settings: Settings) -> Callable[[], Terraform]:
    @cache
    def find() -> Terraform:
        found = found_terraform(settings)
        return Terraform(found.program, found.version)

    return find


@contextmanager
def _expected(home: Path) -> Iterator[None]:
    """What the system refuses inside, in words about the home."""
    try:
        yield
    except OSError as error:
        reason = "it is not a folder" if isinstance(error, FileExistsError) else error.strerror
        hint = "Choose another folder with --home or LANDFORM_HOME."
        raise LandformError(f"The home {home} cannot be used: {reason}.", hint=hint) from error


def _key(home: Path) -> bytes:
    """The home's secret, made on first use; two processes that make it at once agree on one."""
    file = home / _KEY_FILE
    if not file.exists():
        with NamedTemporaryFile(dir=home, prefix=f".{_KEY_FILE}.") as mine:
            mine.write(secrets.token_bytes(_KEY_BYTES))
            mine.flush()
            os.fsync(mine.fileno())
            with suppress(FileExistsError):
                os.link(mine.name, file)
    return file.read_bytes()
