"""What a template version would come to for every instance it is for: which ones are meant, and plans put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.core.address import Kind
from engine.core.guards import Refusal, denied
from engine.core.plan_facts import type_of
from engine.core.plans import Action, Change, Shape, Summary
from engine.core.selection import Candidate
from engine.core.versions import Number

SAMPLE_MAX = 5
"""Changes that are shown of the instance that stands for a group."""
SLOWEST_MAX = 5
ITSELF = "<this instance>"
"""Stands in a message for the address of the one instance that it is about, so that equal failures are told once."""
_GRAVEST_FIRST = (Action.DELETE, Action.REPLACE, Action.UPDATE, Action.CREATE)
_OF_SHAPE: Mapping[Shape, Collection[Action]] = {
    Shape.ADD: {Action.CREATE, Action.IMPORT},
    Shape.REPLACE: {Action.REPLACE},
    Shape.DESTROY: {Action.DELETE},
}


class Why(StrEnum):
    """Why an instance is left out of a preview."""

    HIBERNATED = "hibernated"
    NEVER_DEPLOYED = "never deployed"
    OTHERS = "carried out by others"
    NOTHING_TO_PLAN = "without infrastructure"
    PIPELINE = "pipelines are not planned"


@dataclass(frozen=True)
class LeftOut:
    """An instance that cannot be previewed."""

    address: str
    why: Why


@dataclass(frozen=True)
class Seen:
    """What a version would come to for one instance."""

    address: str
    environment: str
    version: str
    """The one that it is deployed with, `1.0`."""
    shape: Shape
    summary: Summary = field(default_factory=Summary)
    message: str = ""
    """Why it cannot be planned, without secrets; "" where it can."""
    hint: str = ""
    seconds: float = 0.0
    """How long it took; 0 where it was clear before Terraform was asked."""
    notes: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    """Which guards the plan would break."""


@dataclass(frozen=True)
class Member:
    """An instance that is to be planned."""

    candidate: Candidate
    inputs: Mapping[str, object]
    """That it would have, without defaults."""


@dataclass(frozen=True)
class Fleet:
    """All instances that a version is previewed for."""

    template: str
    """The version in words, `web@1.3`."""
    status: str
    """As Preview.status."""
    version_id: int
    members: tuple[Member, ...]
    unfit: tuple[Seen, ...] = ()
    """Those that the version cannot be deployed to, which is clear without a plan."""
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One instance that stands for all of its group."""

    address: str
    plan: str
    """Its plan in a sentence, or why there is none."""
    changes: tuple[Change, ...]
    """Its first ones, gravest first."""
    more: int
    """How many there are beyond these."""


@dataclass(frozen=True)
class Group:
    """The instances whose plans are of one shape."""

    shape: Shape
    addresses: tuple[str, ...]
    sample: Sample


@dataclass(frozen=True)
class Doomed:
    """What would go of one type of resource, over all instances."""

    type: str
    destroyed: int
    replaced: int
    instances: int


