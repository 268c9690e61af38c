"""Promises about lists: what a row tells, in which order rows come, and where the next page begins."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from engine.catalog import places, schema
from engine.catalog.places import url_of
from engine.catalog.reads import Reads
from engine.core import address
from engine.core.runs import Event, Status
from engine.core.snapshots import Snapshot
from engine.core.versions import TemplateKind, parse_ref
from engine.errors import Invalid, NotFound
from tests import postgres
from tests.catalog.world import NOW, WORKER, World, opened

WHEN = "2026-05-04T03:02:01.500000Z"


@pytest.fixture
def reads(url: str) -> Reads:
    return Reads(url)


def fleet(world: World) -> None:
    """web 1.0, 1.1, 2.0 (recommended), 2.1 (draft); one instance on each, in prod or test."""
    template = world.template()
    versions = [world.version(template, major) for major in (None, 1, None)]
    versions.append(world.version(template, 2, publish=False))
    prod, test = world.environment("prod"), world.environment("test")
    for version, home, where in zip(
        versions,
        (prod, test, prod, test),
        ("service/orders/a", "service/orders/b", "service/billing/c", "service/shop/d"),
        strict=True,
    ):
        world.instance(version, home, where)


def stale(world: World, where: str, *reasons: str) -> None:
    with world.catalog.write() as tx:
        row = tx.instance(address.parse(where))
        row.stale, row.is_stale = list(reasons), bool(reasons)
        tx.save(row)


def test_a_row_of_an_instance_tells_where_it_stands(world: World, reads: Reads) -> None:
    fleet(world)
    stale(world, "service/orders/a", "environment/prod vpc_id")
    with world.catalog.read() as tx:
        instance = tx.instance(address.parse("service/orders/a"))
    world.run(instance, Status.FAILED)

    [row] = reads.service_instances(limit=1, after="service/billing/z")

    assert row == {
        "address": "service/orders/a",
        "kind": "service",
        "name": "a",
        "service": "orders",
        "environment": "prod",
        "attached": None,
        "component": None,
        "template": "web",
        "version": "1.0",
        "newest": "1.1",
        "recommended": "2.0",
        "version_status": "published",
        "version_message": "",
        "outdated": True,
        "instances": 0,
        "is_stale": True,
        "stale": ["environment/prod vpc_id"],
        "last_run_id": 1,
        "status": "failed",
        "deployed_run_id": None,
        "diverged": "",
        "drift_level": "",
        "ttl_s": None,
        "expires_at": None,
        "hibernated_at": None,
        "description": "",
        "created_at": WHEN,
        "updated_at": WHEN,
    }


def names(rows: list[dict[str, object]]) -> list[object]:
    return [row["name"] for row in rows]


def test_outdated_is_who_is_below_the_recommended_version(world: World, reads: Reads) -> None:
    fleet(world)

    assert names(reads.service_instances()) == ["c", "a", "b", "d"]
    assert names(reads.service_instances(outdated=True)) == ["a", "b"]


def test_nobody_is_outdated_while_nothing_is_published(world: World, reads: Reads) -> None:
    world.instance(world.version(world.template(), publish=False), world.environment())

    [row] = reads.service_instances()

    assert (row["newest"], row["recommended"], row["outdated"]) == (None, None, False)
    assert reads.service_instances(outdated=True) == []


def test_conditions_on_instances_are_all_met(world: World, reads: Reads) -> None:
    fleet(world)
    stale(world, "service/orders/a", "environment/prod vpc_id")
    stale(world, "service/billing/c", "environment/prod vpc_id")

    assert names(reads.service_instances("orders")) == ["a", "b"]
    assert names(reads.service_instances("order")) == []
    assert names(reads.service_instances(environment="prod")) == ["c", "a"]
    assert names(reads.service_instances(stale=True)) == ["c", "a"]
    assert names(reads.service_instances(stale=True, outdated=True)) == ["a"]
    assert names(reads.service_instances("orders", "test", outdated=True)) == ["b"]
    assert names(reads.service_instances(environment="nowhere")) == []


def test_pages_of_instances_follow_each_other(world: World, reads: Reads) -> None:
    fleet(world)

    first = reads.service_instances(limit=3)
    second = reads.service_instances(limit=3, after=first[-1]["address"])

    assert names(first) + names(second) == ["c", "a", "b", "d"]
    assert reads.service_instances(after="service/shop/d") == []


def test_environments_are_listed_with_how_many_live_in_them(world: World, reads: Reads) -> None:
    fleet(world)

    rows = reads.environments()

    assert [(row["name"], row["instances"], row["version"]) for row in rows] == [("prod", 2, "1.0"), ("test", 2, "1.0")]
    assert names(reads.environments(after="prod")) == ["test"]
    assert names(reads.environments(limit=1)) == ["prod"]
    assert reads.environments(outdated=True) == []


def test_an_instance_is_shown_with_everything(world: World, reads: Reads) -> None:
    fleet(world)
    with world.catalog.write() as tx:
        row = tx.instance(address.environment("prod"))
        row.inputs, row.run_env, row.outputs = {"cidr": "10.0.0.0/8"}, {"A": "b"}, {"vpc_id": {"value": "v"}}
        tx.save(row)

    shown = reads.instance("environment/prod")

    assert (shown["inputs"], shown["run_env"]) == ({"cidr": "10.0.0.0/8"}, {"A": "b"})
    assert (shown["outputs"], shown["upstream"]) == ({"vpc_id": {"value": "v"}}, {})
    assert (shown["rules"], shown["backend"], shown["diverged"]) == ({}, {}, "")
    assert shown["inhabitants"] == ["service/billing/c", "service/orders/a"]
    assert reads.instance(address.parse("service/orders/a"))["outputs"] is None


def test_services_are_listed_with_how_their_instances_are(world: World, reads: Reads) -> None:
    fleet(world)
    stale(world, "service/orders/a", "environment/prod vpc_id")
    with world.catalog.read() as tx:
        instances = tx.instances_of(tx.service("orders"))
    world.run(instances[0], Status.SUCCEEDED)
    world.run(instances[1], Status.FAILED)

    rows = reads.services()

    assert names(rows) == ["billing", "orders", "shop"]
    orders = rows[1]
    assert (orders["template"], orders["major"], orders["instances"]) == ("web", 1, 2)
    assert (orders["statuses"], orders["status"]) == ({"failed": 1, "succeeded": 1}, "1 failed, 1 succeeded")
    assert (orders["stale_instances"], orders["outdated_instances"], orders["pipeline_status"]) == (1, 2, None)
    assert reads.service("orders") == orders
    assert names(reads.services(after="billing", limit=1)) == ["orders"]


def test_a_service_without_instances_is_listed(world: World, reads: Reads) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        tx.add_service("orders", template.id or 0, 1)

    [row] = reads.services()

    assert (row["name"], row["instances"], row["statuses"], row["status"]) == ("orders", 0, {}, "")


def test_templates_are_listed_with_their_recommended_version(world: World, reads: Reads) -> None:
    fleet(world)

    rows = reads.templates()

    assert [(row["kind"], row["name"], row["recommended"], row["versions"]) for row in rows] == [
        ("environment", "lab", None, 1),
        ("service", "web", "2.0", 4),
    ]
    assert names(reads.templates(TemplateKind.SERVICE)) == ["web"]


def test_versions_are_listed_with_their_standing(world: World, reads: Reads) -> None:
    fleet(world)

    rows = reads.versions(parse_ref("web"))

    members = ("label", "status", "recommended", "recommended_minor", "instances")
    assert [tuple(row[member] for member in members) for row in rows] == [
        ("web@1.0", "published", False, False, 1),
        ("web@1.1", "published", False, True, 1),
        ("web@2.0", "published", True, True, 1),
        ("web@2.1", "draft", False, False, 1),
    ]
    assert reads.versions("service/web") == rows


def test_a_version_is_shown_with_its_schema_and_facts(world: World, reads: Reads) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        tx.register_version(template, None, status="draft", schema_text="a: 1\n", facts={"kind": "service"})

    shown = reads.version("web@1.0")

    assert (shown["schema_text"], shown["facts"], shown["compatible"]) == ("a: 1\n", {"kind": "service"}, [])
    assert (shown["version"], shown["published_at"], shown["created_at"]) == ("1.0", None, WHEN)


def test_the_recommended_version_is_shown_when_none_is_named(world: World, reads: Reads) -> None:
    fleet(world)

    assert reads.version("web")["label"] == "web@2.0"
    assert reads.version("web@1")["label"] == "web@1.1"
    assert reads.version("service/web@2")["label"] == "web@2.0"


def test_runs_are_listed_newest_first_and_by_condition(world: World, reads: Reads) -> None:
    prod, test = world.environment("prod"), world.environment("test")
    for instance, status in ((prod, Status.FAILED), (test, Status.FAILED), (prod, Status.PLANNED)):
        world.run(instance, status)

    def ids(rows: list[dict[str, object]]) -> list[object]:
        return [row["id"] for row in rows]

    assert ids(reads.runs()) == [3, 2, 1]
    assert ids(reads.runs(limit=2)) == [3, 2]
    assert ids(reads.runs(before=3, limit=1)) == [2]
    assert ids(reads.runs(status=Status.FAILED)) == [2, 1]
    assert ids(reads.runs("environment/prod", "failed")) == [1]
    assert ids(reads.history(address.environment("prod"))) == [3, 1]
    assert ids(reads.history("environment/prod", before=3)) == [1]
    assert ids(reads.history("environment/prod", before=1)) == []


def test_a_run_tells_what_can_happen_next(world: World, reads: Reads) -> None:
    run = world.run(world.environment(), Status.PLANNING)
    change = {"address": "terraform_data.a", "action": "replace", "reason": ""}
    world.move(run, Event.ASK, fence=1, summary={"changes": [change], "outputs": [], "drift": []})

    [row] = reads.runs()

    assert (row["is_terminal"], row["waiting_on"]) == (False, "approval")
    assert row["next_actions"] == ["approve", "discard", "cancel"]
    assert (row["plan"], row["changes"]) == (
        "1 to add, 0 to change, 1 to destroy.",
        {"add": 1, "change": 0, "destroy": 1},
    )
    assert (row["created_at"], row["planned_at"], row["ended_at"]) == (WHEN, WHEN, None)


def test_a_run_is_shown_with_everything(world: World, reads: Reads) -> None:
    world.run(world.environment(), Status.PLANNING)

    shown = reads.run(1)

    assert (shown["executor"], shown["inputs"], shown["outputs"], shown["plan"]) == (WORKER, {}, None, None)
    assert (shown["attempt"], shown["next_actions"], shown["evidence"]) == (1, ["cancel"], None)


def test_a_run_tells_where_it_works_and_what_came_of_other_runs(world: World, reads: Reads) -> None:
    fleet(world)
    with world.catalog.write() as tx:
        instance = tx.instance(address.parse("service/orders/b"))
        own = {"operation": "deploy", "version_id": 1, "template": "web@1.0", "requested_by": "ana"}
        tx.add_run(instance, **own, priority=7, supersedes=5, superseded_by=9, cancelled_by="ben")

    [row] = reads.runs()

    assert (row["environment"], row["priority"], row["worker_id"]) == ("test", 7, None)
    assert (row["supersedes"], row["superseded_by"], row["cancelled_by"]) == (5, 9, "ben")
    assert row["force_requested_at"] is None
    assert reads.run(1)["environment"] == "test"


def test_a_run_of_an_environment_that_has_gone_names_none(world: World, reads: Reads) -> None:
    prod = world.environment()
    world.run(prod, Status.FAILED)
    with world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(prod.id or 0))

    assert reads.run(1)["environment"] is None


def test_approvals_are_listed_in_the_order_they_were_given(world: World, reads: Reads) -> None:
    world.run(world.environment(), Status.PLANNED)
    with world.catalog.write() as tx:
        tx.add_approval(1, "ben", "looks good")
        tx.add_approval(1, "ana")

    assert reads.approvals(1) == [
        {"user_name": "ben", "reason": "looks good", "exceptions": [], "created_at": WHEN},
        {"user_name": "ana", "reason": "", "exceptions": [], "created_at": WHEN},
    ]
    assert reads.approvals(2) == []


def registered(world: World, name: str) -> int:
    with world.catalog.write() as tx:
        worker = tx.add_worker(
            name=name, kind="service", identity=WORKER, labels=["eu"], capacity=4, lease_s=60.0, version="1.0"
        )
        assert worker.id is not None
        return worker.id


def test_workers_are_listed_newest_first_with_how_many_runs_they_work_on(world: World, reads: Reads) -> None:
    old, new = registered(world, "old"), registered(world, "new")
    for name in ("a", "b"):
        run = world.run(world.environment(name))
        world.move(run, Event.CLAIM, worker_id=old, executor=WORKER)

    rows = reads.workers()

    assert [(row["id"], row["name"], row["runs"]) for row in rows] == [(new, "new", 0), (old, "old", 2)]
    assert rows[1] == {
        "id": old,
        "name": "old",
        "kind": "service",
        "state": "active",
        "host": "here",
        "pid": 7,
        "labels": ["eu"],
        "capacity": 4,
        "runs": 2,
        "version": "1.0",
        "started_at": WHEN,
        "beat_at": WHEN,
        "ended_at": None,
    }
    assert [row["id"] for row in reads.workers(limit=1)] == [new]


def test_states_of_an_address_are_listed_newest_first(world: World, reads: Reads) -> None:
    prod, test = world.environment("prod"), world.environment("test")
    world.run(prod, Status.FAILED)
    with world.catalog.write() as tx:
        for serial in (1, 2):
            tx.add_state(prod, Snapshot("line", serial, f"{serial}" * 64, 10, 3), run_id=1, fence=None, note="by hand")
        tx.add_state(test, Snapshot("other", 1, "a" * 64, 10, 3), run_id=1, fence=None)

    rows = reads.states(address.environment("prod"))

    assert [(row["id"], row["serial"]) for row in rows] == [(2, 2), (1, 1)]
    assert rows[0] == {
        "id": 2,
        "serial": 2,
        "lineage": "line",
        "run_id": 1,
        "resources": 3,
        "size_bytes": 10,
        "digest": "2" * 64,
        "note": "by hand",
        "created_at": WHEN,
    }
    assert [row["id"] for row in reads.states("environment/prod", limit=1)] == [2]


def test_runs_are_counted_with_how_long_they_took(world: World, reads: Reads) -> None:
    world.run(world.environment("a"), Status.SUCCEEDED)
    world.run(world.environment("b"), Status.SUCCEEDED)
    world.run(world.environment("c"))
    world.execute("UPDATE run SET created_at = '2026-05-04 03:02:00' WHERE id = 1")
    world.execute("UPDATE run SET applied_at = '2026-05-04 03:01:51.250' WHERE id = 2")
    lost = registered(world, "lost")
    world.execute(f"UPDATE worker SET state = 'lost' WHERE id = {lost}")

    counts = reads.run_counts()

    assert counts["runs"] == [
        {"operation": "deploy", "status": "queued", "count": 1},
        {"operation": "deploy", "status": "succeeded", "count": 2},
    ]
    assert counts["oldest_queued_at"] == WHEN
    assert counts["plans"] == {"count": 2, "seconds": 1.5}
    assert counts["applies"] == {"count": 2, "seconds": 10.25}
    assert counts["workers"] == {"lost": 1}


def test_a_history_outlives_its_instance(world: World, reads: Reads) -> None:
    prod = world.environment()
    world.run(prod, Status.FAILED)
    with world.catalog.write() as tx:
        tx.remove_instance(tx.instance_by_id(prod.id or 0))

    assert [row["id"] for row in reads.history("environment/prod")] == [1]


def test_a_new_instance_has_an_empty_history(world: World, reads: Reads) -> None:
    world.environment()

    assert reads.history("environment/prod") == []


def every_row(world: World, reads: Reads) -> list[dict[str, object]]:
    """One row at least of every list, after a story that touches all of them."""
    fleet(world)
    stale(world, "service/orders/a", "environment/prod vpc_id")
    with world.catalog.read() as tx:
        prod = tx.instance(address.environment("prod"))
    world.run(prod, Status.SUCCEEDED)
    registered(world, "one")
    with world.catalog.write() as tx:
        tx.add_approval(1, "ana")
        tx.add_state(prod, Snapshot("line", 1, "1" * 64, 10, 3), run_id=1, fence=None)
    return [
        *reads.templates(),
        *reads.versions("web"),
        *reads.environments(),
        *reads.services(),
        *reads.service_instances(),
        *reads.runs(),
        *reads.approvals(1),
        *reads.workers(),
        *reads.states("environment/prod"),
        reads.run(1),
        reads.version("web"),
        reads.instance("environment/prod"),
        reads.run_counts(),
    ]


def test_every_row_is_ready_for_json(world: World, reads: Reads) -> None:
    rows = every_row(world, reads)

    assert json.loads(json.dumps(rows)) == rows


def test_rows_are_the_same_on_every_database(file: Path, postgres_url: str) -> None:
    found = []
    for url in (url_of(file), postgres.wound(postgres_url, NOW)):
        with closing(opened(url)) as catalog:
            found.append(every_row(World(catalog), Reads(url)))

    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("kind", "prefix", "found"),
    [
        ("template", "", ["lab", "web"]),
        ("template", "w", ["web"]),
        ("version", "web@", ["web@1.0", "web@1.1", "web@2.0", "web@2.1"]),
        ("version", "web@2", ["web@2.0", "web@2.1"]),
        ("environment", "", ["prod", "test"]),
        ("environment", "t", ["test"]),
        ("service", "b", ["billing"]),
        ("instance", "orders/", ["orders/a", "orders/b"]),
        ("address", "environment/", ["environment/prod", "environment/test"]),
        ("run", "", ["2", "1"]),
        ("run", "1", ["1"]),
        ("service", "\udcff%_'\0", []),
    ],
)
def test_names_are_completed(world: World, reads: Reads, kind: str, prefix: str, found: list[str]) -> None:
    fleet(world)
    with world.catalog.read() as tx:
        prod = tx.instance(address.environment("prod"))
    world.run(prod, Status.FAILED)
    world.run(prod, Status.FAILED)

    assert reads.names(kind, prefix, 9) == found


def test_no_more_names_are_completed_than_asked_for(world: World, reads: Reads) -> None:
    fleet(world)

    assert reads.names("instance", "", 2) == ["billing/c", "orders/a"]


def everything(reads: Reads) -> list[object]:
    lists = [reads.templates(), reads.environments(), reads.services(), reads.service_instances(), reads.runs()]
    return [*lists, reads.workers(), reads.approvals(1), reads.names("service", "", 9)]


def test_where_there_is_no_catalog_lists_are_empty_and_nothing_is_made(path: Path) -> None:
    assert everything(Reads(url_of(path))) == [[]] * 8
    assert not path.parent.exists()


def test_in_an_empty_database_lists_are_empty_and_nothing_is_made(postgres_empty: str) -> None:
    assert everything(Reads(postgres_empty)) == [[]] * 8
    assert schema.revision(places.place(postgres_empty)) is None


@pytest.mark.parametrize(
    ("method", "argument", "message", "hint"),
    [
        (
            "instance",
            "service/orders/x",
            "There is no service instance orders/x.",
            "Did you mean orders/b? See them all: landform instance list",
        ),
        (
            "history",
            "environment/prop",
            "There is no environment prop.",
            "Did you mean prod? See them all: landform env list",
        ),
        ("service", "order", "There is no service order.", "Did you mean orders? See them all: landform service list"),
        ("run", 42, "There is no run 42.", "See them all: landform run list"),
        ("versions", "wob", "There is no template wob.", "Did you mean web? See them all: landform template list"),
        (
            "version",
            "web@9.9",
            "web has no version 9.9.",
            "It has 1.0, 1.1, 2.0, 2.1. See them: landform template versions web",
        ),
        ("version", "lab", "No version of lab is published.", "Publish one: landform template publish lab@1.0"),
    ],
)
def test_what_does_not_exist_is_not_found(
    world: World, reads: Reads, method: str, argument: object, message: str, hint: str
) -> None:
    fleet(world)

    with pytest.raises(NotFound) as refused:
        getattr(reads, method)(argument)

    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_template_without_versions_has_an_empty_list(world: World, reads: Reads) -> None:
    world.template()

    assert reads.versions("web") == []


def test_a_text_that_is_no_address_is_refused(world: World, reads: Reads) -> None:
    with pytest.raises(Invalid):
        reads.instance("nonsense")


def test_a_list_beside_a_writer_does_not_wait(world: World, reads: Reads) -> None:
    world.template("before")

    with world.catalog.write() as tx:
        tx.add_template("service", "during")
        seen = names(reads.templates())

    assert seen == ["before"]
