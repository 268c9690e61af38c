"""Bringing environments and instances to other versions and inputs."""

from __future__ import annotations

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform

SPEC = """\
proton: ServiceSpec
instances:
- name: prod
  environment: prod
  spec:
    title: shop
"""


@pytest.fixture
def versions(deployed: World) -> World:
    """As `deployed`, with versions 1.1, 2.0 and 2.1 of web published and 2.2 a draft."""
    bundle = deployed.service_bundle()
    deployed.publish("web", bundle, "--major", 1)
    deployed.publish("web", bundle, "--new-major")
    deployed.publish("web", bundle, "--major", 2)
    deployed.do("template", "register", "web", bundle, "--major", 2)
    return deployed


def version(world: World) -> str:
    """The version that orders/prod is on."""
    found: str = world.row("instance", "show", "orders/prod")["version"]
    return found


def test_an_update_without_options_goes_to_the_recommended_minor_version(versions: World) -> None:
    versions.do("instance", "update", "orders/prod", "--yes")

    assert version(versions) == "1.1"


def test_an_update_with_inputs_alone_keeps_the_version(versions: World) -> None:
    versions.do("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    assert version(versions) == "1.0"


@pytest.mark.parametrize(
    ("options", "number", "kind"),
    [
        (["--kind", "current-version"], "1.0", "current-version"),
        (["--kind", "minor-version"], "1.1", "minor-version"),
        (["--kind", "minor-version", "--version", "1.1"], "1.1", "minor-version"),
        (["--kind", "major-version"], "2.1", "major-version"),
        (["--kind", "major-version", "--version", "2.0"], "2.0", "major-version"),
        (["--version", "1.1"], "1.1", "minor-version"),
        (["--version", "2.0"], "2.0", "major-version"),
        (["--version", "2.2"], "2.2", "major-version"),
        (["--version", "1.0"], "1.0", "current-version"),
    ],
)
def test_an_update_leads_to_the_version_that_its_kind_says(
    versions: World, options: list[str], number: str, kind: str
) -> None:
    versions.do("instance", "update", "orders/prod", *options, "--yes")

    assert version(versions) == number
    assert versions.row("run", "show", 3)["update_kind"] == kind


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            ["--kind", "current-version", "--version", "1.1"],
            1,
            "An update of kind current-version keeps version 1.0; 1.1 was named.",
        ),
        (
            ["--kind", "minor-version", "--version", "2.0"],
            1,
            "An update of kind minor-version stays in major version 1; 2.0 was named.",
        ),
        (
            ["--kind", "major-version", "--version", "1.1"],
            1,
            "An update of kind major-version leads to a higher major version than 1, not to 1.1.",
        ),
        (["--version", "1.7"], 8, "web has no version 1.7."),
        (["--kind", "none", "--set", "port=81"], 1, "An update of kind none deploys nothing."),
    ],
)
def test_a_wish_that_does_not_fit_its_kind_is_refused(
    versions: World, options: list[str], code: int, message: str
) -> None:
    result = versions.run("instance", "update", "orders/prod", *options)

    assert (result.code, result.err.splitlines()[0]) == (code, f"Error: {message}")
    assert len(versions.rows("run", "list")) == 2


def test_an_instance_that_is_behind_is_outdated_until_it_is_updated(versions: World) -> None:
    before = versions.rows("instance", "list", "--outdated")
    versions.do("instance", "update", "orders/prod", "--kind", "major-version", "--yes")

    after = versions.rows("instance", "list", "--outdated")

    assert [(row["address"], row["version"], row["newest"], row["recommended"]) for row in before] == [
        ("service/orders/prod", "1.0", "1.1", "2.1")
    ]
    assert after == []


def test_an_environment_goes_to_a_newer_version_with_its_new_output(deployed: World) -> None:
    code = ENVIRONMENT_CODE + 'output "tier" {\n  value = "gold"\n}\n'
    deployed.publish("lab", deployed.environment_bundle(code=code), "--major", 1)
    behind = deployed.rows("env", "list", "--outdated")

    deployed.do("env", "update", "prod", "--auto-approve")

    environment = deployed.row("env", "show", "prod")
    assert [row["name"] for row in behind] == ["prod"]
    assert environment["version"] == "1.1"
    assert {name: output["value"] for name, output in environment["outputs"].items()} == {
        "size": 1,
        "tier": "gold",
        "zone": "a",
    }


def test_set_keeps_the_inputs_that_it_does_not_name(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    deployed.do("instance", "update", "orders/prod", "--set", "title=shop", "--auto-approve")

    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81, "title": "shop"}


def test_a_spec_replaces_all_inputs(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve")

    deployed.do("instance", "update", "orders/prod", "-f", "-", "--auto-approve", stdin=SPEC)

    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"title": "shop"}
    assert deployed.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 80


def test_inputs_that_a_new_major_version_no_longer_takes_are_refused(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "title=shop", "--auto-approve")
    schema = (deployed.service_bundle() / "schema/schema.yaml").read_text().replace("title:", "name:")
    code = SERVICE_CODE.replace("inputs.title", "inputs.name")
    deployed.publish("web", deployed.service_bundle(schema=schema, code=code), "--new-major")

    result = deployed.run("instance", "update", "orders/prod", "--kind", "major-version")

    assert result.code == 1
    assert result.err.splitlines()[:2] == [
        "Error: The spec does not fit web@2.0:",
        "  current inputs: title: is not an input of this template.",
    ]


def test_metadata_of_an_environment_changes_without_a_run(deployed: World) -> None:
    result = deployed.do("env", "update", "prod", "--kind", "none", "--description", "Where customers are.")

    assert result.out == "Environment prod was changed; no run was needed.\n"
    assert deployed.row("env", "show", "prod")["description"] == "Where customers are."
    assert len(deployed.rows("run", "list")) == 2


def test_an_environment_is_changed_as_a_whole_or_not_at_all(deployed: World) -> None:
    result = deployed.run("env", "update", "prod", "--description", "new", "--set", "size=0")

    assert result.code == 1
    assert deployed.row("env", "show", "prod")["description"] == ""


def test_an_update_that_changes_nothing_succeeds_without_an_apply(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--kind", "current-version")

    run = deployed.row("run", "show", 3)
    assert (run["status"], run["plan"], run["applied_at"]) == ("succeeded", "No changes.", None)
