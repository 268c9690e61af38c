"""Instances go on with states that another tool has written: those of AWS Proton's public workflow, or any other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.bucket import CREDENTIALS, REGION, Bucket, bucket
from tests.scenarios.world import Result, World

pytestmark = pytest.mark.terraform

ENV, WEB = "environment/prod", "service/orders/prod"
ENV_KEY, WEB_KEY = "prod/terraform.tfstate", "prod/orders-prod/terraform.tfstate"
LOCK = {"ID": "1234", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-05-04T03:02:01Z"}


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture
def old(deployed: World, s3: Bucket) -> dict[str, bytes]:
    """Key -> state of what runs already, written there by the workflow."""
    states = {key: deployed.do("state", "pull", of).out.encode() for key, of in ((ENV_KEY, ENV), (WEB_KEY, WEB))}
    with s3.client() as client:
        for key, content in states.items():
            client.put_object(Bucket=s3.name, Key=key, Body=content)
    return states


def fresh(deployed: World, **settings: str) -> World:
    """Another home, that knows the templates and nothing else."""
    world = World(deployed.root, deployed.home.with_name("fresh"))
    text = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
    world.write("landform.toml", text + "[run_env]\n" + "".join(f'{n} = "{v}"\n' for n, v in CREDENTIALS.items()))
    world.publish("lab", world.environment_bundle())
    world.publish("web", world.service_bundle())
    return world


def place(s3: Bucket, path: str = "") -> str:
    return f"s3://{s3.name}{path}?region={REGION}&endpoint={s3.endpoint}"


def said(result: Result) -> list[str]:
    """What a command said, without what moto's server logs in the same process."""
    return [line for line in result.err.splitlines() if "werkzeug" not in line]


def stored(s3: Bucket, key: str) -> bytes:
    with s3.client() as client:
        content: bytes = client.get_object(Bucket=s3.name, Key=key)["Body"].read()
    return content


@pytest.mark.parametrize(("backend", "serial"), [("managed", 4), ("s3", 3)])
def test_what_runs_already_is_taken_over_as_it_is(
    deployed: World, s3: Bucket, old: dict[str, bytes], backend: str, serial: int
) -> None:
    world = fresh(deployed, backend="managed" if backend == "managed" else place(s3, "/landform"))

    world.do("env", "create", "prod", "-t", "lab", "--adopt-state", place(s3), "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--adopt-state", place(s3))

    runs = [world.row("run", "show", number) for number in (1, 2)]
    [row] = world.rows("state", "list", WEB)
    assert [(run["status"], run["changes"]) for run in runs] == [
        ("succeeded", {"add": 0, "change": 0, "destroy": 0}) for _ in runs
    ]
    assert world.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 80
    assert row["note"].startswith(f"adopted from s3://{s3.name}/{WEB_KEY} by ")
    assert world.do("state", "pull", WEB).out.encode() == old[WEB_KEY]
    assert {key: stored(s3, key) for key in old} == old
    world.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")
    assert [row["serial"] for row in world.rows("state", "list", WEB)] == [serial, 2]


def test_a_state_that_is_not_there_is_told_with_all_that_was_looked_for(deployed: World, s3: Bucket) -> None:
    world = fresh(deployed)

    result = world.run("env", "create", "prod", "-t", "lab", "--adopt-state", place(s3, "/team"))

    assert (result.code, said(result)) == (
        8,
        [
            "Error: There is no state to adopt at:",
            f"  s3://{s3.name}/team/{ENV_KEY} (for {ENV})",
            "Hint: Name the object itself, s3://BUCKET/KEY.tfstate, where it lies under another key.",
        ],
    )
    assert world.rows("env", "list") == []


def test_an_instance_that_was_never_deployed_adopts_a_state(deployed: World, s3: Bucket, old: dict[str, bytes]) -> None:
    world = fresh(deployed)
    world.do("env", "create", "prod", "-t", "lab", "--no-wait")
    waiting = world.run("state", "adopt", ENV, "--from", place(s3), "--yes")
    world.do("run", "cancel", 1)

    row = world.row("state", "adopt", ENV, "--from", place(s3, f"/{ENV_KEY}"), "--yes")
    again = world.run("state", "adopt", ENV, "--from", place(s3), "--yes")
    world.do("run", "retry", 1)

    assert (waiting.code, said(waiting)[0]) == (6, f"Error: {ENV} is held by run 1 (queued).")
    assert (row["serial"], row["resources"]) == (json.loads(old[ENV_KEY])["serial"], 2)
    assert (again.code, "has a state already, the very same" in again.err) == (9, True)
    assert world.row("run", "show", 2)["changes"] == {"add": 0, "change": 0, "destroy": 0}


def test_a_newer_state_of_the_same_line_is_adopted_and_no_other(
    deployed: World, s3: Bucket, old: dict[str, bytes]
) -> None:
    with s3.client() as client:
        for key, change in (("newer", {"serial": 9}), ("other", {"serial": 9, "lineage": "another"})):
            body = json.dumps({**json.loads(old[ENV_KEY]), **change}).encode()
            client.put_object(Bucket=s3.name, Key=f"{key}.tfstate", Body=body)

    fresh(deployed)
    other = deployed.run("state", "adopt", ENV, "--from", place(s3, "/other.tfstate"), "--yes")
    newer = deployed.row("state", "adopt", ENV, "--from", place(s3, "/newer.tfstate"), "--yes")

    assert (other.code, f"{ENV} has a state already, serial " in other.err) == (9, True)
    assert (newer["serial"], deployed.row("env", "show", "prod")["diverged"]) == (9, "")


def test_a_state_that_somebody_works_with_is_not_adopted(deployed: World, s3: Bucket, old: dict[str, bytes]) -> None:
    with s3.client() as client:
        client.put_object(Bucket=s3.name, Key=f"{ENV_KEY}.tflock", Body=json.dumps(LOCK).encode())
    world = fresh(deployed)

    result = world.run("env", "create", "prod", "-t", "lab", "--adopt-state", place(s3))

    assert (result.code, said(result)[0]) == (
        6,
        f"Error: s3://{s3.name}/{ENV_KEY} is locked by ada@laptop since 2026-05-04T03:02:01Z "
        "(OperationTypeApply, lock 1234).",
    )
