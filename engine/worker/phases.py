"""The phases of a run as straight lines: what is done with workspace and Terraform. The catalog is not known here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.core import dynamic, fingerprint, handing, plans
from engine.core.address import Address
from engine.core.plans import Action, Change, Summary
from engine.core.runs import Operation, Status
from engine.errors import Conflict, LandformError, NotFound, Stale
from engine.external.process import Stop
from engine.terraform.backends import Managed
from engine.terraform.cli import Outcome
from engine.terraform.events import ApplyComplete, Event
from engine.terraform.workspace import Workspace
from engine.worker import guarding, locks, plan_files, travel
from engine.worker.following import Step, Watch, follow, watch_nothing
from engine.worker.ground import Ground
from engine.worker.harvest import Look, watching
from engine.worker.journal import has_finished_something, path
from engine.worker.locks import Witness
from engine.worker.plan_files import PLAN_FILE
from engine.worker.redaction import Redaction
from engine.worker.terms import RunStop
from engine.worker.triggers import Point, Trigger, nothing

if TYPE_CHECKING:
    from engine.core.guards import Refusal
    from engine.core.namespace import Values
    from engine.external.process import Command
    from engine.terraform.collector import Collector
    from engine.worker.journal import Journal
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
    refusals: tuple[Refusal, ...] = ()
    """Which guards it breaks."""


def summarised(came_to: Outcome, collector: Collector, journal: Journal) -> Summary:
    """What a plan would do, without secrets; where Terraform's stream did not tell all of it, the summary says so."""
    summary = collector.summary.shown(journal.redacted)
    if came_to is Outcome.CHANGES and (summary.is_empty or not collector.is_complete):
        return replace(summary, changes=(*summary.changes, _UNTOLD))
    return summary


