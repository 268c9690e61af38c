"""Workers that take whatever comes: real processes beside the command line, on one home."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import slow, workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
ORDERS = "service/orders/prod"
UPDATE = ("instance", "update", "orders/prod", "--auto-approve", "--no-wait", "--set")
PATIENT = slow.CODE.replace("[ -e ready ] || exec sleep 120", "until [ -e ready ]; do sleep 0.1; done")
"""Its slow resource is done as soon as it is mended."""
THROTTLED = """\
resource "terraform_data" "app" {
  input = var.service_instance.inputs.port

  provisioner "local-exec" {
    command = "[ -e tried ] || { touch tried; echo 'ThrottlingException: Rate exceeded' >&2; exit 1; }"
  }
}

output "port" {
  value = terraform_data.app.output
}
"""


@contextmanager
def working(world: World, *options: object) -> Iterator[subprocess.Popen[str]]:
    """A worker that is ready."""
    with workers.start(world, "worker", "run", *options) as worker:
        try:
            ready = next(line for line in worker.stderr or () if line.startswith("Worker"))
            assert "is ready" in ready
            yield worker
        finally:
            worker.send_signal(signal.SIGCONT)
            worker.kill()


def run(world: World, run_id: int) -> Any:
    return world.row("run", "show", run_id)


def is_(world: World, run_id: int, status: str) -> bool:
    """Whether the run has that status, as the catalog says without looking after anybody."""
    return bool(world.row("run", "show", run_id)["status"] == status)


def ended(worker: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code of a worker that ends, and what it still said."""
    _, said = worker.communicate(timeout=60)
    return worker.returncode, said


def obstacles(world: World, run_id: int) -> list[str]:
    return [each["text"] for each in world.row("run", "explain", run_id)["obstacles"]]


def test_what_was_only_recorded_is_carried_out_by_the_next_worker(deployed: World) -> None:
    deployed.do(*UPDATE, "port=81")

    with working(deployed, "--once") as worker:
        code, said = ended(worker)

    assert (code, said) == (
        0,
        "Run 3, orders/prod: planning\nRun 3, orders/prod: succeeded\nWorker 3 has finished.\n",
    )
    assert run(deployed, 3)["status"] == "succeeded"
    assert deployed.rows("worker", "list") == []


def test_a_worker_takes_what_comes_while_it_waits(deployed: World) -> None:
    with working(deployed):
        deployed.do(*UPDATE, "port=81")

        workers.until(lambda: is_(deployed, 3, "succeeded"))

    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_a_worker_applies_what_somebody_else_approves(deployed: World) -> None:
    with working(deployed):
        deployed.do("instance", "update", "orders/prod", "--no-wait", "--set", "port=81")
        workers.until(lambda: is_(deployed, 3, "planned"))

        deployed.do("run", "approve", 3, "--no-wait")

        workers.until(lambda: is_(deployed, 3, "succeeded"))


def test_whoever_waits_sees_the_end_of_a_run_that_a_worker_took(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed):
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        with workers.start(deployed, "run", "apply", slow.RUN) as follower:
            next(line for line in follower.stderr or () if "works on it" in line)
            slow.mend(deployed)
            code, _ = ended(follower)

    assert code == 0
    assert run(deployed, slow.RUN)["status"] == "succeeded"


def test_of_two_workers_one_carries_a_run_out(deployed: World) -> None:
    with working(deployed), working(deployed):
        for port in range(81, 84):
            deployed.do(*UPDATE, f"port={port}")
            workers.until(lambda: all(row["is_terminal"] for row in deployed.rows("run", "list")))

    assert [row["status"] for row in deployed.rows("run", "list")] == ["succeeded"] * 5
    assert [deployed.do("run", "logs", number).out.count("Modifying...") for number in (3, 4, 5)] == [1, 1, 1]


def test_runs_of_one_instance_are_carried_out_in_the_order_they_were_asked_for(deployed: World) -> None:
    for port in range(81, 86):
        deployed.do(*UPDATE, f"port={port}", "--queue")

    with working(deployed, "--parallel", 4, "--once") as worker:
        ended(worker)

    rows = [run(deployed, number) for number in range(3, 8)]
    assert [row["status"] for row in rows] == ["succeeded"] * 5
    assert all(before["ended_at"] <= after["planned_at"] for before, after in pairwise(rows))
    assert deployed.row("instance", "show", "orders/prod")["inputs"] == {"port": 85}


def test_a_worker_that_is_told_to_go_finishes_what_it_has_and_takes_nothing_new(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed, "--parallel", 2) as worker:
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        worker.send_signal(signal.SIGTERM)
        said = next(line for line in worker.stderr or () if "taking nothing new" in line)
        workers.until(lambda: deployed.rows("worker", "list")[0]["state"] == "draining")
        deployed.do(*UPDATE, "port=81")
        why = obstacles(deployed, 4)
        slow.mend(deployed)
        code, _ = ended(worker)

    assert said == "Finishing what is under way, taking nothing new; a second signal asks Terraform to stop.\n"
    assert why == ["worker 3 takes nothing new"]
    assert (code, run(deployed, slow.RUN)["status"], run(deployed, 4)["status"]) == (0, "succeeded", "queued")


