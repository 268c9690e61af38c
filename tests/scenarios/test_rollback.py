"""Going back: an instance gets the version and inputs of an earlier deploy again, by a run like any other."""

from __future__ import annotations

import pytest

from tests.scenarios import test_components
from tests.scenarios.test_components import BUCKET
from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform


def refused(world: World, *command: object) -> tuple[int, str, str]:
    result = world.run(*command, "-o", "json")
    return result.code, result.error["message"], result.error["hint"]


def test_an_instance_goes_back_to_the_last_deploy_that_was_different(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(), "--new-major")
    deployed.do("instance", "update", "orders/prod", "--version", "2.0", "--set", "port=81", "--auto-approve")
    deployed.do("instance", "update", "orders/prod", "--kind", "current-version", "--auto-approve")

    deployed.do("instance", "rollback", "orders/prod", "--auto-approve", "--reason", "It was slow.")

    past = deployed.rows("instance", "history", "orders/prod")
    found = deployed.row("run", "compare", 3, 5)
    run = deployed.row("run", "show", 5)
    row = deployed.row("instance", "show", "orders/prod")
    assert (run["reason"], run["update_kind"]) == ("Back to run 2 (web@1.0). It was slow.", "major-version")
    assert (row["version"], row["inputs"], row["outputs"]["port"]["value"]) == ("1.0", {}, 80)
    changed = [(each["template_before"], each["template"], each["inputs_changed"], each["is_live"]) for each in past]
    assert changed == [
        ("web@2.0", "web@1.0", ["port"], True),
        ("web@2.0", "web@2.0", [], False),
        ("web@1.0", "web@2.0", ["port"], False),
        (None, "web@1.0", [], False),
    ]
    assert [each["shape"] for each in past][:3] == ["in-place", "no-change", "in-place"]
    assert (found["schema"], found["same_version"]) == ("landform.comparison/1", False)
    assert found["inputs"] == [{"name": "port", "change": "removed", "before": 81, "after": None}]
    assert found["outputs"] == [{"name": "port", "change": "changed", "before": 81, "after": 80}]


def test_without_a_run_a_change_that_failed_half_way_goes_back_to_what_is_deployed(deployed: World) -> None:
    code = (
        SERVICE_CODE
        + 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "false"\n  }\n}\n'
    )
    deployed.publish("web", deployed.service_bundle(code=code), "--major", 1)
    failed = deployed.run("instance", "update", "orders/prod", "--auto-approve")

    deployed.do("instance", "rollback", "orders/prod", "--yes")

    again = refused(deployed, "instance", "rollback", "orders/prod", "--to", 4)
    assert failed.code == 1
    assert deployed.row("run", "show", 4)["reason"] == "Back to run 2 (web@1.0)."
    assert len(deployed.state("service/orders/prod")["resources"]) == 1
    assert again == (
        9,
        "service/orders/prod cannot go back to run 4: that is what is deployed now.",
        "See what it was: landform instance history service/orders/prod. To deploy it again: "
        "landform instance update orders/prod --kind current-version",
    )


def test_nothing_goes_back_to_what_was_no_deploy_of_it(deployed: World) -> None:
    deployed.do("service", "create", "shop", "-t", "web", "--env", "prod", "--auto-approve")
    deployed.do("service", "delete", "shop", "--yes")
    deployed.do("service", "create", "shop", "-t", "web", "--env", "prod", "--auto-approve")
    history = "See what it was: landform instance history service/shop/prod"

    found = [refused(deployed, "instance", "rollback", "shop/prod", "--to", run)[:2] for run in (1, 3, 4)]
    only = refused(deployed, "instance", "rollback", "shop/prod")

    assert found == [
        (9, "service/shop/prod cannot go back to run 1: that is a run of environment/prod."),
        (9, "service/shop/prod cannot go back to run 3: that made an instance that has been deleted since."),
        (9, "service/shop/prod cannot go back to run 4: that made an instance that has been deleted since."),
    ]
    nothing = "There is nothing that service/shop/prod could go back to: no earlier deploy differs from run 5."
    assert only == (9, nothing, history)


def test_an_environment_does_not_go_back_to_where_a_live_instance_would_lack_an_output(world: World) -> None:
    before = ENVIRONMENT_CODE.split('output "zone"')[0]
    world.publish("lab", world.environment_bundle(code=before))
    world.publish("lab", world.environment_bundle(), "--major", 1)
    world.publish("web", world.service_bundle())
    world.do("env", "create", "prod", "-t", "lab@1.0", "--auto-approve")
    world.do("env", "update", "prod", "--auto-approve")
    world.do("service", "create", "orders", "-t", "web", "--env", "prod", "--auto-approve")

    inhabited = refused(world, "env", "rollback", "prod")
    world.do("service", "delete", "orders", "--yes")
    world.do("env", "rollback", "prod", "--yes")

    assert inhabited[:2] == (
        9,
        "lab@1.0 lacks outputs that live instances read:\n"
        "  zone, read by orders/prod (web@1.0, instance_infrastructure/main.tf:5)",
    )
    assert world.row("env", "show", "prod")["version"] == "1.0"


def test_a_component_goes_back_to_its_file_and_its_place(world: World) -> None:
    test_components.made(world)
    world.do("component", "create", "cache", "--file", "bucket.tf", "--instance", "orders/prod", "--yes")
    world.write("bucket.tf", BUCKET + 'output "more" {\n  value = 1\n}\n')
    world.do("component", "update", "cache", "--file", "bucket.tf", "--detach", "--yes")

    world.do("component", "rollback", "cache", "--yes")

    row = world.row("component", "show", "cache")
    assert (row["attached"], row["version"], list(row["outputs"])) == ("service/orders/prod", "1.0", ["bucket"])
