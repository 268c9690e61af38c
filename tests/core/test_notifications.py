"""What may be said of a run that others carry out, and what follows: the table of reference section 6.5."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.core.metadata import DELETED
from engine.core.notifications import (
    Notification,
    Output,
    Subject,
    Told,
    Verdict,
    check,
    covered,
    pairs,
    parsed,
    verdict,
)
from engine.core.provisioning import Proposal, Repository
from engine.core.runs import Operation, Status
from engine.errors import Conflict, Invalid

ID = "187da427-0e25-498b-a86e-fe7cbbf40c02"
OTHER = "00000000-0e25-498b-a86e-fe7cbbf40c02"


def subject(status: Status = Status.PROPOSED, operation: Operation = Operation.DEPLOY) -> Subject:
    deployment_id = ID if operation is Operation.DEPLOY else DELETED
    return Subject(42, operation, status, Proposal(Repository("file:///r", "main"), "b", deployment_id))


@pytest.mark.parametrize(
    ("told", "came_to"),
    [
        (None, Verdict.KEEP),
        (Told.IN_PROGRESS, Verdict.KEEP),
        (Told.SUCCEEDED, Verdict.SUCCEED),
        (Told.FAILED, Verdict.FAIL),
    ],
)
@pytest.mark.parametrize("deployment_id", ["", ID, ID.upper()])
def test_whoever_carries_a_run_out_says_how_it_goes(told: Told | None, came_to: Verdict, deployment_id: str) -> None:
    assert verdict(subject(), Notification(told, {}, deployment_id=deployment_id)) is came_to


@pytest.mark.parametrize(("status", "told"), [(Status.SUCCEEDED, Told.SUCCEEDED), (Status.FAILED, Told.FAILED)])
def test_to_say_the_same_twice_is_fine(status: Status, told: Told) -> None:
    assert verdict(subject(status), Notification(told)) is Verdict.NOTHING


@pytest.mark.parametrize(
    ("status", "told", "message"),
    [
        (Status.SUCCEEDED, Told.FAILED, "Run 42 is succeeded: the word that it is FAILED comes too late."),
        (Status.FAILED, Told.SUCCEEDED, "Run 42 is failed: the word that it is SUCCEEDED comes too late."),
        (Status.CANCELLED, Told.SUCCEEDED, "Run 42 is cancelled: the word that it is SUCCEEDED comes too late."),
        (Status.SUCCEEDED, Told.IN_PROGRESS, "Run 42 is succeeded: the word that it is IN_PROGRESS comes too late."),
        (Status.FAILED, None, "Run 42 is failed: what is said of it comes too late."),
        (Status.QUEUED, Told.SUCCEEDED, "Run 42 is queued: the word that it is SUCCEEDED comes too early."),
    ],
)
def test_a_word_out_of_its_time_is_refused(status: Status, told: Told | None, message: str) -> None:
    with pytest.raises(Conflict) as caught:
        verdict(subject(status), Notification(told, {}))
    assert caught.value.message == message


def test_a_word_for_another_deployment_is_refused() -> None:
    with pytest.raises(Conflict) as caught:
        verdict(subject(), Notification(Told.SUCCEEDED, deployment_id=OTHER))
    assert caught.value.message == f"This is not for run 42: its deployment is {ID}, not '{OTHER}'."


def test_a_destroy_is_confirmed_with_the_id_of_what_is_deleted() -> None:
    destroy = subject(operation=Operation.DESTROY)

    assert verdict(destroy, Notification(Told.SUCCEEDED, deployment_id=DELETED)) is Verdict.SUCCEED


def test_a_run_that_landform_carries_out_itself_takes_no_word() -> None:
    with pytest.raises(Conflict) as caught:
        verdict(Subject(42, Operation.DEPLOY, Status.PLANNED, None), Notification(Told.SUCCEEDED))
    assert caught.value.message == "Run 42 waits for nobody's word: no proposal was made for it."


def outputs(count: int) -> dict[str, Output]:
    return {f"n{number}": Output("x") for number in range(count)}


@pytest.mark.parametrize(
    "said",
    [
        Notification(Told.SUCCEEDED, outputs(50), "x" * 5000, ID),
        Notification(None, {"x" * 1024: Output("y" * 1024)}),
        Notification(Told.FAILED, deployment_id=DELETED),
    ],
)
def test_the_limits_themselves_are_kept_to(said: Notification) -> None:
    check(said)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Notification(None, outputs(51)), "outputs: there are 51; 50 are the most."),
        (Notification(None, {"": Output("x")}), "outputs: '': has a name of 0 characters; it takes from 1 to 1024."),
        (Notification(None, {"a": Output("")}), "outputs: 'a': has a value of 0 characters; it takes from 1 to 1024."),
        (
            Notification(None, {"a": Output("x" * 1025)}),
            "outputs: 'a': has a value of 1025 characters; it takes from 1 to 1024.",
        ),
        (Notification(None, {"a": Output("\ud800")}), "outputs: 'a': is not text: it holds half of a character."),
        (Notification(Told.FAILED, message="x" * 5001), "--message: has 5001 characters; 5000 are the most."),
        (Notification(Told.FAILED, deployment_id="42"), "--deployment-id: '42' is not a UUID."),
    ],
)
def test_what_is_out_of_bounds_is_refused_without_its_value(said: Notification, told: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(said)
    assert [str(problem) for problem in caught.value.problems] == [told]


def test_the_id_of_what_is_deleted_is_refused_for_a_deploy() -> None:
    with pytest.raises(Invalid, match="which this is not"):
        check(Notification(Told.SUCCEEDED, deployment_id=DELETED), Operation.DEPLOY)


def test_what_terraform_prints_becomes_text() -> None:
    printed = {
        "zone": {"sensitive": False, "type": "string", "value": "a"},
        "size": {"sensitive": False, "type": "number", "value": 1},
        "open": {"sensitive": False, "type": "bool", "value": True},
        "ids": {"sensitive": False, "type": ["list", "string"], "value": ["a", "b"]},
        "secret": {"sensitive": True, "type": "string", "value": "s"},
        "none": {"sensitive": False, "type": "string", "value": None},
    }

    assert parsed(json.dumps(printed), "x") == {
        "zone": Output("a"),
        "size": Output("1"),
        "open": Output("true"),
        "ids": Output('["a","b"]'),
        "secret": Output("s", sensitive=True),
    }


def test_the_last_of_several_values_counts() -> None:
    listed = [{"key": "a", "valueString": "1"}, {"key": "a", "valueString": "2"}, {"key": "b", "valueString": [1]}]

    assert parsed(json.dumps(listed), "x") == {"a": Output("2"), "b": Output("[1]")}
    assert pairs(["a=1", "b=x=y", "a=2"]) == {"a": Output("2"), "b": Output("x=y")}


@pytest.mark.parametrize(
    "document", ["x", 1, None, {"a": "b"}, {"a": {"type": "string"}}, ["a"], [{"key": 1, "valueString": "b"}]]
)
def test_other_json_is_refused(document: Any) -> None:
    with pytest.raises(Invalid, match=r"^out\.json holds no outputs in a form that is known\.$"):
        parsed(json.dumps(document), "out.json")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"^out\.json is not JSON: "):
        parsed(text, "out.json")


def test_a_word_without_a_value_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        pairs(["zone"])
    assert str(caught.value.problems[0]) == "--output: 'zone' is not NAME=VALUE."


def test_an_output_can_be_called_sensitive() -> None:
    given = {"zone": Output("a"), "password": Output("s")}

    assert covered(given, ["password"])["password"] == Output("s", sensitive=True)
    with pytest.raises(Invalid, match=r"is no output that is given\. Did you mean \"password\"\?"):
        covered(given, ["pasword"])
