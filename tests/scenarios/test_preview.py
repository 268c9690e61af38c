"""A preview says what a version would do to everything that it is for, and touches nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine import app, settings
from engine.actions import previewing
from engine.core.plans import Shape
from engine.core.versions import parse_ref
from engine.worker import fleet_plans
from tests.scenarios.test_speculative import belongings
from tests.scenarios.world import SERVICE_SCHEMA, World

pytestmark = pytest.mark.terraform

OLD_CODE = """\
resource "terraform_data" "app" {
  input = {
    port  = var.service_instance.inputs.port
    title = var.service_instance.inputs.title
    zone  = var.environment.outputs.zone
  }
  triggers_replace = "old"
}

output "port" {
  value = terraform_data.app.output.port
}

resource "terraform_data" "extra" {
  count = var.service_instance.inputs.title == "old" ? 1 : 0
}
"""
NEW_CODE = """\
resource "terraform_data" "app" {
  input = {
    port  = var.service_instance.inputs.port
    title = var.service_instance.inputs.title == "plain" ? "changed" : var.service_instance.inputs.title
    zone  = var.environment.outputs.zone
  }
  triggers_replace = var.service_instance.inputs.port > 9000 ? "new" : "old"

  lifecycle {
    precondition {
      condition     = var.service_instance.inputs.port != 666
      error_message = "Nobody uses port 666 any more."
    }
  }
}

resource "terraform_data" "extra" {
  count = var.service_instance.inputs.title == "older" ? 1 : 0
}

