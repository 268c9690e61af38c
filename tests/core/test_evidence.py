"""What may be concluded from what was found out about an interrupted run."""

from __future__ import annotations

import dataclasses
import json

import pytest

from engine.core import evidence
from engine.core.evidence import Act, Evidence, Known, States, Steps
from engine.core.plans import Action, AutoApprove, Change, Summary


def found(*state: Known, begun: tuple[Act, ...] = (Act("a.b", "create"),), plan: Summary | None = None) -> Evidence:
    steps, states = Steps(begun=begun), States("serial 1 of x", "serial 2 of x", state)
    return Evidence("2026-11-23T12:00:00Z", "process 7 on host c1", "Gone.", steps, states, plan)


def test_what_was_being_made_and_is_in_no_state_may_exist() -> None:
    seen = found(Known("c.d", False))

    assert (seen.missing, seen.doubtful) == (("a.b",), ())


def test_what_was_being_made_and_is_in_the_state_as_whole_is_doubtful() -> None:
    seen = found(Known("a.b", False))

    assert (seen.missing, seen.doubtful) == ((), ("a.b",))


def test_what_terraform_knows_to_be_half_made_is_neither_missing_nor_doubtful() -> None:
    seen = found(Known("a.b", True))

    assert (seen.missing, seen.doubtful) == ((), ())


def test_what_was_made_and_is_in_no_state_may_exist() -> None:
    steps = Steps(finished=(Act("a.b", "create"), Act("c.d", "delete")), failed=(Act("e.f", "create"),))

    assert dataclasses.replace(found(), steps=steps).missing == ("a.b", "e.f")


def test_where_nobody_knows_what_was_begun_no_retry_approves_itself() -> None:
    seen = dataclasses.replace(found(), steps=Steps(is_known=False))

    assert seen.policy(AutoApprove.ALL) is AutoApprove.NONE


def test_what_was_being_deleted_and_is_in_no_state_is_not_missing() -> None:
    assert found(begun=(Act("a.b", "delete"),)).missing == ()


def test_what_was_being_deleted_and_is_still_in_the_state_is_doubtful() -> None:
    assert found(Known("a.b", False), begun=(Act("a.b", "delete"),)).doubtful == ("a.b",)


@pytest.mark.parametrize(
    ("plan", "is_clean"), [(None, False), (Summary(), True), (Summary((Change("a.b", Action.UPDATE),)), False)]
)
def test_only_a_plan_that_changes_nothing_is_clean(plan: Summary | None, is_clean: bool) -> None:
    assert found(plan=plan).is_clean is is_clean


@pytest.mark.parametrize(
    ("given", "state", "policy"),
    [
        (AutoApprove.NONE, (Known("a.b", True),), AutoApprove.NONE),
        (AutoApprove.SAFE, (Known("a.b", True),), AutoApprove.SAFE),
        (AutoApprove.ALL, (Known("a.b", True),), AutoApprove.SAFE),
        (AutoApprove.ALL, (), AutoApprove.NONE),
        (AutoApprove.ALL, (Known("a.b", False),), AutoApprove.NONE),
    ],
)
def test_a_retry_that_nobody_asked_for_approves_itself_only_where_nothing_is_in_doubt(
    given: AutoApprove, state: tuple[Known, ...], policy: AutoApprove
) -> None:
    assert found(*state).policy(given) is policy


def test_the_json_form_says_what_follows_too() -> None:
    seen = found(plan=Summary((Change("a.b", Action.CREATE),))).to_json()

    assert json.loads(json.dumps(seen)) == {
        "looked_at": "2026-11-23T12:00:00Z",
        "worker": "process 7 on host c1",
        "processes": "Gone.",
        "steps": {"finished": [], "failed": [], "begun": [{"address": "a.b", "action": "create"}], "is_known": True},
        "states": {"before": "serial 1 of x", "now": "serial 2 of x", "resources": [], "lock": ""},
        "plan": {
            "sentence": "1 to add, 0 to change, 0 to destroy.",
            "counts": {"add": 1, "change": 0, "destroy": 0},
            "changes": [{"address": "a.b", "action": "create", "reason": ""}],
            "outputs": [],
            "drift": [],
        },
        "notes": [],
        "missing": ["a.b"],
        "doubtful": [],
        "is_clean": False,
    }


def test_an_import_block_is_terraform_code_whatever_the_id_holds() -> None:
    assert evidence.import_block('a.b["x"]', 'i-1"${bad}%{if}') == (
        'import {\n  to = a.b["x"]\n  id = "i-1\\"$${bad}%%{if}"\n}\n'
    )
