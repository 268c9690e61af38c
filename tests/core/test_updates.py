"""Which version an update leads to."""

from __future__ import annotations

import pytest

from engine.core import updates
from engine.core.updates import UpdateKind
from engine.core.versions import parse
from engine.errors import Conflict, Invalid

PUBLISHED = ("1.0", "1.3", "1.12", "2.0", "2.4", "3.1")
OLD = ("1.0", "1.3")
CHANGE_HINT = "Use --kind minor-version or --kind major-version to change the version."
MAJOR_HINT = "Use --kind major-version to change the major version."
MINOR_HINT = "Use --kind minor-version to stay in the major version."
PUBLISH_HINT = "Publish one: landform template publish NAME@VERSION"


def led_to(kind: str, current: str, wanted: str, published: tuple[str, ...]) -> str:
    """Everything written as text; `kind` and `wanted` "" for none."""
    number = parse(wanted) if wanted else None
    return str(updates.target(UpdateKind(kind) if kind else None, parse(current), number, map(parse, published)))


@pytest.mark.parametrize(
    ("kind", "current", "wanted", "published", "target"),
    [
        ("none", "1.3", "", PUBLISHED, "1.3"),
        ("none", "1.3", "", (), "1.3"),
        ("current-version", "1.3", "", PUBLISHED, "1.3"),
        ("current-version", "1.3", "", (), "1.3"),
        # the highest published minor of the current major, counted as a number
        ("minor-version", "1.3", "", PUBLISHED, "1.12"),
        ("minor-version", "2.0", "", PUBLISHED, "2.4"),
        ("minor-version", "1.12", "", PUBLISHED, "1.12"),
        # the current one, a draft, is above all that is published
        ("minor-version", "1.20", "", PUBLISHED, "1.12"),
        # a minor that is named may be lower, the same, or a draft
        ("minor-version", "1.3", "1.0", PUBLISHED, "1.0"),
        ("minor-version", "1.3", "1.3", PUBLISHED, "1.3"),
        ("minor-version", "1.3", "1.99", PUBLISHED, "1.99"),
        ("minor-version", "1.3", "1.4", (), "1.4"),
        # the recommended version of the template
        ("major-version", "1.3", "", PUBLISHED, "3.1"),
        ("major-version", "2.0", "", PUBLISHED, "3.1"),
        ("major-version", "1.3", "2.0", PUBLISHED, "2.0"),
        ("major-version", "1.3", "4.0", PUBLISHED, "4.0"),
        ("major-version", "1.3", "2.0", (), "2.0"),
        # a version that is named alone
        ("", "1.3", "1.0", PUBLISHED, "1.0"),
        ("", "1.3", "1.3", PUBLISHED, "1.3"),
        ("", "1.3", "2.0", (), "2.0"),
        ("", "1.3", "", PUBLISHED, "1.3"),
    ],
)
def test_an_update_leads_to(kind: str, current: str, wanted: str, published: tuple[str, ...], target: str) -> None:
    assert led_to(kind, current, wanted, published) == target


@pytest.mark.parametrize(
    ("kind", "current", "wanted", "published", "message", "hint"),
    [
        ("none", "1.3", "1.4", PUBLISHED, "An update of kind none keeps version 1.3; 1.4 was named.", CHANGE_HINT),
        ("none", "1.3", "1.3", PUBLISHED, "An update of kind none takes no version; 1.3 was named.", "Leave it out."),
        (
            "current-version",
            "1.3",
            "1.3",
            PUBLISHED,
            "An update of kind current-version takes no version; 1.3 was named.",
            "Leave it out.",
        ),
        (
            "current-version",
            "1.3",
            "2.0",
            PUBLISHED,
            "An update of kind current-version keeps version 1.3; 2.0 was named.",
            CHANGE_HINT,
        ),
        (
            "minor-version",
            "1.3",
            "2.0",
            PUBLISHED,
            "An update of kind minor-version stays in major version 1; 2.0 was named.",
            MAJOR_HINT,
        ),
        (
            "major-version",
            "2.4",
            "1.12",
            PUBLISHED,
            "An update of kind major-version leads to a higher major version than 2, not to 1.12.",
            MINOR_HINT,
        ),
        (
            "major-version",
            "2.0",
            "2.4",
            PUBLISHED,
            "An update of kind major-version leads to a higher major version than 2, not to 2.4.",
            MINOR_HINT,
        ),
        (
            "major-version",
            "3.0",
            "",
            PUBLISHED,
            "An update of kind major-version leads to a higher major version than 3, not to 3.1.",
            MINOR_HINT,
        ),
    ],
)
def test_a_version_that_does_not_fit_the_kind_is_refused(
    kind: str, current: str, wanted: str, published: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(Invalid) as caught:
        led_to(kind, current, wanted, published)

    assert (caught.value.message, caught.value.hint) == (message, hint)


@pytest.mark.parametrize(
    ("kind", "published", "message"),
    [
        ("minor-version", OLD, "No version of major version 2 is published."),
        ("minor-version", (), "No version of major version 2 is published."),
        ("major-version", (), "No version of the template is published."),
    ],
)
def test_without_a_published_version_there_is_nowhere_to_go(
    kind: str, published: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Conflict) as caught:
        led_to(kind, "2.0", "", published)

    assert (caught.value.message, caught.value.hint) == (message, PUBLISH_HINT)


@pytest.mark.parametrize("kind", UpdateKind)
def test_the_published_versions_may_come_in_any_order(kind: UpdateKind) -> None:
    forwards, backwards = PUBLISHED, PUBLISHED[::-1]

    assert led_to(kind, "1.3", "", forwards) == led_to(kind, "1.3", "", backwards)


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (None, UpdateKind.CURRENT_VERSION),
        ("2.4", UpdateKind.CURRENT_VERSION),
        ("2.5", UpdateKind.MINOR_VERSION),
        ("2.0", UpdateKind.MINOR_VERSION),
        ("3.0", UpdateKind.MAJOR_VERSION),
    ],
)
def test_a_version_that_is_named_implies_the_kind_of_update(wanted: str | None, kind: UpdateKind) -> None:
    assert updates.implied(parse("2.4"), parse(wanted) if wanted else None) is kind


def test_a_lower_major_version_is_not_offered() -> None:
    with pytest.raises(Invalid) as caught:
        updates.implied(parse("2.0"), parse("1.1"))

    assert caught.value.message == "1.1 is of a lower major version than 2.0: there is no way back."
