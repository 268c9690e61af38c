"""How a run ends, whatever its phases come to: one row a case, without Terraform."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.catalog import places
from engine.catalog.tables import Instance, Run
from engine.core.bundle import Facts
from engine.core.plans import Action, Change, Summary
from engine.core.runs import Event, Operation, Status
from engine.core.versions import TemplateKind
from engine.core.workers import Kind
from engine.errors import (
    Cancelled,
    Conflict,
    ExternalFailure,
    LandformError,
    OutcomeUnknown,
    Stale,
    Transient,
    Unreachable,
)
from engine.external.process import Stop
from engine.worker.claims import Claims, Limits
from engine.worker.execution import Executor
from engine.worker.following import watch_nothing
from engine.worker.leases import Lease
from engine.worker.phases import Planned
from engine.worker.terms import Card, Terms
from engine.worker.triggers import Point
from engine.worker.work import Work
from tests.catalog.world import NOW, WORKER, World, now
from tests.scenarios.world import ENVIRONMENT_SCHEMA
from tests.worker.fickle import PATIENCE_S, Fickle, until

CREATES = Planned(Summary((Change("a.b", Action.CREATE),)), has_changes=True)
DESTROYS = Planned(Summary((Change("a.b", Action.DELETE),)), has_changes=True)


def nothing(_stop: Stop) -> None:
    """For phases that go well."""


@dataclass
class Phases:
    """Phases whose every effect a test decides; `told` takes down what was asked of them."""

    planned: Planned = CREATES
    on_plan: Callable[[Stop], None] = nothing
    on_apply: Callable[[Stop], None] = nothing
    on_outputs: Callable[[Stop], None] = nothing
    told: list[str] = field(default_factory=list)

    def ready(self, work: Work) -> Work:
        return work

    def plan(self, _work: Work, stop: Stop, _watch: object) -> Planned:
        self.told.append("plan")
        self.on_plan(stop)
        return self.planned

    def apply(self, _work: Work, stop: Stop, _watch: object) -> None:
        self.told.append("apply")
        self.on_apply(stop)

    def outputs(self, _work: Work) -> dict[str, Any]:
        self.on_outputs(Stop())
        return {"zone": {"type": "string", "sensitive": False, "value": "a", "fingerprint": "f"}}

    def forget(self, _where: object) -> None:
        self.told.append("forget")


@dataclass
class Site:
    """A catalog with environments, and a process that executes runs in it."""

    catalog: Fickle
    lease: Lease
    phases: Phases = field(default_factory=Phases)
    limits: Limits = field(default_factory=Limits)
    points: list[Point] = field(default_factory=list)

    @property
    def world(self) -> World:
        return World(self.catalog)

    @property
    def executor(self) -> Executor:
        claims = Claims(self.catalog, self.lease, self.limits)
        return Executor(claims, self.phases, self.points.append)  # type: ignore[arg-type]

    def submit(self, instance: Instance, approve: str = "all", **fields: Any) -> int:
        """The number of a new run of the instance."""
        known = {"operation": "deploy", "version_id": instance.version_id, "template": "lab@1.0"}
        with self.catalog.write() as tx:
            run = tx.add_run(instance, **{**known, "requested_by": "ana", "auto_approve": approve, **fields})
            return run.id or 0

    def execute(self, run_id: int, stop: Stop | None = None) -> Run:
        return self.executor.execute(run_id, stop or Stop(), watch_nothing)

    def run(self, run_id: int) -> Run:
        with self.catalog.read() as tx:
            return tx.run(run_id)


@pytest.fixture
def site(tmp_path: Path, blank: Path) -> Iterator[Site]:
    """One whose lease holds for a second, as a service."""
    shutil.copy(blank, tmp_path / "catalog.db")
    catalog = Fickle(places.url_of(tmp_path / "catalog.db"), now)
    lease = Lease(catalog, Card(WORKER, "w", Kind.SERVICE), Terms(1, 0.5, time.monotonic), tmp_path / "tmp")
    yield Site(catalog, lease)
    catalog.is_away = False
    lease.close()
    catalog.close()


@pytest.fixture
def prod(site: Site) -> Instance:
    """Environment prod; its version has a schema that takes nothing."""
    instance = site.world.environment()
    with site.catalog.write() as tx:
        version = tx.version_by_id(instance.version_id)
        version.schema_text, version.facts = ENVIRONMENT_SCHEMA, Facts(TemplateKind.ENVIRONMENT, False, {}).to_json()
        tx.save(version)
    return instance


def raising(error: BaseException) -> Callable[[Stop], None]:
    def act(_stop: Stop) -> None:
        raise error

    return act


def asked(error: LandformError) -> Callable[[Stop], None]:
    """Somebody asks for an end, and this is what comes of it."""

    def act(stop: Stop) -> None:
        stop.request()
        raise error

    return act


ENDINGS = {
    "a failed plan": ("on_plan", raising(ExternalFailure("no")), Status.FAILED, "no"),
    "a plan that failed for a passing reason": (
        "on_plan",
        raising(Transient("no", kind="throttled", hint="Later.")),
        Status.FAILED,
        "no\nLater.",
    ),
    "a plan that was stopped": ("on_plan", asked(Cancelled("stopped")), Status.CANCELLED, "stopped"),
    "a plan that lost its lease": (
        "on_plan",
        raising(Cancelled("stopped")),
        Status.QUEUED,
        "stopped\nNobody asked for that: its worker could not renew its lease in time.",
    ),
    "a plan that met a mistake of ours": (
        "on_plan",
        raising(RuntimeError("secret")),
        Status.FAILED,
        "RuntimeError in Landform itself.",
    ),
    "a failed apply": ("on_apply", raising(ExternalFailure("no")), Status.FAILED, "no"),
    "an apply of a stale plan": ("on_apply", raising(Stale("moved")), Status.DISCARDED, "moved"),
    "an apply that was stopped": ("on_apply", asked(Cancelled("stopped")), Status.CANCELLED, "stopped"),
    "an apply that lost its lease": (
        "on_apply",
        raising(Cancelled("stopped")),
        Status.FAILED,
        "stopped\nNobody asked for that: its worker could not renew its lease in time.",
    ),
    "an apply that was killed": ("on_apply", raising(OutcomeUnknown("killed")), Status.INTERRUPTED, "killed"),
    "an apply of which nobody can read what it gave": (
        "on_outputs",
        raising(ExternalFailure("no answer")),
        Status.INTERRUPTED,
        "terraform apply went well, but its outputs could not be read: no answer",
    ),
    "an apply that met a mistake of ours": (
        "on_apply",
        raising(RuntimeError("secret")),
        Status.INTERRUPTED,
        "RuntimeError in Landform itself.",
    ),
}


@pytest.mark.parametrize(("phase", "act", "status", "message"), ENDINGS.values(), ids=ENDINGS)
def test_a_run_that_does_not_succeed_ends_as_what_is_known_of_it(
    site: Site, prod: Instance, phase: str, act: Callable[[Stop], None], status: Status, message: str
) -> None:
    setattr(site.phases, phase, act)

    ended = site.execute(site.submit(prod))

    assert (ended.status, ended.message) == (status, message)
    assert site.run(1).model_dump() == ended.model_dump()


def test_a_run_that_approves_itself_goes_through_every_moment_once(site: Site, prod: Instance) -> None:
    ended = site.execute(site.submit(prod))

    assert (ended.status, ended.approved_by, ended.fence) == (Status.SUCCEEDED, "auto-approve", 2)
    assert site.points == [
        Point.CLAIMED_TO_PLAN,
        Point.PLAN_RECORDED,
        Point.CLAIMED_TO_APPLY,
        Point.OUTCOME_RECORDED,
    ]


def test_a_destroy_forgets_the_workspace_last(site: Site, prod: Instance) -> None:
    site.phases.planned = DESTROYS

    ended = site.execute(site.submit(prod, operation=Operation.DESTROY.value))

    assert ended.status == Status.SUCCEEDED
    assert site.phases.told == ["plan", "apply", "forget"]
    assert site.points[-2:] == [Point.OUTCOME_RECORDED, Point.WORKSPACE_FORGOTTEN]


def test_a_plan_that_destroys_does_not_approve_itself_when_only_safe_ones_may(site: Site, prod: Instance) -> None:
    site.phases.planned = DESTROYS

    ended = site.execute(site.submit(prod, "safe"))

    assert (ended.status, site.phases.told) == (Status.PLANNED, ["plan"])


def test_a_plan_that_was_lost_three_times_fails(site: Site, prod: Instance) -> None:
    site.phases.on_plan = raising(Cancelled("stopped"))
    run_id = site.submit(prod)

    statuses = [site.execute(run_id).status for _ in range(3)]

    assert statuses == [Status.QUEUED, Status.QUEUED, Status.FAILED]
    assert site.run(run_id).message.endswith(" That was the last of 3 tries to plan.")


def test_a_run_that_is_taken_away_meanwhile_is_left_as_it_is(site: Site, prod: Instance) -> None:
    def lose(_stop: Stop) -> None:
        with site.catalog.write() as tx:
            tx.move(1, Event.LOSE)

    site.phases.on_plan = lose
    run_id = site.submit(prod)

    with pytest.raises(Conflict):
        site.execute(run_id)

    assert (site.run(run_id).status, site.run(run_id).summary) == (Status.QUEUED, None)


def test_an_outcome_is_recorded_when_the_catalog_is_there_again(site: Site, prod: Instance) -> None:
    def leave(_stop: Stop) -> None:
        site.catalog.is_away = True
        threading.Timer(0.3, lambda: setattr(site.catalog, "is_away", False)).start()

    site.phases.on_apply = leave

    ended = site.execute(site.submit(prod))

    assert ended.status == Status.SUCCEEDED


def test_nobody_waits_for_the_catalog_when_somebody_insists_and_the_outcome_is_not_made_up(
    site: Site, prod: Instance
) -> None:
    def insist(stop: Stop) -> None:
        site.catalog.is_away = True
        stop.force()

    site.phases.on_apply = insist
    run_id = site.submit(prod)

    with pytest.raises(LandformError) as refused:
        site.execute(run_id)
    site.catalog.is_away = False
    until(lambda: site.run(run_id).status == Status.INTERRUPTED)

    assert refused.value.message == "The catalog is away."
    assert site.run(run_id).message == "Its worker failed to record how it ended."


def test_an_execution_that_is_torn_away_gives_its_run_back(site: Site, prod: Instance) -> None:
    site.phases.on_plan = raising(KeyboardInterrupt())
    run_id = site.submit(prod)

    with pytest.raises(KeyboardInterrupt):
        site.execute(run_id)

    until(lambda: site.run(run_id).status == Status.QUEUED)


def test_a_plan_that_is_too_old_is_discarded_and_not_applied(site: Site, prod: Instance) -> None:
    site.limits = Limits(plan_ttl_s=60)
    run_id = site.submit(prod, "none")
    site.execute(run_id)
    with site.catalog.write() as tx:
        tx.move(run_id, Event.APPROVE, approved_by="ben", planned_at=NOW - timedelta(seconds=61))

    ended = site.execute(run_id)

    assert (ended.status, site.phases.told) == (Status.DISCARDED, ["plan"])
    assert ended.message == "The plan of run 1 was good until 2026-05-04 03:02:00 UTC."


def test_an_apply_that_failed_for_a_passing_reason_is_followed_by_the_same_again(site: Site, prod: Instance) -> None:
    site.limits = Limits(retries=1)
    site.phases.on_apply = raising(Transient("no", kind="throttled"))

    first = site.execute(site.submit(prod, reason="because", priority=10, attached_id=7))
    second = site.execute(2)

    assert first.message == "no\nRun 2 tries again by itself (retry 1 of 1)."
    assert (second.retry_of, second.reason, second.priority, second.auto_approve) == (1, "because", 10, "all")
    assert second.attached_id == 7
    assert second.message == "no\nRun 2 was retry 1 of 1: no more follow by themselves."
    assert (site.executor.retry_of(1), site.executor.retry_of(2)) == (2, None)


def test_a_run_that_lacks_a_worker_with_its_labels_is_left_alone(site: Site, prod: Instance) -> None:
    with site.catalog.write() as tx:
        environment = tx.instance_by_id(prod.id or 0)
        environment.rules = {"labels": ["eu"]}
        tx.save(environment)

    left = site.execute(site.submit(prod))

    assert (left.status, site.phases.told) == (Status.QUEUED, [])
    assert [each.text for each in site.executor.obstacles(1)] == ["worker 0 lacks labels eu"]


def test_a_worker_takes_what_goes_first_until_nothing_is_left(site: Site) -> None:
    environments = [site.world.environment(name) for name in ("a", "b", "c")]
    priorities = [20, 0, 10]
    for environment, priority in zip(environments, priorities, strict=True):
        site.submit(environment, priority=priority)

    taken = [site.executor.take() for _ in range(4)]

    assert [run and run.id for run in taken] == [2, 3, 1, None]


def test_a_worker_goes_on_with_a_run_whose_claim_was_kept_though_the_answer_was_lost(
    site: Site, prod: Instance
) -> None:
    site.submit(prod)
    executor = site.executor
    site.lease.worker_id()
    site.catalog.loses_answers = True
    with pytest.raises(ExternalFailure):
        executor.take()
    site.catalog.loses_answers = False

    taken = [executor.take(), executor.take()]

    assert [run and (run.id, run.status, run.attempt) for run in taken] == [(1, Status.PLANNING, 1), None]


@pytest.mark.parametrize(("phase", "status"), [("on_plan", Status.SUCCEEDED), ("on_apply", Status.SUCCEEDED)])
def test_a_run_whose_end_was_kept_though_the_answer_was_lost_ends_like_any_other(
    site: Site, prod: Instance, phase: str, status: Status
) -> None:
    def lose(_stop: Stop) -> None:
        site.catalog.losses = 1

    setattr(site.phases, phase, lose)

    ended = site.execute(site.submit(prod))

    assert (ended.status, ended.fence, site.phases.told) == (status, 2, ["plan", "apply"])


def test_a_plan_that_is_made_after_somebody_wanted_it_stopped_is_cancelled(site: Site, prod: Instance) -> None:
    def cancel(_stop: Stop) -> None:
        with site.catalog.write() as tx:
            tx.request_cancel(1, "ben")

    site.phases.on_plan = cancel

    ended = site.execute(site.submit(prod, "none"))

    assert (ended.status, ended.cancelled_by, site.phases.told) == (Status.CANCELLED, "ben", ["plan"])


def test_a_run_whose_claim_was_not_kept_is_taken_once(site: Site, prod: Instance) -> None:
    site.submit(prod)
    executor = site.executor
    site.lease.worker_id()
    site.catalog.forgets = True
    with pytest.raises(ExternalFailure):
        executor.take()
    site.catalog.forgets = False

    taken = [executor.take(), executor.take()]

    assert [run and (run.id, run.attempt) for run in taken] == [(1, 1), None]


def test_a_worker_whose_lease_is_over_takes_nothing(site: Site, prod: Instance) -> None:
    site.submit(prod)
    executor = site.executor
    site.lease.worker_id()
    site.catalog.has_no_beats = True
    until(lambda: not site.lease.holds())

    taken = executor.take()

    assert (taken, site.run(1).attempt) == (None, 0)


def test_of_many_threads_each_takes_another_run(site: Site) -> None:
    for number in range(12):
        site.submit(site.world.environment(f"e{number}"))
    taken: list[Run | None] = []

    def take() -> None:
        taken.append(site.executor.take())

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert sorted(run.id or 0 for run in taken if run) == list(range(1, 13))


def test_a_plan_that_met_a_catalog_out_of_reach_is_made_again(site: Site, prod: Instance) -> None:
    site.phases.on_plan = raising(Unreachable("The catalog cannot be reached."))
    run_id = site.submit(prod)

    first = site.execute(run_id).status
    site.phases.on_plan = raising(ExternalFailure("terraform plan ended with exit code 1."))

    assert (first, site.execute(run_id).status) == (Status.QUEUED, Status.FAILED)
