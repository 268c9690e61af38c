"""The life of a run, written once: every status, every event, and what each means to whoever waits.

Catalog constraints, CLI verbs, diagrams and the public shape of a run are computed from TABLE.
A wish ("somebody wants it cancelled") is a column of the run; only facts are statuses.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from engine.errors import Conflict


class Operation(StrEnum):
    """What a run is for."""

    DEPLOY = "deploy"
    DESTROY = "destroy"


class Status(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    PLANNING = "planning"
    PROPOSED = "proposed"
    PLANNED = "planned"
    APPROVED = "approved"
    APPLYING = "applying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class Event(StrEnum):
    """What can happen to a run; BY_PEOPLE says which of them people cause, and when: workers cause the rest."""

    CLAIM = "claim"
    PROPOSE = "propose"
    FIND_NOTHING = "find nothing to do in"
    ASK = "ask for approval of"
    APPROVE = "approve"
    DISCARD = "discard"
    CALL_OFF = "call off"
    SUCCEED = "complete"
    FAIL = "fail"
    CANCEL = "cancel"
    LOSE = "lose"
    MARK_SUCCEEDED = "mark as succeeded"
    MARK_FAILED = "mark as failed"


class Priority(IntEnum):
    """Who goes first when several runs could begin; the lower number does."""

    PERSON = 0
    CAMPAIGN = 10


TABLE: dict[Event, dict[Status, Status]] = {
    Event.CLAIM: {Status.QUEUED: Status.PLANNING, Status.APPROVED: Status.APPLYING},
    # others run Terraform: a pull request is open, and they tell us how it ended
    Event.PROPOSE: {Status.PLANNING: Status.PROPOSED},
    Event.FIND_NOTHING: {Status.PLANNING: Status.SUCCEEDED},
    Event.ASK: {Status.PLANNING: Status.PLANNED},
    Event.APPROVE: {Status.PLANNED: Status.APPROVED, Status.PLANNING: Status.APPROVED},
    Event.DISCARD: {
        Status.QUEUED: Status.DISCARDED,
        Status.PLANNED: Status.DISCARDED,
        Status.APPROVED: Status.DISCARDED,
        # only after the claim for apply found that what the plan was made from has moved: nothing was applied
        Status.APPLYING: Status.DISCARDED,
    },
    # a pipeline, as an instance of its service was not deployed
    Event.CALL_OFF: {Status.QUEUED: Status.FAILED},
    Event.SUCCEED: {Status.APPLYING: Status.SUCCEEDED, Status.PROPOSED: Status.SUCCEEDED},
    Event.FAIL: {
        Status.PLANNING: Status.FAILED,
        Status.PROPOSED: Status.FAILED,
        Status.APPLYING: Status.FAILED,
    },
    Event.CANCEL: {
        # nobody works on these: they are over at once
        Status.QUEUED: Status.CANCELLED,
        Status.PROPOSED: Status.CANCELLED,
        Status.PLANNED: Status.CANCELLED,
        Status.APPROVED: Status.CANCELLED,
        # only by the worker, when its processes are gone; people leave the wish with the run
        Status.PLANNING: Status.CANCELLED,
        Status.APPLYING: Status.CANCELLED,
    },
    # a plan changes nothing, so another worker may repeat it; an apply may have done anything
    Event.LOSE: {Status.PLANNING: Status.QUEUED, Status.APPLYING: Status.INTERRUPTED},
    # somebody has looked at the evidence and says what is so
    Event.MARK_SUCCEEDED: {Status.INTERRUPTED: Status.SUCCEEDED},
    Event.MARK_FAILED: {Status.INTERRUPTED: Status.FAILED},
}

TERMINAL = frozenset(Status) - {status for edges in TABLE.values() for status in edges}
ACTIVE = frozenset(Status) - TERMINAL
HOLDING = ACTIVE - {Status.QUEUED}
"""The instance is theirs: at most one run of an instance is in one of these, and the queued ones wait behind it."""
EXECUTING = frozenset({Status.PLANNING, Status.APPLYING})
"""Somebody works on it."""
BY_PEOPLE = {
    Event.APPROVE: frozenset({Status.PLANNED}),
    Event.DISCARD: TABLE[Event.DISCARD].keys() - EXECUTING,
    Event.CANCEL: TABLE[Event.CANCEL].keys() - EXECUTING,
    Event.SUCCEED: frozenset({Status.PROPOSED}),
    Event.FAIL: frozenset({Status.PROPOSED}),
    Event.MARK_SUCCEEDED: frozenset({Status.INTERRUPTED}),
    Event.MARK_FAILED: frozenset({Status.INTERRUPTED}),
}
_WAITING_ON = {
    Status.PLANNED: "approval",
    Status.PROPOSED: "pull request",
    Status.QUEUED: "worker",
    Status.APPROVED: "worker",
    Status.INTERRUPTED: "decision",
}
_VERBS: dict[Status, tuple[str, ...]] = {
    Status.QUEUED: ("apply", "discard", "cancel"),
    Status.PLANNING: ("cancel",),
    Status.PLANNED: ("approve", "discard", "cancel"),
    Status.PROPOSED: ("notify", "cancel"),
    Status.APPROVED: ("apply", "discard", "cancel"),
    Status.APPLYING: ("cancel",),
    Status.INTERRUPTED: ("recover",),
    Status.FAILED: ("retry",),
    Status.DISCARDED: ("retry",),
    Status.CANCELLED: ("retry",),
}


def after(status: Status, event: Event) -> Status:
    """The status that `event` leads to. Raises Conflict when the table has no such edge."""
    try:
        return TABLE[event][status]
    except KeyError:
        raise Conflict(f"Cannot {event.value} a run that is {status.value}.", hint=_hint(status)) from None


def allow(status: Status, event: Event) -> Status:
    """Like after(), for an event that a person asks for. Raises Conflict."""
    if status not in BY_PEOPLE.get(event, frozenset()):
        raise Conflict(f"Cannot {event.value} a run that is {status.value}.", hint=_hint(status))
    return after(status, event)


def is_terminal(status: Status) -> bool:
    """Whether the run is over; nothing can happen to it any more."""
    return status in TERMINAL


def waiting_on(status: Status) -> str:
    """Who has to move next: `approval`, `worker`, `pull request` (whoever merges it and runs Terraform), `decision` (a
    person, about what became of an interrupted run), or "" while it works or after it has ended.
    """
    return _WAITING_ON.get(status, "")


def next_actions(status: Status) -> tuple[str, ...]:
    """What a person can do with the run now, as CLI verbs."""
    return _VERBS.get(status, ())


def what_to_do(run_id: int | None, status: Status) -> str:
    """What to type about a run that is in the way: how to see it, and what can be done with it now."""
    verbs = " or ".join(f"landform run {verb} {run_id}" for verb in next_actions(status))
    return f"See it: landform run show {run_id}" + (f". Then: {verbs}" if verbs else "")


def _hint(status: Status) -> str:
    if status in TERMINAL:
        return "It has ended: start a new run."
    verbs = next_actions(status)
    return f"What can be done now: {', '.join(verbs)}." if verbs else "It is being worked on: wait for it to end."
