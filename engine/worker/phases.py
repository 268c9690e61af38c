"""The phases of a run as straight lines: what is done with workspace and Terraform. The catalog is not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.core import address, fingerprint, plans, rendering, wiring
from engine.core.address import Address
from engine.core.file_names import VALUES_FILE
from engine.core.plans import Action, Change, Summary
from engine.core.runs import Operation, Status
from engine.errors import (
    Cancelled,
    ExternalFailure,
    LandformError,
    NotFound,
    OutcomeUnknown,
    Severity,
    Stale,
)
from engine.external import process
from engine.external.process import Command, Stop, group_alive, is_alive
from engine.terraform import preparation
from engine.terraform.cli import Outcome, Place, Surroundings, environment, outcome, plan_outcome, write_config
from engine.terraform.collector import Collector
from engine.terraform.events import Event
from engine.terraform.workspace import Workspace
from engine.worker import values
from engine.worker.journal import Journal, has_finished_something, path, recorded_process
from engine.worker.records import fingerprints
from engine.worker.redaction import Redaction

if TYPE_CHECKING:
    from engine.bundles.store import Store
    from engine.catalog.tables import Run
    from engine.core.bundle import Part
    from engine.core.namespace import Values
    from engine.settings import Settings
    from engine.terraform.backends import Managed
    from engine.terraform.cli import Terraform
    from engine.terraform.preparation import Preparation, Prepared
    from engine.worker.work import Work

Watch = Callable[[str, Event | None], None]
"""Called with a phase when it begins, and with the phase and every event of Terraform's."""
_UNTOLD = Change("(more than Terraform's stream told)", Action.REPLACE, "look at the whole plan")
"""Stands in a summary for what is not known: it may be anything, so nothing but an explicit yes to all approves it."""
PLAN_FILE = "plan.tfplan"
DATA_DIR = ".terraform"


