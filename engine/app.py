"""The only place that builds real things and hands them down: catalog, stores, Terraform, the clock, the home's key."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from engine import tracing
from engine.actions import recovery
from engine.actions.desk import Desk
from engine.bundles.store import Store
from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.core import run_env
from engine.errors import Conflict, ExternalFailure, LandformError, NotFound
from engine.external.cipher import Cipher
from engine.external.contents import Contents, FolderStates, S3States, States
from engine.external.process import Stop, identity
from engine.settings import Settings
from engine.terraform import embedded, programs
from engine.terraform.cli import Terraform
from engine.terraform.mirror import Mirror
from engine.terraform.preparation import Preparation
from engine.worker import env_files, shipping
from engine.worker.claims import Claims, Limits
from engine.worker.evidence import Inquiry, Look
from engine.worker.execution import Executor
from engine.worker.ground import Ground
from engine.worker.harvest import Harvest
from engine.worker.journal import KINDS
from engine.worker.keeping import Here, Travelling
from engine.worker.leases import Lease
from engine.worker.luggage import Luggage
from engine.worker.phases import Phases
from engine.worker.reaping import Reaper
from engine.worker.serving import Shift
from engine.worker.shipping import Shipping
from engine.worker.terms import Card, Terms
from engine.worker.triggers import Trigger, nothing

if TYPE_CHECKING:
    from engine.bundles.sources import Fetched
    from engine.catalog.copying import Copied
    from engine.core.run_env import EnvValue

logger = logging.getLogger(__name__)
_KEY_FILE = "key"
_KEY_BYTES = 32
_KEY_CHECK = "key-check"


@dataclass(frozen=True)
class App:
    """Landform, opened on one home."""

    settings: Settings
    desk: Desk
    """For actions."""
    phases: Phases
    executor: Executor
    """For carrying out runs."""
    lease: Lease
    """This process as a worker."""
    reaper: Reaper

    @property
    def states(self) -> States:
        """The contents of all states that were kept."""
        return self.phases.ground.harvest.states

    @property
    def catalog(self) -> Catalog:
        """What is known."""
        return self.desk.catalog

    def shift(self, say: Callable[[str], None]) -> Shift:
        """This process at work, as a worker that takes whatever comes and says what becomes of it."""
        return Shift(self.executor, self.lease, self.reaper.reap, say)

    def copy_catalog(self, url: str) -> tuple[Copied, ...]:
        """Copies the catalog to an empty database, and what lies in the home to where the copy looks for it.

        Raises as catalog.copying.copy().
        """
        from engine.catalog import copying

        source, target = places.place(places.named(self.settings)), places.place(url)
        named, folder = copying.contents(source), FolderStates(self.settings.home / "states")
        luggage = Luggage(self.phases.ground.store, self.states)
        states = () if self.settings.state_store else named.states
        if target.is_shared and not source.is_shared:
            files = luggage.packed(named.bundles, states)
            # else the first machine that opens the copy would say which key is the right one
            return copying.copy(source, target, chain(files, [(_KEY_CHECK, self.states.cipher.check_value())]))
        if source.is_shared and not target.is_shared:
            luggage.unpack(named.bundles, states, folder)
        return copying.copy(source, target)

    def run_env(self, variables: Mapping[str, EnvValue]) -> dict[str, str]:
        """The values of variables for runs, also of those that lie in files. Raises Invalid with all that cannot."""
        return {**run_env.plain(variables), **env_files.read(run_env.files(variables))}

    def close(self) -> None:
        """Says goodbye as a worker, where runs were executed, and gives the catalog's connections back."""
        self.lease.close()
        self.executor.tracer.close()
        self.catalog.close()


def clock() -> datetime:
    """The time now."""
    return datetime.now(UTC)


def card(settings: Settings) -> Card:
    """What a command in the foreground says of itself as a worker."""
    who = {**identity(), "home": str(settings.home)}
    return Card(who, f"{who['host']}-{who['pid']}", labels=settings.labels)