def test_a_second_signal_asks_terraform_to_stop(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed) as worker:
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        worker.send_signal(signal.SIGTERM)
        next(line for line in worker.stderr or () if "taking nothing new" in line)
        worker.send_signal(signal.SIGTERM)
        code, said = ended(worker)

    assert "Asking Terraform to stop; a third signal kills it.\n" in said
    assert (code, run(deployed, slow.RUN)["status"]) == (0, "cancelled")
    assert slow.finished(deployed) == ["first"]


def test_a_worker_can_be_drained_from_elsewhere(deployed: World) -> None:
    with working(deployed, "--name", "blue") as worker:
        [row] = deployed.rows("worker", "list")
        drained = deployed.do("worker", "drain", row["id"])
        code, _ = ended(worker)

    assert (row["name"], row["kind"], row["state"], row["runs"]) == ("blue", "service", "active", 0)
    assert (code, drained.out) == (0, f"Worker {row['id']} takes nothing new.\n")
    assert deployed.rows("worker", "list") == []


def test_a_wish_to_cancel_reaches_the_worker(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed) as worker:
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)

        deployed.do("run", "cancel", slow.RUN)

        row = run(deployed, slow.RUN)
        assert worker.poll() is None

    assert (row["status"], slow.finished(deployed)) == ("cancelled", ["first"])


