"""Buckets as users have them: made fit for states, with bundles in them, and with states that others work with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from tests.bucket import CREDENTIALS, REGION, Bucket, bucket
from tests.scenarios.world import World

ENV, KEY = "environment/prod", "live/environment/prod/terraform.tfstate"
LOCK = {"ID": "1234", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-05-04T03:02:01Z"}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with bucket() as found:
        yield found


def place(s3: Bucket, prefix: str, *options: str) -> str:
    return "&".join((f"s3://{s3.name}/{prefix}?region={REGION}", f"endpoint={s3.endpoint}", *options))


def test_a_bucket_is_looked_at_then_set_up(world: World, s3: Bucket) -> None:
    command = ("state", "bootstrap", place(s3, "team", "kms=alias/landform"))

    before, done, after = (world.run(*command, *more, "-o", "json") for more in (["--check"], [], ["--check"]))

    found = [{each["item"]: each["standing"] for each in result.json["items"]} for result in (before, done, after)]
    assert (before.code, done.code, after.code) == (1, 0, 0)
    assert [each["versioning"] for each in found] == ["missing", "changed", "right"]
    assert found[2] == dict.fromkeys(["bucket", "versioning", "encryption", "public access", "transport"], "right")


def test_a_bundle_in_a_bucket_comes_to_whoever_lacks_it(world: World, s3: Bucket) -> None:
    world.write("landform.toml", f'bundle_store = "{place(s3, "shelf")}"\n')
    world.publish("lab", world.environment_bundle())
    digest = world.row("template", "show", "lab@1.0")["bundle"]
    key = f"shelf/bundles/{digest}.tar.gz"
    compare = ("template", "diff", "lab@1.0", world.root / "bundles/lab")

    shutil.rmtree(world.home / "bundles")
    found = world.do(*compare)
    shutil.rmtree(world.home / "bundles")
    with s3.client() as client:
        client.put_object(Bucket=s3.name, Key=key, Body=b"changed")
    changed = world.run(*compare)

    assert (key in s3.content(), found.out) == (True, "No difference.\n")
    assert (
        changed.code,
        f"{digest} cannot be used: bundles/{digest} was changed in the store." in changed.err,
    ) == (
        9,
        True,
    )


@pytest.mark.terraform
def test_a_state_stays_where_it_is_while_somebody_works_with_it(world: World, s3: Bucket) -> None:
    lines = "".join(f'{name} = "{value}"\n' for name, value in CREDENTIALS.items())
    world.write("landform.toml", f'backend = "{place(s3, "live")}"\n[run_env]\n{lines}')
    world.publish("lab", world.environment_bundle())
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    before = world.do("state", "pull", ENV).out

    with s3.client() as client:
        client.put_object(Bucket=s3.name, Key=f"{KEY}.tflock", Body=json.dumps(LOCK).encode())
        locked = world.run("state", "migrate", ENV, "--to", "managed", "--yes")
        client.delete_object(Bucket=s3.name, Key=f"{KEY}.tflock")
        world.do("state", "migrate", ENV, "--to", place(s3, "live", "kms=alias/landform"), "--yes")
        moved = client.get_object(Bucket=s3.name, Key=KEY)
        content = moved["Body"].read().decode()

    who = f"s3://{s3.name}/{KEY} is locked by ada@laptop since 2026-05-04T03:02:01Z (OperationTypeApply, lock 1234)."
    assert (locked.code, who in locked.err) == (6, True)
    assert (moved["ServerSideEncryption"], moved["SSEKMSKeyId"], content) == ("aws:kms", "alias/landform", before)
