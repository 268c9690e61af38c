"""How instances went and how long they stay, on both databases."""

from __future__ import annotations

from datetime import timedelta

from engine.catalog.reads import Reads
from engine.core.lifetimes import Due, due
from engine.core.runs import Status
from tests.catalog.world import NOW, World


def test_a_life_that_is_over_is_told_from_one_that_is_being_ended_and_one_that_could_not_be(world: World) -> None:
    environment = world.environment()
    with world.catalog.write() as tx:
        instance = tx.instance_by_id(environment.id or 0)
        instance.expires_at, instance.ttl_s = NOW - timedelta(hours=1), 3600
        tx.save(instance)
        [mortal] = tx.mortals()
        over = tx.life(mortal)
    ended = []
    for status in (Status.PLANNED, Status.FAILED, Status.SUCCEEDED):
        run = world.run(environment, Status.QUEUED)
        with world.catalog.write() as tx:
            found = tx.run(run.id or 0)
            found.hibernates, found.status, found.ended_at = True, status.value, NOW
            tx.save(found)
        with world.catalog.read() as tx:
            ended.append(tx.life(tx.instance_by_id(environment.id or 0)))

    assert over is not None
    assert due(over, NOW) is Due.HIBERNATE
    assert [(life.is_under_way, life.failed_at) for life in ended if life] == [
        (True, None),
        (False, NOW),
        (False, None),
    ]


def test_what_began_to_wake_is_not_asleep(world: World) -> None:
    environment = world.environment()
    with world.catalog.write() as tx:
        instance = tx.instance_by_id(environment.id or 0)
        instance.hibernated_at = NOW - timedelta(hours=1)
        tx.save(instance)
        asleep = tx.is_asleep(instance)
    world.run(environment, Status.APPLYING)

    with world.catalog.read() as tx:
        assert (asleep, tx.is_asleep(tx.instance_by_id(environment.id or 0))) == (True, False)


def test_the_history_says_who_said_yes_to_what_and_which_run_is_live(world: World, url: str) -> None:
    environment = world.environment()
    first, second = world.run(environment, Status.SUCCEEDED), world.run(environment, Status.SUCCEEDED)
    with world.catalog.write() as tx:
        instance, run = tx.instance_by_id(environment.id or 0), tx.run(second.id or 0)
        instance.deployed_run_id, run.inputs = run.id, {"size": 2}
        tx.save(instance)
        tx.save(run)
        tx.add_approval(run.id or 0, "ana")

    new, old = Reads(url).history("environment/prod")

    assert (new["is_live"], new["inputs_changed"], new["approvers"], new["exceptions"]) == (True, ["size"], ["ana"], [])
    assert (new["template_before"], new["template"]) == (first.template, second.template)
    assert (old["is_live"], old["inputs_changed"], old["approvers"], old["template_before"]) == (False, [], [], None)