def test_runs_go_to_workers_with_the_labels_of_their_environment(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--rule", "labels=prod,eu")
    deployed.do(*UPDATE, "port=81")

    with working(deployed, "--label", "eu"):
        why = deployed.row("run", "explain", 3)
        with working(deployed, "--label", "eu", "--label", "prod"):
            workers.until(lambda: is_(deployed, 3, "succeeded"))

    assert [each["text"] for each in why["obstacles"]] == ["no worker has labels eu,prod"]
    assert (why["able_workers"], why["next_commands"]) == ([], ["landform worker run --label eu --label prod"])


def test_an_environment_executes_no_more_runs_than_its_rule_says(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    deployed.do("env", "update", "prod", "--rule", "max_runs=1")
    with working(deployed, "--parallel", 4):
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        deployed.do(*UPDATE, "port=81")
        why = obstacles(deployed, 4)
        slow.mend(deployed)
        workers.until(lambda: is_(deployed, 4, "succeeded"))

    assert why == ["environment prod executes 1 of at most 1 runs"]


def test_all_workers_together_execute_no_more_runs_than_the_setting_says(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFORM_MAX_RUNS", "1")
    slow.publish(deployed, PATIENT)
    with working(deployed), working(deployed):
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        deployed.do(*UPDATE, "port=81")
        why = obstacles(deployed, 4)
        slow.mend(deployed)
        workers.until(lambda: is_(deployed, 4, "succeeded"))

    assert why == ["1 of at most 1 runs in all are executed"]


def test_what_a_killed_worker_applied_is_interrupted_by_those_that_live(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed) as killed:
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        with working(deployed):
            slow.lose(deployed, killed)
            workers.until(lambda: is_(deployed, slow.RUN, "interrupted"))

    row = run(deployed, slow.RUN)
    assert row["message"] == f"process {killed.pid} died while applying."
    assert slow.ledger(deployed) == ["made"]


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers whose lease is short: they may be given up after three seconds."""
    monkeypatch.setenv("LANDFORM_LEASE_S", "1")
    monkeypatch.setenv("LANDFORM_GRACE_S", "1")


@pytest.mark.usefixtures("brief")
def test_a_worker_that_was_suspended_past_its_lease_changes_nothing_afterwards(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed) as suspended:
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        suspended.send_signal(signal.SIGSTOP)
        with working(deployed):
            workers.until(lambda: is_(deployed, slow.RUN, "interrupted"))
            before, state = run(deployed, slow.RUN), deployed.state(slow.ADDRESS)

            suspended.send_signal(signal.SIGCONT)

            workers.until(lambda: [row["id"] for row in deployed.rows("worker", "list")] == [5, 4])
            after = run(deployed, slow.RUN)

    assert before["message"].startswith("worker 3 on host ")
    assert before["message"].endswith(" was not heard of any more while applying.")
    assert (after, deployed.state(slow.ADDRESS)) == (before, state)
    assert slow.ledger(deployed) == ["made"]


SUSPENDED = """
import os, signal
from engine import app, settings
from engine.errors import Conflict
from engine.external.process import Stop
from engine.worker.following import watch_nothing
from engine.worker.triggers import Point

def trigger(point):
    if point is Point.{point}:
        os.kill(os.getpid(), signal.SIGSTOP)

opened = app.build(settings.load(home={home!r}), trigger)
try:
    opened.executor.execute(3, Stop(), watch_nothing)
except Conflict as error:
    print(error.message)
opened.close()
"""


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("point", ["CLAIMED_TO_PLAN", "WORKSPACE_WRITTEN", "PLAN_MADE"])
def test_a_plan_of_a_suspended_worker_is_made_by_another_one_and_counts_once(deployed: World, point: str) -> None:
    deployed.do(*UPDATE, "port=81")
    script = SUSPENDED.format(point=point, home=str(deployed.home))
    argv = [sys.executable, "-c", script]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as suspended:
        workers.until(lambda: is_(deployed, 3, "planning"))
        with working(deployed):
            workers.until(lambda: is_(deployed, 3, "succeeded"))
            before = run(deployed, 3)
            suspended.send_signal(signal.SIGCONT)
            said, _ = suspended.communicate(timeout=60)

    assert said == "Run 3 has been taken over by another worker.\n"
    assert run(deployed, 3) == before
    assert before["attempt"] == 2
    assert deployed.do("run", "logs", 3).out.count("Modifying...") == 1


def test_an_apply_that_failed_for_a_passing_reason_is_followed_by_a_fresh_run(deployed: World) -> None:
    deployed.publish("flaky", deployed.service_bundle("flaky", code=THROTTLED))
    create = ("service", "create", "flaky", "-t", "flaky", "--env", "prod", "--auto-approve", "--allow-destroy")
    deployed.do(*create, "--no-wait")

    with working(deployed, "--once") as worker:
        ended(worker)

    first, second = run(deployed, 3), run(deployed, 4)
    assert first["status"] == "failed"
    assert first["message"].endswith("\nRun 4 tries again by itself (retry 1 of 3).")
    assert (second["status"], second["retry_of"], second["attempt"]) == ("succeeded", 3, 1)
    assert deployed.row("instance", "show", "flaky/prod")["status"] == "succeeded"


def test_whoever_waits_waits_for_the_fresh_run_too(deployed: World) -> None:
    deployed.publish("flaky", deployed.service_bundle("flaky", code=THROTTLED))
    create = ("service", "create", "flaky", "-t", "flaky", "--env", "prod", "--auto-approve", "--allow-destroy")

    done = deployed.do(*create, "-o", "name")

    assert done.out == "4\n"
    assert "Run 4 tries again by itself (retry 1 of 3)." in done.err
    assert run(deployed, 4)["status"] == "succeeded"


def test_a_run_that_fails_again_and_again_is_not_tried_for_ever(
    deployed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDFORM_RETRIES", "2")
    deployed.publish("flaky", deployed.service_bundle("flaky", code=THROTTLED.replace("touch tried; ", "")))
    create = ("service", "create", "flaky", "-t", "flaky", "--env", "prod", "--auto-approve", "--allow-destroy")

    result = deployed.run(*create)

    assert (result.code, len(deployed.rows("run", "list"))) == (1, 5)
    assert run(deployed, 5)["message"].endswith("\nRun 5 was retry 2 of 2: no more follow by themselves.")


def test_an_apply_that_somebody_approved_and_that_failed_for_a_passing_reason_waits_for_a_person(
    deployed: World,
) -> None:
    deployed.publish("flaky", deployed.service_bundle("flaky", code=THROTTLED))
    deployed.do("service", "create", "flaky", "-t", "flaky", "--env", "prod", "--no-wait")
    with working(deployed):
        workers.until(lambda: is_(deployed, 3, "planned"))
        deployed.do("run", "approve", 3, "--no-wait")
        workers.until(lambda: is_(deployed, 3, "failed"))

    assert run(deployed, 3)["message"].endswith("\nTry again with a new plan: landform run retry 3")
    assert len(deployed.rows("run", "list")) == 3


def test_a_run_that_a_worker_could_take_says_who(deployed: World) -> None:
    slow.publish(deployed, PATIENT)
    with working(deployed, "--parallel", 1):
        deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
        workers.until((deployed.home / slow.WORKSPACE / "started").exists)
        deployed.do(*UPDATE, "port=81")

        said = deployed.do("run", "explain", 4).out
        working_on = obstacles(deployed, 3)

    assert said == (
        "Run 4 of service/orders/prod: queued\n"
        "  worker 3 has no free slot\n"
        "  workers that could take it: 3\n"
        "Next: landform worker list\n"
    )
    assert working_on == ["worker 3 works on it"]


def test_a_run_that_needs_labels_says_which_worker_would_take_it(deployed: World) -> None:
    deployed.do("env", "update", "prod", "--rule", "labels=eu-1")
    deployed.do(*UPDATE, "port=81")

    said = deployed.do("run", "explain", 3).out

    assert said == (
        "Run 3 of service/orders/prod: queued\n"
        "  no worker is running; it needs one with labels eu-1\n"
        "  no living worker could ever take it\n"
        "Next: landform worker run --label eu-1\n"
    )


def test_a_worker_refuses_what_is_no_label(world: World) -> None:
    result = world.run("worker", "run", "--label", "Prod!")

    assert (result.code, result.err) == (
        64,
        "Error: 'Prod!' is not a label.\nHint: A label looks like prod or eu-1; give --label once for each.\n",
    )
