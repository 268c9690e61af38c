"""The phases of a run as straight lines: what is done with workspace and Terraform. The catalog is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from engine.core import address, fingerprint, plans
from engine.core.address import Address
from engine.core.plans import Action, Change, Summary
from engine.core.runs import Operation, Status
from engine.errors import (
    NotFound,
    Stale,
)
from engine.external import process
from engine.external.process import Stop, group_alive, is_alive
from engine.terraform.cli import Outcome
from engine.terraform.workspace import Workspace
from engine.worker import values
from engine.worker.following import Step, Watch, follow, watch_nothing
from engine.worker.ground import Ground
from engine.worker.journal import has_finished_something, path, recorded_process
from engine.worker.redaction import Redaction

if TYPE_CHECKING:
    from engine.catalog.tables import Run
    from engine.worker.work import Work

_UNTOLD = Change("(more than Terraform's stream told)", Action.REPLACE, "look at the whole plan")
"""Stands in a summary for what is not known: it may be anything, so nothing but an explicit yes to all approves it."""


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

    ground: Ground

    def plan(self, work: Work, stop: Stop, watch: Watch) -> Planned:
        """Writes the workspace and plans in it. Raises Cancelled, ExternalFailure with Terraform's errors, Invalid."""
        ground = self.ground
        if work.part is None:
            return Planned(Summary())
        ground.backend.require_in_place(ground.workspace(work.address).root, lambda: self._has_written_state(work))
        if self._has_nothing_to_destroy(work):
            return Planned(Summary())
        watch("planning", None)
        given = ground.values(work)
        with ground.journal(work, given, watch) as journal:
            step = Step(work, work.part, stop, journal)
            place = ground.prepare(step, given)
            destroy = work.operation is Operation.DESTROY
            command = ground.terraform().plan(place, ground.plan_file(work.address, work.run_id), destroy=destroy)
            came_to, collector = follow(command, "plan", step)
        has_changes = came_to is Outcome.CHANGES
        summary = collector.summary
        if has_changes and (summary.is_empty or not collector.is_complete):
            summary = replace(summary, changes=(*summary.changes, _UNTOLD))
        return Planned(summary, has_changes, ground.fingerprint(work, work.part), ground.upstream(work, work.part))

    def apply(self, work: Work, stop: Stop, watch: Watch) -> None:
        """Applies exactly the run's plan.

        Raises Stale naming what moved, Cancelled, ExternalFailure, OutcomeUnknown when Terraform was killed.
        """
        ground = self.ground
        if work.part is None:
            return
        watch("applying", None)
        moved = plans.moved(work.planned_with, ground.fingerprint(work, work.part))
        if moved:
            raise Stale(f"The plan is stale. Changed since it was made: {', '.join(moved)}.")
        given = ground.values(work)
        with ground.journal(work, given, watch) as journal:
            step = Step(work, work.part, stop, journal)
            place = ground.prepare(step, given, timeout_s=ground.settings.apply_timeout_s)
            follow(ground.terraform().apply(place, ground.plan_file(work.address, work.run_id)), "apply", step)
        if work.operation is Operation.DESTROY:
            # before anything is recorded: an instance that is kept can be looked at and destroyed again
            ground.backend.require_nothing_left(place.folder)

    def outputs(self, work: Work) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "fingerprint"} and, unless it is sensitive, "value".

        What passes a secret of the environment on is sensitive, even where the bundle does not say so.
        """
        if work.part is None:
            found: Mapping[str, Mapping[str, Any]] = {
                name: {"type": "string", "sensitive": False, "value": value} for name, value in work.inputs.items()
            }
        else:
            found = self.ground.state_outputs(work.address)
        secret = Redaction(values.secrets(self.ground.values(work)))
        return {name: self._output(output, hidden=secret.hides(output["value"])) for name, output in found.items()}

    def forget(self, where: Address) -> None:
        """Removes the workspace of an instance that is no more; what its runs wrote stays."""
        self.ground.workspace(where).remove()

    def is_lost(self, run: Run) -> bool:
        """Whether nobody works on the run any more: its worker on this machine is gone, and so is its Terraform."""
        if run.executor is None or is_alive(run.executor) is not False:
            return False
        assert run.id is not None
        child = recorded_process(path(self.ground.settings.home, address.parse(run.address), run.id).parent)
        if child is None:
            return True
        # after a boot the number of its group may be somebody else's
        is_same_boot = child.get("boot_id") == process.identity()["boot_id"]
        return is_alive(child) is False and not (is_same_boot and group_alive(int(child["pid"])))

    def plan_text(self, work: Work) -> str:
        """The run's plan in Terraform's words for people. Raises NotFound when there is none, ExternalFailure."""
        ground = self.ground
        plan = ground.plan_file(work.address, work.run_id)
        if work.part is None or not plan.exists():
            raise NotFound(f"Run {work.run_id} has no plan.")
        given = ground.values(work)
        with ground.journal(work, given, watch_nothing) as journal, ground.elsewhere() as folder:
            step = Step(work, work.part, Stop(), journal)
            files, prepared = ground.prepared(step, given)
            elsewhere = Workspace(folder)
            elsewhere.write(prepared.with_lock(files))
            elsewhere.link(prepared.data_dir)
            text = ground.terraform().show_plan(ground.place(work, elsewhere.root, prepared.data_dir), plan)
            return journal.redacted(text)

    def _has_nothing_to_destroy(self, work: Work) -> bool:
        """Whether a destroy has no resource left, so that even what can no longer be planned can be deleted."""
        return work.operation is Operation.DESTROY and not self.ground.backend.resources(
            self.ground.workspace(work.address).root
        )

    def _has_written_state(self, work: Work) -> bool:
        """Whether Terraform must have left a state. An apply that it could not begin, or that was killed before the
        first resource was done, leaves none, as measured; any other does, however it ended.
        """
        unfinished = (run_id for run_id, status in work.applied.items() if status is not Status.SUCCEEDED)
        return Status.SUCCEEDED in work.applied.values() or any(
            has_finished_something(path(self.ground.settings.home, work.address, run_id).parent)
            for run_id in unfinished
        )

    def _output(self, output: Mapping[str, Any], *, hidden: bool) -> dict[str, Any]:
        sensitive = output["sensitive"] or hidden
        digest = fingerprint.value_digest(output["value"], self.ground.key)
        kept = {"type": output["type"], "sensitive": sensitive, "fingerprint": digest}
        return kept if sensitive else kept | {"value": output["value"]}