@dataclass(frozen=True)
class Planned:
    """What a plan found."""

    summary: Summary
    has_changes: bool = False
    """What Terraform itself concluded; False ends the run without an apply."""
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    """Part -> digest of all it was made from (core.plans.moved)."""
    upstream: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Upstream address -> {output name: digest} of the outputs that the code uses."""


@dataclass(frozen=True)
class Phases:
    """Plan, apply, and what is read afterwards, for any instance of one home."""

    settings: Settings
    store: Store
    terraform: Callable[[], Terraform]
    """Looked for only when it is needed: what needs none works without."""
    preparation: Preparation
    backend: Managed
    key: bytes
    """The home's secret: digests of values are keyed with it."""

    def plan(self, work: Work, stop: Stop, watch: Watch) -> Planned:
        """Writes the workspace and plans in it. Raises Cancelled, ExternalFailure with Terraform's errors, Invalid."""
        if work.part is None:
            return Planned(Summary())
        self.backend.require_in_place(self._workspace(work.address).root, lambda: self._has_written_state(work))
        if self._has_nothing_to_destroy(work):
            return Planned(Summary())
        watch("planning", None)
        given = self.values(work)
        with self._journal(work, given, watch) as journal:
            step = _Step(work, work.part, stop, journal)
            place = self._prepare(step, given)
            destroy = work.operation is Operation.DESTROY
            command = self.terraform().plan(place, self.plan_file(work.address, work.run_id), destroy=destroy)
            came_to, collector = _follow(command, "plan", step)
        has_changes = came_to is Outcome.CHANGES
        summary = collector.summary
        if has_changes and (summary.is_empty or not collector.is_complete):
            summary = replace(summary, changes=(*summary.changes, _UNTOLD))
        return Planned(summary, has_changes, self._fingerprint(work, work.part), self._upstream(work, work.part))

    def apply(self, work: Work, stop: Stop, watch: Watch) -> None:
        """Applies exactly the run's plan.

        Raises Stale naming what moved, Cancelled, ExternalFailure, OutcomeUnknown when Terraform was killed.
        """
        if work.part is None:
            return
        watch("applying", None)
        moved = plans.moved(work.planned_with, self._fingerprint(work, work.part))
        if moved:
            raise Stale(f"The plan is stale. Changed since it was made: {', '.join(moved)}.")
        given = self.values(work)
        with self._journal(work, given, watch) as journal:
            step = _Step(work, work.part, stop, journal)
            place = self._prepare(step, given, timeout_s=self.settings.apply_timeout_s)
            _follow(self.terraform().apply(place, self.plan_file(work.address, work.run_id)), "apply", step)
        if work.operation is Operation.DESTROY:
            # before anything is recorded: an instance that is kept can be looked at and destroyed again
            self.backend.require_nothing_left(place.folder)

    def outputs(self, work: Work) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "fingerprint"} and, unless it is sensitive, "value".

        What passes a secret of the environment on is sensitive, even where the bundle does not say so.
        """
        if work.part is None:
            found: Mapping[str, Mapping[str, Any]] = {
                name: {"type": "string", "sensitive": False, "value": value} for name, value in work.inputs.items()
            }
        else:
            found = self._state_outputs(work.address)
        secret = Redaction(values.secrets(self.values(work)))
        return {name: self._output(output, hidden=secret.hides(output["value"])) for name, output in found.items()}

    def forget(self, where: Address) -> None:
        """Removes the workspace of an instance that is no more; what its runs wrote stays."""
        self._workspace(where).remove()

    def is_lost(self, run: Run) -> bool:
        """Whether nobody works on the run any more: its worker on this machine is gone, and so is its Terraform."""
        if run.executor is None or is_alive(run.executor) is not False:
            return False
        assert run.id is not None
        child = recorded_process(path(self.settings.home, address.parse(run.address), run.id).parent)
        if child is None:
            return True
        # after a boot the number of its group may be somebody else's
        is_same_boot = child.get("boot_id") == process.identity()["boot_id"]
        return is_alive(child) is False and not (is_same_boot and group_alive(int(child["pid"])))

    def plan_text(self, work: Work) -> str:
        """The run's plan in Terraform's words for people. Raises NotFound when there is none, ExternalFailure."""
        plan = self.plan_file(work.address, work.run_id)
        if work.part is None or not plan.exists():
            raise NotFound(f"Run {work.run_id} has no plan.")
        given = self.values(work)
        # the workspace belongs to whoever holds the instance's run: look from somewhere else
        with (
            self._journal(work, given, _watch_nothing) as journal,
            TemporaryDirectory(dir=_folder(self.settings.home / "tmp")) as folder,
        ):
            step = _Step(work, work.part, Stop(), journal)
            files, prepared = self._prepared(step, given)
            elsewhere = Workspace(Path(folder))
            elsewhere.write(prepared.with_lock(files))
            elsewhere.link(prepared.data_dir)
            text = self.terraform().show_plan(self._place(work, elsewhere.root, prepared.data_dir), plan)
            return journal.redacted(text)

    def values(self, work: Work) -> Values:
        """What the run hands to Terraform, sensitive outputs wrapped as Secret."""
        return values.of(work, self.settings, self._state_outputs, self.key)

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
        return self._workspace(where).run_folder(run_id)

    def _has_nothing_to_destroy(self, work: Work) -> bool:
        """Whether a destroy has no resource left, so that even what can no longer be planned can be deleted."""
        return work.operation is Operation.DESTROY and not self.backend.resources(self._workspace(work.address).root)

    def _has_written_state(self, work: Work) -> bool:
        """Whether Terraform must have left a state. An apply that it could not begin, or that was killed before the
        first resource was done, leaves none, as measured; any other does, however it ended.
        """
        unfinished = (run_id for run_id, status in work.applied.items() if status is not Status.SUCCEEDED)
        return Status.SUCCEEDED in work.applied.values() or any(
            has_finished_something(path(self.settings.home, work.address, run_id).parent) for run_id in unfinished
        )

    def _prepare(self, step: _Step, given: Values, timeout_s: float | None = None) -> Place:
        """Where Terraform can run: the workspace written, its version prepared."""
        work = step.work
        files, prepared = self._prepared(step, given)
        shown = self.rendered(work, step.part, given, masked=True) if values.secrets(given) else files
        step.journal.keep_inputs(shown[VALUES_FILE])
        workspace = self._workspace(work.address)
        workspace.write(prepared.with_lock(files))
        workspace.link(prepared.data_dir)
        return self._place(work, workspace.root, prepared.data_dir, timeout_s)

    def _prepared(self, step: _Step, given: Values) -> tuple[dict[str, bytes], Prepared]:
        """The files of the workspace, and their version with what `terraform init` makes."""
        work, part = step.work, step.part
        files = self.rendered(work, part, given)
        structure = rendering.structure(part, files)
        key = preparation.key(work.bundle, part.name, self.terraform().version, self.backend.kind, structure)

        def init(folder: Path) -> None:
            _follow(self.terraform().init(self._place(work, folder, folder / DATA_DIR)), "init", step)

        return files, self.preparation.ensure(key, files, init, step.stop)

    def _place(self, work: Work, folder: Path, data_dir: Path, timeout_s: float | None = None) -> Place:
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

    def _fingerprint(self, work: Work, part: Part) -> dict[str, str]:
        root = self._workspace(work.address).root
        basis = fingerprint.Basis(
            plan_file=_digest_of(self.plan_file(work.address, work.run_id)),
            bundle=work.bundle,
            terraform_version=self.terraform().version,
            provider_lock=_digest_of(root / preparation.LOCK_FILE),
            inputs=work.inputs,
            upstream=self._upstream(work, part),
            run_env={**self.settings.run_env, **work.run_env},
            state=self.backend.identity(root),
        )
        return fingerprint.fingerprint(basis, self.key)

    def _upstream(self, work: Work, part: Part) -> dict[str, dict[str, str]]:
        if work.environment is None:
            return {}
        return {str(work.environment.address): wiring.read(part, fingerprints(work.environment.outputs))}

    def _output(self, output: Mapping[str, Any], *, hidden: bool) -> dict[str, Any]:
        sensitive = output["sensitive"] or hidden
        digest = fingerprint.value_digest(output["value"], self.key)
        kept = {"type": output["type"], "sensitive": sensitive, "fingerprint": digest}
        return kept if sensitive else kept | {"value": output["value"]}

    def _state_outputs(self, where: Address) -> dict[str, dict[str, Any]]:
        return self.backend.outputs(self._workspace(where).root)

    def _workspace(self, where: Address) -> Workspace:
        return Workspace(self.settings.home.joinpath(where.kind.value, *where.parts))

    def _journal(self, work: Work, given: Values, watch: Watch) -> Journal:
        return Journal(self.run_folder(work.address, work.run_id), values.secrets(given), watch)


@dataclass(frozen=True)
class _Step:
    """One phase of one run under way."""

    work: Work
    part: Part
    stop: Stop
    journal: Journal


def _follow(command: Command, phase: str, step: _Step) -> tuple[Outcome, Collector]:
    """Runs a Terraform command to its end. Raises unless it did what it was to do."""
    collector = Collector(dict.fromkeys(step.part.templates, rendering.HEADER_LINES))

    def on_line(line: str) -> None:
        step.journal.line(phase, line, collector)

    ended = process.run(command, stop=step.stop, on_line=on_line, on_start=step.journal.started)
    came_to = plan_outcome(ended) if phase == "plan" else outcome(ended)
    if came_to not in (Outcome.UNCHANGED, Outcome.CHANGES, Outcome.DONE):
        raise _failure(phase, came_to, ended.code, collector, step.journal)
    return came_to, collector


def _failure(phase: str, came_to: Outcome, code: int, collector: Collector, journal: Journal) -> LandformError:
    if came_to is Outcome.UNKNOWN and phase == "apply":
        return OutcomeUnknown("terraform apply was killed: what it was doing then is not known.")
    if came_to in (Outcome.CANCELLED, Outcome.UNKNOWN):
        return Cancelled(f"terraform {phase} was stopped before it had finished.")
    if came_to is Outcome.TIMED_OUT:
        return ExternalFailure(f"terraform {phase} took longer than allowed and was stopped.")
    errors = [str(found.problem()) for found in collector.diagnostics if found.severity is Severity.ERROR]
    said = "\n".join(errors) or journal.last
    text = f"terraform {phase} ended with exit code {code}" + (f":\n{said}" if said else ".")
    return ExternalFailure(journal.redacted(text))


def _watch_nothing(_phase: str, _event: Event | None) -> None:
    """For whom nobody watches."""


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _digest_of(path: Path) -> str:
    try:
        return fingerprint.file_digest(path.read_bytes())
    except FileNotFoundError:
        return ""
