"""The life of a campaign, written once: one change for many instances, wave by wave, and when it has to stop.

Every step is an ordinary run. Deciding is pure: whoever drives a campaign (a command, a worker, the next process after
a crash) does what next_move() says, in the transaction that records it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from engine.core.plans import AutoApprove, Shape
from engine.core.updates import UpdateKind
from engine.errors import Conflict


class Status(StrEnum):
    """Where a campaign stands."""

    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


class Event(StrEnum):
    """What can happen to a campaign."""

    PAUSE = "pause"
    RESUME = "resume"
    HALT = "halt"
    ABORT = "abort"
    SUCCEED = "complete"
    FAIL = "fail"
    RETRY = "retry"


class StepStatus(StrEnum):
    """Where one instance stands in a campaign."""

    PENDING = "pending"
    RUNNING = "running"
    CHECKING = "checking"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CALLED_OFF = "called off"


class Action(StrEnum):
    """What a campaign brings to each instance."""

    UPGRADE = "upgrade"
    """Another version, with the inputs that it has."""
    REDEPLOY = "redeploy"
    """What it has, with outputs of others as they are now."""
    ROLLBACK = "rollback"
    """Version and inputs of an earlier run."""
    DESTROY = "destroy"


class Moment(StrEnum):
    """A moment of a campaign; what its name tells of has just been recorded, the next thing has not."""

    STEPS_CHOSEN = "steps chosen"
    STEP_BEGUN = "step begun"
    STEP_REFUSED = "step refused"
    RUN_ENDED = "run ended"
    HEALTH_ASKED = "health asked"
    STEP_ENDED = "step ended"
    WAVE_OPENED = "wave opened"
    HALTED = "halted"
    ENDED = "ended"


Trigger = Callable[[Moment], None]
"""Told of every moment: where tests stop the process."""


def nothing(_moment: Moment) -> None:
    """What happens at each moment, usually."""


TABLE: dict[Event, dict[Status, Status]] = {
    Event.PAUSE: {Status.RUNNING: Status.PAUSED},
    Event.RESUME: {Status.PAUSED: Status.RUNNING, Status.HALTED: Status.RUNNING},
    Event.HALT: {Status.RUNNING: Status.HALTED},
    # what has begun goes on to its own end: nobody stops Terraform half-way for a change of mind
    Event.ABORT: dict.fromkeys((Status.RUNNING, Status.PAUSED, Status.HALTED), Status.ABORTED),
    Event.SUCCEED: {Status.RUNNING: Status.SUCCEEDED},
    Event.FAIL: {Status.RUNNING: Status.FAILED},
    Event.RETRY: dict.fromkeys((Status.HALTED, Status.PAUSED, Status.FAILED), Status.RUNNING),
}
UNENDED = frozenset({Status.RUNNING, Status.PAUSED, Status.HALTED})
"""Something may still happen to it."""
UNDER_WAY = frozenset({StepStatus.RUNNING, StepStatus.CHECKING})
UNFINISHED = UNDER_WAY | {StepStatus.PENDING}
"""The instance is that campaign's: no other may have it."""
NOT_DONE = UNFINISHED | {StepStatus.CALLED_OFF}
_VERBS: dict[Status, tuple[str, ...]] = {
    Status.RUNNING: ("pause", "abort"),
    Status.PAUSED: ("resume", "retry", "abort"),
    Status.HALTED: ("resume", "retry", "abort", "rollback"),
    Status.FAILED: ("retry", "rollback"),
    Status.SUCCEEDED: ("rollback",),
    Status.ABORTED: ("rollback",),
}


def after(status: Status, event: Event) -> Status:
    """The status that `event` leads to. Raises Conflict when the table has no such edge."""
    try:
        return TABLE[event][status]
    except KeyError:
        verbs = ", ".join(next_actions(status))
        raise Conflict(
            f"Cannot {event.value} a campaign that is {status.value}.", hint=f"What can be done now: {verbs}."
        ) from None


def next_actions(status: Status) -> tuple[str, ...]:
    """What a person can do with the campaign now, as CLI verbs."""
    return _VERBS[status]


