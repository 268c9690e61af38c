"""What an apply came to for each resource, as Terraform's events tell it."""

from __future__ import annotations

import json

from engine.core.export import Outcome
from engine.core.plans import Action, Change
from engine.worker import exporting


def event(kind: str, address: str, action: str) -> str:
    """A line of Terraform's."""
    return json.dumps({"type": kind, "hook": {"resource": {"addr": address}, "action": action}})


def outcomes(*lines: str, **planned: Action) -> dict[str, Outcome]:
    """What is told of resources of which these actions were planned."""
    return exporting.outcomes(lines, [Change(name, action) for name, action in planned.items()])


def test_what_was_completed_is_done() -> None:
    lines = (event("apply_start", "a", "create"), event("apply_complete", "a", "create"))

    assert outcomes(*lines, a=Action.CREATE) == {"a": Outcome.DONE}


def test_what_was_begun_and_not_heard_of_again_is_unfinished() -> None:
    assert outcomes(event("apply_start", "a", "create"), a=Action.CREATE) == {"a": Outcome.UNFINISHED}


def test_what_could_not_be_done_has_failed() -> None:
    lines = (event("apply_start", "a", "create"), event("apply_errored", "a", "create"))

    assert outcomes(*lines, a=Action.CREATE) == {"a": Outcome.FAILED}


def test_a_replacement_is_done_when_both_of_its_steps_are() -> None:
    gone = event("apply_complete", "a", "delete")

    assert outcomes(gone, a=Action.REPLACE) == {"a": Outcome.UNFINISHED}
    assert outcomes(gone, event("apply_complete", "a", "create"), a=Action.REPLACE) == {"a": Outcome.DONE}


def test_what_the_apply_did_not_get_to_is_not_told_of() -> None:
    lines = (event("planned_change", "a", "create"), "no json", event("refresh_start", "b", "read"))

    assert outcomes(*lines, a=Action.CREATE) == {}
