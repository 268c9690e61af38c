"""Promises about services and instances: one at an address, found by it, and gone only when nothing lives in it."""

from __future__ import annotations

import pytest

from engine.catalog.tables import Instance
from engine.core import address
from engine.errors import Conflict, NotFound
from tests.catalog.world import NOW, World, at_once


def test_an_instance_is_found_by_its_address(world: World) -> None:
    prod = world.environment()

    with world.catalog.read() as tx:
        found = tx.instance(address.environment("prod"))
        nothing = tx.find_instance(address.environment("test"))

    assert found == prod
    assert (prod.kind, prod.name, prod.address) == ("environment", "prod", "environment/prod")
    assert (prod.created_at, prod.updated_at) == (NOW, NOW)
    assert nothing is None


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        ("environment/prob", "There is no environment prob.", "Did you mean prod? See them all: landform env list"),
        (
            "service/orders/test",
            "There is no service instance orders/test.",
            "Did you mean orders/prod? See them all: landform instance list",
        ),
        ("pipeline/orders", "There is no pipeline orders.", "See them all: landform pipeline list"),
        ("component/cache", "There is no component cache.", "See them all: landform component list"),
    ],
)
def test_an_address_that_nothing_has_is_not_found_and_the_nearest_is_named(
    world: World, where: str, message: str, hint: str
) -> None:
    world.instance(world.version(world.template()), world.environment())

    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        tx.instance(address.parse(where))

    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_of_many_threads_that_make_an_environment_one_does(world: World) -> None:
    world.environment("other")

    answers = at_once(lambda: world.environment("prod"))

    assert [type(answer) for answer in answers].count(Instance) == 1
    assert {str(answer) for answer in answers if isinstance(answer, Conflict)} == {"Environment prod exists already."}


def test_instances_are_listed_by_service_and_by_environment(world: World) -> None:
    version = world.version(world.template())
    prod, test = world.environment("prod"), world.environment("test")
    for where, home in (
        ("service/orders/b", prod),
        ("service/orders/a", test),
        ("service/billing/c", prod),
    ):
        world.instance(version, home, where)

    with world.catalog.read() as tx:
        of_orders = [row.address for row in tx.instances_of(tx.service("orders"))]
        in_prod = [row.address for row in tx.instances_in(prod)]

    assert of_orders == ["service/orders/a", "service/orders/b"]
    assert in_prod == ["service/billing/c", "service/orders/b"]


def test_an_environment_that_something_lives_in_stays(world: World) -> None:
    prod = world.environment()
    world.instance(world.version(world.template()), prod)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(prod.id or 0))

    assert refused.value.message == "environment/prod is in use by service/orders/prod."


def test_a_service_goes_after_its_last_instance(world: World) -> None:
    instance = world.instance(world.version(world.template()), world.environment())
    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_service(tx.service("orders"))

    with world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(instance.id or 0))
        tx.remove_service(tx.service_by_id(instance.service_id or 0))

    assert refused.value.message == "Service orders still has service/orders/prod."
    with world.catalog.read() as tx:
        assert tx.services() == []


def test_services_are_found_by_name_and_listed_in_order(world: World) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        made = [tx.add_service(name, template.id or 0, 1).name for name in ("orders", "billing")]

    with world.catalog.read() as tx:
        listed = [service.name for service in tx.services()]
        nothing = tx.find_service("shop")

    assert made == ["orders", "billing"]
    assert listed == ["billing", "orders"]
    assert nothing is None


def test_a_second_service_of_the_name_is_refused(world: World) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        tx.add_service("orders", template.id or 0, 1)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.add_service("orders", template.id or 0, 1)

    assert refused.value.message == "A service orders exists already."


def test_a_service_that_does_not_exist_is_not_found_and_the_nearest_is_named(world: World) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        tx.add_service("orders", template.id or 0, 1)

    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        tx.service("oders")

    assert refused.value.message == "There is no service oders."
    assert refused.value.hint == "Did you mean orders? See them all: landform service list"


@pytest.mark.parametrize("what", ["template", "version", "service", "instance"])
def test_a_row_that_has_gone_is_not_found_by_its_id(world: World, what: str) -> None:
    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        getattr(tx, f"{what}_by_id")(42)

    assert refused.value.message == f"There is no {what} with id 42."
