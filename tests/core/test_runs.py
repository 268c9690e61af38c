"""The life of a run: every edge of the table, and everything that is not one."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import runs
from engine.core.runs import Event, Status
from engine.errors import Conflict

EDGES = {
    (Status.QUEUED, Event.CLAIM): Status.PLANNING,
    (Status.QUEUED, Event.DISCARD): Status.DISCARDED,
    (Status.QUEUED, Event.CANCEL): Status.CANCELLED,
    (Status.QUEUED, Event.CALL_OFF): Status.FAILED,
    (Status.PLANNING, Event.PROPOSE): Status.PROPOSED,
    (Status.PROPOSED, Event.SUCCEED): Status.SUCCEEDED,
    (Status.PROPOSED, Event.FAIL): Status.FAILED,
    (Status.PROPOSED, Event.CANCEL): Status.CANCELLED,
    (Status.PLANNING, Event.FIND_NOTHING): Status.SUCCEEDED,
    (Status.PLANNING, Event.ASK): Status.PLANNED,
    (Status.PLANNING, Event.APPROVE): Status.APPROVED,
    (Status.PLANNING, Event.FAIL): Status.FAILED,
    (Status.PLANNING, Event.CANCEL): Status.CANCELLED,
    (Status.PLANNING, Event.LOSE): Status.QUEUED,
    (Status.PLANNED, Event.APPROVE): Status.APPROVED,
    (Status.PLANNED, Event.DISCARD): Status.DISCARDED,
    (Status.PLANNED, Event.CANCEL): Status.CANCELLED,
    (Status.APPROVED, Event.CLAIM): Status.APPLYING,
    (Status.APPROVED, Event.DISCARD): Status.DISCARDED,
    (Status.APPROVED, Event.CANCEL): Status.CANCELLED,
    (Status.APPLYING, Event.SUCCEED): Status.SUCCEEDED,
    (Status.APPLYING, Event.FAIL): Status.FAILED,
    (Status.APPLYING, Event.CANCEL): Status.CANCELLED,
    (Status.APPLYING, Event.DISCARD): Status.DISCARDED,
    (Status.APPLYING, Event.LOSE): Status.INTERRUPTED,
    (Status.INTERRUPTED, Event.MARK_SUCCEEDED): Status.SUCCEEDED,
    (Status.INTERRUPTED, Event.MARK_FAILED): Status.FAILED,
}
NO_EDGES = sorted(set(product(Status, Event)) - EDGES.keys())
BY_PEOPLE = {
    (Status.QUEUED, Event.DISCARD): Status.DISCARDED,
    (Status.QUEUED, Event.CANCEL): Status.CANCELLED,
    (Status.PROPOSED, Event.SUCCEED): Status.SUCCEEDED,
    (Status.PROPOSED, Event.FAIL): Status.FAILED,
    (Status.PROPOSED, Event.CANCEL): Status.CANCELLED,
    (Status.PLANNED, Event.APPROVE): Status.APPROVED,
    (Status.PLANNED, Event.DISCARD): Status.DISCARDED,
    (Status.PLANNED, Event.CANCEL): Status.CANCELLED,
    (Status.APPROVED, Event.DISCARD): Status.DISCARDED,
    (Status.APPROVED, Event.CANCEL): Status.CANCELLED,
    (Status.INTERRUPTED, Event.MARK_SUCCEEDED): Status.SUCCEEDED,
    (Status.INTERRUPTED, Event.MARK_FAILED): Status.FAILED,
}
NOT_BY_PEOPLE = sorted(set(product(Status, Event)) - BY_PEOPLE.keys())
VERBS = {
    Event.CLAIM: "Cannot claim a run that is",
    Event.PROPOSE: "Cannot propose a run that is",
    Event.FIND_NOTHING: "Cannot find nothing to do in a run that is",
    Event.ASK: "Cannot ask for approval of a run that is",
    Event.APPROVE: "Cannot approve a run that is",
    Event.DISCARD: "Cannot discard a run that is",
    Event.CALL_OFF: "Cannot call off a run that is",
    Event.SUCCEED: "Cannot complete a run that is",
    Event.FAIL: "Cannot fail a run that is",
    Event.CANCEL: "Cannot cancel a run that is",
    Event.LOSE: "Cannot lose a run that is",
    Event.MARK_SUCCEEDED: "Cannot mark as succeeded a run that is",
    Event.MARK_FAILED: "Cannot mark as failed a run that is",
}
ENDED = "It has ended: start a new run."
CANCEL = "What can be done now: cancel."
HOLD_UP = "What can be done now: apply, discard, cancel."
# status: its word, has it ended, who moves next, what a person can do now, the hint of a refusal
PUBLIC = {
    Status.QUEUED: ("queued", False, "worker", ("apply", "discard", "cancel"), HOLD_UP),
    Status.PLANNING: ("planning", False, "", ("cancel",), CANCEL),
    Status.PROPOSED: (
        "proposed",
        False,
        "pull request",
        ("notify", "cancel"),
        "What can be done now: notify, cancel.",
    ),
    Status.PLANNED: (
        "planned",
        False,
        "approval",
        ("approve", "discard", "cancel"),
        "What can be done now: approve, discard, cancel.",
    ),
    Status.APPROVED: ("approved", False, "worker", ("apply", "discard", "cancel"), HOLD_UP),
    Status.APPLYING: ("applying", False, "", ("cancel",), CANCEL),
    Status.SUCCEEDED: ("succeeded", True, "", (), ENDED),
    Status.FAILED: ("failed", True, "", ("retry",), ENDED),
    Status.DISCARDED: ("discarded", True, "", ("retry",), ENDED),
    Status.CANCELLED: ("cancelled", True, "", ("retry",), ENDED),
    Status.INTERRUPTED: ("interrupted", False, "decision", ("recover",), "What can be done now: recover."),
}


def refusal(status: Status, event: Event) -> tuple[str, str]:
    """Message and hint, from the literal tables above."""
    word, *_, hint = PUBLIC[status]
    return f"{VERBS[event]} {word}.", hint


@pytest.mark.parametrize(("status", "event"), EDGES)
def test_an_event_leads_where_the_table_says(status: Status, event: Event) -> None:
    assert runs.after(status, event) is EDGES[status, event]


@pytest.mark.parametrize(("status", "event"), NO_EDGES)
def test_an_event_that_cannot_happen_is_refused_with_what_can(status: Status, event: Event) -> None:
    with pytest.raises(Conflict) as caught:
        runs.after(status, event)

    assert (caught.value.message, caught.value.hint) == refusal(status, event)


@pytest.mark.parametrize(("status", "event"), BY_PEOPLE)
def test_people_decide_about_what_waits_for_them_or_has_not_begun(status: Status, event: Event) -> None:
    assert runs.allow(status, event) is BY_PEOPLE[status, event]


@pytest.mark.parametrize(("status", "event"), NOT_BY_PEOPLE)
def test_people_cause_nothing_else(status: Status, event: Event) -> None:
    with pytest.raises(Conflict) as caught:
        runs.allow(status, event)

    assert (caught.value.message, caught.value.hint) == refusal(status, event)


def test_a_refusal_names_the_status_and_what_to_do() -> None:
    with pytest.raises(Conflict) as caught:
        runs.allow(Status.CANCELLED, Event.APPROVE)

    assert caught.value.message == "Cannot approve a run that is cancelled."
    assert caught.value.hint == "It has ended: start a new run."


@pytest.mark.parametrize("status", Status)
def test_the_public_shape_of_a_run_says_what_its_status_means(status: Status) -> None:
    word, terminal, waits, actions, _ = PUBLIC[status]

    assert status.value == word
    assert runs.is_terminal(status) is terminal
    assert runs.waiting_on(status) == waits
    assert runs.next_actions(status) == actions


def test_every_status_is_either_active_or_terminal() -> None:
    assert {
        Status.QUEUED,
        Status.PLANNING,
        Status.PROPOSED,
        Status.PLANNED,
        Status.APPROVED,
        Status.APPLYING,
        Status.INTERRUPTED,
    } == runs.ACTIVE
    assert {Status.SUCCEEDED, Status.FAILED, Status.DISCARDED, Status.CANCELLED} == runs.TERMINAL


def test_every_active_run_but_a_queued_one_holds_its_instance() -> None:
    assert {Status.QUEUED} == runs.ACTIVE - runs.HOLDING


def test_an_interrupted_run_is_over_only_when_a_person_says_so() -> None:
    assert {event for (status, event) in EDGES if status is Status.INTERRUPTED} == {
        Event.MARK_SUCCEEDED,
        Event.MARK_FAILED,
    }


def test_no_edge_leaves_a_terminal_status() -> None:
    assert [edge for edge in EDGES if edge[0] in runs.TERMINAL] == []


@pytest.mark.parametrize("status", sorted(runs.ACTIVE))
def test_every_active_status_can_come_to_an_end(status: Status) -> None:
    assert reachable(status) & runs.TERMINAL


def test_every_status_can_be_reached_from_the_queue() -> None:
    assert reachable(Status.QUEUED) == set(Status)


def test_nothing_is_applied_without_an_approval() -> None:
    assert [edge for edge, after in EDGES.items() if after is Status.APPLYING] == [(Status.APPROVED, Event.CLAIM)]
    assert {event for (_, event), after in EDGES.items() if after is Status.APPROVED} == {Event.APPROVE}


def test_a_run_whose_worker_died_is_queued_again_only_while_it_was_planning() -> None:
    assert runs.after(Status.PLANNING, Event.LOSE) is Status.QUEUED
    assert runs.after(Status.APPLYING, Event.LOSE) is Status.INTERRUPTED


@settings(deadline=None)
@given(st.lists(st.sampled_from(Event), max_size=40))
def test_a_life_of_any_events_never_leaves_its_end(events: list[Event]) -> None:
    life = [Status.QUEUED]
    for event in events:
        life.append(step(life[-1], event))

    assert len({status for status in life if runs.is_terminal(status)}) <= 1
    assert runs.is_terminal(life[-1]) is any(map(runs.is_terminal, life))


def step(status: Status, event: Event) -> Status:
    """The status after the event; the same when the event is refused."""
    try:
        return runs.after(status, event)
    except Conflict:
        return status


def reachable(status: Status) -> set[Status]:
    """Every status that some events lead to, the first one included."""
    found: set[Status] = set()
    ahead = [status]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += [after for (before, _), after in EDGES.items() if before is here]
    return found


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (
            Status.PLANNED,
            "See it: landform run show 3. "
            "Then: landform run approve 3 or landform run discard 3 or landform run cancel 3",
        ),
        (Status.APPLYING, "See it: landform run show 3. Then: landform run cancel 3"),
        (Status.INTERRUPTED, "See it: landform run show 3. Then: landform run recover 3"),
        (Status.SUCCEEDED, "See it: landform run show 3"),
        (Status.FAILED, "See it: landform run show 3. Then: landform run retry 3"),
    ],
)
def test_whoever_is_held_up_by_a_run_is_told_what_to_do_about_it(status: Status, hint: str) -> None:
    assert runs.what_to_do(3, status) == hint
