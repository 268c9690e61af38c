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


def implied(current: Number, wanted: Number | None) -> UpdateKind:
    """The kind of update that leads from `current` to `wanted`; None stays where it is.

    Raises Invalid when none does.
    """
    if wanted is None or wanted == current:
        return UpdateKind.CURRENT_VERSION
    if wanted.major < current.major:
        raise Invalid(
            f"{wanted} is of a lower major version than {current}: there is no way back.",
            hint="Make a new environment or service from it, or name a version of the same or a higher major version.",
        )
    return UpdateKind.MINOR_VERSION if wanted.major == current.major else UpdateKind.MAJOR_VERSION


def target(kind: UpdateKind | None, current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    """The version that the update leads to; the caller checks that it exists and may be used.

    `wanted` is the version named by the user, None for the recommended one; `kind` is named by the user too, None for
    what implied() says. Raises Invalid when the wish does not fit
    the kind, Conflict when nothing is published to go to.
    """
    if kind is None:
        return wanted or current
    if kind in (UpdateKind.NONE, UpdateKind.CURRENT_VERSION):
        return _same(kind, current, wanted)
    if kind is UpdateKind.MINOR_VERSION:
        return _minor(current, wanted, published)
    return _major(current, wanted, published)


def _same(kind: UpdateKind, current: Number, wanted: Number | None) -> Number:
    if wanted == current:
        raise Invalid(f"An update of kind {kind.value} takes no version; {wanted} was named.", hint="Leave it out.")
    if wanted is not None:
        raise Invalid(
            f"An update of kind {kind.value} keeps version {current}; {wanted} was named.",
            hint="Use --kind minor-version or --kind major-version to change the version.",
        )
    return current


def _minor(current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    if wanted is None:
        return recommended_of(published, current.major)
    if wanted.major != current.major:
        raise Invalid(
            f"An update of kind minor-version stays in major version {current.major}; {wanted} was named.",
            hint="Use --kind major-version to change the major version.",
        )
    return wanted


def _major(current: Number, wanted: Number | None, published: Iterable[Number]) -> Number:
    number = wanted or recommended_of(published)
    if number.major <= current.major:
        raise Invalid(
            f"An update of kind major-version leads to a higher major version than {current.major}, not to {number}.",
            hint="Use --kind minor-version to stay in the major version.",
        )
    return number


def recommended_of(published: Iterable[Number], major: int | None = None) -> Number:
    """The highest published number, of one major version or of all. Raises Conflict when there is none."""
    number = recommended(number for number in published if major is None or number.major == major)
    if number is None:
        what = "the template" if major is None else f"major version {major}"
        raise Conflict(
            f"No version of {what} is published.", hint="Publish one: landform template publish NAME@VERSION"
        )
    return number
