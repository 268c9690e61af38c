"""The life of a template version: which status follows which, and what may still be made from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.address import Kind
from engine.core.paths import unprintable
from engine.core.versions import Number, VersionStatus, recommended
from engine.errors import Conflict, Invalid, LandformError, Refused

REASON_MAX = 500


class Verb(StrEnum):
    """What admins do with a version that is registered."""

    PUBLISH = "publish"
    DEPRECATE = "deprecate"
    UNDEPRECATE = "undeprecate"
    YANK = "yank"
    UNYANK = "unyank"


TABLE: Mapping[Verb, Mapping[VersionStatus, VersionStatus]] = {
    Verb.PUBLISH: {VersionStatus.DRAFT: VersionStatus.PUBLISHED},
    Verb.DEPRECATE: {VersionStatus.PUBLISHED: VersionStatus.DEPRECATED},
    Verb.UNDEPRECATE: {VersionStatus.DEPRECATED: VersionStatus.PUBLISHED},
    Verb.YANK: {VersionStatus.PUBLISHED: VersionStatus.YANKED, VersionStatus.DEPRECATED: VersionStatus.YANKED},
    # as in package registries: whoever yanked by mistake gets the version back, and never its number for another one
    Verb.UNYANK: {VersionStatus.YANKED: VersionStatus.PUBLISHED},
}
_HINTS = {
    VersionStatus.DRAFT: "A draft that nobody should use is deleted: landform template delete {0}",
    VersionStatus.FAILED: "See why: landform template show {0}",
    VersionStatus.DEPRECATED: "Take that back: landform template deprecate {0} --undo",
    VersionStatus.YANKED: "Take that back: landform template yank {0} --undo",
}


def after(label: str, status: VersionStatus, verb: Verb) -> VersionStatus:
    """The status that a version gets. `label` is `web@1.2`. Raises Conflict when the table has no such edge."""
    edges = TABLE[verb]
    if status in edges:
        return edges[status]
    wanted = next(iter(edges.values()))
    hint = _HINTS.get(status, "").format(label)
    if verb in (Verb.UNDEPRECATE, Verb.UNYANK):
        was = next(iter(edges))
        raise Conflict(f"{label} is not {was.value}: it is {_in_words(status)}.")
    if status is wanted:
        raise Conflict(f"{label} is {status.value} already.", hint=hint)
    if status is VersionStatus.FAILED:
        raise Conflict(f"{label} failed its registration and cannot be {wanted.value}.", hint=hint)
    raise Conflict(f"{label} is {_in_words(status)} and cannot be {wanted.value}.", hint=hint)


def _in_words(status: VersionStatus) -> str:
    return {VersionStatus.DRAFT: "a draft", VersionStatus.FAILED: "of a failed registration"}.get(status, status.value)


def reason(text: str) -> str:
    """The reason that people are told. Raises Invalid unless it is one short line."""
    found = text.strip()
    hint = "Give it with --reason: whoever uses the version reads it."
    if not found:
        raise Invalid("There is no reason.", hint=hint)
    if "\n" in found or unprintable(found):
        raise Invalid("The reason must be one line of text.", hint=hint)
    if len(found) > REASON_MAX:
        raise Invalid(f"The reason has {len(found)} characters; {REASON_MAX} are the most.", hint=hint)
    return found


def offered(published: Iterable[Number], minimums: Mapping[str, int]) -> tuple[Number, ...]:
    """Those of the published numbers that may be used; `minimums`: major -> its lowest minor."""
    return tuple(number for number in published if number.minor >= minimums.get(str(number.major), 0))


@dataclass(frozen=True)
class Use:
    """A version, and what is to be deployed with it."""

    template: str
    number: Number
    status: VersionStatus
    reason: str = ""
    """Why it is deprecated or yanked."""
    minimum: int = 0
    """The lowest minor of its major that may be used."""
    offered: tuple[Number, ...] = ()
    """All numbers of the template that may be used."""
    address: str = ""
    """Of the instance that is to be deployed with it; "" for one that is not there yet."""
    is_on_it: bool = False
    """Whether that is what the instance was deployed with last."""
    is_asleep: bool = False
    """Whether the instance is hibernated."""

    @property
    def label(self) -> str:
        """`web@1.2`"""
        return f"{self.template}@{self.number}"

    @property
    def instead(self) -> Number | None:
        """What to use in its place: the recommended one of its major version or, without one, of them all."""
        siblings = (number for number in self.offered if number.major == self.number.major)
        found = recommended(siblings) or recommended(self.offered)
        return None if found == self.number else found


def refusal(use: Use) -> LandformError | None:
    """Why nothing may be deployed with the version; None when it may. The one place that decides this.

    What was deployed with a yanked version last may go on with it; what is below the minimum may not.
    """
    if use.status is VersionStatus.FAILED:
        hint = f"See why: landform template show {use.label}"
        return Conflict(f"{use.label} failed its registration and cannot be used.", hint=hint)
    if use.status is VersionStatus.YANKED and not use.is_on_it:
        return Refused(f"{use.label} was yanked: {_sentence(use.reason)} Nothing new may use it.", hint=_instead(use))
    if use.number.minor < use.minimum:
        lowest = Number(use.number.major, use.minimum)
        message = f"{use.label} is below {lowest}, the lowest minor version of its major version that may be used."
        return Refused(message, hint=_instead(use))
    return None


def warning(label: str, why: str, instead: str | None) -> str:
    """What is said to whoever uses a deprecated version; `instead` is the number to use in its place."""
    template = label.partition("@")[0]
    use = f"Use {template}@{instead}." if instead else "No other version is published."
    return f"{label} is deprecated: {_sentence(why)} {use}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


_UPDATES = {
    Kind.ENVIRONMENT.value: "env",
    Kind.SERVICE_INSTANCE.value: "instance",
    Kind.PIPELINE.value: "pipeline",
}


def _instead(use: Use) -> str:
    """What to type next."""
    if use.instead is None:
        return f"No other version is published: landform template versions {use.template}"
    kind, _, name = use.address.partition("/")
    if use.is_asleep:
        return f"Wake it with another version: landform instance wake {use.address} --version {use.instead}"
    if kind in _UPDATES:
        return f"Bring it to another version: landform {_UPDATES[kind]} update {name} --version {use.instead}"
    return f"Use {use.template}@{use.instead}."
