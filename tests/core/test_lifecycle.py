"""Promises about the life of a version: which steps there are, and what nothing may be made from any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.core import lifecycle
from engine.core.lifecycle import TABLE, Use, Verb
from engine.core.versions import Number, VersionStatus
from engine.errors import Conflict, Invalid, Refused

USE = Use("web", Number(1, 2), VersionStatus.PUBLISHED, offered=(Number(1, 2), Number(1, 3), Number(2, 0)))


def test_there_are_five_steps_and_no_others() -> None:
    steps = [
        (verb.value, before.value, after.value) for verb, edges in TABLE.items() for before, after in edges.items()
    ]

    assert steps == [
        ("publish", "draft", "published"),
        ("deprecate", "published", "deprecated"),
        ("undeprecate", "deprecated", "published"),
        ("yank", "published", "yanked"),
        ("yank", "deprecated", "yanked"),
        ("unyank", "yanked", "published"),
    ]


@pytest.mark.parametrize(
    ("status", "verb", "message", "hint"),
    [
        ("published", Verb.PUBLISH, "web@1.2 is published already.", ""),
        (
            "failed",
            Verb.PUBLISH,
            "web@1.2 failed its registration and cannot be published.",
            "See why: landform template show web@1.2",
        ),
        (
            "yanked",
            Verb.PUBLISH,
            "web@1.2 is yanked and cannot be published.",
            "Take that back: landform template yank web@1.2 --undo",
        ),
        (
            "draft",
            Verb.DEPRECATE,
            "web@1.2 is a draft and cannot be deprecated.",
            "A draft that nobody should use is deleted: landform template delete web@1.2",
        ),
        (
            "yanked",
            Verb.DEPRECATE,
            "web@1.2 is yanked and cannot be deprecated.",
            "Take that back: landform template yank web@1.2 --undo",
        ),
        (
            "deprecated",
            Verb.DEPRECATE,
            "web@1.2 is deprecated already.",
            "Take that back: landform template deprecate web@1.2 --undo",
        ),
        ("published", Verb.UNYANK, "web@1.2 is not yanked: it is published.", ""),
        ("draft", Verb.UNDEPRECATE, "web@1.2 is not deprecated: it is a draft.", ""),
    ],
)
def test_a_step_that_there_is_not_is_refused_with_what_to_type(
    status: str, verb: Verb, message: str, hint: str
) -> None:
    with pytest.raises(Conflict) as refused:
        lifecycle.after("web@1.2", VersionStatus(status), verb)

    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize("status", ["draft", "published", "deprecated"])
def test_drafts_published_and_deprecated_versions_may_be_deployed(status: str) -> None:
    assert lifecycle.refusal(replace(USE, status=VersionStatus(status))) is None


def test_nothing_new_is_made_from_a_yanked_version_and_what_is_on_it_may_go_on() -> None:
    yanked = replace(USE, status=VersionStatus.YANKED, reason="It loses data", offered=(Number(1, 3), Number(2, 0)))

    error = lifecycle.refusal(yanked)

    assert isinstance(error, Refused)
    assert error.message == "web@1.2 was yanked: It loses data. Nothing new may use it."
    assert error.hint == "Use web@1.3."
    assert lifecycle.refusal(replace(yanked, address="service/orders/prod", is_on_it=True)) is None


def test_what_is_below_the_minimum_is_not_even_deployed_again() -> None:
    old = replace(USE, number=Number(1, 1), minimum=2, address="service/orders/prod", is_on_it=True)

    error = lifecycle.refusal(old)

    assert isinstance(error, Refused)
    assert error.message == "web@1.1 is below 1.2, the lowest minor version of its major version that may be used."
    assert error.hint == "Bring it to another version: landform instance update orders/prod --version 1.3"
    asleep = lifecycle.refusal(replace(old, is_asleep=True))
    assert asleep is not None
    assert asleep.hint == "Wake it with another version: landform instance wake service/orders/prod --version 1.3"


def test_where_the_major_version_has_none_left_the_recommended_one_is_named_and_without_one_none() -> None:
    old = replace(USE, status=VersionStatus.YANKED, reason="No.", offered=(Number(2, 0),), address="environment/prod")

    elsewhere, nowhere = lifecycle.refusal(old), lifecycle.refusal(replace(old, offered=()))

    assert elsewhere is not None
    assert elsewhere.hint == "Bring it to another version: landform env update prod --version 2.0"
    assert nowhere is not None
    assert nowhere.hint == "No other version is published: landform template versions web"


def test_what_is_offered_keeps_to_the_minimum_of_each_major_version() -> None:
    numbers = (Number(1, 0), Number(1, 1), Number(2, 0))

    assert lifecycle.offered(numbers, {"1": 1}) == (Number(1, 1), Number(2, 0))


def test_a_warning_names_the_reason_and_what_to_use() -> None:
    assert lifecycle.warning("web@1.2", "Slow.", "1.3") == "web@1.2 is deprecated: Slow. Use web@1.3."
    assert lifecycle.warning("web@1.2", "Slow", None) == ("web@1.2 is deprecated: Slow. No other version is published.")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  ", "There is no reason."),
        ("a\nb", "The reason must be one line of text."),
        ("\x1b[2J", "The reason must be one line of text."),
        ("x" * 501, "The reason has 501 characters; 500 are the most."),
    ],
)
def test_a_reason_is_one_short_line(text: str, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        lifecycle.reason(text)

    assert refused.value.message == message
