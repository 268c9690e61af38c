"""What is found out about an interrupted run when something is in the way: it is said, and the rest is shown."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.worker.triggers import Point
from tests.bucket import CREDENTIALS, Bucket, bucket
from tests.scenarios import slow, workers
from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform
SECRET = "hunter2-and-more"
SECRETIVE = f"""{ENVIRONMENT_CODE}
output "token" {{
  value     = "{SECRET}"
  sensitive = true
}}
"""
READER = slow.CODE.replace(
    "var.environment.outputs.zone", "[var.environment.outputs.zone, var.environment.outputs.token]"
)
LOCKER = """
import fcntl, sys
with open(sys.argv[1], "r+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def locked(world: World) -> Iterator[None]:
    """The state of slow/prod, while another Terraform works with it."""
    workspace = world.home / slow.WORKSPACE
    info = {"ID": "its-id", "Operation": "apply", "Who": "kim@c1", "Created": "2026-11-23T12:00:00Z"}
    (workspace / ".terraform.tfstate.lock.info").write_text(json.dumps(info))
    argv = [sys.executable, "-c", LOCKER, str(world.lay_open(slow.ADDRESS))]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        yield


def test_a_lock_that_is_not_the_runs_own_is_left_alone_and_nothing_is_planned(lost: World) -> None:
    with locked(lost):
        found = lost.row("run", "recover", 3)

    assert (found["plan"], found["states"]["lock"]) == (
        None,
        "The state is locked by its-id, which kim@c1 holds since 2026-11-23T12:00:00Z. "
        "The run did not take down that lock as its own: it is left alone.",
    )


@pytest.fixture
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


def test_in_s3_the_runs_own_lock_is_broken_and_what_no_state_knows_of_is_named(deployed: World, s3: Bucket) -> None:
    credentials = "".join(f'{name} = "{value}"\n' for name, value in CREDENTIALS.items())
    deployed.write("landform.toml", f'backend = "{s3.address}"\n[run_env]\n{credentials}')
    slow.publish(deployed)
    with slow.applying(deployed) as landform:
        # that of the plan was written down before
        noted = deployed.home / slow.ADDRESS / "runs/3/state-lock.json"
        workers.until(lambda: noted.exists() and "Apply" in noted.read_text())
        slow.crash(deployed, landform)
    lock = "team/service/slow/prod/terraform.tfstate.tflock"
    held = lock in s3.content()

    found = deployed.row("run", "recover", 3)

    assert (held, lock in s3.content()) == (True, False)
    assert found["states"]["lock"].endswith(", which the run had taken, was left behind and is broken.")
    # measured: for 20 seconds nothing is written there
    assert found["missing"] == ["terraform_data.first", "terraform_data.slow"]
    assert found["plan"]["counts"] == {"add": 2, "change": 0, "destroy": 0}


def test_a_state_that_terraform_could_not_write_to_its_place_is_told(lost: World) -> None:
    (lost.home / slow.WORKSPACE / "errored.tfstate").write_text("{}")

    found = lost.row("run", "recover", 3)

    [note] = found["notes"]
    assert "errored.tfstate holds the state that Terraform could not write to its place" in note
    assert found["plan"] is None


def test_a_state_that_was_lost_is_put_back(lost: World) -> None:
    lost.do("run", "recover", 3)
    before = lost.state_bytes(slow.ADDRESS)
    lost.lay_open(slow.ADDRESS).unlink()

    found = lost.row("run", "recover", 3)

    [note] = found["notes"]
    assert note.endswith("terraform.tfstate was lost or older: the newest one that was kept has been put back.")
    assert lost.state_bytes(slow.ADDRESS) == before


def test_where_terraform_cannot_plan_the_rest_is_shown(lost: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFORM_TERRAFORM", "/no/such/program")

    found = lost.row("run", "recover", 3)

    [note] = found["notes"]
    assert note.startswith("Terraform cannot tell what it would do now: ")
    assert found["steps"]["finished"] == [{"address": "terraform_data.first", "action": "create"}]


def test_two_do_not_look_at_a_run_at_once(lost: World) -> None:
    number = os.open(lost.home / slow.ADDRESS / "runs/3", os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)

    result = lost.run("run", "recover", 3)

    os.close(number)
    assert (result.code, result.err.splitlines()[-2]) == (6, "Error: Somebody is looking at run 3 just now.")


def test_an_instance_that_was_destroyed_is_gone_when_somebody_says_so(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes", "--no-wait")
    slow.die_at(deployed, Point.APPLY_ENDED)

    deployed.do("run", "recover", 3, "--mark", "succeeded", "--reason", "looked at it")

    assert (deployed.row("run", "show", 3)["status"], deployed.rows("service", "list")) == ("succeeded", [])
    assert not (deployed.home / "service/orders/prod/workspace").exists()


def test_no_secret_gets_into_the_log_with_the_last_words(deployed: World) -> None:
    deployed.publish("lab", deployed.environment_bundle(code=SECRETIVE), "--major", 1)
    deployed.do("env", "update", "prod", "--auto-approve")
    slow.publish(deployed, READER)
    deployed.run(*slow.CREATE, "--auto-approve", "--no-wait")
    slow.die_at(deployed, Point.APPLY_STARTED, run_id=4)
    folder = deployed.home / slow.ADDRESS / "runs/4"
    said = {"@level": "info", "@message": f"a.b: {SECRET}", "type": "provision_progress"}
    with (folder / "orphan.jsonl").open("a") as words:
        words.write(json.dumps(said) + "\n")

    deployed.do("run", "recover", 4)

    assert "a.b: (sensitive)\n" in (folder / "log").read_text()
    assert [path.name for path in folder.iterdir() if SECRET.encode() in path.read_bytes()] == []
