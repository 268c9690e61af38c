"""What a change of an environment means for all that lives in it: up to date in order, or gone the other way round."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.scenarios.world import MANIFEST, REGISTRATION, SERVICE_CODE, SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

SIZED = 'output "size" {\n  value = var.environment.outputs.size\n}\n'
READER = (
    SERVICE_CODE
    + """
output "bucket" {
  value = can(var.service_instance.components.default) ? var.service_instance.components.default.outputs.bucket : "none"
}
"""
)
BUCKET = """\
output "bucket" {
  value = "${var.environment.outputs.zone}-${var.service_instance.name}-${var.service_instance.inputs.port}"
}
"""
PIPELINE = """\
resource "terraform_data" "stages" {
  input = join(",", var.service_instances[*].outputs.bucket)
}

output "buckets" {
  value = terraform_data.stages.output
}
"""
TAKES_COMPONENTS = "supported_component_sources:\n  - DIRECTLY_DEFINED\n"


@pytest.fixture(scope="module")
def full_home(tmp_path_factory: pytest.TempPathFactory, new_home: Path) -> Path:
    root = tmp_path_factory.mktemp("full")
    shutil.copytree(new_home, root / "home")
    world = World(root, root / "home")
    kind = '  pipeline_input_type: "Pipeline"\n  types:\n    Pipeline: {type: object}\n'
    files = {
        "schema/schema.yaml": SERVICE_SCHEMA.replace("  types:\n", kind),
        "instance_infrastructure/manifest.yaml": MANIFEST,
        "instance_infrastructure/main.tf": READER,
        "pipeline_infrastructure/manifest.yaml": MANIFEST,
        "pipeline_infrastructure/main.tf": PIPELINE,
        ".template-registration.yaml": REGISTRATION.format(environment="lab:1") + TAKES_COMPONENTS,
    }
    world.publish("lab", world.environment_bundle())
    world.publish("pay", world.bundle("pay", files))
    world.publish("sized", world.service_bundle("sized", code=SIZED))
    world.do("env", "create", "prod", "-t", "lab", "--auto-approve")
    world.do("service", "create", "pay", "-t", "pay", "--env", "prod", "--auto-approve")
    world.do("service", "create", "sized", "-t", "sized", "--env", "prod", "--auto-approve")
    world.write("bucket.tf", BUCKET)
    world.do(
        *("component", "create", "cache", "--file", root / "bucket.tf"),
        *("--instance", "pay/prod", "--auto-approve"),
    )
    world.do("instance", "update", "pay/prod", "--kind", "current-version", "--auto-approve")
    world.do("pipeline", "update", "pay", "--kind", "current-version", "--auto-approve")
    return root / "home"


@pytest.fixture
def full(tmp_path: Path, full_home: Path) -> World:
    """Environment prod with pay/prod and its component cache, which read zone, its pipeline, which reads pay/prod, and
    sized/prod, which reads size.
    """
    shutil.copytree(full_home, tmp_path / "home", symlinks=True)
    return World(tmp_path, tmp_path / "home")


def endings(world: World, after: int) -> list[tuple[str, str, str]]:
    """Address, operation and status of the runs after the number, in order of their ending."""
    runs = sorted(world.rows("run", "list"), key=lambda run: (run["ended_at"] or "9", run["id"]))
    return [(run["address"], run["operation"], run["status"]) for run in runs if run["id"] > after]


def last(world: World) -> int:
    found: int = world.rows("run", "list")[0]["id"]
    return found


def stale(world: World) -> dict[str, list[str]]:
    found = world.row("wiring")["wires"]
    return {wire["target"]: wire["stale"] for wire in found if wire["stale"]}


def test_an_environment_brings_up_to_date_whatever_reads_what_has_changed_and_what_reads_that(full: World) -> None:
    before = last(full)
    full.do("env", "update", "prod", "--set", "zone=b", "--auto-approve")
    were_stale = stale(full)

    full.do("env", "update", "prod", "--kind", "current-version", "--propagate", "--auto-approve")

    assert were_stale == {"component/cache": ["zone"], "service/pay/prod": ["zone"]}
    assert endings(full, before)[2:] == [
        ("component/cache", "deploy", "succeeded"),
        ("service/pay/prod", "deploy", "succeeded"),
        ("pipeline/pay", "deploy", "succeeded"),
    ]
    assert stale(full) == {}
    assert full.row("pipeline", "outputs", "pay")["items"][0]["value"] == "b-prod-80"


def test_what_nothing_has_changed_for_by_then_is_skipped_and_the_campaign_is_what_is_printed(full: World) -> None:
    full.write(
        "bucket.tf", BUCKET.replace("var.environment.outputs.zone", "substr(var.environment.outputs.zone, 0, 1)")
    )
    update = ("component", "update", "cache", "--file", full.root / "bucket.tf")
    full.do(*update, "--auto-approve")

    found = full.row("env", "update", "prod", "--set", "zone=ab", "--propagate", "--auto-approve")
    nothing = full.do("env", "update", "prod", "--kind", "current-version", "--propagate", "--auto-approve")

    assert (found["status"], [(step["address"], step["status"], step["message"]) for step in found["steps"]]) == (
        "succeeded",
        [
            ("component/cache", "succeeded", ""),
            ("service/pay/prod", "succeeded", ""),
            ("pipeline/pay", "skipped", "Nothing that it reads has changed."),
        ],
    )
    assert nothing.err.endswith("Nothing that reads its outputs is stale.\n")


def test_a_change_that_waits_for_a_yes_is_propagated_by_whoever_comes_after_it(full: World) -> None:
    wrong = full.run("env", "update", "prod", "--propagate", "--description", "Shop")
    waiting = full.run("env", "update", "prod", "--set", "zone=c", "--propagate")
    before = full.row("campaign", "status", 1)
    full.do("run", "approve", last(full), "--reason", "fine", "--no-wait")
    full.do("run", "apply", last(full))
    later = full.run("campaign", "resume", 1, "--timeout", 60)

    assert (wrong.code, wrong.err) == (
        64,
        "Error: Nothing is deployed, so that nothing can be propagated.\n"
        "Hint: To deploy it again as it is: --kind current-version\n",
    )
    assert (waiting.code, before["status"], before["steps"]) == (3, "running", [])
    assert "Once it has: landform campaign resume 1. Or leave it to a worker.\n" in waiting.err
    # nobody said that plans may approve themselves
    assert (later.code, full.row("campaign", "status", 1)["statuses"]) == (3, {"pending": 2, "running": 1})


def test_a_change_that_fails_is_not_propagated(full: World) -> None:
    full.do("env", "update", "prod", "--set", "zone=c", "--propagate", "--no-wait", "--auto-approve")
    full.do("run", "cancel", last(full))

    found = full.run("campaign", "resume", 1)

    row = full.row("campaign", "status", 1)
    assert (found.code, row["status"]) == (7, "aborted")
    assert row["message"] == f"Run {last(full)} is cancelled: nothing was propagated."


def test_an_environment_goes_with_all_that_lives_in_it_readers_first(full: World) -> None:
    before = last(full)

    asked = full.run("env", "delete", "prod", "--propagate")
    waiting = endings(full, before)
    full.do("env", "delete", "prod", "--propagate", "--yes")

    assert asked.code == 3
    assert [each for each in waiting if each[2] == "planned"] == [("pipeline/pay", "destroy", "planned")]
    gone = [address for address, _, status in endings(full, before) if status == "succeeded"]
    gone.remove("service/sized/prod")
    assert gone == ["pipeline/pay", "service/pay/prod", "component/cache", "environment/prod"]
    assert [full.rows(noun, "list") for noun in ("env", "service", "instance", "component", "pipeline")] == [[]] * 5


def test_an_instance_stays_until_its_component_is_gone_and_the_same_command_goes_on(full: World) -> None:
    full.do("env", "create", "dev", "-t", "lab", "--auto-approve")
    spec = "proton: ServiceSpec\npipeline: {}\ninstances:\n"
    spec += "".join(f"  - {{name: {each}, environment: {each}, spec: {{}}}}\n" for each in ("prod", "dev"))
    full.do("service", "update", "pay", "-f", "-", "--auto-approve", stdin=spec)
    before = last(full)
    full.do("env", "delete", "prod", "--propagate", "--no-wait")
    [pay] = [run["id"] for run in full.rows("run", "list", "service/pay/prod", "--limit", 1)]
    [cache] = [run["id"] for run in full.rows("run", "list", "component/cache", "--limit", 1)]

    full.do("run", "apply", pay, "--yes")
    between = full.row("instance", "show", "pay/prod")
    full.do("run", "discard", cache)
    full.do("env", "delete", "prod", "--propagate", "--yes")

    assert (between["hibernated_at"] is None, between["component"]) == (False, "component/cache")
    gone = [address for address, operation, status in endings(full, before) if (operation, status) == _DONE]
    assert sorted(gone) == ["component/cache", "environment/prod", "service/pay/prod", "service/sized/prod"]
    assert [row["address"] for row in full.rows("instance", "list")] == ["service/pay/dev"]
    assert full.row("pipeline", "outputs", "pay")["items"][0]["value"] == "none"


_DONE = ("destroy", "succeeded")
