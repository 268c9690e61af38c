"""Services that follow specs in branches: what they say is deployed once, and never against a person's hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.core.syncs import Kind
from tests.repositories import Upstream
from tests.scenarios.syncing import forget_the_end
from tests.scenarios.world import World

OPS = """\
sync:
  services:
    orders:
      prod:
        branch: main
        spec: ./orders/spec.yaml
"""
BLUE = """\
      blue:
        branch: dev
        spec: orders/spec.yaml
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    """A repository whose ops file names orders/prod, with the spec that is deployed."""
    found = Upstream(tmp_path)
    found.commit({"proton-ops.yaml": OPS, "orders/spec.yaml": spec("{}")})
    return found


@pytest.fixture
def followed(deployed: World, upstream: Upstream) -> World:
    deployed.do("service", "sync", "add", "orders", upstream.url)
    return deployed


def spec(prod: str, blue: str | None = None) -> str:
    also = "" if blue is None else f"  - {{name: blue, environment: prod, spec: {blue}}}\n"
    return f"proton: ServiceSpec\ninstances:\n  - {{name: prod, environment: prod, spec: {prod}}}\n{also}"


def look(world: World, *arguments: str, code: int = 0) -> list[tuple[str, str, str]]:
    """What one look came to: target, status and message of each thing."""
    found = world.run("service", "sync", "run", *arguments, "-o", "json")
    assert found.code == code, found.err
    return [(row["target"], row["status"], row["message"]) for row in found.json["items"]]


def history(world: World, address: str = "orders/prod") -> list[Any]:
    return [(row["id"], row["status"]) for row in world.rows("instance", "history", address)]


def test_a_spec_that_is_deployed_already_changes_nothing(followed: World) -> None:
    assert look(followed) == [("prod", "unchanged", "")]
    assert history(followed) == [(2, "succeeded")]


def test_a_changed_spec_is_planned_and_waits_for_approval(followed: World, upstream: Upstream) -> None:
    commit = upstream.commit({"orders/spec.yaml": spec("{port: 81}")})

    [first] = look(followed)
    [second] = look(followed)

    run = followed.row("run", "show", 3)
    assert first == ("prod", "waiting", "run 3 is planned")
    assert second == ("prod", "waiting", "run 3 is planned")
    assert (run["inputs"], run["reason"]) == ({"port": 81}, f"{upstream.url}@{commit}")
    assert history(followed) == [(3, "planned"), (2, "succeeded")]
    assert followed.rows("service", "sync", "blockers", "orders") == []


@pytest.mark.terraform
def test_a_changed_spec_is_applied_where_that_was_allowed(followed: World, upstream: Upstream) -> None:
    upstream.commit({"orders/spec.yaml": spec("{port: 81}")})

    assert look(followed, "--auto-approve") == [("prod", "changed", "run 3 is succeeded")]
    assert look(followed, "--auto-approve") == [("prod", "unchanged", "")]
    assert followed.row("instance", "show", "orders/prod")["inputs"] == {"port": 81}
    [status] = followed.rows("service", "sync", "status", "orders")
    assert (status["message"], status["run_status"]) == ("run 3", "succeeded")


def test_an_instance_that_is_not_there_yet_is_added_from_its_own_branch(followed: World, upstream: Upstream) -> None:
    upstream.commit({"proton-ops.yaml": OPS + BLUE})
    commit = upstream.commit({"orders/spec.yaml": spec("{port: 99}", blue="{port: 82}")}, branch="dev")

    found = look(followed, "--no-wait")

    assert found == [("prod", "unchanged", ""), ("blue", "changed", "run 3")]
    run = followed.row("run", "show", 3)
    assert (run["address"], run["inputs"]) == ("service/orders/blue", {"port": 82})
    assert run["reason"].endswith(commit)
    assert history(followed) == [(2, "succeeded")]


def test_what_was_said_no_to_is_not_asked_again_until_the_spec_changes(followed: World, upstream: Upstream) -> None:
    upstream.commit({"orders/spec.yaml": spec("{port: 81}")})
    look(followed, "--no-wait")
    followed.do("run", "discard", 3)

    [again] = look(followed, "--no-wait", code=1)
    upstream.commit({"orders/spec.yaml": spec("{port: 82}")})
    [changed] = look(followed, "--no-wait")

    assert again[:2] == ("prod", "failed")
    assert again[2].startswith("Run 3 is discarded.")
    assert changed == ("prod", "changed", "run 4")


def test_a_newer_spec_supersedes_a_plan_that_nobody_has_approved(followed: World, upstream: Upstream) -> None:
    upstream.commit({"orders/spec.yaml": spec("{port: 81}")})
    look(followed, "--no-wait")
    upstream.commit({"orders/spec.yaml": spec("{}")})

    assert look(followed, "--no-wait") == [("prod", "changed", "run 4")]
    assert history(followed) == [(4, "queued"), (3, "discarded"), (2, "succeeded")]