output "port" {
  value = terraform_data.app.output.port
}
"""
SERVICES = {
    "beast": "port=666",
    "evil": "port=666",
    "high": "port=9001",
    "old": "title=old",
    "plain": "title=plain",
    "same": "title=same",
}
SHAPES = {"no-change": 1, "add": 0, "in-place": 1, "replace": 1, "destroy": 1, "fail": 2}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, deployed_home: Path) -> Path:
    """A home with a draft fleet@1.1 that does something else to each of its services, as their names say."""
    root = tmp_path_factory.mktemp("fleet")
    shutil.copytree(deployed_home, root / "home", symlinks=True)
    world = World(root, root / "home")
    world.publish("fleet", world.service_bundle("fleet", OLD_CODE))
    for name, given in SERVICES.items():
        world.do("service", "create", name, "-t", "fleet", "--env", "prod", "--set", given, "--auto-approve")
    world.do("service", "create", "idle", "-t", "fleet", "--env", "prod", "--no-wait")
    world.do("template", "register", "fleet", world.service_bundle("fleet", NEW_CODE), "--major", 1)
    return root


@pytest.fixture
def fleet(built: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """That home, which all of these tests share: a preview changes nothing."""
    monkeypatch.chdir(built)
    return World(built, built / "home")


def test_a_preview_groups_everything_by_what_the_version_would_do_to_it(fleet: World) -> None:
    found = fleet.row("template", "preview", "fleet@1.1")

    assert (found["schema"], found["template"], found["status"]) == ("landform.preview/1", "fleet@1.1", "draft")
    assert found["shapes"] == SHAPES
    assert {group["shape"]: group["addresses"] for group in found["groups"]} == {
        "fail": ["service/beast/prod", "service/evil/prod"],
        "destroy": ["service/old/prod"],
        "replace": ["service/high/prod"],
        "in-place": ["service/plain/prod"],
        "no-change": ["service/same/prod"],
    }
    assert found["destructive"] == [{"type": "terraform_data", "destroyed": 1, "replaced": 1, "instances": 2}]
    assert found["left_out"] == [{"address": "service/idle/prod", "why": "never deployed"}]
    [failure] = found["failures"]
    assert failure["addresses"] == ["service/beast/prod", "service/evil/prod"]
    assert "Nobody uses port 666 any more." in failure["message"]


def test_a_preview_touches_nothing(fleet: World) -> None:
    before = belongings(fleet)

    fleet.do("template", "preview", "fleet@1.1")

    assert belongings(fleet) == before
    assert list((fleet.home / "tmp").iterdir()) == []


def test_people_read_the_gravest_first(fleet: World) -> None:
    lines = fleet.do("template", "preview", "fleet@1.1", "--select", "service=old|high|same").out.splitlines()

    assert lines[:12] == [
        "fleet@1.1 (draft) for 3 instances: 1 no-change, 1 replace, 1 destroy",
        "",
        "SHAPE       INSTANCES   SUCH AS     PLAN",
        "destroy     1           old/prod    0 to add, 0 to change, 1 to destroy.",
        "replace     1           high/prod   1 to add, 0 to change, 1 to destroy, 1 output changes.",
        "no-change   1           same/prod   No changes.",
        "",
        "destroy, as old/prod:",
        "    -   terraform_data.extra[0] (delete because count index)",
        "",
        "replace, as high/prod:",
        "    -/+ terraform_data.app (cannot update)",
    ]


def test_a_preview_makes_a_comment_for_a_pull_request(fleet: World) -> None:
    comment = fleet.do("template", "preview", "fleet@1.1", "--select", "service=plain", "-o", "markdown").out

    plan = "0 to add, 1 to change, 0 to destroy, 1 output changes."
    assert f"| in-place | 1 | `service/plain/prod` | `{plan}` |" in comment


def test_a_pipeline_is_ended_by_what_it_does_not_want(fleet: World) -> None:
    options = ("--fail-on", "replace,destroy", "-o", "json")

    refused = fleet.run("template", "preview", "fleet@1.1", *options)
    harmless = fleet.run("template", "preview", "fleet@1.1", "--select", "service=plain|same", *options)

    assert (refused.code, refused.json["shapes"]) == (1, SHAPES)
    message = "4 of 6 instances are refused by --fail-on: 2 fail, 1 destroy, 1 replace."
    assert json.loads(refused.err.partition("\n")[2])["error"]["message"] == message
    assert harmless.code == 0


def test_what_a_version_does_not_fit_is_told_without_a_plan(fleet: World) -> None:
    schema = SERVICE_SCHEMA.replace("      type: object\n", "      type: object\n      required: [owner]\n")
    schema = schema.replace("        title:", "        owner:\n          type: string\n        title:")
    fleet.do("template", "register", "fleet", fleet.service_bundle("fleet", NEW_CODE, schema), "--new-major")

    found = fleet.row("template", "preview", "fleet@2.0", "--select", "service=plain|same")
    fleet.do("template", "delete", "fleet@2.0", "--yes")

    [failure] = found["failures"]
    assert failure["addresses"] == ["service/plain/prod", "service/same/prod"]
    assert failure["message"].startswith("The spec does not fit fleet@2.0:\ncurrent inputs: owner: ")
    assert found["slowest"] == []


def test_a_preview_that_is_stopped_says_whom_it_did_not_come_to(fleet: World) -> None:
    opened = app.build(settings.load(home=str(fleet.home)))
    wanted = previewing.fleet(opened.desk, previewing.Wish(parse_ref("fleet@1.1"), ("service=plain|same",)))
    stop = app.stop()

    def watch(_address: str, seen: object) -> None:
        if seen is not None:
            stop.request()

    found = fleet_plans.preview(opened.catalog, opened.phases.ground, wanted, fleet_plans.Crew(1, stop, watch))
    opened.close()

    assert [(each.address, each.shape) for each in found.seen] == [("service/plain/prod", Shape.IN_PLACE)]
    assert found.unfinished == ("service/same/prod",)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("fleet",), 64, "fleet names no version."),
        (("fleet@1.7",), 8, "fleet has no version 1.7."),
        (("fleet@1.1", "--fail-on", "replaced"), 64, "--fail-on takes no 'replaced'. Did you mean \"replace\"?"),
        (("fleet@1.1", "--select", "enviroment=prod"), 1, "The selection cannot be used:"),
        (("fleet@1.1", "--select", "environment=test"), 1, "The selection names what is not there:"),
        (("fleet@1.1", "--select", "kind=pipeline"), 8, "None of the instances that fleet@1.1 is for is selected."),
    ],
)
def test_what_cannot_be_previewed_is_refused(fleet: World, options: tuple[str, ...], code: int, message: str) -> None:
    refused = fleet.run("template", "preview", *options, "-o", "json")

    assert (refused.code, refused.error["message"]) == (code, message)
