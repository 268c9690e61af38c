"""States are kept after every apply, however it ends; people look at them, go back to one, and move them elsewhere."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from engine import app
from engine.settings import load
from engine.worker.following import watch_nothing
from tests.bucket import CREDENTIALS, Bucket, bucket
from tests.scenarios import workers
from tests.scenarios.world import ENVIRONMENT_CODE, World

pytestmark = pytest.mark.terraform

WEB = "service/orders/prod"
SECRETIVE = ENVIRONMENT_CODE + 'output "token" {\n  value     = "hunter2"\n  sensitive = true\n}\n'
SLOW = """\
resource "terraform_data" "first" {}

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]

  provisioner "local-exec" {
    command = "touch started; exec sleep 120"
  }
}
"""
HALF = """\
resource "terraform_data" "first" {}

resource "terraform_data" "failing" {
  depends_on = [terraform_data.first]

  provisioner "local-exec" {
    command = "exit 1"
  }
}
"""
MANY = 'resource "terraform_data" "many" {\n  count = 3000\n  input = count.index\n}\n'
"""It takes a second to plan."""
UPDATE = ("instance", "update", "orders/prod", "--auto-approve", "--set")


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


def settings(world: World, **lines: str) -> None:
    """Writes landform.toml, with the credentials for S3."""
    text = "".join(f'{name} = "{value}"\n' for name, value in lines.items())
    world.write("landform.toml", text + "[run_env]\n" + "".join(f'{n} = "{v}"\n' for n, v in CREDENTIALS.items()))


def state_file(world: World, address: str = WEB) -> Path:
    return world.home / address / "workspace" / "terraform.tfstate"


def kept(world: World, address: str = WEB) -> list[tuple[int, int, int, str]]:
    """Serial, run, resources and note of the states that were kept, newest first."""
    rows = world.rows("state", "list", address)
    return [(row["serial"], row["run_id"], row["resources"], row["note"]) for row in rows]


def test_every_apply_leaves_its_state(deployed: World) -> None:
    deployed.do(*UPDATE, "port=81")

    assert kept(deployed) == [(4, 3, 1, ""), (2, 2, 1, "")]
    assert [row["address"] for row in deployed.rows("state", "list")] == ["environment/prod", WEB]


def test_a_plan_leaves_none(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    assert kept(deployed) == [(2, 2, 1, "")]


def test_a_failed_apply_leaves_what_it_had_done(deployed: World) -> None:
    deployed.publish("half", deployed.service_bundle("half", code=HALF))

    deployed.run("service", "create", "shop", "-t", "half", "--env", "prod", "--yes")

    # on a busy machine a look in between may have kept one before it
    (_, run, resources, _), *_ = kept(deployed, "service/shop/prod")
    assert (deployed.row("run", "show", 3)["status"], run, resources) == ("failed", 3, 2)


def test_the_states_of_an_instance_outlive_it(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")

    assert [row[1:3] for row in kept(deployed)] == [(3, 0), (2, 1)]


def test_a_state_is_kept_while_terraform_still_works(deployed: World) -> None:
    deployed.publish("slow", deployed.service_bundle("slow", code=SLOW))
    create = ("service", "create", "slow", "-t", "slow", "--env", "prod", "--auto-approve")

    with workers.start(deployed, *create) as landform:
        workers.until((deployed.home / "service/slow/prod/workspace/started").exists)
        workers.until(lambda: kept(deployed, "service/slow/prod") != [])
        during = deployed.row("run", "show", 3)["status"]
        landform.send_signal(signal.SIGINT)
        landform.communicate()

    assert during == "applying"
    assert deployed.row("run", "show", 3)["status"] == "cancelled"
    # the first look saw one resource; the last one, after the end, also the one that was begun
    assert [row[2] for row in kept(deployed, "service/slow/prod")] == [2, 1]


def test_a_killed_worker_leaves_what_was_kept_until_then(deployed: World) -> None:
    deployed.publish("slow", deployed.service_bundle("slow", code=SLOW))
    create = ("service", "create", "slow", "-t", "slow", "--env", "prod", "--auto-approve")

    with workers.start(deployed, *create) as landform:
        workers.until(lambda: kept_quietly(deployed) != [])
        os.killpg(workers.terraform_of(deployed, "service/slow/prod", 3), signal.SIGKILL)
        landform.kill()

    assert [row[2] for row in kept_quietly(deployed)][-1] == 1


def kept_quietly(world: World) -> list[tuple[int, int, int, str]]:
    found = world.run("state", "list", "service/slow/prod", "-o", "json")
    items = json.loads(found.out)["items"] if found.code == 0 else []
    return [(row["serial"], row["run_id"], row["resources"], row["note"]) for row in items]


def test_the_run_writes_down_the_lock_that_it_took(deployed: World) -> None:
    deployed.publish("slow", deployed.service_bundle("slow", code=SLOW))
    create = ("service", "create", "slow", "-t", "slow", "--env", "prod", "--auto-approve")
    folder = deployed.home / "service/slow/prod"

    with workers.start(deployed, *create) as landform:
        workers.until((folder / "runs/3/state-lock.json").exists)
        held = json.loads((folder / "workspace/.terraform.tfstate.lock.info").read_text())
        landform.send_signal(signal.SIGINT)
        landform.communicate()

    assert json.loads((folder / "runs/3/state-lock.json").read_text())["id"] == held["ID"]


def test_a_state_is_shown_without_secrets(world: World) -> None:
    world.publish("lab", world.environment_bundle(code=SECRETIVE))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")

    shown = world.row("state", "show", "environment/prod")

    assert [each["address"] for each in shown["known"]] == ["terraform_data.net", "terraform_data.size"]
    assert shown["outputs"] == {"size": 1, "token": "(sensitive)", "zone": "a"}
    assert "hunter2" not in world.do("state", "show", "environment/prod").out


def test_a_state_is_pulled_as_terraform_wrote_it(deployed: World) -> None:
    (deployed.root / "orders.tfstate").touch(0o644)

    deployed.do("state", "pull", WEB, "--out", "orders.tfstate")

    file = deployed.root / "orders.tfstate"
    assert file.read_bytes() == deployed.state_bytes(WEB)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert deployed.do("state", "pull", WEB, "--state", 2).out == file.read_text()


def test_what_differs_between_two_states_is_named_without_values(deployed: World) -> None:
    deployed.do(*UPDATE, "title=confidential")

    found = deployed.row("state", "diff", WEB, 2, 3)

    changed = [{"address": "terraform_data.app", "attributes": ["input", "output"]}]
    assert (found["added"], found["removed"], found["changed"]) == ([], [], changed)
    assert deployed.do("state", "diff", WEB, 2, 3).out == "  ~ terraform_data.app (input, output)\n"
    assert deployed.do("state", "diff", WEB, 2, 2).out == "No difference.\n"


def test_terraform_goes_on_from_the_state_that_was_rolled_back_to(deployed: World) -> None:
    deployed.do(*UPDATE, "port=81")

    deployed.do("state", "rollback", WEB, 2, "--yes")

    assert kept(deployed)[0][::3] == (5, f"rolled back to 2 by {deployed.row('run', 'show', 2)['requested_by']}")
    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")
    assert deployed.row("run", "show", 4)["changes"] == {"add": 0, "change": 1, "destroy": 0}


def by_hand(world: World) -> None:
    """Writes the state as the next one, as `terraform state` and `terraform import` do."""
    state = world.state(WEB)
    state_file(world).write_text(json.dumps({**state, "serial": state["serial"] + 1}))


def test_what_somebody_writes_after_a_rollback_is_gone_on_with(deployed: World) -> None:
    deployed.do(*UPDATE, "port=81")
    deployed.do("state", "rollback", WEB, 2, "--yes")
    by_hand(deployed)

    deployed.run("instance", "update", "orders/prod", "--set", "port=82")

    assert kept(deployed)[0][::3] == (6, "found before a plan")
    assert deployed.state(WEB)["serial"] == 6


def test_what_somebody_writes_between_two_plans_is_gone_on_with(deployed: World) -> None:
    by_hand(deployed)
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    by_hand(deployed)

    deployed.run("instance", "update", "orders/prod", "--set", "port=82")

    assert [row[::3] for row in kept(deployed)][:2] == [(4, "found before a plan"), (3, "found before a plan")]
    assert deployed.state(WEB)["serial"] == 4


def test_a_rollback_asks_first(deployed: World) -> None:
    result = deployed.run("state", "rollback", WEB, 2)

    assert (result.code, len(kept(deployed))) == (64, 1)


def test_a_rollback_keeps_what_was_there(deployed: World) -> None:
    newer = deployed.state(WEB)
    state_file(deployed).write_text(json.dumps({**newer, "serial": 7}))

    deployed.do("state", "rollback", WEB, 2, "--yes")

    assert [row[::3] for row in kept(deployed)][1:] == [(7, "before a rollback"), (2, "")]
    assert deployed.state(WEB)["serial"] == 8


def test_a_rollback_takes_the_place_of_a_damaged_state_which_is_put_aside(deployed: World) -> None:
    half = deployed.state_bytes(WEB)[:300]
    state_file(deployed).write_bytes(half)
    refused = deployed.run(*UPDATE, "port=81")

    deployed.do("state", "rollback", WEB, 2, "--yes")

    [aside] = (deployed.home / WEB).glob("state-damaged-*.tfstate")
    assert (refused.code, deployed.opened(WEB, aside.name), kept(deployed)[0][0]) == (1, half, 3)
    deployed.do(*UPDATE, "port=81")


@pytest.mark.parametrize("command", [("rollback", WEB, 2, "--yes"), ("migrate", WEB, "--to", "s3://x-y", "--yes")])
def test_a_state_is_left_alone_while_a_plan_waits(deployed: World, command: tuple[object, ...]) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")

    result = deployed.run("state", *command)

    assert (result.code, result.err.splitlines()[0]) == (6, f"Error: {WEB} is held by run 3 (planned).")
    deployed.do("run", "approve", 3, "--yes")


def test_a_state_of_another_instance_cannot_be_gone_back_to(deployed: World) -> None:
    assert deployed.run("state", "rollback", WEB, 1, "--yes").code == 8


def test_a_state_that_cannot_be_kept_freezes_its_instance(deployed: World) -> None:
    (deployed.home / "states").rename(deployed.home / "states.away")
    (deployed.home / "states").write_text("")

    deployed.do(*UPDATE, "port=81")

    refused = deployed.run(*UPDATE, "port=82")
    run = deployed.row("run", "show", 3)
    assert (run["status"], run["outputs"]["port"]["value"]) == ("succeeded", 81)
    reason = f"A state cannot be kept in {deployed.home}/states: File exists."
    assert (refused.code, refused.err) == (
        9,
        f"Error: {WEB} is frozen. Its state could not be kept after run 3: {reason}\n"
        f"Hint: Keep its state: landform state harvest {WEB}\n",
    )


def test_a_frozen_instance_goes_on_when_its_state_has_been_kept(deployed: World) -> None:
    (deployed.home / "states").rename(deployed.home / "states.away")
    (deployed.home / "states").write_text("")
    deployed.do(*UPDATE, "port=81")
    still = deployed.run("state", "harvest", WEB)
    (deployed.home / "states").unlink()
    (deployed.home / "states.away").rename(deployed.home / "states")

    deployed.do("state", "harvest", WEB)

    assert still.code == 1
    assert kept(deployed)[0] == (4, 3, 1, "")
    deployed.do(*UPDATE, "port=82")


def test_what_was_kept_already_does_not_unfreeze_an_instance(deployed: World) -> None:
    before = deployed.state_bytes(WEB)
    (deployed.home / "states").rename(deployed.home / "states.away")
    (deployed.home / "states").write_text("")
    deployed.do(*UPDATE, "port=81")
    (deployed.home / "states").unlink()
    (deployed.home / "states.away").rename(deployed.home / "states")
    state_file(deployed).write_bytes(before)

    result = deployed.run("state", "harvest", WEB)

    assert (result.code, deployed.run(*UPDATE, "port=82").code) == (9, 9)
    deployed.do("state", "harvest", WEB, "--yes")
    deployed.do(*UPDATE, "port=82")


def test_a_state_that_does_not_follow_what_was_kept_stops_every_run(deployed: World) -> None:
    other = deployed.state_bytes(WEB).decode().replace('"lineage": "', '"lineage": "f')
    state_file(deployed).write_text(other)

    result = deployed.run(*UPDATE, "port=81")

    message = deployed.row("run", "show", 3)["message"]
    assert (result.code, "which does not follow the newest one that was kept, serial 2 of lineage" in message) == (
        1,
        True,
    )
    assert deployed.run("state", "harvest", WEB).code == 9
    deployed.do("state", "harvest", WEB, "--yes")
    deployed.do(*UPDATE, "port=81")


def test_an_older_state_that_was_kept_gives_way_to_the_newest(deployed: World) -> None:
    older = deployed.state_bytes(WEB)
    deployed.do(*UPDATE, "port=81")
    newest = deployed.state_bytes(WEB)
    state_file(deployed).write_bytes(older)

    deployed.run("instance", "update", "orders/prod", "--set", "port=82")

    assert deployed.state_bytes(WEB) == newest


def test_a_lost_workspace_is_made_anew_to_apply_a_plan(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    lock = state_file(deployed).with_name(".terraform.lock.hcl")
    deployed.lay_open(WEB).unlink()

    deployed.do("run", "approve", 3, "--yes")

    assert not lock.exists()
    assert deployed.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 81


def test_everything_works_with_states_in_s3(world: World, s3: Bucket) -> None:
    settings(world, backend=s3.address)

    world.deployed()
    world.do(*UPDATE, "port=81")

    key = f"team/{WEB}/terraform.tfstate"
    assert [row[1:3] for row in kept(world)] == [(3, 1), (2, 1)]
    assert key in s3.content()
    assert f"{key}.tflock" not in s3.content()
    assert not state_file(world).exists()
    world.do("service", "delete", "orders", "--yes")
    assert world.rows("service", "list") == []


def test_terraform_sets_up_a_backend_in_s3_once(world: World, s3: Bucket) -> None:
    settings(world, backend=s3.address)
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "once", "-t", "lab", "--auto-approve")
    noted = world.home / "environment/once/workspace/.terraform/landform.json"
    before = noted.stat().st_mtime_ns

    world.do("env", "update", "once", "--set", "size=2", "--auto-approve")
    after = noted.stat().st_mtime_ns
    (noted.parent / "terraform.tfstate").write_text("{}")
    world.do("env", "update", "once", "--set", "size=3", "--auto-approve")

    assert after == before
    assert noted.stat().st_mtime_ns != before


def test_a_plan_that_is_killed_leaves_no_lock_in_s3(world: World, s3: Bucket) -> None:
    settings(world, backend=s3.address)
    world.publish("lab", world.environment_bundle(code=MANY))
    world.do("env", "create", "killed", "-t", "lab", "--no-wait")
    opened, stop = app.build(load(home=str(world.home))), app.stop()
    planning = Thread(target=opened.executor.execute, args=(1, stop, watch_nothing))
    lock = "team/environment/killed/terraform.tfstate.tflock"

    planning.start()
    workers.until(lambda: lock in s3.content())
    stop.force()
    planning.join()
    opened.close()

    assert (world.row("run", "show", 1)["status"], lock in s3.content()) == ("cancelled", False)


def test_a_state_in_s3_that_is_somebody_elses_is_left_alone(world: World, s3: Bucket) -> None:
    settings(world, backend=s3.address)
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "taken", "-t", "lab", "--auto-approve")
    other = World(world.root, world.home.with_name("other"))
    other.publish("lab", other.environment_bundle())

    result = other.run("env", "create", "taken", "-t", "lab", "--auto-approve")

    assert result.code == 1
    assert "which does not follow any that was kept: nothing is planned" in other.row("run", "show", 1)["message"]


def test_a_state_moves_to_s3_and_back_as_a_whole(deployed: World, s3: Bucket) -> None:
    settings(deployed)
    before = deployed.state_bytes(WEB)

    there = deployed.row("state", "migrate", WEB, "--to", s3.address, "--yes")
    is_local = state_file(deployed).exists()
    deployed.do(*UPDATE, "port=81")
    deployed.do("state", "migrate", WEB, "--to", "managed", "--yes")
    deployed.do(*UPDATE, "port=82")

    assert (is_local, there["serial"], there["note"].startswith("migrated to s3://")) == (False, 2, True)
    assert deployed.opened(WEB, "state-before-migration-2.tfstate") == before
    assert [row[1] for row in kept(deployed)] == [4, 3, 2]
    assert deployed.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 82


def test_a_state_does_not_move_to_where_it_is_or_where_another_lies(deployed: World, s3: Bucket) -> None:
    settings(deployed)
    with s3.client() as client:
        body = deployed.state_bytes(WEB).decode().replace('"serial": 2', '"serial": 1')
        client.put_object(Bucket=s3.name, Key=f"taken/{WEB}/terraform.tfstate", Body=body.encode())

    same = deployed.run("state", "migrate", WEB, "--to", "managed", "--yes")
    taken = deployed.run("state", "migrate", WEB, "--to", s3.address.replace("/team", "/taken"), "--yes")

    assert (same.code, same.err.splitlines()[0]) == (
        9,
        f"Error: The state of {WEB} is there already: {state_file(deployed)}.",
    )
    assert (taken.code, "holds a state already" in taken.err) == (9, True)
    deployed.do(*UPDATE, "port=81")


def test_a_migration_that_was_killed_can_be_made_again(deployed: World, s3: Bucket) -> None:
    settings(deployed)
    to = s3.address.replace("/team", "/again")
    with s3.client() as client:
        body = deployed.state_bytes(WEB)
        client.put_object(Bucket=s3.name, Key=f"again/{WEB}/terraform.tfstate", Body=body)

    deployed.do("state", "migrate", WEB, "--to", to, "--yes")

    deployed.do(*UPDATE, "port=81")
    assert [row[0] for row in kept(deployed)] == [3, 2]


def test_a_backend_that_is_none_is_refused(deployed: World) -> None:
    assert deployed.run("state", "migrate", WEB, "--to", "gcs://x", "--yes").code == 64


def test_states_can_be_kept_in_s3(deployed: World, s3: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    settings(deployed, state_store=s3.address.replace("/team", "/kept"))

    deployed.do(*UPDATE, "port=81")

    digest = deployed.rows("state", "list", WEB)[0]["digest"]
    assert f"kept/{digest}" in s3.content()
    assert deployed.do("state", "pull", WEB).out == deployed.state_bytes(WEB).decode()
