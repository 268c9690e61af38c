"""Where a run of an instance takes place: its folders, its files, its values, and Terraform made ready to run there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from engine.core import fingerprint, guards, handing, rendering, resolving, run_env
from engine.core.address import Address
from engine.core.file_names import OVERRIDE_FILE, VALUES_FILE
from engine.core.runs import Status, is_terminal
from engine.external import private
from engine.terraform import at_rest, backends, preparation
from engine.terraform.at_rest import Rest
from engine.terraform.cli import Place, Surroundings, environment
from engine.terraform.own_data import OwnData
from engine.terraform.workspace import Workspace
from engine.worker import shipping, upstreams, values
from engine.worker.entrusted import Entrusted
from engine.worker.following import Step, Watch, follow
from engine.worker.harvest import Harvest
from engine.worker.installer import CONFIG_VARIABLE, Code, Installer
from engine.worker.journal import Journal
from engine.worker.keeping import Claim, Keeping
from engine.worker.locks import Book
from engine.worker.memory import Memory
from engine.worker.patience import Patience
from engine.worker.plan_files import PlanFile
from engine.worker.shipping import Ship

if TYPE_CHECKING:
    from engine.bundles.store import Store
    from engine.core.arns import Owner
    from engine.core.bundle import Part
    from engine.core.namespace import Values
    from engine.external.cipher import Cipher
    from engine.settings import Settings
    from engine.terraform.backend import Backend, LockInfo
    from engine.terraform.cli import Terraform
    from engine.terraform.preparation import Preparation, Prepared
    from engine.worker.work import Upstream, Work

T = TypeVar("T")
DATA_DIR = ".terraform"
_RUNS_BEFORE = 20
"""How many runs back a lock is looked for that was left behind."""


@dataclass(frozen=True)
class Ground:
    """Folders, files and tools for the runs of one home."""

    settings: Settings
    store: Store
    terraform: Callable[[], Terraform]
    """Looked for only when it is needed: what needs none works without."""
    preparation: Preparation
    key: bytes
    """The home's secret: digests of values are keyed with it."""
    harvest: Harvest
    keeping: Keeping
    now: Callable[[], datetime]
    ship: Ship = shipping.nothing
    """How others get to see what the runs say, while they say it."""
    memory: Memory | None = None
    """What instances that are planned side by side have in common is read once; None reads it each time."""
    tuning: Mapping[str, str] = field(default_factory=dict)
    """Variables that only say how Terraform goes about its work; those of operators win."""

    @property
    def entrusted(self) -> Entrusted:
        """What its runs are given that is in no file."""
        return Entrusted(self.settings, self.now, self._tmp)

    @property
    def cipher(self) -> Cipher:
        """What encrypts all that lies here for long."""
        return self.harvest.states.cipher

    @property
    def patience(self) -> Patience:
        """How failures that pass are waited for."""
        return Patience(self.settings.retries)

    @property
    def installer(self) -> Installer:
        """What makes template versions ready to be run."""
        return Installer(self.settings, self.terraform, self.preparation)

    def values(self, work: Work) -> Values:
        """What the run hands to Terraform, sensitive outputs wrapped as Secret, references as Resolved.

        Raises as Entrusted.resolved().
        """
        work = self.entrusted.resolved(work)
        if work.part and work.references:
            inputs = handing.inputs(work.part, work.input_type, work.inputs, work.references)
            work = replace(work, inputs=inputs)
        return values.of(work, self.settings, partial(self._outputs_of, work), self.key)

    def rendered(self, work: Work, part: Part, given: Values, *, masked: bool = False) -> dict[str, bytes]:
        """All files of the workspace, for Terraform without what handed() brings it, or masked for people."""
        files = self._once(
            ("code", work.bundle, part.name), lambda: rendering.below(self.store.get(work.bundle), part.name)
        )
        override = self.backend(work).override()
        owner, providers = self._owner(work), self.entrusted.overrides()
        request = rendering.Rendering(part, files, given, owner, override, providers)
        return rendering.masked(request) if masked else rendering.render(request)

    def handed(self, work: Work, part: Part, given: Values) -> dict[str, str]:
        """The variables by which Terraform gets what is in no file, **secrets in clear text**.

        Raises Invalid for what is too large, and as Entrusted.resolved().
        """
        known = self.entrusted.resolved(work).references or {}
        inputs = resolving.all_resolved(work.input_type, work.inputs, known)
        return handing.variables(part, given, self._owner(work), inputs)

    def _owner(self, work: Work) -> Owner:
        return values.owner(self.settings, self.entrusted.credentials(work))

    def plan_file(self, where: Address, run_id: int) -> PlanFile:
        """The plan of a run."""
        return PlanFile(self.cipher, self.run_folder(where, run_id), run_id)

    def rest(self, where: Address) -> Rest:
        """How the state of an instance lies on this machine."""
        return at_rest.of(self.cipher, str(where), self.settings.home)

    def run_folder(self, where: Address, run_id: int) -> Path:
        """Where a run leaves its plan, events and log."""
        return self.workspace(where).run_folder(run_id)

    def prepare(
        self, step: Step, given: Values, timeout_s: float | None = None, provider_lock: bytes | None = None
    ) -> Place:
        """Where Terraform can run: the workspace written, its version prepared, its backend set up.

        `provider_lock` as in prepared().
        """
        work = step.work
        files, prepared = self.prepared(step, given, provider_lock)
        handed = self.handed(work, step.part, given)
        shown = self.rendered(work, step.part, given, masked=True) if handed else files
        step.journal.keep_inputs(shown[VALUES_FILE])
        workspace = self.workspace(work.address)
        workspace.write(prepared.with_lock(files))
        data_dir = prepared.data_dir
        if self.backend(work).is_shared:
            data_dir = self._own_data(step, workspace, prepared, files[OVERRIDE_FILE])
        else:
            workspace.link(data_dir)
        place = self.place(work, workspace.root, data_dir, timeout_s)
        return replace(place, env={**place.env, **handed})

    def prepared(
        self, step: Step, given: Values, provider_lock: bytes | None = None
    ) -> tuple[dict[str, bytes], Prepared]:
        """The files of the workspace, and their version with what `terraform init` makes.

        `provider_lock` is the lock file to go by; None leaves the choice to init.
        """
        work, part = step.work, step.part
        files, backend = self.rendered(work, part, given), self.backend(work)
        structure = rendering.structure(part, files)
        # a backend that is not the same for all instances is set up in each one's own folder
        code = Code(files, structure, backend.kind, sets_up_backend=not backend.is_shared)

        def place(folder: Path) -> Place:
            return self.place(work, folder, folder / DATA_DIR)

        def prepare() -> Prepared:
            return self.installer.prepared(step, code, place, provider_lock)

        configured = self.entrusted.run_env(work).get(CONFIG_VARIABLE)
        key = ("prepared", work.bundle, part.name, structure, backend.kind, configured, provider_lock)
        return files, self._once(key, prepare)

    def _once(self, key: tuple[object, ...], find_out: Callable[[], T]) -> T:
        return self.memory.once(key, find_out) if self.memory else find_out()

    def place(self, work: Work, folder: Path, data_dir: Path, timeout_s: float | None = None) -> Place:
        """Where a command runs, with the environment it gets; `timeout_s` None is that of a plan."""
        home = self.settings.home
        surroundings = Surroundings(
            path=self.settings.path,
            home=_folder(home / "terraform-home"),
            tmp=self._tmp,
            data_dir=data_dir,
            config_file=self._once(("config",), self.installer.config_file),
        )
        given = self.entrusted.env(work)
        env = environment(surroundings, {**self.tuning, **run_env.region(work.part, given), **given})
        return Place(folder, env, timeout_s or self.settings.plan_timeout_s, self.settings.grace_s)

    def fingerprint(self, work: Work, part: Part) -> dict[str, str]:
        """What the run's plan is made from as it is now (core.fingerprint.fingerprint)."""
        root = self.workspace(work.address).root
        basis = fingerprint.Basis(
            plan_file=self.plan_file(work.address, work.run_id).digest(),
            bundle=work.bundle,
            terraform_version=self.terraform().version,
            provider_lock=_digest_of(root / preparation.LOCK_FILE),
            inputs=work.inputs,
            upstream=self.upstream(work, part),
            run_env=self.entrusted.run_env(work),
            references=self.entrusted.resolved(work).references or {},
            state=self.backend(work).identity(root),
            surroundings={**self.entrusted.basis(work), **guards.basis(work.guards)},
        )
        return fingerprint.fingerprint(basis, self.key)

    def upstream(self, work: Work, part: Part) -> dict[str, dict[str, str]]:
        """Upstream address -> {output name: digest} of the outputs that the code uses."""
        return upstreams.read(work, part)

    def secrets(self, work: Work, given: Values) -> tuple[str, ...]:
        """The texts that must not be seen in anything that is said of the run. Raises as Entrusted.resolved()."""
        return (*values.secrets(given), *self.entrusted.secrets(work))

    def backend(self, work: Work) -> Backend:
        """Where the state of the run's instance lies."""
        # secrets are read for who needs them: state in the workspace needs none
        return backends.of(work.backend, self.entrusted.env(work) if work.backend else {}, self.rest(work.address))

    def root(self, work: Work) -> Path:
        """The folder in which the run's Terraform works."""
        return self.workspace(work.address).root

    def provider_lock(self, work: Work) -> bytes | None:
        """The lock file of providers in the run's workspace; None when there is none."""
        file = self.root(work) / preparation.LOCK_FILE
        return file.read_bytes() if file.exists() else None

    def lock_of(self, work: Work) -> LockInfo | None:
        """Who holds the state of the run's instance now; None when nobody does. Raises ExternalFailure."""
        return self.backend(work).lock(self.root(work))

    def locks(self, work: Work) -> Book:
        """Where the run writes down the locks that it takes: the only ones that may ever be broken for it."""
        folder = self.run_folder(work.address, work.run_id)
        return Book(work.run_id, folder, self.keeping, Claim(work.run_id, work.fence))

    def books(self, work: Work) -> Iterator[Book]:
        """That of the run, and those of the last runs of its instance that have ended."""
        yield self.locks(work)
        with self.harvest.catalog.read() as tx:
            runs = tx.runs_of(work.address, _RUNS_BEFORE)
        for run in runs:
            if run.id and run.instance_id == work.instance_id and is_terminal(Status(run.status)):
                yield Book(run.id, self.run_folder(work.address, run.id), self.keeping)

    def _outputs_of(self, work: Work, upstream: Upstream) -> dict[str, dict[str, Any]]:
        """The outputs of an upstream of the run, with the values of sensitive ones: from its state or, where another
        machine has deployed it last, from the store of states.
        """
        if work.is_unsigned and upstream.backend:
            # its place is for its own credentials only: neither ours nor anybody else's may be used instead
            kept = self.harvest.newest(upstream.instance_id)
            return kept.outputs() if kept else {}
        there = replace(work, address=upstream.address, instance_id=upstream.instance_id, backend=upstream.backend)
        if upstream.credentials != self.entrusted.credentials(work):
            there = replace(there, credentials=upstream.credentials, secret_env=None, session=None)

        def read() -> dict[str, dict[str, Any]]:
            state = self.harvest.current(there, self.backend(there), self.root(there))
            return state.outputs() if state else {}

        return self._once(("outputs", upstream.instance_id), read)

    def _own_data(self, step: Step, workspace: Workspace, prepared: Prepared, override: bytes) -> Path:
        """TF_DATA_DIR of an instance with a backend of its own, set up when what that depends on has changed."""
        work = step.work
        basis = [override.decode(), self.terraform().version]
        own = OwnData(workspace.root, prepared.data_dir, basis)
        if not own.is_ready:
            own.make()
            follow(self.terraform().init(self.place(work, workspace.root, own.folder), modules=False), "init", step)
            own.done()
        return own.folder

    @contextmanager
    def elsewhere(self) -> Iterator[Path]:
        """A folder to look at things in, gone afterwards: the workspace belongs to whoever holds the instance's run."""
        with private.folder(self._tmp) as folder:
            yield folder

    @property
    def _tmp(self) -> Path:
        return _folder(self.settings.home / "tmp")

    def workspace(self, where: Address) -> Workspace:
        """The folder of an instance."""
        return Workspace(self.settings.home.joinpath(where.kind.value, *where.parts))

    def journal(self, work: Work, given: Values, watch: Watch) -> Journal:
        """What takes down what happens in the run, without its secrets."""
        folder = self.run_folder(work.address, work.run_id)
        ship = self.ship(work.run_id, work.fence, folder)
        return Journal(folder, self.secrets(work, given), watch, ship, self.entrusted.kept(work))


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _digest_of(path: Path) -> str:
    try:
        return fingerprint.file_digest(path.read_bytes())
    except FileNotFoundError:
        return ""
