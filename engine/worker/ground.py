"""Where a run of an instance takes place: its folders, its files, its values, and Terraform made ready to run there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.core import fingerprint, rendering, wiring
from engine.core.address import Address
from engine.core.file_names import VALUES_FILE
from engine.terraform import preparation
from engine.terraform.cli import Place, Surroundings, environment, write_config
from engine.terraform.workspace import Workspace
from engine.worker import values
from engine.worker.following import Step, Watch, follow
from engine.worker.journal import Journal
from engine.worker.records import fingerprints

if TYPE_CHECKING:
    from engine.bundles.store import Store
    from engine.core.bundle import Part
    from engine.core.namespace import Values
    from engine.settings import Settings
    from engine.terraform.backends import Managed
    from engine.terraform.cli import Terraform
    from engine.terraform.preparation import Preparation, Prepared
    from engine.worker.work import Work

PLAN_FILE = "plan.tfplan"
DATA_DIR = ".terraform"


@dataclass(frozen=True)
class Ground:
    """Folders, files and tools for the runs of one home."""

    settings: Settings
    store: Store
    terraform: Callable[[], Terraform]
    """Looked for only when it is needed: what needs none works without."""
    preparation: Preparation
    backend: Managed
    key: bytes
    """The home's secret: digests of values are keyed with it."""

    def values(self, work: Work) -> Values:
        """What the run hands to Terraform, sensitive outputs wrapped as Secret."""
        return values.of(work, self.settings, self.state_outputs, self.key)

    def rendered(self, work: Work, part: Part, given: Values, *, masked: bool = False) -> dict[str, bytes]:
        """All files of the workspace: with secrets for Terraform, or masked for people."""
        files = rendering.below(self.store.get(work.bundle), part.name)
        request = rendering.Rendering(part, files, given, values.owner(self.settings), self.backend.override())
        return rendering.masked(request) if masked else rendering.render(request)

    def plan_file(self, where: Address, run_id: int) -> Path:
        """Where a run's plan lies."""
        return self.run_folder(where, run_id) / PLAN_FILE

    def run_folder(self, where: Address, run_id: int) -> Path:
        """Where a run leaves its plan, events and log."""
        return self.workspace(where).run_folder(run_id)

    def prepare(self, step: Step, given: Values, timeout_s: float | None = None) -> Place:
        """Where Terraform can run: the workspace written, its version prepared."""
        work = step.work
        files, prepared = self.prepared(step, given)
        shown = self.rendered(work, step.part, given, masked=True) if values.secrets(given) else files
        step.journal.keep_inputs(shown[VALUES_FILE])
        workspace = self.workspace(work.address)
        workspace.write(prepared.with_lock(files))
        workspace.link(prepared.data_dir)
        return self.place(work, workspace.root, prepared.data_dir, timeout_s)

    def prepared(self, step: Step, given: Values) -> tuple[dict[str, bytes], Prepared]:
        """The files of the workspace, and their version with what `terraform init` makes."""
        work, part = step.work, step.part
        files = self.rendered(work, part, given)
        structure = rendering.structure(part, files)
        key = preparation.key(work.bundle, part.name, self.terraform().version, self.backend.kind, structure)

        def init(folder: Path) -> None:
            follow(self.terraform().init(self.place(work, folder, folder / DATA_DIR)), "init", step)

        return files, self.preparation.ensure(key, files, init, step.stop)

    def place(self, work: Work, folder: Path, data_dir: Path, timeout_s: float | None = None) -> Place:
        """Where a command runs, with the environment it gets; `timeout_s` None is that of a plan."""
        home = self.settings.home
        surroundings = Surroundings(
            path=self.settings.path,
            home=_folder(home / "terraform-home"),
            tmp=_folder(home / "tmp"),
            data_dir=data_dir,
            config_file=write_config(home),
        )
        env = environment(surroundings, {**self.settings.run_env, **work.run_env})
        return Place(folder, env, timeout_s or self.settings.plan_timeout_s, self.settings.grace_s)

    def fingerprint(self, work: Work, part: Part) -> dict[str, str]:
        """What the run's plan is made from as it is now (core.fingerprint.fingerprint)."""
        root = self.workspace(work.address).root
        basis = fingerprint.Basis(
            plan_file=_digest_of(self.plan_file(work.address, work.run_id)),
            bundle=work.bundle,
            terraform_version=self.terraform().version,
            provider_lock=_digest_of(root / preparation.LOCK_FILE),
            inputs=work.inputs,
            upstream=self.upstream(work, part),
            run_env={**self.settings.run_env, **work.run_env},
            state=self.backend.identity(root),
        )
        return fingerprint.fingerprint(basis, self.key)

    def upstream(self, work: Work, part: Part) -> dict[str, dict[str, str]]:
        """Upstream address -> {output name: digest} of the outputs that the code uses."""
        if work.environment is None:
            return {}
        return {str(work.environment.address): wiring.read(part, fingerprints(work.environment.outputs))}

    def state_outputs(self, where: Address) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "value"} as the state of an instance has them."""
        return self.backend.outputs(self.workspace(where).root)

    @contextmanager
    def elsewhere(self) -> Iterator[Path]:
        """A folder to look at things in, gone afterwards: the workspace belongs to whoever holds the instance's run."""
        with TemporaryDirectory(dir=_folder(self.settings.home / "tmp")) as folder:
            yield Path(folder)

    def workspace(self, where: Address) -> Workspace:
        """The folder of an instance."""
        return Workspace(self.settings.home.joinpath(where.kind.value, *where.parts))

    def journal(self, work: Work, given: Values, watch: Watch) -> Journal:
        """What takes down what happens in the run, without its secrets."""
        return Journal(self.run_folder(work.address, work.run_id), values.secrets(given), watch)


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _digest_of(path: Path) -> str:
    try:
        return fingerprint.file_digest(path.read_bytes())
    except FileNotFoundError:
        return ""
