"""A worker that cannot be seen from here: only somebody who knows may give up on it."""

from __future__ import annotations

import pytest

from tests.scenarios import workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
ELSEWHERE = {"host": "c1", "boot_id": "b", "pid": 7, "started": "1"}


@pytest.fixture
def applying(deployed: World) -> World:
    """As `deployed`, with an update of orders/prod as run 3, which a worker of another host applies."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, ELSEWHERE)
    return deployed


def test_an_apply_on_another_host_stays_as_it_is(applying: World) -> None:
    result = applying.run("run", "retry", 3)

    assert (result.code, applying.row("run", "show", 3)["status"]) == (9, "applying")


def test_whoever_knows_that_the_host_is_gone_frees_the_instance(applying: World) -> None:
    applying.do("run", "recover", 3, "--yes")

    run = applying.row("run", "show", 3)
    assert (run["status"], run["next_actions"]) == ("interrupted", ["retry"])
    assert run["message"].endswith(" gave up on process 7 of host c1.")
    applying.do("run", "retry", 3, "--yes")
    assert applying.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_nobody_is_asked_where_there_is_no_terminal(applying: World) -> None:
    result = applying.run("run", "recover", 3)

    assert (result.code, result.err) == (
        64,
        "Error: Is process 7 on host c1 gone for certain, and all that it started? Nobody can be asked here.\n"
        "Hint: Give --yes to go on without a question.\n",
    )


def test_a_worker_that_is_seen_to_live_is_not_given_up(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, workers.living())

    result = deployed.run("run", "recover", 3, "--yes")

    assert (result.code, result.err) == (
        6,
        "Error: Run 3 is not lost: process 1 on this machine works on it.\nHint: Follow it: landform run show 3\n",
    )


def test_a_run_that_nobody_works_on_is_not_lost(deployed: World) -> None:
    result = deployed.run("run", "recover", 2, "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: Cannot lose a run that is succeeded.\nHint: It has ended: start a new run.\n",
    )