def test_a_change_by_hand_stops_the_instance_until_it_is_resolved(followed: World, upstream: Upstream) -> None:
    followed.do("instance", "update", "orders/prod", "--set", "port=90", "--no-wait")
    upstream.commit({"orders/spec.yaml": spec("{port: 81}")})

    [blocked] = look(followed, "--no-wait")
    [blocker] = followed.rows("service", "sync", "blockers", "orders")
    followed.do("service", "sync", "resolve", blocker["id"], "--reason", "The branch is right.")
    [after] = look(followed, "--no-wait")

    assert (blocked[1], blocked[2][:27]) == ("blocked", "It was changed by run 3, by")
    assert (blocker["instance"], blocker["reason"]) == ("prod", "It was changed by run 3.")
    assert after == ("prod", "changed", "run 4")
    assert followed.rows("service", "sync", "blockers", "orders") == []
    assert followed.run("service", "sync", "resolve", blocker["id"], "--reason", "Again").code == 9


def test_a_deletion_by_hand_stops_the_whole_service(followed: World, upstream: Upstream) -> None:
    upstream.commit({"proton-ops.yaml": OPS + BLUE})
    upstream.commit({"orders/spec.yaml": spec("{}", blue="{}")}, branch="dev")
    look(followed, "--no-wait")
    followed.do("run", "discard", 3)
    followed.do("instance", "delete", "orders/blue", "--no-wait")

    assert [(target, status) for target, status, _ in look(followed, "--no-wait")] == [
        ("prod", "blocked"),
        ("blue", "blocked"),
    ]
    [blocker] = followed.rows("service", "sync", "blockers", "orders")
    assert (blocker["instance"], blocker["reason"]) == ("", "Instance blue was deleted by run 4.")


def test_a_service_that_follows_nothing_has_no_blockers(deployed: World) -> None:
    deployed.do("instance", "update", "orders/prod", "--set", "port=90", "--no-wait")

    assert deployed.rows("service", "sync", "blockers", "orders") == []


def test_one_instance_that_fails_does_not_stop_the_others(followed: World, upstream: Upstream) -> None:
    upstream.commit({"proton-ops.yaml": OPS + BLUE, "orders/spec.yaml": spec("{port: 81}")})

    found = look(followed, "--no-wait", code=1)

    assert found == [("prod", "changed", "run 3"), ("blue", "failed", f"There is no branch dev in {upstream.url}.")]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"orders/spec.yaml": spec("{prot: 81}")}, "The spec does not fit web@1.0:\norders/spec.yaml:3: instances[0]"),
        ({"orders/spec.yaml": "proton: EnvironmentSpec\n"}, "orders/spec.yaml cannot be used:"),
        ({"orders/spec.yaml": None}, "There is no orders/spec.yaml at "),
        ({"orders/spec.yaml": "proton: ServiceSpec\ninstances: []\n"}, "orders/spec.yaml has no instance prod"),
        (
            {"proton-ops.yaml": OPS.replace("./orders", "../orders")},
            "proton-ops.yaml:6: sync.services.orders.prod.spec:",
        ),
        (
            {"proton-ops.yaml": OPS.replace("main", "-x")},
            "proton-ops.yaml:5: sync.services.orders.prod.branch: '-x' is",
        ),
        ({"proton-ops.yaml": OPS.replace("branch", "brunch")}, 'brunch: is not a known key. Did you mean "branch"?'),
        ({"proton-ops.yaml": OPS.replace("orders:", "order:")}, "does not speak of service orders. Did you mean"),
        ({"proton-ops.yaml": "sync: 3\n"}, "proton-ops.yaml:1: sync: must be a mapping, not 3."),
        ({"proton-ops.yaml": None}, "There is no proton-ops.yaml at "),
    ],
)
def test_what_is_wrong_in_the_repository_is_said_with_its_place(
    followed: World, upstream: Upstream, files: dict[str, str | None], message: str
) -> None:
    upstream.commit(files)

    [(_, status, said)] = look(followed, code=1)

    assert status == "failed"
    assert message in said


def test_a_look_that_was_cut_off_records_no_second_run(followed: World, upstream: Upstream) -> None:
    upstream.commit({"orders/spec.yaml": spec("{port: 81}")})
    look(followed, "--no-wait")
    forget_the_end(followed, Kind.SERVICE, "orders", "prod")

    assert look(followed, "--no-wait") == [("prod", "changed", "run 3")]
    assert [status for _, status, _ in look(followed, "--no-wait")] == ["waiting"]
    assert history(followed) == [(3, "queued"), (2, "succeeded")]


def test_a_service_that_is_not_there_cannot_follow_anything(deployed: World, upstream: Upstream) -> None:
    found = deployed.run("service", "sync", "add", "order", upstream.url, "-o", "json")

    assert (found.code, found.error["message"]) == (8, "There is no service order.")


def test_everything_that_follows_a_branch_is_listed_and_shown(followed: World, upstream: Upstream) -> None:
    look(followed)

    [row] = followed.rows("sync", "list")
    shown = followed.row("sync", "show", row["id"])

    assert (row["kind"], row["name"], row["path"]) == ("service", "orders", "proton-ops.yaml")
    assert (shown["revision"], shown["items"]) == (row["revision"], [])
    followed.do("service", "sync", "remove", "orders")
    assert followed.rows("sync", "list") == []
    assert followed.run("service", "sync", "run", "orders").code == 8
