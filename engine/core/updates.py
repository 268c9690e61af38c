"""Which version an update leads to (Proton's deploymentType: reference section 5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from engine.core.versions import Number, recommended
from engine.errors import Conflict, Invalid


class UpdateKind(StrEnum):
    """How far an update may go."""

    NONE = "none"
    CURRENT_VERSION = "current-version"
    MINOR_VERSION = "minor-version"
    MAJOR_VERSION = "major-version"


def target(kind: UpdateKind, current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    """The version that the update leads to; the caller checks that it exists and may be used.

    `wanted` is the version named by the user, None for the recommended one. Raises Invalid when the wish does not fit
    the kind, Conflict when nothing is published to go to.
    """
    if kind in (UpdateKind.NONE, UpdateKind.CURRENT_VERSION):
        if wanted is not None and wanted != current:
            raise Invalid(
                f"An update of kind {kind.value} keeps version {current}; {wanted} was named.",
                hint="Use --kind minor-version or --kind major-version to change the version.",
            )
        return current
    if kind is UpdateKind.MINOR_VERSION:
        return _minor(current, wanted, published)
    return _major(current, wanted, published)


def _minor(current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    if wanted is None:
        return _recommended(published, f"major version {current.major}", major=current.major)
    if wanted.major != current.major:
        raise Invalid(
            f"An update of kind minor-version stays in major version {current.major}; {wanted} was named.",
            hint="Use --kind major-version to change the major version.",
        )
    return wanted


def _major(current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    number = wanted or _recommended(published, "the template")
    if number.major <= current.major:
        raise Invalid(
            f"An update of kind major-version leads to a higher major version than {current.major}, not to {number}.",
            hint="Use --kind minor-version to stay in the major version.",
        )
    return number


def _recommended(published: Iterable[Number], what: str, major: int | None = None) -> Number:
    number = recommended(number for number in published if major is None or number.major == major)
    if number is None:
        raise Conflict(
            f"No version of {what} is published.", hint="Publish one: landform template publish NAME@VERSION"
        )
    return number
