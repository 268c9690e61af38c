"""An environment may ask for several yeses, or for somebody else's, and may let plans go bad."""

from __future__ import annotations

import pytest

from engine import app, settings
from tests.scenarios.world import Result, World

pytestmark = pytest.mark.terraform


@pytest.fixture
def ana(deployed: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """As `deployed`, where ana types."""
    monkeypatch.setenv("LANDFORM_USER", "ana")
    return deployed


@pytest.fixture
def two(ana: World) -> World:
    """As `ana`, where prod asks for two approvals, and run 3 of orders/prod waits for them."""
    ana.do("env", "update", "prod", "--rule", "approvals=2")
    ana.run("instance", "update", "orders/prod", "--set", "port=81")
    return ana


@pytest.fixture
def others(ana: World) -> World:
    """As `ana`, where prod asks for somebody else's approval, and run 3 of orders/prod, which ana asked for, waits."""
    ana.do("env", "update", "prod", "--rule", "own_approval=no")
    ana.run("instance", "update", "orders/prod", "--set", "port=81")
    return ana


def as_user(world: World, user: str, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Result:
    """What somebody else's command line comes to."""
    with monkeypatch.context() as patch:
        patch.setenv("LANDFORM_USER", user)
        return world.run(*arguments)


def backdate(world: World, run_id: int) -> None:
    """Makes the plan of a run a day older."""
    catalog = app.build(settings.load(home=str(world.home))).catalog
    with catalog.write() as tx:
        run = tx.run(run_id)
        assert run.planned_at is not None
        run.planned_at = run.planned_at.replace(year=2001)
        tx.save(run)
    catalog.close()


def test_rules_are_given_and_shown_without_a_run(ana: World) -> None:
    result = ana.do("env", "update", "prod", "--rule", "approvals=2", "--rule", "labels=eu-1,prod")

    shown = ana.row("env", "show", "prod")
    assert result.out == "Environment prod was changed; no run was needed.\n"
    assert shown["rules"] == {
        "approvals": 2,
        "own_approval": True,
        "auto_recover": False,
        "labels": ["eu-1", "prod"],
        "max_runs": 0,
        "rank": 0,
        "plan_ttl_s": 0,
        "drift_every_s": 0,
        "drift_budget": 10,
        "expiry_warning_s": 86_400,
    }
    assert (
        "  rules:\n    approvals            2\n    labels               eu-1, prod\n"
        in ana.do("env", "show", "prod").out
    )
    assert len(ana.rows("run", "list")) == 2


def test_a_rule_is_taken_back_with_an_empty_value(two: World) -> None:
    two.do("env", "update", "prod", "--rule", "approvals=", "--rule", "max_runs=3")

    rules = two.row("env", "show", "prod")["rules"]
    assert (rules["approvals"], rules["max_runs"]) == (1, 3)


def test_an_environment_can_have_rules_from_the_start(ana: World) -> None:
    ana.do("env", "create", "dev", "-t", "lab", "--rule", "plan_ttl_s=72h", "--auto-approve")

    assert ana.row("env", "show", "dev")["rules"]["plan_ttl_s"] == 259_200


def test_everything_that_is_wrong_with_rules_is_said_at_once(ana: World) -> None:
    wrong = ("--rule", "approvals=0", "--rule", "label=eu")

    update = ana.run("env", "update", "prod", *wrong)
    create = ana.run("env", "create", "dev", "-t", "lab", *wrong)

    assert (update.code, create.code) == (1, 1)
    assert update.err == create.err
    assert update.err == (
        "Error: The rules cannot be used:\n"
        "  --rule: approvals: '0' is not a whole number from 1 to 999.\n"
        '  --rule: label: is not a rule. Did you mean "labels"?\n'
        "Hint: Rules are: approvals, own_approval, auto_recover, labels, "
        "max_runs, rank, plan_ttl_s, drift_every_s, drift_budget, expiry_warning_s.\n"
    )


def test_the_first_of_two_yeses_is_not_enough(two: World) -> None:
    result = two.run("run", "approve", 3, "--reason", "looks right")

    run = two.row("run", "show", 3)
    assert result.code == 3
    assert "orders/prod: 1 of 2 approvals: ana.\n" in result.err
    assert (run["status"], run["message"], run["approved_by"]) == ("planned", "1 of 2 approvals: ana.", "")
    assert "  waiting on         approval (1 of 2)\n" in two.do("run", "show", 3).out
    assert (run["approvals_needed"], run["waiting_on"]) == (2, "approval")
    assert [(given["user_name"], given["reason"]) for given in run["approvals"]] == [("ana", "looks right")]


def test_the_first_of_two_yeses_ends_with_three_even_where_nobody_waits(two: World) -> None:
    assert two.run("run", "approve", 3, "--no-wait").code == 3


def test_the_second_of_two_yeses_applies_the_plan(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    two.run("run", "approve", 3, "--reason", "looks right")

    result = as_user(two, "ben", monkeypatch, "run", "approve", 3, "--reason", "fine")

    run = two.row("run", "show", 3)
    assert result.code == 0
    assert (run["status"], run["approved_by"], run["approval_reason"]) == ("succeeded", "ana, ben", "fine")
    assert run["message"] == ""
    assert [given["user_name"] for given in run["approvals"]] == ["ana", "ben"]


def test_every_yes_is_shown_with_its_time_and_reason(two: World, monkeypatch: pytest.MonkeyPatch) -> None:
    two.run("run", "approve", 3, "--reason", "looks right")
    as_user(two, "ben", monkeypatch, "run", "approve", 3)

    shown, given = two.do("run", "show", 3).out, two.row("run", "show", 3)["approvals"]

    when = [each["created_at"].partition(".")[0].rstrip("Z") for each in given]
    assert f"    ana                  {when[0]}Z looks right\n" in shown
    assert f"    ben                  {when[1]}Z\n" in shown


def test_nobody_counts_twice(two: World) -> None:
    two.run("run", "approve", 3)

    again = two.run("run", "approve", 3)

    assert (again.code, again.err) == (
        9,
        "Error: ana has approved run 3 already: 1 of 2 approvals: ana.\n"
        "Hint: Somebody else has to: landform run approve 3\n",
    )


@pytest.mark.parametrize("consent", ["--yes", "--auto-approve"])
def test_a_flag_is_no_substitute_for_two_people(two: World, consent: str) -> None:
    result = two.run("instance", "update", "orders/prod", "--set", "port=82", consent)

    run = two.row("run", "show", 4)
    assert (result.code, run["status"], run["approvals"]) == (3, "planned", [])
    assert run["message"] == "It does not approve itself: its environment asks for 2 approvals."
    assert two.run("run", "apply", 4, consent).code == 3
    assert two.row("run", "show", 4)["approvals"] == []


def test_whoever_asked_may_not_approve_where_somebody_else_has_to(others: World) -> None:
    approved = others.run("run", "approve", 3)
    applied = others.run("run", "apply", 3, "--yes")

    assert (approved.code, approved.err) == (
        4,
        "Error: ana asked for run 3: its environment wants somebody else to approve it.\n"
        "Hint: Anybody but ana can: landform run approve 3\n",
    )
    assert (applied.code, others.row("run", "show", 3)["status"]) == (3, "planned")


def test_where_somebody_else_has_to_approve_a_plan_does_not_approve_itself(others: World) -> None:
    result = others.run("instance", "update", "orders/prod", "--set", "port=82", "--yes")

    assert result.code == 3
    assert others.row("run", "show", 4)["message"] == (
        "It does not approve itself: its environment asks for somebody else's approval."
    )


@pytest.mark.parametrize("words", [("approve", 3), ("apply", 3, "--yes")])
def test_somebody_else_may(others: World, monkeypatch: pytest.MonkeyPatch, words: tuple[object, ...]) -> None:
    result = as_user(others, "ben", monkeypatch, "run", *words)

    run = others.row("run", "show", 3)
    assert (result.code, run["status"], run["approved_by"]) == (0, "succeeded", "ben")


def test_of_several_runs_all_are_approved_or_none(others: World, monkeypatch: pytest.MonkeyPatch) -> None:
    others.publish("more", others.service_bundle("more"))
    as_user(others, "ben", monkeypatch, "service", "create", "shop", "-t", "more", "--env", "prod")

    result = others.run("run", "approve", 4, 3)

    assert (result.code, others.row("run", "show", 4)["approvals"]) == (4, [])


def test_a_plan_says_until_when_it_is_good(ana: World) -> None:
    ana.do("env", "update", "prod", "--rule", "plan_ttl_s=1h")
    ana.run("instance", "update", "orders/prod", "--set", "port=81")

    run = ana.row("run", "show", 3)
    assert run["expires_at"] > run["planned_at"]
    until = run["expires_at"].partition(".")[0].rstrip("Z")
    assert f"  expires at         {until}Z\n" in ana.do("run", "show", 3).out


def test_a_plan_that_came_too_late_is_not_approved(ana: World) -> None:
    ana.run("instance", "update", "orders/prod", "--set", "port=81")
    ana.do("env", "update", "prod", "--rule", "plan_ttl_s=1h")
    backdate(ana, 3)

    result = ana.run("run", "approve", 3)

    run = ana.row("run", "show", 3)
    assert result.code == 5
    assert (run["status"], run["expires_at"]) == ("discarded", None)
    assert run["message"].startswith("The plan of run 3 was good until 2001-")
    assert result.err == f"Error: {run['message']}\nHint: Make a new one: landform run retry 3\n"


def test_a_plan_that_was_approved_too_long_ago_is_not_applied(ana: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ana.run("instance", "update", "orders/prod", "--set", "port=81")
    ana.do("run", "approve", 3, "--no-wait")
    backdate(ana, 3)
    monkeypatch.setenv("LANDFORM_PLAN_TTL_S", "3600")

    result = ana.run("run", "apply", 3)

    assert (result.code, ana.row("run", "show", 3)["status"]) == (5, "discarded")
    assert ana.row("instance", "show", "orders/prod")["outputs"]["port"]["value"] == 80