def build(settings: Settings, trigger: Trigger = nothing, worker: Card | None = None) -> App:
    """Opens the home, making it first where there is none, and tells the truth about runs that a crash left behind.

    `trigger` is told of each moment between two effects of a run; `worker` is None for a command in the foreground. The
    app must be closed once it has executed runs. Raises LandformError when the home cannot be used,
    Conflict when other machines of its catalog have another key.
    """
    home = settings.home
    with _expected(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalog = Catalog(places.named(settings), clock)
    with _expected(home):
        key = _key(settings)
    preparation = Preparation(home / "prepared", Mirror(home / "providers"))
    with _expected(home):
        preparation.sweep()
    cipher = Cipher(key)
    _require_same_key(catalog, cipher)
    states = States(_contents(settings, catalog), cipher)
    keeping = Travelling(catalog, cipher) if catalog.is_shared else Here()
    store = Store(home / "bundles", keeping)
    harvest, ship = Harvest(catalog, states), Shipping(catalog, KINDS).of if catalog.is_shared else shipping.nothing
    ground = Ground(settings, store, _terraform(settings), preparation, key, harvest, keeping, clock, ship)
    phases = Phases(ground, trigger)
    terms = Terms(settings.lease_s, settings.grace_s, time.monotonic)
    lease = Lease(catalog, worker or card(settings), terms, home / "tmp")
    limits = Limits(settings.max_runs, settings.plan_ttl_s, settings.retries)
    desk = Desk(catalog, store, settings, partial(is_readable, settings))
    reaper = Reaper(catalog, home, partial(_recover_by_rule, desk, Inquiry(catalog, ground)))
    reaper.reap()
    return App(
        settings,
        desk,
        phases,
        Executor(Claims(catalog, lease, limits), phases, trigger, tracing.tracer(settings.otel)),
        lease,
        reaper,
    )


def _recover_by_rule(desk: Desk, inquiry: Inquiry) -> None:
    """Recovers interrupted runs where the rules of their environment let it be done without a person."""
    with desk.catalog.read() as tx:
        found = [run.id for run in tx.interrupted() if recovery.is_automatic(tx, run)]
    for run_id in filter(None, found):
        try:
            # the run that follows plans by itself
            evidence = inquiry.evidence(run_id, Look(Stop(), plans=False))
            recovery.by_itself(desk, run_id, evidence)
        except LandformError as error:
            logger.warning("a run is left to people: %s", error.message, extra={"run": run_id})


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


def _contents(settings: Settings, catalog: Catalog) -> Contents:
    """Where the contents of states are kept."""
    if settings.state_store:
        from engine.core import s3
        from engine.external import aws

        place = s3.parse(settings.state_store)
        return S3States(aws.Place(place.bucket, place.prefix, place.endpoint, place.region))
    if catalog.is_shared:
        from engine.catalog.contents import CatalogStates

        return CatalogStates(catalog)
    return FolderStates(settings.home / "states")


def _require_same_key(catalog: Catalog, cipher: Cipher) -> None:
    """Raises Conflict when the machines that share the catalog have another key; the first one says which it is."""
    if not catalog.is_shared:
        return
    with catalog.read() as tx:
        known = tx.blob(_KEY_CHECK)
    if known is None:
        with catalog.write() as tx:
            known = tx.blob(_KEY_CHECK) or cipher.check_value()
            tx.put_blob(_KEY_CHECK, known)
    if not secrets.compare_digest(known, cipher.check_value()):
        catalog.close()
        raise Conflict(
            f"The key of this home is not the one with which the catalog {catalog} was begun.",
            hint="All machines need the same: copy the file `key` from the home of the first one, and name it with "
            "LANDFORM_KEY_FILE.",
        )


def _key(settings: Settings) -> bytes:
    """The secret in the file that the settings name. Raises LandformError when there is none."""
    if settings.key_file is None:
        return _key_of(settings.home)
    try:
        key = settings.key_file.read_bytes()
    except OSError as error:
        raise LandformError(f"The key file {settings.key_file} cannot be read: {error.strerror}.") from error
    if len(key) < _KEY_BYTES:
        raise LandformError(f"The key file {settings.key_file} has less than {_KEY_BYTES} bytes: it is no key.")
    return key


def _key_of(home: Path) -> bytes:
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
