"""The only place that builds real things and hands them down: catalog, stores, Terraform, the clock, the home's key."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from engine import tracing
from engine.actions import recovery
from engine.actions.desk import Desk
from engine.bundles.store import Depot, Store
from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.core import campaigns
from engine.core.fingerprint import value_digest
from engine.core.provisioning import Host
from engine.errors import ExternalFailure, LandformError, NotFound
from engine.external.cipher import Cipher
from engine.external.contents import Contents, FolderStates, S3Bundles, S3States, States
from engine.external.keyring import Ring
from engine.external.process import Stop, identity
from engine.settings import Settings
from engine.terraform import embedded, programs
from engine.terraform.cli import Terraform
from engine.terraform.mirror import Mirror
from engine.terraform.preparation import Preparation
from engine.worker import keys, notifying, shipping, tidying, work
from engine.worker.asking import Asking
from engine.worker.claims import Claims, Limits
from engine.worker.evidence import Inquiry, Look
from engine.worker.execution import Executor
from engine.worker.ground import Ground
from engine.worker.harvest import Harvest
from engine.worker.journal import KINDS
from engine.worker.keeping import Here, Keeping, Travelling
from engine.worker.leases import Lease
from engine.worker.luggage import Luggage
from engine.worker.notifying import Chance, Notifier
from engine.worker.outside import Outside
from engine.worker.phases import Phases
from engine.worker.proposals import Proposals
from engine.worker.proposing import Proposing
from engine.worker.reaping import Reaper
from engine.worker.serving import Looks, Shift
from engine.worker.shipping import Shipping
from engine.worker.terms import Card, Terms
from engine.worker.triggers import Trigger, nothing

if TYPE_CHECKING:
    from engine.actions.changes import Consent
    from engine.actions.driving import Driver
    from engine.actions.sync_attempts import Follower
    from engine.bundles.sources import Fetched
    from engine.catalog.copying import Copied
    from engine.catalog.tables import Instance
    from engine.core.notices import Letter
    from engine.core.targets import Target
    from engine.external.aws_s3 import Place
    from engine.external.git import Repository
    from engine.worker.drift import Checks

logger = logging.getLogger(__name__)
_DRIVE_EVERY_S = 1.0
_EXPIRE_EVERY_S = 15.0
_GOODBYE_S = 5.0
"""How long a command goes on delivering events once it has done what it was for."""


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
    proposals: Proposals
    """What others were asked to carry out."""
    notifier: Notifier
    """Delivers events."""
    ring: Ring
    """The keys that states and plans are encrypted with."""

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
        # only workers need these, and every command would wait for their import
        from engine.actions import lifetimes
        from engine.worker.drift import Rounds
        from engine.worker.expiring import Expiring

        # it is there before anybody asks
        rounds = Rounds(self.drift, self.lease.card.labels, lambda: shift.has_room)
        driver = self.driver()
        asking = Asking(driver.advance_all, driver.check)
        looks = (
            Looks(self.proposals.look_quietly, self.settings.poll_s, "pull requests"),
            Looks(asking.look, _DRIVE_EVERY_S, "campaigns", asking.stop.request),
            Looks(Expiring(partial(lifetimes.expire, self.desk)).look, _EXPIRE_EVERY_S, "ends of lives"),
            Looks(rounds.look, self.settings.poll_s, "drift", rounds.stop.request),
        )
        shift = Shift(self.executor, self.lease, self.reaper.reap, say, looks=looks)
        return shift

    @property
    def drift(self) -> Checks:
        """Looks whether something was changed outside."""
        from engine.worker.drift import Checks, plan_in

        return Checks(self.catalog, plan_in(self.phases.ground))

    def driver(self, trigger: campaigns.Trigger = campaigns.nothing) -> Driver:
        """What brings campaigns forward, of this catalog."""
        from engine.actions.driving import Driver
        from engine.external import health

        return Driver(self.desk, health.ask, trigger)

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
            return copying.copy(source, target, chain(files, [(keys.CHECK, self.states.cipher.check_value())]))
        if source.is_shared and not target.is_shared:
            luggage.unpack(named.bundles, states, folder)
        return copying.copy(source, target)

    def env_of(self, instance: Instance, environment: Instance | None) -> dict[str, str]:
        """The variables with which runs of the instance reach its state, credentials among them; `environment` is the
        one that it runs in. Raises Invalid with all that cannot be read, ExternalFailure without credentials.
        """
        return self.phases.ground.entrusted.env(work.bare(instance, environment))

    def follower(self, consent: Consent, *, retry: bool = False) -> Follower:
        """Whoever follows branches of Git repositories on behalf of this user."""
        from engine.actions.sync_attempts import Follower
        from engine.external import git

        return Follower(
            self.desk, partial(git.repository, settings=self.settings), self.settings.home / "tmp", consent, retry
        )

    def close(self) -> None:
        """Says goodbye as a worker, where runs were executed, and gives the catalog's connections back."""
        self.lease.close()
        self.notifier.deliver_quietly(_GOODBYE_S)
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
    audience = notifying.audience(settings)
    catalog = Catalog(places.named(settings), clock, audience)
    with _expected(home):
        key = keys.secret(settings)
    preparation = Preparation(home / "prepared", Mirror(home / "providers"))
    with _expected(home):
        preparation.sweep()
    ring = keys.ring(settings, catalog, key, clock)
    cipher = Cipher(key, ring)
    keys.require_same(catalog, cipher)
    states = States(_contents(settings, catalog), cipher)
    keeping = Travelling(catalog, cipher) if catalog.is_shared else Here()
    store = Store(home / "bundles", *_depots(settings, keeping))
    harvest, ship = Harvest(catalog, states), Shipping(catalog, KINDS).of if catalog.is_shared else shipping.nothing
    ground = Ground(settings, store, _terraform(settings), preparation, key, harvest, keeping, clock, ship)
    phases = Phases(ground, trigger)
    terms = Terms(settings.lease_s, settings.grace_s, time.monotonic)
    lease = Lease(catalog, worker or card(settings), terms, home / "tmp")
    limits = Limits(settings.max_runs, settings.plan_ttl_s, settings.retries)
    desk = Desk(catalog, store, settings, partial(is_readable, settings))
    outside = Outside(partial(_repository, settings), _token_files(settings), ground.elsewhere)
    proposals = Proposals(catalog, outside, partial(value_digest, key=key), settings.forget_destroys)
    proposing = Proposing(ground, proposals, uuid.uuid4, trigger)
    reaper = Reaper(catalog, home, partial(_look_after, desk, Inquiry(catalog, ground)))
    reaper.reap()
    return App(
        settings,
        desk,
        phases,
        Executor(Claims(catalog, lease, limits), phases, trigger, tracing.tracer(settings.otel), proposing),
        lease,
        reaper,
        proposals,
        Notifier(catalog, audience, _send, Chance(random.random, time.monotonic)),
        ring,
    )


