"""What is known about drift, on each kind of database."""

from __future__ import annotations

from datetime import timedelta

from engine.catalog.reads import Reads
from engine.core.drift import Drifted, Finding, Ignored
from engine.core.drift_turns import Watched
from engine.core.plans import Action
from engine.core.rules import Rules
from engine.core.runs import Status
from tests.catalog.world import NOW, World

FOUND = Finding(NOW, (Drifted("aws_x.a", Action.UPDATE, Action.UPDATE), Drifted("aws_x.b", Action.DELETE, None)), "x")


def test_what_is_looked_at_has_the_rules_of_its_environment_and_whoever_is_in_the_way(world: World) -> None:
    version, prod = world.version(world.template()), world.environment()
    orders = world.instance(version, prod)
    with world.catalog.write() as tx:
        found = tx.instance_by_id(prod.id or 0)
        found.rules = {"drift_every_s": 60}
        found.deployed_run_id = tx.add_run(
            found, operation="deploy", version_id=1, template="lab@1.0", requested_by="ana"
        ).id
        tx.save(found)
    holder = world.run(orders, Status.APPLYING)

    with world.catalog.read() as tx:
        environment, instance = tx.watched()
        gone = tx.watched_one(99)

    rules = Rules(drift_every_s=60)
    assert environment == Watched(prod.id or 0, "environment/prod", prod.id, rules)
    busy = (holder.id or 0, "applying")
    assert instance == Watched(orders.id or 0, "service/orders/prod", prod.id, rules, is_deployed=False, busy=busy)
    assert gone is None


def test_each_look_is_later_than_the_one_before_though_the_clock_stands_still(world: World) -> None:
    prod = world.environment()

    with world.catalog.write() as tx:
        looks = [tx.begin_look(tx.instance_by_id(prod.id or 0)) for _ in range(2)]

    assert looks == [NOW, NOW + timedelta(microseconds=1)]
    assert world.seen(prod).drift_checked_at == looks[1]


def test_reads_tell_what_was_found_and_what_is_ignored_until_it_is_over(world: World, url: str) -> None:
    prod = world.environment()
    # reads go by the clock of the database, which for a file is the real one
    over = Ignored("aws_x.a", NOW, "was moved", "ana", NOW)
    lasting = Ignored("*.b", NOW + timedelta(days=36_500), "is moved", "ana", NOW)
    with world.catalog.write() as tx:
        instance = tx.instance_by_id(prod.id or 0)
        tx.ignore_drift(instance, [over, lasting])
        tx.keep_drift(instance, FOUND)

    [listed], [known] = Reads(url).environments(), Reads(url).drift()
    shown = Reads(url).instance("environment/prod")

    assert (listed["drift_level"], "drift" in listed) == ("in-place", False)
    assert {"address": "environment/prod", **shown["drift"]} == known
    assert [(one["address"], one["ignored"]) for one in known["resources"]] == [("aws_x.a", False), ("aws_x.b", True)]
    assert [one["expired"] for one in known["ignored"]] == [True, False]
