"""Runs that ended nobody knows how: what is known is shown, nothing is made up, and somebody decides."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from engine.worker.triggers import Point
from tests.scenarios import slow, workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
ELSEWHERE = {"host": "c1", "boot_id": "b", "pid": 7, "started": "1"}
CLEAN = "No changes."


@pytest.fixture
def applying(deployed: World) -> Iterator[tuple[World, subprocess.Popen[str]]]:
    """As `deployed`, with a process in the middle of applying run 3, the first of slow/prod."""
    slow.publish(deployed)
    with slow.applying(deployed) as landform:
        yield deployed, landform


@pytest.fixture
def unheard(deployed: World) -> World:
    """As `deployed`, and run 3 is interrupted: its Terraform had done all it was to do, but nobody heard it say so."""
    slow.publish(deployed)
    deployed.do(*slow.CREATE, "--auto-approve", "--no-wait")
    workspace = deployed.home / slow.WORKSPACE
    workspace.mkdir(mode=0o700, parents=True)
    slow.mend(deployed)
    slow.die_at(deployed, Point.APPLY_ENDED)
    events = deployed.home / slow.ADDRESS / "runs/3/events.jsonl"
    heard = events.read_text().splitlines()
    last = next(number for number, line in enumerate(heard) if "terraform_data.slow: Creation complete" in line)
    events.write_text("".join(f"{line}\n" for line in heard[:last]))
    return deployed


@pytest.fixture
def gone(lost: World) -> World:
    """As `lost`, and the state does not know of what was being made when the run was interrupted."""
    path, state = lost.lay_open(slow.ADDRESS), lost.state(slow.ADDRESS)
    kept = [resource for resource in state["resources"] if resource["name"] != "slow"]
    path.write_text(json.dumps({**state, "serial": state["serial"] + 1, "resources": kept}))
    return lost


# What is known


def test_the_evidence_says_how_far_it_came_and_what_terraform_would_do_now(lost: World) -> None:
    found = lost.row("run", "recover", 3)

    assert (found["run"], found["status"], found["steps"]["is_known"]) == (3, "interrupted", True)
    assert found["steps"]["finished"] == [{"address": "terraform_data.first", "action": "create"}]
    assert found["steps"]["failed"] == [{"address": "terraform_data.slow", "action": "create"}]
    assert (found["states"]["before"], found["plan"]["counts"]) == ("", {"add": 1, "change": 0, "destroy": 1})
    assert found["processes"].endswith(" is gone, and so is all of its group.")


def test_people_read_the_evidence_with_the_choices(lost: World) -> None:
    said = lost.do("run", "recover", 3).out

    assert "  done with             terraform_data.first (create)\n" in said
    assert "    -/+ terraform_data.slow (tainted)\n" in said
    assert "  landform run recover 3 --mark failed --reason TEXT\n" in said


def test_looking_decides_nothing_and_applies_nothing(lost: World) -> None:
    lost.do("run", "recover", 3)
    lost.do("run", "recover", 3)

    assert (lost.row("run", "show", 3)["status"], slow.ledger(lost)) == ("interrupted", ["made"])


def test_the_evidence_stays_with_the_run(lost: World) -> None:
    found = lost.row("run", "recover", 3)

    assert lost.row("run", "show", 3)["evidence"]["looked_at"] == found["looked_at"]


def test_the_last_words_of_a_terraform_are_in_the_log_and_nowhere_else_with_the_next_command(lost: World) -> None:
    lost.do("run", "list")

    assert "terraform_data.slow: (local-exec): " in lost.do("run", "logs", 3).out
    assert "Creation errored after" in lost.do("run", "logs", 3).out
    assert not (lost.home / slow.ADDRESS / "runs/3/orphan.jsonl").exists()


def test_the_state_that_was_left_is_kept(gone: World) -> None:
    gone.do("run", "recover", 3)

    [newest, *_] = gone.rows("state", "list", "slow/prod")
    assert (newest["serial"], newest["run_id"]) == (gone.state(slow.ADDRESS)["serial"], 3)


def test_after_a_crash_of_everything_what_was_being_made_is_in_doubt(
    applying: tuple[World, subprocess.Popen[str]],
) -> None:
    world, landform = applying
    slow.crash(world, landform)

    found = world.row("run", "recover", 3)

    # as measured: killed while its provisioner runs, a resource is in no state, or in it as if all were well
    assert found["missing"] + found["doubtful"] == ["terraform_data.slow"]
    assert found["status"] == "interrupted"


def test_what_is_in_no_state_is_proposed_for_import(gone: World) -> None:
    said = gone.do("run", "recover", 3).out

    assert "terraform_data.slow was being made, or was made, and is in no state." in said
    assert (
        '    import {\n      to = terraform_data.slow\n      id = "the id that its provider gave it"\n    }\n' in said
    )


def test_a_plan_without_changes_is_no_proof(unheard: World) -> None:
    found = unheard.row("run", "recover", 3)

    assert (found["plan"]["sentence"], found["is_clean"], found["doubtful"]) == (CLEAN, True, ["terraform_data.slow"])
    assert unheard.row("run", "show", 3)["status"] == "interrupted"


# What is decided


def test_retry_plans_anew_and_the_old_run_says_so(lost: World) -> None:
    slow.mend(lost)

    lost.do("run", "recover", 3, "--retry", "--yes")

    old, new = lost.row("run", "show", 3), lost.row("run", "show", 4)
    assert (old["status"], old["message"].splitlines()[-1]) == ("failed", "Retried as run 4.")
    assert (new["status"], new["retry_of"], slow.finished(lost)) == ("succeeded", 3, ["first", "slow"])


def test_a_retry_needs_an_approval_of_its_own(lost: World) -> None:
    result = lost.run("run", "retry", 3, "--auto-approve")

    # what is tainted is replaced
    assert (result.code, lost.row("run", "show", 4)["status"]) == (3, "planned")


def test_retry_asked_again_with_its_key_gives_the_same_run(lost: World) -> None:
    first = lost.rows("run", "recover", 3, "--retry", "--no-wait", "--idempotency-key", "k")

    again = lost.rows("run", "recover", 3, "--retry", "--no-wait", "--idempotency-key", "k")

    assert [run["id"] for run in first + again] == [4, 4]


def test_marked_as_failed_the_run_says_by_whom_and_the_instance_is_free(lost: World) -> None:
    lost.do("run", "recover", 3, "--mark", "failed", "--reason", "disk was full")

    run = lost.row("run", "show", 3)
    assert (run["status"], run["next_actions"]) == ("failed", ["retry"])
    assert run["message"].endswith(f"Marked as failed by {run['requested_by']}: disk was full")
    assert lost.do("service", "delete", "slow", "--yes").code == 0


def test_marked_as_succeeded_its_outputs_are_those_of_the_state(unheard: World) -> None:
    unheard.do("run", "recover", 3, "--mark", "succeeded", "--reason", "looked at it")

    assert unheard.row("run", "show", 3)["status"] == "succeeded"
    assert unheard.row("instance", "show", "slow/prod")["outputs"]["port"]["value"] == 80
    assert slow.ledger(unheard) == ["made"]


def test_what_terraform_would_still_change_is_not_marked_as_succeeded(lost: World) -> None:
    result = lost.run("run", "recover", 3, "--mark", "succeeded", "--reason", "hope")

    assert (result.code, result.err.splitlines()[-2]) == (
        4,
        "Error: Run 3 is not marked as succeeded, for what Terraform would change now: "
        "1 to add, 0 to change, 1 to destroy, 1 output changes.",
    )
    assert lost.row("run", "show", 3)["status"] == "interrupted"


def test_whoever_insists_marks_it_as_succeeded(lost: World) -> None:
    lost.do("run", "recover", 3, "--mark", "succeeded", "--reason", "good enough", "--yes")

    assert lost.row("run", "show", 3)["status"] == "succeeded"


def test_what_exists_is_taken_into_the_state_and_made_no_second_time(gone: World) -> None:
    slow.mend(gone)

    found = gone.row("run", "recover", 3, "--adopt", "terraform_data.slow=its-id")

    assert (found["missing"], slow.finished(gone)) == ([], ["first", "slow"])
    gone.do("run", "recover", 3, "--retry", "--yes")
    assert slow.ledger(gone) == ["made"]


def test_only_what_the_run_was_making_is_adopted(gone: World) -> None:
    result = gone.run("run", "recover", 3, "--adopt", "terraform_data.first=x")

    assert (result.code, result.err.splitlines()[-2:]) == (
        9,
        [
            "Error: Run 3 was not making terraform_data.first when it was interrupted.",
            "Hint: These are: terraform_data.slow.",
        ],
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mark", "failed"), "Error: --mark needs a --reason: it is what others will read about this run."),
        (
            ("--mark", "failed", "--reason", "x", "--retry"),
            "Error: --mark and --retry cannot be given together.",
        ),
        (("--adopt", "nothing"), "Error: --adopt takes ADDRESS=ID, not 'nothing'."),
    ],
)
def test_a_decision_that_is_not_whole_is_refused(deployed: World, words: tuple[str, ...], message: str) -> None:
    result = deployed.run("run", "recover", 2, *words)

    assert (result.code, result.err.splitlines()[0]) == (64, message)


def test_other_changes_are_refused_until_somebody_has_decided(lost: World) -> None:
    result = lost.run("instance", "update", "slow/prod", "--set", "port=81")

    assert (result.code, result.err.splitlines()[-1]) == (
        10,
        "Hint: See it: landform run show 3. Then: landform run recover 3",
    )


# By rule


def allow(world: World) -> None:
    """Lets interrupted runs in prod recover without a person."""
    world.do("env", "update", "prod", "--rule", "auto_recover=yes")


def test_by_rule_an_interrupted_run_is_followed_by_one_that_plans_anew(
    applying: tuple[World, subprocess.Popen[str]],
) -> None:
    world, landform = applying
    allow(world)
    slow.lose(world, landform)

    [new, old, *_] = world.rows("run", "list")

    assert (old["id"], old["status"], old["message"].splitlines()[-1]) == (3, "failed", "Retried as run 4.")
    assert (new["id"], new["status"], new["requested_by"]) == (4, "queued", old["requested_by"])
    # what is tainted is replaced, and that needs a person
    assert world.run("run", "apply", 4).code == 3


def test_by_rule_nothing_in_doubt_approves_itself(unheard: World) -> None:
    allow(unheard)
    unheard.do("env", "update", "prod", "--description", "the next command that changes something")

    [run] = unheard.rows("run", "list", "--limit", 1)

    assert (run["id"], run["status"], run["auto_approve"]) == (4, "queued", "none")


def test_what_somebody_has_killed_is_not_tried_again_by_rule(deployed: World) -> None:
    slow.publish(deployed)
    allow(deployed)
    with slow.applying(deployed) as landform, slow.frozen(deployed):
        for _ in range(3):
            landform.send_signal(2)
            next(line for line in landform.stderr or () if "Terraform" in line)
        landform.communicate()

    [run] = deployed.rows("run", "list", "--limit", 1)

    assert (run["id"], run["status"]) == (3, "interrupted")


# A worker that cannot be seen from here


@pytest.fixture
def unseen(deployed: World) -> World:
    """As `deployed`, with an update of orders/prod as run 3, which a worker of another host applies."""
    deployed.run("instance", "update", "orders/prod", "--set", "port=81")
    deployed.do("run", "approve", 3, "--no-wait")
    workers.claim(deployed, 3, ELSEWHERE)
    return deployed


def test_an_apply_on_another_host_stays_as_it_is(unseen: World) -> None:
    result = unseen.run("run", "retry", 3)

    assert (result.code, unseen.row("run", "show", 3)["status"]) == (9, "applying")


def test_whoever_knows_that_the_host_is_gone_takes_the_run_from_it(unseen: World) -> None:
    unseen.do("run", "recover", 3, "--yes")

    run = unseen.row("run", "show", 3)
    assert (run["status"], run["next_actions"]) == ("interrupted", ["recover"])
    assert run["message"].endswith(" gave up on process 7 of host c1.")
    unseen.do("run", "retry", 3, "--yes")
    assert unseen.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}


def test_nobody_is_asked_where_there_is_no_terminal(unseen: World) -> None:
    result = unseen.run("run", "recover", 3)

    assert (result.code, result.err) == (
        64,
        "Error: Is process 7 on host c1 gone for certain, and all that it started? Nobody can be asked here.\n"
        "Hint: Give --yes to go on without a question.\n",
    )


@pytest.mark.parametrize("given", [(), ("--yes",)])
def test_a_worker_that_is_seen_to_live_is_not_given_up_and_nobody_is_asked(
    deployed: World, given: tuple[str, ...]
) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, workers.living())

    result = deployed.run("run", "recover", 3, *given)

    assert (result.code, result.err) == (
        6,
        "Error: Run 3 is not lost: process 1 on this machine works on it.\n"
        "Hint: Follow it: landform run logs -f 3. Or stop it: landform run cancel 3\n",
    )


def test_a_lost_plan_only_waits_again(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=81", "--no-wait")
    workers.claim(deployed, 3, ELSEWHERE)

    deployed.do("run", "recover", 3, "--yes")

    assert deployed.row("run", "show", 3)["status"] == "queued"


def test_a_run_that_nobody_works_on_is_not_lost(deployed: World) -> None:
    result = deployed.run("run", "recover", 2, "--yes")

    assert (result.code, result.err) == (
        9,
        "Error: Run 2 is not lost: it is succeeded.\nHint: See it: landform run show 2\n",
    )