def is_terminal(status: Status) -> bool:
    """Whether it goes on no more, unless somebody retries what failed."""
    return status not in UNENDED


@dataclass(frozen=True)
class Wish:
    """What is brought to which instances."""

    action: Action
    select: tuple[str, ...] = ()
    """As core.selection reads it; () where the instances were named by what led to the campaign."""
    kind: UpdateKind | None = None
    """Of an upgrade; None: whichever leads to `number`."""
    number: str = ""
    """Of an upgrade, `1.4`; "" is the recommended version, as `kind` has it."""
    runs: Mapping[str, int] = field(default_factory=dict)
    """Of a rollback: address -> the run whose version and inputs it goes back to."""
    undone: Mapping[str, int] = field(default_factory=dict)
    """Of a rollback: address -> the run that it takes back; what somebody has changed after that is left alone."""
    named: tuple[str, ...] = ()
    """Of a propagation: the addresses of those that may be stale when their turn comes; one that is not is skipped."""

    def to_json(self) -> dict[str, object]:
        """A JSON form that wish_from_json() reads back."""
        return asdict(self)


def wish_from_json(stored: Mapping[str, object]) -> Wish:
    """The wish that to_json() wrote."""
    kind, runs, undone, select = stored["kind"], stored["runs"], stored["undone"], stored["select"]
    assert isinstance(runs, dict)
    assert isinstance(undone, dict)
    assert isinstance(select, list)
    return Wish(
        Action(str(stored["action"])),
        tuple(map(str, select)),
        UpdateKind(str(kind)) if kind else None,
        str(stored["number"]),
        runs,
        undone,
        _texts(stored.get("named")),
    )


def _texts(stored: object) -> tuple[str, ...]:
    return tuple(map(str, stored)) if isinstance(stored, list) else ()


@dataclass(frozen=True)
class Health:
    """How an instance is asked after its apply whether it is well; with neither command nor url, it is not asked."""

    command: tuple[str, ...] = ()
    """A program and its arguments: exit code 0 says yes."""
    url: str = ""
    """`http(s)://...`, with `{output}` for the value of an output: a status from 200 to 299 says yes."""
    timeout_s: float = 60
    """It is asked again for so long, until it says yes."""


@dataclass(frozen=True)
class Manner:
    """In which order and size a campaign goes, and what it may not do."""

    canary: int = 0
    """Instances of the first wave; 0: as many as any."""
    batch: int = 0
    """Instances of a wave at most; 0: all that are left of the same rank."""
    concurrency: int = 4
    """Steps under way at once, at most."""
    pause_s: float = 0
    """Between two waves."""
    approve_waves: bool = False
    """Whether somebody has to say yes between two waves."""
    max_failures: int = 1
    """So many failures halt it."""
    allow: tuple[Shape, ...] = (Shape.NO_CHANGE, Shape.ADD, Shape.IN_PLACE)
    """What plans may come to; a plan of another shape is not applied, and counts as a failure."""
    approve: AutoApprove = AutoApprove.NONE
    """Which plans need nobody's yes."""
    health: Health = Health()

    def to_json(self) -> dict[str, object]:
        """A JSON form that manner_from_json() reads back."""
        return asdict(self)


def manner_from_json(stored: Mapping[str, object]) -> Manner:
    """The manner that to_json() wrote."""
    health, allow = stored["health"], stored["allow"]
    assert isinstance(health, dict)
    assert isinstance(allow, list)
    known = dict(stored) | {
        "health": Health(**{**health, "command": tuple(health["command"])}),
        "allow": tuple(map(Shape, allow)),
        "approve": AutoApprove(str(stored["approve"])),
    }
    return Manner(**known)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Place:
    """One instance, as far as its turn in a campaign is concerned."""

    address: str
    rank: int = 0
    """Of its environment: lower ones go first."""
    level: int = 0
    """How far down outputs flow to it: what others read goes first."""


