"""With --queue a change waits in line behind the run that holds its instance, and builds on what that one will make."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from engine.external import process
from tests.scenarios import gate, workers
from tests.scenarios.test_failed_deployments import PICKY
from tests.scenarios.world import SERVICE_CODE, World

pytestmark = pytest.mark.terraform


@pytest.fixture
def line(deployed: World) -> World:
    """As `deployed`, where of orders/prod run 3, which sets the port, is queued, and run 4 behind it sets the title."""
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    deployed.do("instance", "update", "orders/prod", "--set", "title=new", "--queue", "--no-wait")
    return deployed


@pytest.fixture
def gated(deployed: World) -> World:
    """As `deployed`, with service `gate`; its run is 3."""
    gate.deploy(deployed)
    return deployed


def statuses(world: World, *run_ids: int) -> list[str]:
    return [world.row("run", "show", run_id)["status"] for run_id in run_ids]


def test_a_queued_change_says_whom_it_waits_for(line: World) -> None:
    first, second = line.row("run", "show", 3), line.row("run", "show", 4)

    assert (first["status"], first["waiting_on"], first["behind"]) == ("queued", "worker", None)
    assert (second["status"], second["waiting_on"], second["behind"]) == ("queued", "another run", 3)
    assert "  waiting on         another run\n  behind             3\n" in line.do("run", "show", 4).out


def test_a_queued_change_builds_on_the_one_before(line: World) -> None:
    line.do("run", "apply", 3, "--yes")
    line.do("run", "apply", 4, "--yes")

    assert line.row("instance", "show", "orders/prod")["inputs"] == {"port": 81, "title": "new"}


def test_a_queued_change_goes_to_the_version_of_the_one_before(deployed: World) -> None:
    deployed.publish("web", deployed.service_bundle(code=SERVICE_CODE + "\n# newer\n"), "--major", 1)
    deployed.do("instance", "update", "orders/prod", "--no-wait")

    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--queue", "--no-wait")

    assert deployed.row("run", "show", 4)["template"] == "web@1.1"


def test_a_queued_change_carries_all_of_it_when_the_one_before_fails(deployed: World) -> None:
    deployed.publish("picky", deployed.service_bundle("picky", code=PICKY))
    marker = deployed.write("marker", "")
    create = ("service", "create", "shop", "-t", "picky", "--env", "prod", "--set", f"title={marker}", "--yes")
    deployed.do(*create)
    later = deployed.root / "later"
    deployed.do("instance", "update", "shop/prod", "--set", f"title={later}", "--no-wait")
    deployed.do("instance", "update", "shop/prod", "--set", "port=81", "--queue", "--no-wait")

    failed = deployed.run("run", "apply", 4, "--yes")
    later.touch()
    deployed.do("run", "apply", 5, "--yes")

    assert (failed.code, statuses(deployed, 4, 5)) == (1, ["failed", "succeeded"])
    assert deployed.row("instance", "show", "shop/prod")["inputs"] == {"title": str(later), "port": 81}


def test_a_queued_change_carries_all_of_it_when_the_one_before_is_discarded(line: World) -> None:
    line.do("run", "discard", 3)

    line.do("run", "apply", 4, "--yes")

    assert line.row("instance", "show", "orders/prod")["inputs"] == {"port": 81, "title": "new"}


def test_the_line_is_first_in_first_out(line: World) -> None:
    line.do("instance", "update", "orders/prod", "--set", "port=82", "--queue", "--no-wait")

    behind = [line.row("run", "show", run_id)["behind"] for run_id in (3, 4, 5)]
    for run_id in (3, 4, 5):
        line.do("run", "apply", run_id, "--yes")

    assert behind == [None, 3, 4]
    assert line.row("instance", "show", "orders/prod")["inputs"] == {"port": 82, "title": "new"}


def test_nothing_is_waited_for_that_is_up_to_a_person(line: World) -> None:
    line.run("run", "apply", 3)

    result = line.run("run", "apply", 4)

    assert statuses(line, 3, 4) == ["planned", "queued"]
    assert (result.code, result.err) == (
        6,
        "orders/prod: behind run 3, which is planned\n"
        "Error: Run 4 waits in line behind another run.\n"
        "Hint: See why, and what to do: landform run explain 4. Later: landform run apply 4\n",
    )


def test_a_change_without_the_flag_is_refused_while_others_wait_in_line(line: World) -> None:
    result = line.run("instance", "update", "orders/prod", "--set", "port=82")

    assert (result.code, result.err) == (
        6,
        "Error: service/orders/prod is held by run 3 (queued).\n"
        "Hint: See it: landform run show 3. Then: landform run apply 3 or landform run discard 3 or "
        "landform run cancel 3. Or wait in line behind it: --queue\n",
    )


def test_a_service_can_be_destroyed_in_line_and_nothing_comes_after_that(line: World) -> None:
    line.do("service", "delete", "orders", "--queue", "--no-wait")

    result = line.run("instance", "update", "orders/prod", "--set", "port=83", "--queue")

    assert (result.code, result.err.splitlines()[0]) == (
        9,
        "Error: service/orders/prod is to be destroyed by run 5 (queued): nothing can wait behind it.",
    )
    for run_id in (3, 4, 5):
        line.do("run", "apply", run_id, "--yes")
    assert line.rows("service", "list") == []


def test_an_instance_that_is_to_be_destroyed_in_line_does_not_count_as_one_that_stays(deployed: World) -> None:
    spec = "proton: ServiceSpec\ninstances: [{name: prod, environment: prod}, {name: two, environment: prod}]\n"
    deployed.do("service", "update", "orders", "-f", "-", "--yes", stdin=spec)
    deployed.do("instance", "update", "orders/two", "--set", "port=81", "--no-wait")
    deployed.do("instance", "delete", "orders/two", "--queue", "--no-wait")

    result = deployed.run("instance", "delete", "orders/prod", "--yes")

    assert (result.code, result.err.splitlines()[0]) == (
        9,
        "Error: orders/prod is the last instance of service orders; one must stay.",
    )


def test_what_only_other_workers_may_take_is_left_to_them(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--rule", "labels=eu-1")

    result = deployed.run("instance", "update", "orders/prod", "--set", "port=81", "--yes")

    assert (result.code, statuses(deployed, 3)) == (6, ["queued"])
    assert result.err == (
        "orders/prod: it needs a worker with labels eu-1\n"
        "Error: Run 3 cannot begin yet.\n"
        "Hint: See why, and what to do: landform run explain 3. Later: landform run apply 3\n"
    )


def test_an_environment_has_a_line_too(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--set", "zone=b", "--no-wait")
    deployed.do("env", "update", "prod", "--set", "size=2", "--queue", "--no-wait")

    deployed.do("run", "apply", 3, "--yes")
    deployed.do("run", "apply", 4, "--yes")

    assert deployed.row("env", "show", "prod")["inputs"] == {"zone": "b", "size": 2}


def test_a_retry_can_wait_in_line(line: World) -> None:
    line.do("run", "discard", 4)

    refused = line.run("run", "retry", 4, "--no-wait", "--queue")

    assert (refused.code, line.row("run", "show", 5)["behind"]) == (0, 3)
    assert line.row("run", "show", 5)["inputs"] == {"port": 81, "title": "new"}


def test_the_flag_changes_nothing_where_nobody_is_in_line(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--queue", "--yes")

    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_behind_an_interrupted_run_a_change_is_refused_or_waits(deployed: World) -> None:
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, workers.dead())

    refused = deployed.run("instance", "update", "orders/prod", "--set", "port=82")
    queued = deployed.run("instance", "update", "orders/prod", "--set", "port=82", "--queue")

    assert (refused.code, refused.err) == (
        10,
        "Error: service/orders/prod is held by run 3 (interrupted).\n"
        "Hint: See it: landform run show 3. Then: landform run recover 3\n",
    )
    assert (queued.code, statuses(deployed, 3, 4)) == (6, ["interrupted", "queued"])


def test_a_change_waits_for_its_turn_and_is_carried_out_then(gated: World) -> None:
    with gate.applying(gated):
        refused = gated.run("instance", "update", "gate/prod", "--set", "port=81")
        second = workers.start(gated, "instance", "update", "gate/prod", "--set", "port=81", "--queue", "--yes")
        said = next(line for line in second.stderr or () if "behind" in line)
        gate.open_gate(gated)
        second.communicate()

    assert (refused.code, second.returncode) == (6, 0)
    assert said == "gate/prod: behind run 4, which is applying\n"
    assert statuses(gated, 4, 5) == ["succeeded", "succeeded"]
    assert gated.row("instance", "show", "gate/prod")["inputs"] == {"title": "slow", "port": 81}


def test_waiting_in_line_ends_when_time_is_up(gated: World) -> None:
    with gate.applying(gated):
        change = ("instance", "update", "gate/prod", "--set", "port=81", "--queue", "--yes", "--timeout", 1)
        result = gated.run(*change)

        assert (result.code, statuses(gated, 5)) == (124, ["queued"])


def test_ctrl_c_while_waiting_in_line_only_detaches(gated: World) -> None:
    with gate.applying(gated):
        second = workers.start(gated, "instance", "update", "gate/prod", "--set", "port=81", "--queue", "--yes")
        assert second.stderr is not None
        said = second.stderr.readline()
        second.send_signal(signal.SIGINT)
        out, rest = second.communicate()

        assert said == "gate/prod: behind run 4, which is applying\n"
        assert second.returncode == 130
        assert "Detached; run 5 goes on. Follow: landform run wait 5\n" in rest
        assert "queued" in out
        assert statuses(gated, 5) == ["queued"]


def test_a_run_that_somebody_else_carries_out_is_followed_to_its_end(gated: World) -> None:
    with gate.applying(gated):
        follower = workers.start(gated, "run", "apply", 4)
        assert follower.stderr is not None
        said = follower.stderr.readline()
        gate.open_gate(gated)
        out, _ = follower.communicate()

    assert "works on it" in said
    assert (follower.returncode, "succeeded" in out) == (0, True)


def test_a_plan_whose_worker_dies_is_made_by_whoever_follows_it(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    other = subprocess.Popen([sys.executable, "-c", "open(0).read()"], stdin=subprocess.PIPE)
    workers.claim(deployed, 3, process.identity(other.pid))
    follower = workers.start(deployed, "run", "apply", 3, "--yes")
    assert follower.stderr is not None
    said = follower.stderr.readline()

    os.kill(other.pid, signal.SIGKILL)
    other.communicate()
    follower.communicate()

    assert said == "orders/prod: somebody works on it\n"
    assert (follower.returncode, statuses(deployed, 3)) == (0, ["succeeded"])
