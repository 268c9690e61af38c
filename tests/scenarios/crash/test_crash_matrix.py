"""Whoever dies, whenever: the outcome that is told is true, nothing is done twice or lost, and work goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from engine.worker.triggers import Point
from tests.bucket import CREDENTIALS, Bucket, bucket
from tests.scenarios.crash import matrix
from tests.scenarios.crash.matrix import CASES, Case, Scene
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
IN_S3 = tuple(
    case
    for case in CASES
    # where the backend makes a difference; the whole column when a table is wanted
    if matrix.TABLE in os.environ
    or case.point in (Point.PLAN_STARTED, Point.APPLY_STARTED, Point.RESOURCE_DONE, Point.APPLY_ENDED)
)


def name(case: Case) -> str:
    return f"{case.point.value}-{case.victim}"


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    """A bucket for all cases."""
    with bucket() as found:
        yield found


@pytest.mark.parametrize("case", CASES, ids=name)
def test_with_managed_state(deployed: World, case: Case) -> None:
    told_truly_and_recovered(Scene(deployed, "managed"), case)


@pytest.mark.parametrize("case", IN_S3, ids=name)
def test_with_state_in_s3(deployed: World, case: Case, s3: Bucket) -> None:
    credentials = "".join(f'{variable} = "{value}"\n' for variable, value in CREDENTIALS.items())
    prefix = f"{case.point.name.lower()}-{case.victim}"
    address = s3.address.replace("/team", f"/{prefix}")
    deployed.write("landform.toml", f'backend = "{address}"\n[run_env]\n{credentials}')

    def unlock() -> None:
        with s3.client() as client:
            client.delete_object(Bucket=s3.name, Key=f"{prefix}/{matrix.ADDRESS}/terraform.tfstate.tflock")

    told_truly_and_recovered(Scene(deployed, "s3", unlock), case)


def told_truly_and_recovered(scene: Scene, case: Case) -> None:
    """The promise, whatever the case."""
    scene.die(case)

    run = scene.world.row("run", "show", case.run)
    before = scene.effects()
    assert (run["status"], matrix.terraform_is_gone(scene, case)) == (case.status, True)
    assert before.doubled() == []
    assert case.status != "queued" or before.made == ()

    decision = scene.recover(run["status"])
    if case.point is not Point.WORKSPACE_FORGOTTEN:
        scene.world.do("instance", "update", "crash/prod", "--set", "port=81", "--yes")
        assert scene.known() == {thing for thing in scene.effects().there if thing[1] not in scene.tainted}
        scene.world.do("service", "delete", "crash", "--yes")
    after = scene.effects()
    assert (after.doubled(scene.tainted), {key for _, key in after.there} <= scene.tainted) == ([], True)
    assert [row["name"] for row in scene.world.rows("service", "list")] == ["orders"]
    assert scene.processes() == []
    scene.row(case, run["status"], len(before.made), decision, "none", "none")