def waves(places: Iterable[Place], manner: Manner, *, reverse: bool = False) -> tuple[tuple[str, ...], ...]:
    """Addresses by wave, in order: one rank and level after the other, none of them mixed; `reverse` begins at the end.

    The canary is taken from the first of them.
    """
    ordered = sorted(places, key=lambda place: (place.rank, place.level, place.address), reverse=reverse)
    groups: dict[tuple[int, int], list[str]] = {}
    for place in ordered:
        groups.setdefault((place.rank, place.level), []).append(place.address)
    found: list[tuple[str, ...]] = []
    for group in groups.values():
        canary = manner.canary if not found else 0
        found += _batches(group, canary, manner.batch or len(group))
    return tuple(found)


def _batches(group: Sequence[str], canary: int, batch: int) -> list[tuple[str, ...]]:
    first, rest = ([tuple(group[:canary])], group[canary:]) if canary else ([], group)
    return first + [tuple(rest[start : start + batch]) for start in range(0, len(rest), batch)]


@dataclass(frozen=True)
class Step:
    """One step, as far as the next move is concerned."""

    step_id: int
    wave: int
    status: StepStatus
    closed: str = ""
    """Why it cannot begin now; "" when it can."""
    is_stuck: bool = False
    """Whether its run goes on only if a person decides so: interrupted, or refused by a guard. It counts as failed."""


@dataclass(frozen=True)
class Progress:
    """How far a campaign is allowed to go."""

    wave: int = 0
    """The last wave that may be worked on."""
    forgiven: int = 0
    """Failures that halt nothing any more."""


class Kind(StrEnum):
    """What a campaign does next."""

    BEGIN = "begin"
    WAIT = "wait"
    PAUSE = "pause"
    REST = "rest"
    """Opens the next wave after a while."""
    OPEN = "open"
    """Opens the next wave at once."""
    HALT = "halt"
    END = "end"


@dataclass(frozen=True)
class Move:
    """What is to be done now."""

    kind: Kind
    steps: tuple[int, ...] = ()
    """Which ones begin, by number."""
    message: str = ""
    """Why it does not go on, where it does not; or how it ended."""
    status: Status | None = None
    """What the campaign becomes, where it ends."""


def next_move(steps: Sequence[Step], progress: Progress, manner: Manner) -> Move:
    """What a running campaign does next; `steps` are all of them, in order."""
    wave = progress.wave
    failed = sum(step.status is StepStatus.FAILED or step.is_stuck for step in steps)
    new = failed - progress.forgiven
    under_way = sum(step.status in UNDER_WAY for step in steps)
    unfinished = [step for step in steps if step.status in UNFINISHED]
    if new >= manner.max_failures and any(step.status is StepStatus.PENDING for step in unfinished):
        limit = f"{manner.max_failures} halt{'s' if manner.max_failures == 1 else ''}"
        return Move(Kind.HALT, message=f"{counted(new, 'step')} failed, and {limit} it.")
    if not unfinished:
        return _end(failed)
    if unfinished[0].wave > wave:
        return _between(unfinished[0].wave, manner)
    ready = [step for step in unfinished if step.status is StepStatus.PENDING and step.wave <= wave]
    open_ = [step.step_id for step in ready if not step.closed]
    room = max(0, manner.concurrency - under_way)
    if open_ and room:
        return Move(Kind.BEGIN, tuple(open_[:room]))
    closed = next((step.closed for step in ready if step.closed), "") if not under_way else ""
    return Move(Kind.WAIT, message=closed)


def due(now: datetime, manner: Manner) -> datetime:
    """When a pause between waves that begins now is over."""
    return now + timedelta(seconds=manner.pause_s)


def _end(failed: int) -> Move:
    if failed:
        return Move(Kind.END, message=f"{counted(failed, 'step')} failed.", status=Status.FAILED)
    return Move(Kind.END, status=Status.SUCCEEDED)


def _between(wave: int, manner: Manner) -> Move:
    if manner.approve_waves:
        return Move(Kind.PAUSE, message=f"Wave {wave} is done: wave {wave + 1} waits for somebody to say yes.")
    return Move(Kind.REST, message=f"Wave {wave} is done.") if manner.pause_s else Move(Kind.OPEN)


def counted(count: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
