"""Time-boxed instances: hibernated by themselves or by hand, and woken as they were."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.scenarios import test_service_pipelines as pipelines
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
WAKE = "Wake it, as it was or with changes: landform instance wake {}"


def refused(world: World, *command: object) -> tuple[int, str, str]:
    result = world.run(*command, "-o", "json")
    return result.code, result.error["message"], result.error["hint"]


def wind_back(world: World, seconds: int) -> None:
    """Lets so much of every limited life be over."""
    with closing(sqlite3.connect(world.home / "catalog.db")) as database, database:
        database.execute(
            f"UPDATE instance SET expires_at = datetime(expires_at, '-{seconds} seconds') WHERE expires_at IS NOT NULL"
        )


def test_a_hibernated_instance_is_woken_as_it_was(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    deployed.do("instance", "hibernate", "orders/prod", "--yes")
    asleep = deployed.row("instance", "show", "orders/prod")
    updated = refused(deployed, "instance", "update", "orders/prod", "--set", "port=82")
    deployed.do("instance", "wake", "orders/prod", "--yes")

    awake = deployed.row("instance", "show", "orders/prod")
    assert (asleep["outputs"], asleep["inputs"], asleep["deployed_run_id"]) == (None, {"port": 81}, None)
    assert updated == (9, "service/orders/prod is hibernated.", WAKE.format("service/orders/prod"))
    assert (awake["hibernated_at"], awake["outputs"]["port"]["value"]) == (None, 81)
    assert [row["operation"] for row in deployed.rows("run", "list", "orders/prod")][:2] == ["deploy", "destroy"]


def test_an_environment_sleeps_only_with_all_that_lives_in_it(deployed: World) -> None:
    alone = refused(deployed, "instance", "hibernate", "environment/prod")
    deployed.do("instance", "hibernate", "environment/prod", "orders/prod", "--yes")
    early = refused(deployed, "instance", "wake", "orders/prod")
    again = refused(deployed, "instance", "hibernate", "orders/prod")

    deployed.do("instance", "wake", "environment/prod", "--yes")
    deployed.do("instance", "wake", "orders/prod", "--set", "port=90", "--yes")

    assert alone == (
        9,
        "Environment prod cannot be hibernated: orders/prod is awake in it.",
        "Hibernate them with it: landform instance hibernate service/orders/prod environment/prod",
    )
    assert early == (
        9,
        "Nothing can be deployed into environment prod: environment/prod is hibernated.",
        WAKE.format("environment/prod"),
    )
    assert again[1] == "service/orders/prod is hibernated already."
    assert deployed.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 90


def test_what_sleeps_can_be_deleted_although_its_environment_sleeps_too(deployed: World) -> None:
    deployed.do("instance", "hibernate", "environment/prod", "orders/prod", "--yes")

    deployed.do("service", "delete", "orders", "--yes")
    deployed.do("env", "delete", "prod", "--yes")

    assert deployed.rows("env", "list") == []


def test_people_are_warned_and_then_the_instance_is_hibernated_by_itself(deployed: World) -> None:
    deployed.write("landform.toml", '[events.log]\nto = "file"\npath = "events.jsonl"\nkinds = ["instance"]\n')
    deployed.do("service", "create", "trial", "-t", "web", "--env", "prod", "--ttl", "72h", "--auto-approve")
    wind_back(deployed, 60 * 3600)

    warned = deployed.do("instance", "expire")
    quiet = deployed.do("instance", "expire")
    wind_back(deployed, 12 * 3600)
    deployed.do("instance", "expire")

    told = [json.loads(line) for line in (deployed.root / "events.jsonl").read_text().splitlines()]
    row = deployed.row("instance", "show", "trial/prod")
    run = deployed.row("run", "show", row["last_run_id"])
    assert "service/trial/prod: it ends soon; its people were told" in warned.err
    assert "Nothing is due." in quiet.err
    assert (run["operation"], run["status"], row["hibernated_at"] is None) == ("destroy", "succeeded", False)
    assert [event["detail"]["status"] for event in told] == [
        *("IN_PROGRESS", "SUCCEEDED"),
        *("EXPIRING", "DELETE_IN_PROGRESS", "HIBERNATED"),
    ]
    assert told[2]["detail-type"] == "Landform Instance Expiry"
    assert run["reason"].startswith("Its time was over at ")
    assert deployed.row("instance", "show", "orders/prod")["hibernated_at"] is None


def test_a_worker_hibernates_what_has_outlived_its_time(deployed: World) -> None:
    """Through what a worker looks at, without its pauses."""
    from engine import app, settings

    deployed.do("service", "create", "trial", "-t", "web", "--env", "prod", "--ttl", "1h", "--auto-approve")
    wind_back(deployed, 3600)
    built = app.build(settings.load(home=str(deployed.home)))
    looks = {looks.name: looks for looks in built.shift(lambda _: None).looks}

    looks["ends of lives"].look()
    looks["ends of lives"].look()
    built.close()

    rows = deployed.rows("run", "list", "trial/prod")
    assert [(row["operation"], row["hibernates"], row["status"]) for row in rows] == [
        ("destroy", True, "queued"),
        ("deploy", False, "succeeded"),
    ]


def test_extending_calls_off_a_hibernation_that_has_not_begun(deployed: World) -> None:
    deployed.do("service", "create", "trial", "-t", "web", "--env", "prod", "--ttl", "1h", "--auto-approve")
    wind_back(deployed, 3600)
    deployed.do("instance", "expire", "--no-wait")

    deployed.do("instance", "extend", "trial/prod", "24h")
    kept = deployed.row("instance", "show", "trial/prod")
    deployed.do("instance", "extend", "trial/prod", "--forever")

    [run, _] = deployed.rows("run", "list", "trial/prod")
    assert (run["status"], kept["ttl_s"]) == ("discarded", 3600)
    assert run["message"].startswith("service/trial/prod is to live until ")
    assert deployed.row("instance", "show", "trial/prod")["expires_at"] is None


def test_what_is_woken_after_its_time_was_over_lives_as_long_as_at_a_time_before(deployed: World) -> None:
    deployed.do("service", "create", "trial", "-t", "web", "--env", "prod", "--ttl", "1h", "--auto-approve")
    deployed.do("instance", "hibernate", "trial/prod", "--yes")
    deployed.do("instance", "wake", "trial/prod", "--no-wait")
    wind_back(deployed, 3600)
    deployed.do("instance", "expire")

    deployed.do("run", "apply", 5, "--yes")

    awake = deployed.row("instance", "show", "trial/prod")
    assert (awake["hibernated_at"], awake["expires_at"] is None, awake["ttl_s"]) == (None, False, 3600)


def stages(world: World) -> str:
    text: str = world.row("pipeline", "show", "shop")["outputs"]["stages"]["value"]
    return text


def test_a_pipeline_is_deployed_without_what_sleeps_and_with_what_was_woken(world: World) -> None:
    pipelines.published(world)
    spec = world.write("spec.yaml", pipelines.SPEC + pipelines.entry("one") + pipelines.entry("two"))
    world.do("service", "create", "shop", "-t", "web", "-f", spec, "--ttl", "1h", "--auto-approve")

    world.do("instance", "hibernate", "shop/one", "--yes")
    without = stages(world)
    world.do("instance", "rollback", "pipeline/shop", "--to", 4, "--yes")
    world.do("instance", "wake", "shop/one", "--ttl", "2h", "--yes")

    assert without == "two:80 in a"
    assert stages(world) == "one:80 in a,two:80 in a"
    assert world.row("instance", "show", "shop/one")["ttl_s"] == 7200
    assert world.row("pipeline", "show", "shop")["expires_at"] is None
    assert world.rows("instance", "list", "--outdated") == []
