"""One run at a time holds an instance, and what depends on it waits."""

from __future__ import annotations

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform

ADDED = """\
proton: ServiceSpec
instances:
- {name: prod, environment: prod, spec: {}}
- {name: two, environment: prod, spec: {}}
"""


@pytest.fixture
def held(deployed: World) -> World:
    """As `deployed`, where run 3 holds orders/prod with a plan that waits."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    return deployed


@pytest.fixture
def agreed(held: World) -> World:
    """As `held`, where somebody has said yes to the plan of run 3, and nobody has begun to apply it."""
    held.do("run", "approve", 3, "--no-wait")
    return held


@pytest.fixture
def changing(deployed: World) -> World:
    """As `deployed`, where run 3 holds environment prod with a plan that waits."""
    deployed.run("env", "update", "prod", "--set", "zone=b")
    return deployed


def test_a_refusal_names_the_run_that_holds_the_instance(agreed: World) -> None:
    result = agreed.run("instance", "update", "orders/prod", "--set", "port=82")

    assert (result.code, result.err) == (6, f"Error: service/orders/prod is held by run 3 (approved).\n{_AGREED}")


def test_a_service_cannot_be_deleted_while_a_run_holds_one_of_its_instances(agreed: World) -> None:
    result = agreed.run("service", "delete", "orders", "--yes")

    assert (result.code, result.err) == (
        6,
        f"Error: Service orders cannot be deleted while service/orders/prod is held by run 3 (approved).\n{_AGREED}",
    )
    assert len(agreed.rows("run", "list")) == 3


_AGREED = (
    "Hint: See it: landform run show 3. Then: landform run apply 3 or landform run discard 3 or landform run cancel 3. "
    "Or wait in line behind it: --queue\n"
)


def test_nothing_is_deployed_into_an_environment_that_is_being_changed(changing: World) -> None:
    created = changing.run("service", "create", "shop", "-t", "web", "--env", "prod", "--yes")
    updated = changing.run("instance", "update", "orders/prod", "--yes")
    added = changing.run("service", "update", "orders", "-f", "-", "--yes", stdin=ADDED)

    assert (created.code, updated.code, added.code) == (6, 6, 6)
    assert created.err == updated.err == added.err
    assert created.err == (
        "Error: Nothing can be deployed into environment prod while environment/prod is held by run 3 (planned).\n"
        "Hint: See it: landform run show 3. "
        "Then: landform run approve 3 or landform run discard 3 or landform run cancel 3\n"
    )
    assert len(changing.rows("run", "list")) == 3


def test_an_approved_plan_is_not_applied_while_its_environment_is_being_changed(held: World) -> None:
    held.run("env", "update", "prod", "--set", "size=2")

    result = held.run("run", "approve", 3)

    assert (result.code, held.row("run", "show", 3)["status"]) == (6, "approved")
    assert result.err == (
        "orders/prod: environment prod is being changed by run 4\n"
        "Error: Run 3 cannot begin yet.\n"
        "Hint: See why, and what to do: landform run explain 3. Later: landform run apply 3\n"
    )


def test_what_had_to_wait_for_its_environment_is_carried_out_later(held: World) -> None:
    held.run("env", "update", "prod", "--set", "size=2")
    held.run("run", "approve", 3)
    held.do("run", "approve", 4)

    held.do("run", "apply", 3)

    assert held.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_an_instance_can_be_deleted_while_its_environment_is_being_changed(changing: World) -> None:
    changing.do("service", "delete", "orders", "--yes")

    assert changing.rows("service", "list") == []


def test_nothing_is_deployed_into_an_environment_without_outputs(deployed: World) -> None:
    deployed.run("env", "create", "test", "-t", "lab")
    deployed.do("run", "discard", 3)

    result = deployed.run("service", "create", "shop", "-t", "web", "--env", "test", "--yes")

    assert result.code == 9
    assert result.err == (
        "Error: Environment test has not been deployed yet.\nHint: Deploy it first: landform run retry 3\n"
    )


def test_the_hint_to_deploy_an_environment_first_works(deployed: World) -> None:
    deployed.run("env", "create", "test", "-t", "lab")
    deployed.do("run", "discard", 3)

    deployed.do("run", "retry", 3, "--yes")
    deployed.do("service", "create", "shop", "-t", "web", "--env", "test", "--auto-approve")

    assert deployed.row("instance", "show", "shop/test")["status"] == "succeeded"


def test_a_run_that_is_named_twice_is_carried_out_once(held: World) -> None:
    held.do("run", "approve", 3, "--no-wait")

    result = held.do("run", "apply", 3, 3, "-o", "name")

    assert result.out == "3\n"
    assert held.do("run", "logs", 3).out.count("Modifying...") == 1


def test_a_run_that_another_process_plans_is_followed(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, workers.living())

    result = deployed.run("run", "apply", 3, "--timeout", 1)

    assert (result.code, result.err) == (124, _ELSEWHERE)
    assert deployed.row("run", "show", 3)["status"] == "planning"


def test_a_run_that_another_process_applies_is_followed(agreed: World) -> None:
    workers.claim(agreed, 3, workers.living())

    result = agreed.run("run", "apply", 3, "--timeout", 1)

    assert (result.code, result.err) == (124, _ELSEWHERE)
    assert agreed.row("run", "show", 3)["status"] == "applying"


_ELSEWHERE = (
    "orders/prod: somebody works on it\n"
    "Error: 1 seconds were not enough.\n"
    "Hint: See what came of it: landform run list\n"
)


def test_a_name_is_taken_once(deployed: World) -> None:
    environment = deployed.run("env", "create", "prod", "-t", "lab", "--yes")
    service = deployed.run("service", "create", "orders", "-t", "web", "--env", "prod", "--yes")

    assert (environment.code, service.code) == (9, 9)
    assert len(deployed.rows("run", "list")) == 2
