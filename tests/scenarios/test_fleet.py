"""A fleet of 60 instances in three environments and three versions, and what a platform team does with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine import app, settings
from engine.actions import services
from engine.actions.changes import Consent
from engine.actions.inputs import Given
from engine.app import App
from engine.core.plans import AutoApprove
from engine.core.versions import parse_ref
from tests.scenarios.world import World

CODE = """\
resource "terraform_data" "app" {{
  input = "${{var.service_instance.inputs.title}}-{word}"
}}

resource "terraform_data" "check" {{
  input = "{word}"

  lifecycle {{
    precondition {{
      condition     = "{word}" != "four" || var.service_instance.inputs.title != "fragile"
      error_message = "It is too fragile for this."
    }}
  }}
}}

output "zone" {{
  description = "Where it is."
  value       = var.environment.outputs.zone
}}
"""
ENVIRONMENTS = {"dev": 1, "stage": 2, "prod": 3}
VERSIONS = ("one", "two", "three")
FRAGILE = ("svc-03", "svc-05", "svc-08", "svc-11")
SERVICES = 20


def build(world: World) -> None:
    """Every service is in all environments, on the version of its third of the fleet."""
    world.publish("lab", world.environment_bundle())
    for name, rank in ENVIRONMENTS.items():
        world.do("env", "create", name, "-t", "lab", "--auto-approve", "--rule", f"rank={rank}")
    for word in VERSIONS:
        world.publish(
            "web", world.service_bundle(code=CODE.format(word=word)), *(("--major", 1) if word != "one" else ())
        )
    opened = app.build(settings.load(home=str(world.home)))
    for number in range(1, SERVICES + 1):
        _create(opened, f"svc-{number:02}", number % len(VERSIONS))
    opened.close()
    world.do("worker", "run", "--once", "--parallel", "2")


def _create(opened: App, name: str, minor: int) -> None:
    title = "fragile" if name in FRAGILE else "sturdy"
    wish = services.NewService(
        name, parse_ref(f"web@1.{minor}"), Given(None, (f"title={title}",)), environments=tuple(ENVIRONMENTS)
    )
    services.create(opened.desk, wish, Consent(AutoApprove.ALL))


def by_status(world: World, campaign: int) -> dict[str, int]:
    counts: dict[str, int] = world.row("campaign", "status", campaign)["statuses"]
    return counts


@pytest.mark.terraform
@pytest.mark.timeout(400)
def test_a_version_is_looked_at_rolled_out_halted_and_taken_back(world: World, tmp_path: Path) -> None:
    build(world)
    draft = world.row("template", "register", "web", world.service_bundle(code=CODE.format(word="four")), "--major", 1)[
        "label"
    ]
    fleet = world.rows("instance", "list", "--limit", 100)
    assert Counter(row["version"] for row in fleet) == {"1.0": 18, "1.1": 21, "1.2": 21}

    # what the draft would do to everything that lives
    preview = world.row("template", "preview", draft)
    shapes = {shape: count for shape, count in preview["shapes"].items() if count}
    assert shapes == {"in-place": 48, "fail": 12}
    assert world.rows("run", "list", "--limit", 200)[0]["id"] == 63

    # the third failure halts it, and the rest is untouched
    world.do("template", "publish", draft)
    options = ("--canary", 2, "--batch", 8, "--concurrency", 2, "--max-failures", 3)
    halted = world.run("campaign", "start", draft, *options, "--auto-approve")
    assert (halted.code, "3 steps failed, and 3 halt it." in halted.err) == (1, True)
    steps = world.row("campaign", "status", 1)["steps"]
    begun = [step for step in steps if step["run_id"]]
    assert {step["environment"] for step in begun} == {"dev"}
    assert len(world.rows("run", "list", "--limit", 200)) == 63 + len(begun)
    assert by_status(world, 1) == {"failed": 3, "pending": 60 - len(begun), "succeeded": len(begun) - 3}

    # what was done is taken back, and nothing else
    world.do("campaign", "rollback", 1, "--auto-approve")
    assert by_status(world, 2) == {"succeeded": len(begun) - 3}
    again = world.rows("instance", "list", "--limit", 100)
    assert [(row["address"], row["version"]) for row in again] == [(row["address"], row["version"]) for row in fleet]

    # a part of it gets the version after all
    world.do("campaign", "start", draft, "--select", "environment=prod,service=svc-2*", "--auto-approve")
    assert by_status(world, 3) == {"succeeded": 1}
