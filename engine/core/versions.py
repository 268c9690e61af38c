"""Version numbers of templates: `major.minor`, how they are written, chosen and counted up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.core.address import check_name, quoted
from engine.errors import Invalid

_NUMBER = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", re.ASCII)
_MAJOR = re.compile(r"0|[1-9][0-9]*", re.ASCII)
_TEXT_MAX = 10


class TemplateKind(StrEnum):
    """What a template makes."""

    ENVIRONMENT = "environment"
    SERVICE = "service"
    COMPONENT = "component"
    """Of one component alone: nobody registers it, and its versions are the files that the component was given."""


REGISTERED = (TemplateKind.ENVIRONMENT, TemplateKind.SERVICE)
"""The kinds that admins register versions of."""


class VersionStatus(StrEnum):
    """Where a version stands (Proton's TemplateVersionStatus: reference section 4.1; the last two are ours)."""

    DRAFT = "draft"
    PUBLISHED = "published"
    FAILED = "failed"
    DEPRECATED = "deprecated"
    """Still usable, with a warning; never recommended."""
    YANKED = "yanked"
    """Nothing new is made from it; what is on it may go on."""


@dataclass(frozen=True, order=True)
class Number:
    """`major.minor`, compared by number."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def parse(text: str) -> Number:
    """The number written as `text`. Raises Invalid for anything but `major.minor` without leading zeros."""
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > _TEXT_MAX:
        raise Invalid(f"{quoted(text)} is not a version.", hint="Versions look like 1.0 or 2.13.")
    return Number(int(match[1]), int(match[2]))


@dataclass(frozen=True)
class TemplateRef:
    """A template as people name it: `web`, `web@1`, `web@1.2`, `service/web@1.2`."""

    name: str
    number: Number | None = None
    """None means: the recommended version."""
    kind: TemplateKind | None = None
    """None means: whichever kind has that name."""
    major: int | None = None
    """Without a number: the major version whose recommended version is meant; None means: of them all."""

    def __str__(self) -> str:
        kind = f"{self.kind.value}/" if self.kind else ""
        version = self.major if self.number is None else self.number
        return f"{kind}{self.name}" + ("" if version is None else f"@{version}")


def parse_ref(text: str) -> TemplateRef:
    """The template that `text` names. Raises Invalid."""
    path, at, version = text.partition("@")
    first, slash, last = path.partition("/")
    kinds = {kind.value: kind for kind in REGISTERED}
    if slash and first not in kinds:
        raise Invalid(f"{quoted(text)} does not name a template.", hint="Write web, web@1, web@1.2 or service/web@1.2.")
    name = check_name(last if slash else first, "template name")
    kind = kinds[first] if slash else None
    if _MAJOR.fullmatch(version) and len(version) <= _TEXT_MAX:
        return TemplateRef(name, None, kind, int(version))
    return TemplateRef(name, parse(version) if at else None, kind)


def next_number(highest: Mapping[int, int], major: int | None) -> Number:
    """The number of a version to be registered (Proton: reference section 4.2).

    `highest` maps each major ever used to the highest minor ever used, deleted ones included: numbers never come back.
    A major whose versions are all gone can be continued: what failed its registration must not close it for good.
    `major` None asks for a new major. Raises Invalid when the major never existed.
    """
    if major is None:
        return Number(max(highest, default=0) + 1, 0)
    if major not in highest:
        known = ", ".join(map(str, sorted(highest))) or "none"
        raise Invalid(
            f"Major version {major} does not exist (there are: {known}).",
            hint="Start a new major version with --new-major.",
        )
    return Number(major, highest[major] + 1)


def recommended(published: Iterable[Number]) -> Number | None:
    """The highest published number; None when nothing is published."""
    return max(published, default=None)