@dataclass(frozen=True)
class Failure:
    """Why some instances cannot be planned."""

    message: str
    hint: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Denied:
    """A rule of a guard that would refuse plans."""

    rule: str
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """All that was found out."""

    template: str
    """`web@1.3`"""
    status: str
    """Of that version: `draft`, `published`, ..."""
    seen: tuple[Seen, ...]
    """By address."""
    left_out: tuple[LeftOut, ...] = ()
    unfinished: tuple[str, ...] = ()
    """Addresses that it did not come to, as it was stopped."""
    parallel: int = 1
    seconds: float = 0.0

    def counts(self) -> dict[Shape, int]:
        """How many instances there are of each shape, mildest first; 0 where there are none."""
        found = Counter(each.shape for each in self.seen)
        return {shape: found[shape] for shape in Shape}

    def of_shapes(self, shapes: Collection[Shape]) -> tuple[Seen, ...]:
        """Those of one of these shapes."""
        return tuple(each for each in self.seen if each.shape in shapes)

    def groups(self) -> tuple[Group, ...]:
        """Those shapes that there are, gravest first."""
        found = ((shape, self.of_shapes([shape])) for shape in reversed(Shape))
        return tuple(_group(shape, seen) for shape, seen in found if seen)

    def doomed(self) -> tuple[Doomed, ...]:
        """What would be destroyed or replaced, by type of resource, most of it first."""
        per_type: dict[str, Counter[Action]] = defaultdict(Counter)
        owners: dict[str, set[str]] = defaultdict(set)
        for each in self.seen:
            for change in each.summary.destructive:
                found = type_of(change.address) or "(unknown)"
                per_type[found][change.action] += 1
                owners[found].add(each.address)
        rows = (
            Doomed(name, count[Action.DELETE], count[Action.REPLACE], len(owners[name]))
            for name, count in per_type.items()
        )
        return tuple(sorted(rows, key=lambda row: (-row.destroyed - row.replaced, row.type)))

    def failures(self) -> tuple[Failure, ...]:
        """Why instances cannot be planned, the commonest reason first; equal ones are told once."""
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for each in self.of_shapes([Shape.FAIL]):
            found[_about_itself(each.message, each.address), _about_itself(each.hint, each.address)].append(
                each.address
            )
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple(Failure(message, hint, tuple(addresses)) for (message, hint), addresses in ordered)

    def denied(self) -> tuple[Denied, ...]:
        """The rules of guards that would refuse plans, the one that refuses most of them first."""
        found: dict[str, list[str]] = defaultdict(list)
        for each in self.seen:
            for rule in denied(each.refusals):
                found[rule].append(each.address)
        ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
        return tuple(Denied(rule, tuple(addresses)) for rule, addresses in ordered)

    def slowest(self) -> tuple[Seen, ...]:
        """Those that took longest, the slowest first."""
        asked = sorted((each for each in self.seen if each.seconds), key=lambda each: (-each.seconds, each.address))
        return tuple(asked[:SLOWEST_MAX])

    def reasons(self) -> dict[Why, int]:
        """How many are left out for each reason that there is."""
        found = Counter(each.why for each in self.left_out)
        return {why: found[why] for why in Why if found[why]}


def is_meant(
    candidate: Candidate, kinds: Collection[Kind], template: str, number: Number, *, names_versions: bool
) -> bool:
    """Whether an instance is one that the version is for, before anything else is selected.

    A minor version is for the instances of its major version that are not beyond it, the first of a major one also for
    all of those before it. Where a selection `names_versions`, all that could be brought to it count.
    """
    now = candidate.number
    if candidate.kind not in kinds or candidate.template != template or now.major > number.major:
        return False
    return names_versions or (now <= number and (now.major == number.major or number.minor == 0))


def _group(shape: Shape, seen: tuple[Seen, ...]) -> Group:
    return Group(shape, tuple(each.address for each in seen), _sample(shape, seen))


def _sample(shape: Shape, seen: Iterable[Seen]) -> Sample:
    """The instance of the group with the most changes of its kind, the first by address of several."""
    wanted = _OF_SHAPE.get(shape, frozenset(Action))
    found = min(seen, key=lambda each: (-sum(one.action in wanted for one in each.summary.changes), each.address))
    changes = sorted(found.summary.changes, key=lambda change: _gravity(change.action))
    plan = _first_of(found.message) if shape is Shape.FAIL else found.summary.sentence()
    return Sample(found.address, plan, tuple(changes[:SAMPLE_MAX]), max(0, len(changes) - SAMPLE_MAX))


def _first_of(message: str) -> str:
    """The first line of a message, and what it announces where that is another one."""
    first, _, rest = message.partition("\n")
    return f"{first} {rest.partition(chr(10))[0].strip()}".rstrip() if first.endswith(":") else first


def _gravity(action: Action) -> int:
    return _GRAVEST_FIRST.index(action) if action in _GRAVEST_FIRST else len(_GRAVEST_FIRST)


def _about_itself(text: str, address: str) -> str:
    for name in (address, address.partition("/")[2]):
        # the name of an environment is a word that may stand anywhere
        text = text.replace(name, ITSELF) if "/" in name else text
    return text
