"""Campaigns and their steps, on both databases."""

from __future__ import annotations

import pytest

from engine.catalog.reads import Reads
from engine.core.campaigns import Action, Event, Manner, Status, StepStatus, Wish
from engine.core.runs import Status as RunStatus
from engine.errors import Conflict, NotFound
from tests.catalog.world import World, at_once


def steps(world: World) -> list[dict[str, object]]:
    """A step for an environment, and one for an instance in it."""
    environment = world.environment()
    instance = world.instance(world.version(world.template()), environment)
    return [
        {"instance_id": each.id, "address": each.address, "wave": wave, "position": wave, "template_before": "x@1.0"}
        for wave, each in enumerate((environment, instance))
    ]


def start(world: World, of: list[dict[str, object]]) -> int:
    wish, manner = Wish(Action.REDEPLOY).to_json(), Manner().to_json()
    with world.catalog.write() as tx:
        campaign = tx.add_campaign(of, wish=wish, manner=manner, created_by="ana")
        assert campaign.id is not None
        return campaign.id


def test_of_many_campaigns_that_start_at_once_one_gets_an_instance(world: World) -> None:
    both = steps(world)

    found = at_once(lambda: start(world, both), 4)

    assert sorted(type(each).__name__ for each in found) == ["Conflict", "Conflict", "Conflict", "int"]
    with pytest.raises(Conflict, match="Another campaign has environment/prod, service/orders/prod: campaign 1"):
        start(world, both)


def test_an_instance_is_free_again_when_its_step_has_ended(world: World) -> None:
    both = steps(world)
    first = start(world, both)
    with world.catalog.write() as tx:
        for step in tx.steps(first):
            tx.move_step(step, StepStatus.SUCCEEDED)
        tx.move_campaign(tx.campaign(first), Event.SUCCEED)

    assert start(world, both) == 2
    with world.catalog.read() as tx:
        assert (tx.campaign(first).status, tx.unsettled_campaigns()) == ("succeeded", [2])


def test_what_was_begun_before_a_campaign_was_stopped_is_still_looked_after(world: World) -> None:
    number = start(world, steps(world))
    with world.catalog.write() as tx:
        tx.move_step(tx.steps(number)[0], StepStatus.RUNNING, run_id=1)
        tx.move_campaign(tx.campaign(number), Event.ABORT)

    with world.catalog.read() as tx:
        assert tx.unsettled_campaigns() == [number]
        assert [step.address for step in tx.steps_running(number)] == ["environment/prod"]


def test_a_step_has_the_calendar_of_the_environment_that_it_changes(world: World) -> None:
    number = start(world, steps(world))
    with world.catalog.read() as tx:
        assert tx.calendars(number) == {}
    with world.catalog.write() as tx:
        environment = tx.instance_by_id(tx.steps(number)[0].instance_id)
        environment.calendar = {"freezes": []}
        tx.save(environment)

    with world.catalog.read() as tx:
        assert tx.calendars(number) == {1: ("prod", {"freezes": []}), 2: ("prod", {"freezes": []})}


def test_a_step_is_held_by_the_first_run_in_line_of_its_instance_or_of_its_environment(world: World) -> None:
    number = start(world, steps(world))
    with world.catalog.read() as tx:
        environment, instance = (tx.instance_by_id(step.instance_id) for step in tx.steps(number))
        free = tx.held_steps(number)
    world.run(instance, RunStatus.SUCCEEDED)
    waiting, _ = world.run(instance), world.run(instance)
    with world.catalog.read() as tx:
        own = {step: run.id for step, run in tx.held_steps(number).items()}
    change = world.run(environment, RunStatus.PLANNED)
    with world.catalog.read() as tx:
        homes = {step: run.id for step, run in tx.held_steps(number).items()}

    assert (free, own, homes) == ({}, {2: waiting.id}, {1: change.id, 2: change.id})


def test_a_campaign_is_read_with_its_steps_and_what_became_of_them(world: World, url: str) -> None:
    number = start(world, steps(world))
    with world.catalog.read() as tx:
        instance = tx.instance_by_id(tx.steps(number)[1].instance_id)
    run = world.run(instance, RunStatus.FAILED)
    with world.catalog.write() as tx:
        tx.move_step(tx.steps(number)[1], StepStatus.FAILED, run_id=run.id, message="no")

    row = Reads(url).campaign(number)

    assert (row["statuses"], row["steps_done"], row["failures"]) == ({"failed": 1, "pending": 1}, 1, 1)
    assert [(step["environment"], step["template"], step["run_status"]) for step in row["steps"]] == [
        ("prod", None, None),
        ("prod", "web@1.0", "failed"),
    ]
    assert [(each["id"], each["status"]) for each in Reads(url).campaigns(Status.RUNNING)] == [(number, "running")]
    with pytest.raises(NotFound, match="There is no campaign 9"):
        Reads(url).campaign(9)
