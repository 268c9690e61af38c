"""Nothing that a home keeps shows a value that Terraform was given, and its keys can be renewed at any time."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engine.worker.triggers import Point
from tests.scenarios import slow, workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
SECRET = "s3cr3t-of-an-attribute"
PLAN = "service/orders/prod/runs/3/plan.tfplan"
CODE = f"""\
resource "terraform_data" "app" {{
  input = [var.service_instance.inputs.port, sha1("x"), "${{"{SECRET[:10]}"}}{SECRET[10:]}"]
}}

resource "terraform_data" "late" {{
  input            = terraform_data.app.output
  triggers_replace = var.service_instance.inputs.port

  provisioner "local-exec" {{
    command = "[ ${{var.service_instance.inputs.port}} != 13 ]"
  }}
}}
"""


def leaks(world: World) -> list[str]:
    """Files of the home with the value in them. The code of the bundle makes it up of two halves."""
    files = (path for path in world.home.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(str(path.relative_to(world.home)) for path in files if SECRET.encode() in path.read_bytes())


@pytest.fixture
def secretive(deployed: World) -> World:
    deployed.publish("secretive", deployed.service_bundle("secretive", code=CODE))
    deployed.do("service", "create", "shop", "-t", "secretive", "--env", "prod", "--auto-approve")
    return deployed


def test_a_value_of_an_attribute_is_in_no_file_after_a_success_a_wait_and_a_failure(secretive: World) -> None:
    after_success = leaks(secretive)
    known = SECRET in str(secretive.state("service/shop/prod"))
    secretive.run("instance", "update", "shop/prod", "--set", "port=13")
    waiting = leaks(secretive)
    failed = secretive.run("run", "approve", 4, "--yes")

    assert (known, failed.code) == (True, 1)
    assert (after_success, waiting, leaks(secretive)) == ([], [], [])
    secretive.do("instance", "update", "shop/prod", "--set", "port=81", "--auto-approve", "--allow-destroy")


@pytest.mark.parametrize("point", [Point.PLAN_STARTED, Point.RESOURCE_DONE])
def test_a_value_of_an_attribute_is_in_no_file_after_a_kill(secretive: World, point: Point) -> None:
    update = ("instance", "update", "shop/prod", "--set", "port=82", "--auto-approve", "--allow-destroy")
    secretive.do(*update, "--no-wait")
    slow.die_at(secretive, point, 4)
    workers.until(lambda: secretive.do("keys", "list").code == 0 and leaks(secretive) == [])

    if secretive.row("run", "show", 4)["status"] == "interrupted":
        secretive.do("run", "recover", 4, "--retry", "--yes", "--allow-destroy")
    else:
        secretive.do("run", "apply", 4)

    assert leaks(secretive) == []
    assert secretive.state("service/shop/prod")["resources"][0]["instances"][0]["attributes"]["input"]["value"][0] == 82


def keys(world: World) -> dict[str, tuple[int, int, int]]:
    """Key -> how many states, plans and workspaces it has encrypted."""
    return {row["id"]: (row["states"], row["plans"], row["workspaces"]) for row in world.rows("keys", "list")}


def test_all_is_encrypted_anew_with_a_new_key_and_a_plan_that_waits_is_applied(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    before = keys(deployed)

    made = deployed.row("keys", "rotate")
    deployed.do("run", "approve", 3, "--yes")

    assert (before, made["renewed"], made["left"]) == ({"home": (2, 3, 2)}, 7, [])
    assert keys(deployed) == {"home": (0, 0, 0), made["id"]: (3, 3, 2)}


def test_a_rotation_that_was_broken_off_is_gone_on_with(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    plan = deployed.home / PLAN
    whole = plan.read_bytes()
    plan.write_bytes(whole[:-1] + b"x")
    made = deployed.row("keys", "rotate")
    plan.write_bytes(whole)

    resumed = deployed.row("keys", "rotate", "--resume")

    assert (made["renewed"], made["left"][0].startswith(f"{plan}: runs/3/plan cannot be read")) == (6, True)
    assert (resumed["id"], resumed["renewed"], resumed["left"]) == (made["id"], 1, [])


def test_a_home_of_a_former_version_is_encrypted_by_a_rotation(deployed: World) -> None:
    deployed.lay_open("service/orders/prod")

    deployed.do("keys", "rotate")

    assert sorted(path.name for path in deployed.home.glob("service/orders/prod/workspace/terraform.tfstate*")) == [
        "terraform.tfstate.sealed"
    ]


def test_people_can_look_into_what_is_encrypted_and_work_by_hand(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    busy = deployed.run("state", "open", "orders/prod")
    deployed.do("keys", "open", PLAN, "--out", "plan.zip")
    deployed.do("run", "discard", 3)
    folder = deployed.home / "service/orders/prod/workspace"

    opened = deployed.row("state", "open", "orders/prod")

    assert (busy.code, (deployed.root / "plan.zip").read_bytes()[:2], opened["folder"]) == (6, b"PK", str(folder))
    assert (folder / "terraform.tfstate").read_bytes() == deployed.state_bytes("service/orders/prod")
    deployed.do("instance", "update", "orders/prod", "--set", "port=82", "--auto-approve")
    assert not (folder / "terraform.tfstate").exists()


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The endpoint of KMS, as moto plays it, with a key `alias/landform`."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "t")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "t")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("kms", endpoint_url=endpoint, region_name="eu-west-1")
    try:
        key = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName=f"alias/{key}", TargetKeyId=key)
        yield f"alias/{key}?region=eu-west-1&endpoint={endpoint}"
    finally:
        client.close()
        server.stop()


def test_a_home_goes_over_to_a_key_of_kms(deployed: World, kms: str) -> None:
    deployed.write("landform.toml", f'kms_key = "{kms}"\n')

    made = deployed.row("keys", "rotate")
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    rows = deployed.rows("keys", "list")
    assert [(row["id"], row["master"].split(":")[2], row["in_use"]) for row in rows[-1:]] == [(made["id"], "kms", True)]
    assert keys(deployed)["home"] == (0, 0, 0)


def test_nothing_is_applied_whose_state_could_not_be_encrypted(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "t")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "t")
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.write("landform.toml", 'kms_key = "alias/x?region=eu-west-1&endpoint=http://127.0.0.1:9"\n')

    result = deployed.run("run", "approve", "3", "--yes")

    assert (result.code, "The KMS key alias/x cannot make a data key" in result.err) == (1, True)
    assert deployed.state("service/orders/prod")["outputs"]["port"]["value"] == 80
    assert deployed.row("instance", "show", "orders/prod")["diverged"] == ""
