"""Drift checks: what is kept of them, whom they never get in the way of, and what a worker does by itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.catalog import Catalog
from engine.catalog.tables import Instance
from engine.core.arns import Owner
from engine.core.drift import Ignored, Standing
from engine.core.drift_turns import Watched
from engine.core.plans import Action, Change, Summary
from engine.core.runs import Event, Status
from engine.core.selection import parse, selected
from engine.core.targets import Audience, Target, To
from engine.errors import Cancelled, ExternalFailure
from engine.external.process import Stop
from engine.worker import records
from engine.worker.drift import Checked, Checks, Rounds
from engine.worker.work import Work
from tests.catalog.world import NOW, World

SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Lab
  types:
    Lab: {type: object, properties: {}}
"""
TAGGED = (Change("aws_x.a", Action.UPDATE),)
LOST = (Change("aws_x.a", Action.DELETE),)


MOVED = "It was changed or looked at meanwhile: nothing was kept."


class Clock:
    """The time, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(tmp_path: Path, blank: Path, clock: Clock) -> Iterator[World]:
    shutil.copy(blank, tmp_path / "catalog.db")
    everybody = Audience(Owner("123456789012", "eu-west-1"), (Target("log", To.FILE),))
    catalog = Catalog(places.url_of(tmp_path / "catalog.db"), clock, everybody)
    yield World(catalog)
    catalog.close()


@pytest.fixture
def prod(world: World) -> Instance:
    """An environment that was deployed."""
    found = world.environment()
    with world.catalog.write() as tx:
        version = tx.version_by_id(found.version_id)
        version.schema_text = SCHEMA
        version.facts = {"kind": "environment", "customer_managed": False, "parts": {}}
        tx.save(version)
    deploy(world, found)
    return world.seen(found)


def deploy(world: World, instance: Instance) -> None:
    run = world.run(instance, Status.SUCCEEDED)
    with world.catalog.write() as tx:
        records.deployed(tx, tx.run(run.id or 0))


def ignore(world: World, instance: Instance, until: datetime) -> None:
    with world.catalog.write() as tx:
        tx.ignore_drift(tx.instance_by_id(instance.id or 0), [Ignored("*", until, "moving", "ana", NOW)])


def plans(drift: tuple[Change, ...] = (), ahead: tuple[Change, ...] = ()) -> Callable[[Work, Stop, bool], Summary]:
    """Plans that find this."""

    def plan(_work: Work, _stop: Stop, refresh_only: bool) -> Summary:
        return Summary(drift=drift) if refresh_only else Summary(ahead, drift=drift)

    return plan


def check(world: World, plan: Callable[[Work, Stop, bool], Summary], stop: Stop | None = None) -> Checked:
    [wished] = watched(world)
    return Checks(world.catalog, plan).one(wished, stop or Stop())


def watched(world: World) -> list[Watched]:
    with world.catalog.read() as tx:
        return tx.watched()


def told(world: World) -> list[object]:
    """The statuses of the events about drift."""
    found = []
    with world.catalog.write() as tx:
        while letter := tx.next_letter({"log"}, timedelta(minutes=2)):
            tx.letter_arrived(letter)
            found.append((letter.kind, letter.detail["status"]))
    return [status for kind, status in found if kind == "Landform Drift Status Change"]


def test_what_a_check_finds_is_kept_told_once_and_selected(world: World, prod: Instance) -> None:
    first = check(world, plans(TAGGED, TAGGED))
    again = check(world, plans(TAGGED, TAGGED))
    worse = check(world, plans(LOST, (Change("aws_x.a", Action.CREATE),)))

    assert first == again == worse == Checked("environment/prod", Standing.DRIFTED)
    seen = world.seen(prod)
    assert (seen.drift_level, seen.updated_at) == ("gone", prod.updated_at)
    assert seen.drift is not None
    assert seen.drift["plan"] == "1 to add, 0 to change, 0 to destroy."
    assert told(world) == ["DRIFT_IN_PLACE", "DRIFT_GONE"]
    with world.catalog.read() as tx:
        assert [found.address for found in selected(tx.candidates(), parse(["drifted"]))] == ["environment/prod"]


def test_a_deploy_forgets_what_was_found_and_keeps_what_is_ignored(world: World, prod: Instance) -> None:
    check(world, plans(TAGGED))
    ignore(world, prod, NOW + timedelta(hours=1))

    deploy(world, prod)

    seen = world.seen(prod)
    assert (seen.drift, seen.drift_level, seen.drift_checked_at) == (None, "", None)
    assert [one["pattern"] for one in seen.drift_ignored] == ["*"]


def test_what_is_not_ignored_any_more_counts_again_and_is_told_by_the_next_check(
    world: World, prod: Instance, clock: Clock
) -> None:
    ignore(world, prod, NOW + timedelta(hours=1))
    first = check(world, plans(TAGGED))
    clock.now += timedelta(hours=2)

    assert (first.standing, told(world)) == (Standing.IGNORED, [])
    with world.catalog.read() as tx:
        assert [found.drift for found in tx.candidates()] == ["cosmetic"]
    check(world, plans(TAGGED))
    assert told(world) == ["DRIFT_COSMETIC"]


def test_a_deploy_during_a_check_wins(world: World, prod: Instance) -> None:
    def plan(work: Work, stop: Stop, refresh_only: bool) -> Summary:
        if refresh_only:
            deploy(world, prod)
        return plans(TAGGED)(work, stop, refresh_only)

    checked = check(world, plan)

    assert (checked.standing, checked.message) == (Standing.SKIPPED, MOVED)
    assert world.seen(prod).drift is None


def test_an_apply_that_begins_during_a_check_and_fails_wins(world: World, prod: Instance) -> None:
    def plan(work: Work, stop: Stop, refresh_only: bool) -> Summary:
        if refresh_only:
            world.move(world.run(prod, Status.APPLYING), Event.FAIL)
        return plans(TAGGED)(work, stop, refresh_only)

    assert check(world, plan).message == MOVED


def test_a_check_that_began_earlier_does_not_overwrite_a_later_one(world: World, prod: Instance) -> None:
    def plan(work: Work, stop: Stop, refresh_only: bool) -> Summary:
        if refresh_only:
            # the clock stands still: which one is later is told all the same
            check(world, plans(LOST))
        return plans(TAGGED)(work, stop, refresh_only)

    assert check(world, plan).message == MOVED
    assert world.seen(prod).drift_level == "gone"


def test_a_check_that_fails_is_kept_beside_what_was_found_before(world: World, prod: Instance) -> None:
    def plan(_work: Work, _stop: Stop, _refresh_only: bool) -> Summary:
        raise ExternalFailure("terraform plan ended with exit code 1: no credentials")

    check(world, plans(TAGGED))
    checked = check(world, plan)

    assert (checked.standing, checked.message) == (
        Standing.FAILED,
        "terraform plan ended with exit code 1: no credentials",
    )
    seen = world.seen(prod)
    assert seen.drift_level == "cosmetic"
    assert seen.drift is not None
    assert seen.drift["message"] == checked.message


def test_drift_that_terraform_did_not_tell_to_the_end_is_a_failure(world: World, prod: Instance) -> None:
    def plan(_work: Work, _stop: Stop, _refresh_only: bool) -> Summary:
        return Summary((Change("(more than Terraform's stream told)", Action.REPLACE),))

    assert check(world, plan) == Checked(prod.address, Standing.FAILED, "Terraform said more than could be read.")


def test_a_check_that_is_stopped_leaves_no_trace(world: World, prod: Instance, clock: Clock) -> None:
    def plan(_work: Work, _stop: Stop, _refresh_only: bool) -> Summary:
        raise Cancelled("terraform plan was stopped before it had finished.")

    check(world, plans())
    clock.now += timedelta(hours=1)

    assert check(world, plan).standing is Standing.SKIPPED
    assert world.seen(prod).drift_checked_at == NOW


@pytest.mark.parametrize("status", [Status.PLANNING, Status.APPROVED, Status.APPLYING, Status.INTERRUPTED])
def test_an_instance_with_a_run_under_way_is_skipped(world: World, prod: Instance, status: Status) -> None:
    run = world.run(prod, status)

    checked = check(world, plans(TAGGED))

    assert checked == Checked(prod.address, Standing.SKIPPED, f"Run {run.id} is {status.value}.")
    assert world.seen(prod).drift_checked_at is None


def test_a_plan_that_waits_for_approval_is_in_nobodys_way(world: World, prod: Instance) -> None:
    world.run(prod, Status.PLANNED)

    assert check(world, plans()).standing is Standing.IN_SYNC


def test_a_worker_checks_what_is_due_once_and_only_while_it_has_room(
    world: World, prod: Instance, clock: Clock
) -> None:
    with world.catalog.write() as tx:
        instance = tx.instance_by_id(prod.id or 0)
        instance.rules = {"drift_every_s": 3600}
        tx.save(instance)
    looked: list[str] = []

    def plan(work: Work, _stop: Stop, _refresh_only: bool) -> Summary:
        looked.append(str(work.address))
        return Summary()

    checks = Checks(world.catalog, plan)
    Rounds(checks, (), lambda: True).look()
    assert looked == []
    clock.now += timedelta(hours=1)
    Rounds(checks, (), lambda: False).look()
    assert looked == []
    Rounds(checks, (), lambda: True).look()
    Rounds(checks, (), lambda: True).look()
    assert looked == ["environment/prod"]


def test_of_two_workers_one_checks_what_is_due(world: World, prod: Instance, clock: Clock) -> None:
    with world.catalog.write() as tx:
        instance = tx.instance_by_id(prod.id or 0)
        instance.rules = {"drift_every_s": 3600}
        tx.save(instance)
    clock.now += timedelta(hours=1)
    [wished] = watched(world)
    checks = Checks(world.catalog, plans())

    first, second = (checks.one(wished, Stop(), only_if_due=True) for _ in range(2))

    assert first.standing is Standing.IN_SYNC
    assert second == Checked(prod.address, Standing.SKIPPED, "Somebody else looks at it.")


def test_what_there_is_no_time_for_is_skipped(world: World, prod: Instance) -> None:
    stop, heard = Stop(), list[Checked]()
    stop.request()

    found = Checks(world.catalog, plans(TAGGED)).many(watched(world), 2, stop, heard.append)

    assert found == heard == [Checked(prod.address, Standing.SKIPPED, "There was no time left for it.")]
