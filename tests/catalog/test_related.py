"""An instance and all that a run of it needs to know, read at once."""

from __future__ import annotations

import pytest

from engine.catalog.related import Related
from engine.errors import NotFound
from tests.catalog.world import World


def related(world: World, instance_id: int | None, version_id: int | None) -> Related:
    assert instance_id is not None
    assert version_id is not None
    with world.catalog.read() as tx:
        return tx.related(instance_id, version_id)


def test_an_instance_comes_with_its_environment_its_service_and_the_version_that_is_asked_for(world: World) -> None:
    template = world.template()
    old, new = world.version(template), world.version(template, 1)
    prod = world.environment()
    instance = world.instance(old, prod)

    found = related(world, instance.id, new.id)

    assert (found.instance, found.version, found.environment) == (instance, new, prod)
    assert (found.template.name, found.service and found.service.name) == ("web", "orders")


def test_an_environment_comes_alone(world: World) -> None:
    prod = world.environment()

    found = related(world, prod.id, prod.version_id)

    assert (found.instance, found.template.name) == (prod, "lab")
    assert (found.service, found.environment) == (None, None)


@pytest.mark.parametrize(
    ("instance_id", "version_id", "message"),
    [(7, 1, "There is no instance with id 7."), (1, 7, "There is no version with id 7.")],
)
def test_what_has_gone_is_not_found(world: World, instance_id: int, version_id: int, message: str) -> None:
    world.environment()

    with pytest.raises(NotFound) as refusal:
        related(world, instance_id, version_id)

    assert refusal.value.message == message


def test_many_instances_come_at_once_with_the_version_that_they_are_to_have(world: World) -> None:
    template = world.template()
    old, new = world.version(template), world.version(template, 1)
    prod = world.environment()
    second, first = (world.instance(old, prod, f"service/{name}/prod") for name in ("orders", "billing"))
    ids = [second.id or 0, first.id or 0, 99]

    with world.catalog.read() as tx:
        found = tx.all_related(ids, new.id or 0)

    assert [row.instance for row in found] == [first, second]
    assert all((row.version, row.template.name, row.environment) == (new, "web", prod) for row in found)


def test_many_instances_of_a_version_that_has_gone_are_not_found(world: World) -> None:
    with world.catalog.read() as tx, pytest.raises(NotFound, match=r"^There is no version with id 7\.$"):
        tx.all_related([1], 7)
