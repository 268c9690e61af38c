"""Version numbers: how they are written, counted up and recommended."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import versions
from engine.core.versions import REGISTERED, Number, TemplateKind, TemplateRef
from engine.errors import Invalid

parts = st.integers(min_value=0, max_value=9999)
numbers = st.builds(Number, parts, parts)
names = st.from_regex(r"\A[0-9A-Za-z][0-9A-Za-z_\-]{0,99}\Z")
kinds = st.none() | st.sampled_from(REGISTERED)
refs = st.builds(TemplateRef, names, st.none() | numbers, kinds) | st.builds(
    TemplateRef, names, st.none(), kinds, st.none() | parts
)
texts = st.text(st.characters()) | st.lists(
    st.sampled_from(["0", "1", "01", "12", ".", ".", "@", "/", "web", "service", "environment", "-", " ", "\u0661"])
).map("".join)


@settings(deadline=None)
@given(numbers)
def test_a_number_reads_back_as_it_was_written(number: Number) -> None:
    assert versions.parse(str(number)) == number


@settings(deadline=None)
@given(refs)
def test_the_name_of_a_template_reads_back_as_it_was_written(ref: TemplateRef) -> None:
    assert versions.parse_ref(str(ref)) == ref


@settings(deadline=None, max_examples=300)
@given(texts)
def test_text_is_a_number_that_writes_itself_the_same_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert str(versions.parse(text)) == text


@settings(deadline=None, max_examples=300)
@given(texts)
def test_text_names_a_template_that_writes_itself_the_same_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert str(versions.parse_ref(text)) == text


@settings(deadline=None)
@given(numbers, numbers)
def test_numbers_compare_by_major_then_by_minor(one: Number, other: Number) -> None:
    assert (one < other) == ((one.major, one.minor) < (other.major, other.minor))


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(min_value=0, max_value=10), max_size=30))
def test_numbers_never_come_back_and_only_go_up(wishes: list[int | None]) -> None:
    highest: dict[int, int] = {}
    given_out: list[Number] = []
    for wish in wishes:
        # a wish is for a new major, or for a minor of one of the majors that exist by now
        major = None if wish is None or not highest else sorted(highest)[wish % len(highest)]
        number = versions.next_number(highest, major)
        assert all(number > earlier for earlier in given_out if number.major == earlier.major)
        highest[number.major] = number.minor
        given_out.append(number)

    assert len(set(given_out)) == len(given_out)
    assert [number.major for number in given_out if number.minor == 0] == [*range(1, len(highest) + 1)]


@pytest.mark.parametrize(
    ("highest", "major", "number"),
    [
        ({}, None, "1.0"),
        ({1: 0}, None, "2.0"),
        ({1: 0}, 1, "1.1"),
        ({1: 9}, 1, "1.10"),
        ({1: 3, 7: 0}, None, "8.0"),
        ({4: 28, 5: 28}, 4, "4.29"),
    ],
)
def test_the_next_number_follows_the_highest_ever_used(highest: dict[int, int], major: int | None, number: str) -> None:
    assert str(versions.next_number(highest, major)) == number


@pytest.mark.parametrize(
    ("highest", "message"),
    [
        ({}, "Major version 3 does not exist (there are: none)."),
        ({10: 0, 2: 5, 1: 1}, "Major version 3 does not exist (there are: 1, 2, 10)."),
    ],
)
def test_a_minor_of_a_major_that_does_not_exist_is_refused(highest: dict[int, int], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        versions.next_number(highest, 3)

    assert (caught.value.message, caught.value.hint) == (message, "Start a new major version with --new-major.")


@pytest.mark.parametrize(
    ("published", "number"),
    [
        ([], None),
        ([Number(1, 0)], Number(1, 0)),
        ([Number(1, 10), Number(1, 9)], Number(1, 10)),
        ([Number(2, 0), Number(1, 99)], Number(2, 0)),
        ([Number(10, 0), Number(9, 0)], Number(10, 0)),
    ],
)
def test_the_recommended_number_is_the_highest_published(published: list[Number], number: Number | None) -> None:
    assert versions.recommended(published) == number


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".1", "1.0.0", "v1.0", "01.0", "1.00", "-1.0", "+1.0", "1.0 ", " 1.0", "1.0\n", "1,0", "1.x"],
)
def test_anything_but_two_plain_numbers_is_not_a_version(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        versions.parse(text)

    assert (caught.value.message, caught.value.hint) == (
        f"{text!r} is not a version.",
        "Versions look like 1.0 or 2.13.",
    )


def test_a_version_has_at_most_ten_characters() -> None:
    assert versions.parse("12345.6789") == Number(12345, 6789)
    with pytest.raises(Invalid, match=r"^'12345\.67890' is not a version\.$"):
        versions.parse("12345.67890")


def test_a_version_of_ten_thousand_digits_is_refused_like_any_other() -> None:
    with pytest.raises(Invalid, match=r"^'99999999999999999999\.\.\.' is not a version\.$"):
        versions.parse("9" * 10_000 + ".0")


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("web", TemplateRef("web")),
        ("web@1.2", TemplateRef("web", Number(1, 2))),
        ("web@1", TemplateRef("web", major=1)),
        ("service/web@0", TemplateRef("web", None, TemplateKind.SERVICE, 0)),
        ("service/web", TemplateRef("web", None, TemplateKind.SERVICE)),
        ("environment/vpc@2.0", TemplateRef("vpc", Number(2, 0), TemplateKind.ENVIRONMENT)),
        ("service", TemplateRef("service")),
    ],
)
def test_a_template_is_named_with_or_without_kind_and_version(text: str, ref: TemplateRef) -> None:
    assert versions.parse_ref(text) == ref


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The template name '' is not a valid name."),
        ("@1.0", "The template name '' is not a valid name."),
        ("service/", "The template name '' is not a valid name."),
        ("service/../x", "The template name '../x' is not a valid name."),
        ("web@", "'' is not a version."),
        ("web@01", "'01' is not a version."),
        ("web@1.", "'1.' is not a version."),
        ("web@12345678901", "'12345678901' is not a version."),
        ("web@latest", "'latest' is not a version."),
        ("web@1.0@2.0", "'1.0@2.0' is not a version."),
        ("component/web", "'component/web' does not name a template."),
        ("/web", "'/web' does not name a template."),
    ],
)
def test_what_does_not_name_a_template_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        versions.parse_ref(text)

    assert caught.value.message == message
