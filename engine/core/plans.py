"""What a plan would do, whether it may approve itself, and whether it still fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Action(StrEnum):
    """What Terraform plans for one resource, in the words of its JSON stream."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    MOVE = "move"
    IMPORT = "import"
    REMOVE = "remove"


DESTRUCTIVE = frozenset({Action.REPLACE, Action.DELETE})


class Shape(StrEnum):
    """What a plan comes to, by the gravest thing in it, mildest first; FAIL is for one that could not be made."""

    NO_CHANGE = "no-change"
    ADD = "add"
    IN_PLACE = "in-place"
    REPLACE = "replace"
    DESTROY = "destroy"
    FAIL = "fail"


_SHAPES = {
    Action.CREATE: Shape.ADD,
    Action.IMPORT: Shape.ADD,
    Action.REPLACE: Shape.REPLACE,
    Action.DELETE: Shape.DESTROY,
}


@dataclass(frozen=True)
class Change:
    """One resource that the plan touches."""

    address: str
    action: Action
    reason: str = ""
    """Terraform's reason (`cannot_update`, `tainted`, ...); "" when it gives none."""
    previous: str = ""
    """The address that it has had so far, where a `moved` block gives it this one; else ""."""


@dataclass(frozen=True)
class OutputChange:
    """One root output that the plan changes."""

    name: str
    action: str
    sensitive: bool


@dataclass(frozen=True)
class Summary:
    """What a plan would do, in the order Terraform tells it."""

    changes: tuple[Change, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    drift: tuple[Change, ...] = ()
    """What Terraform found changed outside of it since the last apply."""

    @property
    def is_empty(self) -> bool:
        """Whether applying it would change nothing: no resource and no output."""
        return not self.changes and not self.outputs

    @property
    def shape(self) -> Shape:
        """The gravest thing in it; a read, a move, and an output that changes or goes count as in place."""
        found = {_SHAPES.get(change.action, Shape.IN_PLACE) for change in self.changes}
        found |= {_SHAPES.get(Action(output.action), Shape.IN_PLACE) for output in self.outputs} - {Shape.DESTROY}
        return max(found, key=list(Shape).index, default=Shape.NO_CHANGE)

    @property
    def destructive(self) -> tuple[Change, ...]:
        """The resources it would destroy or replace."""
        return tuple(change for change in self.changes if change.action in DESTRUCTIVE)

    def counts(self) -> dict[str, int]:
        """{"add", "change", "destroy"} as Terraform counts: a replacement is one destroy and one add."""
        by_action = Counter(change.action for change in self.changes)
        replaced = by_action[Action.REPLACE]
        return {
            "add": by_action[Action.CREATE] + replaced,
            "change": by_action[Action.UPDATE],
            "destroy": by_action[Action.DELETE] + replaced,
        }

    def sentence(self) -> str:
        """The counts as a line for people."""
        if self.is_empty:
            return "No changes."
        counts = self.counts()
        text = f"{counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy"
        outputs = {0: "", 1: ", 1 output changes"}.get(len(self.outputs), f", {len(self.outputs)} outputs change")
        return f"{text}{outputs}."

    def shown(self, show: Callable[[str], str]) -> Summary:
        """The same, with addresses as they may be shown: the keys in them can be anything."""
        changes, drift = (
            tuple(replace(change, address=show(change.address), previous=show(change.previous)) for change in found)
            for found in (self.changes, self.drift)
        )
        return replace(self, changes=changes, drift=drift)

    def to_json(self) -> dict[str, object]:
        """A JSON form that from_json() reads back."""
        return {**asdict(self), "changes": [*map(_plain, self.changes)], "drift": [*map(_plain, self.drift)]}


def _plain(change: Change) -> dict[str, str]:
    # most have had the same address before
    return {name: text for name, text in asdict(change).items() if text or name != "previous"}


def from_json(stored: Mapping[str, list[dict[str, object]]]) -> Summary:
    """The summary that to_json() wrote."""

    def changes(key: str) -> tuple[Change, ...]:
        return tuple(
            Change(
                str(item["address"]), Action(str(item["action"])), str(item["reason"]), str(item.get("previous", ""))
            )
            for item in stored.get(key, ())
        )

    outputs = tuple(
        OutputChange(str(item["name"]), str(item["action"]), bool(item["sensitive"]))
        for item in stored.get("outputs", ())
    )
    return Summary(changes("changes"), outputs, changes("drift"))


class AutoApprove(StrEnum):
    """Which plans a run may approve by itself."""

    NONE = "none"
    SAFE = "safe"
    """Plans that neither destroy nor replace anything."""
    ALL = "all"


def approves_itself(summary: Summary, policy: AutoApprove) -> bool:
    """Whether the plan may be applied without anybody's yes."""
    return policy is AutoApprove.ALL or (policy is AutoApprove.SAFE and not summary.destructive)


def moved(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of a plan's fingerprint that differ, by name and in order; () means that the plan still fits.

    A fingerprint maps what a plan was made from (`plan file`, `bundle`, `input port`, `environment/prod output vpc_id`,
    `terraform version`, `provider lock`, `state`) to a digest.
    """
    return tuple(sorted(part for part in then.keys() | now.keys() if then.get(part) != now.get(part)))
