"""What a minor version may not take away from those who are there already, and how it is taken away all the same."""

from __future__ import annotations

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

NO_ZONE = ENVIRONMENT_CODE.replace('output "zone"', 'output "area"')
RENAMED = SERVICE_CODE.replace('"app"', '"web"').replace("data.app", "data.web")
MOVED = RENAMED + "moved {\n  from = terraform_data.app\n  to   = terraform_data.web\n}\n"


def register(world: World, code: str, *options: object) -> tuple[int, list[str]]:
    """Exit code and the lines on stderr of the registration of a minor version of lab."""
    result = world.run("template", "register", "lab", world.environment_bundle(code=code), "--major", 1, *options)
    return result.code, result.err.splitlines()


def test_an_output_that_is_read_is_taken_away_only_by_force(deployed: World) -> None:
    refused = register(deployed, NO_ZONE)
    forced = register(deployed, NO_ZONE, "--force", "--reason", "zones are gone")
    again = register(deployed, NO_ZONE)

    place, user = "infrastructure/main.tf:9", deployed.row("run", "show", 1)["requested_by"]
    assert refused == (
        1,
        [
            "Error: This bundle cannot be a minor version of lab@1: one change breaks what earlier ones promise.",
            f"  {place}: Compared with 1.0: Output zone was removed. It is read by service/orders/prod. "
            "(The line is that of 1.0.)",
            f"  warning: {place}: Compared with 1.0: Output area is new.",
            "Hint: Register it with --new-major, or mend what breaks. To accept it all the same: --force",
        ],
    )
    assert forced[0] == 0
    assert forced[1][-5:] == [
        "Verdict: major (compared with 1.0)",
        f"  accepted by {user}: zones are gone",
        f"  major  Output zone was removed. It is read by service/orders/prod. [{place} of 1.0]",
        f"  minor  Output area is new. [{place}]",
        "Next: landform template publish lab@1.1",
    ]
    assert again[0] == 0
    shown = deployed.row("template", "show", "lab@1.1")["verdict"]
    assert (shown["level"], shown["forced_by"], shown["reason"]) == ("major", user, "zones are gone")
    assert deployed.row("template", "show", "lab@1.2")["verdict"]["forced_by"] == ""
    assert "\nVerdict: major (compared with 1.0)\n" in deployed.do("template", "show", "lab@1.1").out


def test_a_difference_says_what_registration_says(world: World) -> None:
    world.publish("web", world.service_bundle())
    renamed = world.service_bundle(code=RENAMED)

    found = world.row("template", "diff", "web@1.0", renamed)["verdict"]
    refused = world.run("template", "register", "web", renamed, "--major", 1, "-o", "json").error

    assert [one["sentence"] for one in found["findings"] if one["level"] == "major"] == [
        "Resource terraform_data.app is gone without a moved or removed block: an upgrade destroys it."
    ]
    assert [(one["rule"], one["file"], one["line"]) for one in refused["problems"]] == [
        (one["rule"], one["file"], one["line"]) for one in found["findings"]
    ]


def test_a_resource_that_is_moved_lets_a_minor_version_be_a_patch(world: World) -> None:
    world.publish("web", world.service_bundle())

    world.publish("web", world.service_bundle(code=MOVED), "--major", 1)

    assert world.row("template", "show", "web@1.1")["verdict"] == {
        "level": "patch",
        "versions": ["1.0"],
        "forced_by": "",
        "reason": "",
        "findings": [],
    }
    assert world.row("template", "show", "web@1.0")["verdict"] is None


def test_a_reason_without_force_is_a_mistake(world: World) -> None:
    result = world.run("template", "register", "web", world.service_bundle(), "--reason", "because")

    assert (result.code, result.err) == (
        64,
        "Error: --reason says why something is forced.\nHint: Give --force too, or leave --reason out.\n",
    )