@dataclass(frozen=True)
class Phases:
    """Plan, apply, and what is read afterwards, for any instance of one home."""

    ground: Ground
    trigger: Trigger = nothing

    def ready(self, work: Work) -> Work:
        """The work of a run, with all that is secret read once for all that follows. Raises as Entrusted.resolved()."""
        # a secret that is gone must not stand in the way of deleting what was never made, nor of asking others
        work = self.ground.entrusted.opened(work)
        is_needless = work.proposed_in is not None or self._has_nothing_to_destroy(work)
        return work if is_needless else self.ground.entrusted.resolved(work)

    def plan(self, work: Work, stop: Stop, watch: Watch) -> Planned:
        """Writes the workspace and plans in it. Raises Cancelled, ExternalFailure with Terraform's errors, Invalid,
        Conflict while the instance is frozen.
        """
        ground = self.ground
        if work.part is None:
            return Planned(Summary())
        _refuse_diverged(work)
        self._settle(work)
        if self._has_nothing_to_destroy(work):
            return Planned(Summary())
        watch("planning", None)
        given = ground.values(work)
        with ground.journal(work, given, watch) as journal:
            step = Step(work, work.part, stop, journal, ground.patience)
            came_to, collector, refusals = self._planned(step, given)
        summary, has_changes = summarised(came_to, collector, journal), came_to is Outcome.CHANGES
        self.trigger(Point.PLAN_MADE)
        if has_changes:
            travel.keep(ground, work)
        self.trigger(Point.PLAN_KEPT)
        made_from, read = ground.fingerprint(work, work.part), ground.upstream(work, work.part)
        return Planned(summary, has_changes, made_from, read, refusals)

    def apply(self, work: Work, stop: Stop, watch: Watch) -> None:
        """Applies exactly the run's plan, and keeps every state that comes of it, however it ends.

        Raises Stale naming what moved, Cancelled, ExternalFailure, OutcomeUnknown when Terraform was killed, Conflict
        while the instance is frozen.
        """
        ground = self.ground
        if work.part is None:
            return
        _refuse_diverged(work)
        watch("applying", None)
        root = ground.root(work)
        kept = ground.harvest.restore(work, ground.backend(work), root)
        travel.bring(ground, work)
        _refuse_stale(plans.moved(work.planned_with, ground.fingerprint(work, work.part)))
        given = ground.values(work)
        with ground.journal(work, given, self._telling(watch)) as journal:
            step = Step(work, work.part, stop, journal, ground.patience, partial(self.trigger, Point.APPLY_STARTED))
            # the lock file of the plan is that of the apply, also where the version was prepared with another since
            place = ground.prepare(step, given, ground.settings.apply_timeout_s, ground.provider_lock(work))
            with ground.elsewhere() as folder:
                plan = ground.plan_file(work.address, work.run_id).opened(folder)
                with self._harvested(step, kept):
                    follow(ground.terraform().apply(place, plan), "apply", step)
        if work.operation is Operation.DESTROY:
            # before anything is recorded: an instance that is kept can be looked at and destroyed again
            self.require_nothing_left(work)

    def require_nothing_left(self, work: Work) -> None:
        """Raises ExternalFailure when the state of the run's instance still knows of resources."""
        if work.part is not None:
            self.ground.backend(work).require_nothing_left(self.ground.root(work))

    def outputs(self, work: Work) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "fingerprint"} and, unless it is sensitive, "value".

        What passes a secret of the environment on is sensitive, even where the bundle does not say so.
        """
        if work.part is None:
            found: Mapping[str, Mapping[str, Any]] = {
                name: {"type": "string", "sensitive": False, "value": value} for name, value in work.inputs.items()
            }
        else:
            found = self.ground.backend(work).outputs(self.ground.root(work))
        secret = Redaction(self.ground.secrets(work, self.ground.values(work)))
        return {name: self._output(output, hidden=secret.hides(output["value"])) for name, output in found.items()}

    def forget(self, where: Address) -> None:
        """Removes the workspace of an instance that is no more; what its runs wrote stays."""
        self.ground.workspace(where).remove(Managed(self.ground.rest(where)))

    def plan_text(self, work: Work) -> str:
        """The run's plan in Terraform's words for people. Raises NotFound when there is none, ExternalFailure."""
        ground = self.ground
        # it is only read: whoever may see it need not have the credentials
        work = ground.entrusted.unsigned(work)
        content = ground.plan_file(work.address, work.run_id).content()
        if work.part is None or content is None:
            raise NotFound(f"Run {work.run_id} has no plan.")
        given = ground.values(work)
        with ground.journal(work, given, watch_nothing) as journal, ground.elsewhere() as folder:
            step = Step(work, work.part, Stop(), journal, ground.patience)
            files, prepared = ground.prepared(step, given)
            elsewhere = Workspace(folder)
            elsewhere.write(prepared.with_lock(files))
            elsewhere.link(prepared.data_dir)
            plan = plan_files.opened(folder, content)
            place, terraform = ground.place(work, elsewhere.root, prepared.data_dir), ground.terraform()
            if dynamic.found(work.inputs):
                # the plan knows what they stood for then
                shown = json.loads(terraform.show_plan_json(place, plan))
                journal.hide(handing.planned(shown, work.part, work.address.kind, work.inputs))
            return journal.redacted(terraform.show_plan(place, plan))

    def _planned(self, step: Step, given: Values) -> tuple[Outcome, Collector, tuple[Refusal, ...]]:
        """What Terraform plans, written to the run's plan file, and which guards that breaks."""
        ground, work = self.ground, step.work
        backend, root = ground.backend(work), ground.root(work)
        place = ground.prepare(step, given)
        self.trigger(Point.WORKSPACE_WRITTEN)
        with ground.elsewhere() as folder:
            plan, destroy = folder / PLAN_FILE, work.operation is Operation.DESTROY
            with backend.working(root, work.run_id):
                came_to, collector = self._plan_followed(step, ground.terraform().plan(place, plan, destroy=destroy))
            if plan.exists():
                ground.plan_file(work.address, work.run_id).keep(plan.read_bytes())
            broken: tuple[Refusal, ...] = ()
            if came_to is Outcome.CHANGES:
                told = collector.summary if collector.is_complete else None
                broken = guarding.refusals(ground, work, place, plan, told)
        return came_to, collector, broken

    def _plan_followed(self, step: Step, command: Command) -> tuple[Outcome, Collector]:
        """What the command comes to, which may take a lock that outlives it."""
        ground, work = self.ground, step.work
        backend, root = ground.backend(work), ground.root(work)
        if not backend.is_shared:
            return follow(command, "plan", replace(step, on_start=partial(self.trigger, Point.PLAN_STARTED)))
        free = partial(locks.free, work, partial(ground.books, work), backend, root)
        free()
        witness = Witness(ground.locks(work), backend, root, ground.now)
        try:
            with watching(backend, None, witness):
                return follow(command, "plan", replace(step, on_start=partial(self._plan_started, witness)))
        except LandformError:
            # the lock of one that was killed outlives it
            with suppress(LandformError):
                free()
            raise

    def _plan_started(self, witness: Witness) -> None:
        witness.begin()
        self.trigger(Point.PLAN_STARTED)

    @contextmanager
    def _harvested(self, step: Step, kept: str) -> Iterator[None]:
        """Keeps the states that an apply writes inside, and the last one however it ends; `kept` is the digest of the
        one that it begins with, "" when that was not kept.
        """
        ground, work, stop = self.ground, step.work, step.stop
        backend, root = ground.backend(work), ground.root(work)
        # what comes of it must be sealed: without the key for that nothing is begun
        ground.cipher.newest()
        with backend.working(root, work.run_id):
            look = Look(ground.harvest, work, backend, root, kept)
            try:
                with watching(backend, look, Witness(ground.locks(work), backend, root, ground.now)):
                    yield
            finally:
                self.trigger(Point.APPLY_ENDED)
                ground.harvest.finish(work, look, lambda: isinstance(stop, RunStop) and stop.recovers())
                self.trigger(Point.STATE_HARVESTED)

    def _telling(self, watch: Watch) -> Watch:
        """The watch, which also tells the trigger of the first resource that is done."""
        done: list[Event] = []

        def seen(phase: str, event: Event | None) -> None:
            watch(phase, event)
            if isinstance(event, ApplyComplete) and not done:
                done.append(event)
                self.trigger(Point.RESOURCE_DONE)

        return seen

    def _settle(self, work: Work) -> None:
        """Makes sure that the state is in its place, and the right one. Raises ExternalFailure when nobody can tell."""
        ground = self.ground
        backend, root = ground.backend(work), ground.root(work)
        backend.require_in_place(root, lambda: False)
        ground.harvest.settle(work, backend, root)
        backend.require_in_place(root, lambda: self._has_written_state(work))

    def _has_nothing_to_destroy(self, work: Work) -> bool:
        """Whether a destroy has no resource left, so that even what can no longer be planned can be deleted."""
        is_destroy = work.operation is Operation.DESTROY
        return is_destroy and not self.ground.backend(work).resources(self.ground.root(work))

    def _has_written_state(self, work: Work) -> bool:
        """Whether Terraform must have left a state. An apply that it could not begin, or that was killed before the
        first resource was done, leaves none, as measured; any other does, however it ended. In S3 a killed one leaves
        none at all, when that was sooner than 20 s after its beginning.
        """
        if Status.SUCCEEDED in work.applied.values():
            return True
        return not self.ground.backend(work).is_shared and any(
            has_finished_something(path(self.ground.settings.home, work.address, run_id).parent)
            for run_id, status in work.applied.items()
            if status is not Status.SUCCEEDED
        )

    def _output(self, output: Mapping[str, Any], *, hidden: bool) -> dict[str, Any]:
        sensitive = output["sensitive"] or hidden
        digest = fingerprint.value_digest(output["value"], self.ground.key)
        kept = {"type": output["type"], "sensitive": sensitive, "fingerprint": digest}
        return kept if sensitive else kept | {"value": output["value"]}


def _refuse_diverged(work: Work) -> None:
    if work.diverged:
        raise Conflict(
            f"{work.address} is frozen. {work.diverged}", hint=f"Keep its state: landform state harvest {work.address}"
        )


def _refuse_stale(moved: tuple[str, ...]) -> None:
    if moved:
        raise Stale(f"The plan is stale. Changed since it was made: {', '.join(moved)}.")
