"""What becomes of versions that others use: warned of, taken out of use, and not deployed below a minimum."""

from __future__ import annotations

import pytest

from tests.scenarios import test_service_pipelines as service
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform


def refused(world: World, *command: object) -> tuple[int, str, str]:
    result = world.run(*command, "-o", "json")
    return result.code, result.error["message"], result.error["hint"]


def test_whoever_uses_a_deprecated_version_is_told_why_and_what_to_use(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)
    deployed.do("template", "deprecate", "web@1.0", "--reason", "It is slow.")

    told = deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "-o", "json")

    warning = "web@1.0 is deprecated: It is slow. Use web@1.1."
    assert told.err.startswith(f"Warning: {warning}\n")
    assert told.json["items"][0]["warnings"] == [warning]
    assert deployed.row("instance", "show", "orders/prod")["version_status"] == "deprecated"


def test_no_entry_leads_anything_new_to_a_yanked_version(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)
    deployed.do("instance", "update", "orders/prod", "--version", "1.1", "--no-wait")
    deployed.publish("lab", deployed.environment_bundle(), "--major", 1)
    deployed.do("env", "update", "prod", "--version", "1.1", "--auto-approve")

    yanked = deployed.do("template", "yank", "web@1.1", "--reason", "It loses data", "-o", "json")
    deployed.do("template", "yank", "lab@1.0", "--reason", "It loses data")

    why = "web@1.1 was yanked: It loses data. Nothing new may use it."
    assert yanked.json["discarded"] == [3]
    assert deployed.row("run", "show", 3)["message"] == why
    assert [
        refused(deployed, "service", "create", "shop", "--template", "web@1.1", "--env", "prod"),
        refused(deployed, "instance", "update", "orders/prod", "--version", "1.1"),
        refused(deployed, "run", "retry", 3),
        refused(deployed, "run", "plan", "orders/prod", "--version", "1.1", "--speculative"),
        refused(deployed, "env", "rollback", "prod", "--to", 1),
    ] == [
        (4, why, "Use web@1.0."),
        (4, why, "Use web@1.0."),
        (4, why, "Bring it to another version: landform instance update orders/prod --version 1.0"),
        (4, why, "Use web@1.0."),
        (
            4,
            "lab@1.0 was yanked: It loses data. Nothing new may use it.",
            "Bring it to another version: landform env update prod --version 1.1",
        ),
    ]


def test_what_is_on_a_yanked_version_goes_on_and_leaves_when_it_wants(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)
    deployed.do("template", "yank", "web@1.0", "--reason", "It loses data")

    again = deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--auto-approve", "-o", "json")
    deployed.do("instance", "update", "orders/prod", "--kind", "minor-version", "--auto-approve")

    assert again.json["items"][0]["template"] == "web@1.0"
    assert deployed.row("instance", "show", "orders/prod")["version"] == "1.1"


def test_below_the_minimum_everything_is_refused_but_leaving(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--major", 1)

    deployed.do("template", "minimum", "web@1.1")

    message = "web@1.0 is below 1.1, the lowest minor version of its major version that may be used."
    upgrade = "Bring it to another version: landform instance update orders/prod --version 1.1"
    used = deployed.row("template", "usage", "web")
    assert refused(deployed, "instance", "update", "orders/prod", "--set", "port=81") == (4, message, upgrade)
    assert refused(deployed, "service", "create", "x", "-t", "web@1.0", "--env", "prod")[:2] == (4, message)
    assert [(each["version"], each["is_below_minimum"], each["instances"]) for each in used["versions"]] == [
        ("1.0", True, 1),
        ("1.1", False, 0),
    ]
    assert [(each["address"], each["version"], each["behind"]) for each in used["users"]] == [
        ("service/orders/prod", "1.0", 1)
    ]
    deployed.do("service", "delete", "orders", "--yes")


def test_versions_are_only_taken_where_they_can_go(deployed: World) -> None:
    deployed.do("template", "register", "web", deployed.service_bundle(), "--major", 1)

    assert [
        refused(deployed, "template", "deprecate", "web@1.1", "--reason", "x")[:2],
        refused(deployed, "template", "minimum", "web@1.1")[:2],
        refused(deployed, "template", "minimum", "web@1", "--clear")[:2],
        refused(deployed, "template", "yank", "web@1.0")[:2],
        refused(deployed, "template", "yank", "web@1.0", "--undo", "--reason", "x")[:2],
        refused(deployed, "template", "usage", "web@1.7")[:2],
    ] == [
        (9, "web@1.1 is a draft and cannot be deprecated."),
        (9, "web@1.1 cannot be the lowest that may be used: its status is draft."),
        (9, "There is no minimum for web@1."),
        (64, "There is no reason."),
        (64, "--undo takes no reason."),
        (8, "web has no version 1.7."),
    ]


def test_a_pipeline_below_the_minimum_lets_instances_go_and_none_come(world: World) -> None:
    service.published(world)
    service.create(world, service.entry("a"), service.entry("b"))
    world.publish("web", service.bundle(world), "--major", 1)
    world.do("template", "minimum", "web@1.1")

    three = world.write("more.yaml", service.SPEC + "".join(map(service.entry, "abc")))
    more = refused(world, "service", "update", "orders", "--spec", three)
    world.do("instance", "delete", "orders/b", "--yes")

    assert more == (
        4,
        "web@1.0 is below 1.1, the lowest minor version of its major version that may be used.",
        "Bring it to another version: landform pipeline update orders --version 1.1",
    )
    assert service.endings(world)[-2:] == [("service/orders/b", "succeeded"), ("pipeline/orders", "succeeded")]
