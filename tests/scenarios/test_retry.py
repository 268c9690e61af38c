"""A retry asks again what was asked then: whatever would be refused now is refused."""

from __future__ import annotations

import pytest

from tests.scenarios.world import ENVIRONMENT_CODE, SERVICE_CODE, World

pytestmark = pytest.mark.terraform


def test_a_discarded_delete_of_an_environment_is_not_retried_under_those_who_came_later(deployed: World) -> None:
    deployed.do("service", "delete", "orders", "--yes")
    deployed.run("env", "delete", "prod")
    deployed.do("run", "discard", 4)
    deployed.do("service", "create", "billing", "-t", "web", "--env", "prod", "--auto-approve")

    result = deployed.run("run", "retry", 4, "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: Environment prod is in use by billing/prod.\n"
        "Hint: Delete them first: landform service delete billing\n",
    )
    assert deployed.state("environment/prod")["resources"] != []


def test_a_discarded_delete_is_not_retried_once_it_would_take_the_last_instance(deployed: World) -> None:
    deployed.do("env", "create", "dev", "-t", "lab", "--auto-approve")
    both = "proton: ServiceSpec\ninstances: [{name: prod, environment: prod}, {name: dev, environment: dev}]\n"
    deployed.do("service", "update", "orders", "-f", "-", "--auto-approve", stdin=both)
    deployed.run("instance", "delete", "orders/dev")
    deployed.do("run", "discard", 5)
    deployed.do("instance", "delete", "orders/prod", "--yes")

    result = deployed.run("run", "retry", 5, "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: orders/dev is the last instance of service orders; one must stay.\n"
        "Hint: Delete the service: landform service delete orders\n",
    )


def test_only_the_last_run_of_an_instance_is_retried(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "discard", 3)
    deployed.do("instance", "update", "orders/prod", "--set", "port=82", "--yes")

    result = deployed.run("run", "retry", 3, "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: Run 3 is not the last one of service/orders/prod: run 4 came after it.\n"
        "Hint: See what is there now: landform run show 4\n",
    )


def test_a_run_with_a_version_that_has_been_deleted_is_not_retried(deployed: World) -> None:
    code = SERVICE_CODE + '\nresource "terraform_data" "more" {}\n'
    deployed.do("template", "register", "web", deployed.service_bundle(code=code), "--major", 1)
    deployed.run("instance", "update", "orders/prod", "--version", "1.1")
    deployed.do("run", "discard", 3)
    deployed.do("template", "delete", "web@1.1", "--yes")

    result = deployed.run("run", "retry", 3)

    assert (result.code, result.err) == (9, "Error: web@1.1 of run 3 has been deleted: there is nothing to retry.\n")


def test_an_environment_keeps_the_outputs_that_live_instances_read(deployed: World) -> None:
    code = ENVIRONMENT_CODE.replace('output "zone"', 'output "area"')
    deployed.publish("lab", deployed.environment_bundle(code=code), "--major", 1, "--force")

    result = deployed.run("env", "update", "prod", "--version", "1.1", "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: lab@1.1 lacks outputs that live instances read:\n"
        "  zone, read by orders/prod (web@1.0, instance_infrastructure/main.tf:5)\n"
        "Hint: Bring those instances to a version that does without, or delete them first.\n",
    )


def test_two_edits_cannot_empty_a_service(deployed: World) -> None:
    deployed.do("env", "create", "dev", "-t", "lab", "--auto-approve")
    prod, dev = "{name: prod, environment: prod}", "{name: dev, environment: dev}"
    edit = "proton: ServiceSpec\ninstances: [{}]\n"
    deployed.do("service", "update", "orders", "-f", "-", "--yes", stdin=edit.format(f"{prod}, {dev}"))
    deployed.do("service", "update", "orders", "-f", "-", "--no-wait", stdin=edit.format(prod))

    result = deployed.run("service", "update", "orders", "-f", "-", "--no-wait", stdin=edit.format(dev))

    assert (result.code, result.err) == (
        6,
        "Error: Service orders cannot be changed while service/orders/dev is held by run 5 (queued).\n"
        "Hint: See it: landform run show 5. "
        "Then: landform run apply 5 or landform run discard 5 or landform run cancel 5\n",
    )