def _repository(settings: Settings, url: str) -> Repository:
    from engine.external import git

    return git.repository(url, settings)


def _token_files(settings: Settings) -> dict[Host, Path | None]:
    return {Host.GITHUB: settings.github_token_file, Host.GITLAB: settings.gitlab_token_file}


def _send(target: Target, letter: Letter) -> None:
    """What it takes to send an event costs every other command time to import."""
    from engine.external import sending

    sending.send(target, letter)


def _look_after(desk: Desk, inquiry: Inquiry) -> None:
    """Does what can be done without a person about what others have left."""
    tidying.tidy(inquiry.ground)
    with desk.catalog.read() as tx:
        found = [(run.id or 0, recovery.is_automatic(tx, run)) for run in tx.interrupted()]
    for run_id, is_automatic in found:
        try:
            inquiry.hear(run_id)
            if is_automatic:
                _recover_by_rule(desk, inquiry, run_id)
        except LandformError as error:
            logger.warning("a run is left to people: %s", error.message, extra={"run": run_id})


def _recover_by_rule(desk: Desk, inquiry: Inquiry, run_id: int) -> None:
    """Recovers an interrupted run, as the rules of its environment let it be done without a person."""
    # the run that follows plans by itself
    evidence = inquiry.evidence(run_id, Look(Stop(), plans=False))
    recovery.by_itself(desk, run_id, evidence)


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


def fetch(source: str, settings: Settings) -> Fetched:
    """The files of a bundle: a folder, a .tar.gz, an s3:// object or a folder in a Git repository, git::ADDRESS.

    Raises Invalid, NotFound, ExternalFailure.
    """
    from engine.bundles import git_source, sources
    from engine.external import aws_s3, git

    if source.startswith(git_source.PREFIX):
        return git_source.fetch(source, partial(git.repository, settings=settings), settings.home / "tmp")
    return sources.fetch(source, aws_s3.fetch_object)


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
        return S3States(_place(settings.state_store))
    if catalog.is_shared:
        from engine.catalog.contents import CatalogStates

        return CatalogStates(catalog)
    return FolderStates(settings.home / "states")


def _depots(settings: Settings, keeping: Keeping) -> tuple[Depot, ...]:
    """Where bundles lie for all machines. What was registered before there was a bucket is where it was."""
    return (S3Bundles(_place(settings.bundle_store)), keeping) if settings.bundle_store else (keeping,)


def _place(address: str) -> Place:
    """A place in S3 that settings name, reached with the credentials of whoever runs Landform."""
    from engine.core import s3
    from engine.external import aws_s3

    return aws_s3.at(s3.parse(address), {})
