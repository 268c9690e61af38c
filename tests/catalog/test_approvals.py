"""Approvals: one of each person, the rules they are counted by, and plans that nobody applied in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.catalog.reads import Reads
from engine.catalog.tables import Instance, Run
from engine.core.rules import Rules
from engine.core.runs import Status
from engine.errors import Conflict
from tests.catalog.world import NOW, World, at_once

HOUR_S = 3600


@pytest.fixture
def environment(world: World) -> Instance:
    return world.environment()


@pytest.fixture
def run(world: World, environment: Instance) -> Run:
    """A run in prod whose plan waits for approval since an hour ago."""
    instance = world.instance(world.version(world.template()), environment)
    return planned_ago(world, world.run(instance, Status.PLANNED), HOUR_S)


def planned_ago(world: World, run: Run, seconds: int) -> Run:
    with world.catalog.write() as tx:
        row = tx.run(run.id or 0)
        row.planned_at = NOW - timedelta(seconds=seconds)
        return tx.save(row)


def rule(world: World, environment: Instance, rules: Rules) -> None:
    with world.catalog.write() as tx:
        row = tx.instance_by_id(environment.id or 0)
        row.rules = rules.to_json()
        tx.save(row)


def say_yes(world: World, run: Run, user: str, reason: str = "") -> None:
    with world.catalog.write() as tx:
        tx.add_approval(run.id or 0, user, reason)


def given(world: World, run: Run) -> list[tuple[str, str]]:
    with world.catalog.read() as tx:
        return [(row.user_name, row.reason) for row in tx.approvals_of(run.id or 0)]


def void(world: World, run: Run, default_ttl_s: float) -> bool:
    """Whether the run's plan was found to be no longer good."""
    with world.catalog.write() as tx:
        return tx.discard_expired(run.id or 0, default_ttl_s) is not None


def test_approvals_are_kept_in_order_with_their_reasons(world: World, run: Run) -> None:
    say_yes(world, run, "ben", "looks right")
    say_yes(world, run, "ana")

    assert given(world, run) == [("ben", "looks right"), ("ana", "")]


def test_the_same_person_is_kept_once(world: World, run: Run) -> None:
    say_yes(world, run, "ana")

    with pytest.raises(Conflict, match=f"ana has approved run {run.id} already"):
        say_yes(world, run, "ana")

    assert given(world, run) == [("ana", "")]


def test_of_two_yeses_of_one_person_at_once_one_is_kept(world: World, run: Run) -> None:
    outcomes = at_once(lambda: say_yes(world, run, "ana"), times=2)

    assert [type(outcome).__name__ for outcome in sorted(outcomes, key=str)] == ["NoneType", "Conflict"]
    assert given(world, run) == [("ana", "")]


def test_a_run_keeps_to_the_rules_of_its_environment(world: World, environment: Instance, run: Run) -> None:
    rule(world, environment, Rules(approvals=2, labels=("prod",)))

    with world.catalog.read() as tx:
        assert tx.rules_of(tx.run(run.id or 0)) == Rules(approvals=2, labels=("prod",))


def test_a_run_of_an_environment_keeps_to_the_rules_of_that_environment(world: World, environment: Instance) -> None:
    rule(world, environment, Rules(own_approval=False))
    own = world.run(environment, Status.PLANNED)

    with world.catalog.read() as tx:
        assert tx.rules_of(tx.run(own.id or 0)) == Rules(own_approval=False)


def test_a_run_whose_environment_is_gone_keeps_to_the_default_rules(world: World, environment: Instance) -> None:
    own = world.run(environment, Status.SUCCEEDED)
    with world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(environment.id or 0))

    with world.catalog.read() as tx:
        assert tx.rules_of(tx.run(own.id or 0)) == Rules()


@pytest.mark.parametrize(("ttl_s", "is_void"), [(HOUR_S + 1, False), (HOUR_S, True), (0, False)])
def test_a_plan_is_discarded_when_it_was_not_applied_in_time(
    world: World, run: Run, ttl_s: int, *, is_void: bool
) -> None:
    assert void(world, run, ttl_s) is is_void

    assert world.reload(run).status == ("discarded" if is_void else "planned")


def test_the_rule_of_the_environment_goes_before_the_default(world: World, environment: Instance, run: Run) -> None:
    rule(world, environment, Rules(plan_ttl_s=2 * HOUR_S))

    assert not void(world, run, 1)


def test_a_plan_that_is_void_says_since_when(world: World, run: Run) -> None:
    void(world, run, HOUR_S)

    assert world.reload(run).message == f"The plan of run {run.id} was good until 2026-05-04 03:02:01 UTC."


def test_an_approved_plan_does_not_stay_good_for_ever_either(world: World, environment: Instance) -> None:
    instance = world.instance(world.version(world.template("api")), environment, "service/api/prod")
    approved = planned_ago(world, world.run(instance, Status.APPROVED), HOUR_S)

    assert void(world, approved, HOUR_S)


@pytest.mark.parametrize("status", [Status.APPLYING, Status.INTERRUPTED, Status.SUCCEEDED, Status.QUEUED])
def test_what_no_longer_waits_or_does_not_yet_is_left_alone(
    world: World, environment: Instance, status: Status
) -> None:
    instance = world.instance(world.version(world.template("api")), environment, "service/api/prod")
    other = planned_ago(world, world.run(instance, status), HOUR_S)

    assert not void(world, other, 1)


def test_the_reads_tell_of_approvals_by_the_rules_of_now(
    world: World, environment: Instance, run: Run, url: str
) -> None:
    say_yes(world, run, "ana", "looks right")
    rule(world, environment, Rules(approvals=2, plan_ttl_s=2 * HOUR_S))

    found = Reads(url).run(run.id or 0)

    assert (found["approvals_needed"], found["expires_at"]) == (2, "2026-05-04T04:02:01.500000Z")
    assert [(given["user_name"], given["reason"]) for given in found["approvals"]] == [("ana", "looks right")]
    assert "rules" not in found


def test_a_plan_is_good_for_as_long_as_the_home_says_where_no_rule_does(world: World, run: Run, url: str) -> None:
    assert Reads(url, plan_ttl_s=HOUR_S).run(run.id or 0)["expires_at"] == "2026-05-04T03:02:01.500000Z"
    assert Reads(url).run(run.id or 0)["expires_at"] is None


def test_a_run_in_line_says_which_one_is_before_it(world: World, environment: Instance, url: str) -> None:
    first, second, third = world.run(environment, Status.PLANNED), world.run(environment), world.run(environment)

    found = {row["id"]: (row["behind"], row["waiting_on"]) for row in Reads(url).runs()}

    assert found == {
        first.id: (None, "approval"),
        second.id: (first.id, "another run"),
        third.id: (second.id, "another run"),
    }
