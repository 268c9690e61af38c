"""Names and addresses: what is one, and what a person reads when it is not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import address
from engine.core.address import Address, Kind
from engine.errors import Invalid

NAME_HINT = "Names start with a letter or digit and go on with letters, digits, - and _."
ADDRESS_HINT = "Addresses look like environment/prod, service/orders/prod, pipeline/orders or component/cache."

names = st.from_regex(r"\A[0-9A-Za-z][0-9A-Za-z_\-]{0,99}\Z")
addresses = st.one_of(
    st.builds(address.environment, names),
    st.builds(address.service_instance, names, names),
    st.builds(address.pipeline, names),
    st.builds(address.component, names),
)
# any text at all, and text that is nearly an address
texts = st.text(st.characters()) | st.lists(
    st.sampled_from(["environment", "service", "pipeline", "component", "prod", "/", "/", "..", "-rf", "\n", "é", ""])
).map("".join)


@settings(deadline=None)
@given(addresses)
def test_an_address_reads_back_as_it_was_written(given: Address) -> None:
    assert address.parse(str(given)) == given


@settings(deadline=None, max_examples=300)
@given(texts)
def test_text_is_an_address_that_writes_itself_the_same_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert str(address.parse(text)) == text


@settings(deadline=None, max_examples=300)
@given(texts)
def test_text_is_a_name_as_it_stands_or_is_invalid(text: str) -> None:
    with suppress(Invalid):
        assert address.check_name(text) == text


@settings(deadline=None)
@given(texts)
def test_a_message_quotes_any_text_as_one_short_printable_line(text: str) -> None:
    found = address.quoted(text)

    assert found.isprintable()
    assert len(found) <= 602  # sixty characters, each written as \\U and eight digits


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (address.environment("prod"), "environment/prod"),
        (address.service_instance("orders", "prod"), "service/orders/prod"),
        (address.pipeline("orders"), "pipeline/orders"),
        (address.component("cache"), "component/cache"),
    ],
)
def test_each_kind_of_instance_has_its_own_form_of_address(made: Address, text: str) -> None:
    assert str(made) == text


@pytest.mark.parametrize(
    ("text", "kind", "name", "service"),
    [
        ("environment/prod", Kind.ENVIRONMENT, "prod", ""),
        ("service/orders/prod", Kind.SERVICE_INSTANCE, "prod", "orders"),
        ("pipeline/orders", Kind.PIPELINE, "orders", "orders"),
        ("component/cache", Kind.COMPONENT, "cache", ""),
    ],
)
def test_an_address_tells_kind_name_and_service(text: str, kind: Kind, name: str, service: str) -> None:
    parsed = address.parse(text)

    assert (parsed.kind, parsed.name, parsed.service) == (kind, name, service)


@pytest.mark.parametrize(
    ("kind", "noun"),
    [
        (Kind.ENVIRONMENT, "environment"),
        (Kind.SERVICE_INSTANCE, "service instance"),
        (Kind.PIPELINE, "pipeline"),
        (Kind.COMPONENT, "component"),
    ],
)
def test_each_kind_has_the_noun_that_a_sentence_uses(kind: Kind, noun: str) -> None:
    assert kind.noun == noun


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "prod",
        "environment",
        "environment/prod/blue",
        "service/orders",
        "service/orders/prod/blue",
        "pipeline/orders/prod",
        "component",
        "Environment/prod",
        "SERVICE_INSTANCE/orders/prod",
        "/environment/prod",
        "environment/prod/",
        "environment//prod",
        "template/web",
        "environment\\prod",
    ],
)
def test_what_has_not_the_form_of_an_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        address.parse(text)

    assert (caught.value.message, caught.value.hint) == (f"{text!r} is not an address.", ADDRESS_HINT)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environment/", "The environment name '' is not a valid name."),
        ("environment/..", "The environment name '..' is not a valid name."),
        ("environment/-rf", "The environment name '-rf' is not a valid name."),
        ("environment/_x", "The environment name '_x' is not a valid name."),
        ("environment/a b", "The environment name 'a b' is not a valid name."),
        ("environment/prod\n", "The environment name 'prod\\n' is not a valid name."),
        ("environment/\x1b[2J", "The environment name '\\x1b[2J' is not a valid name."),
        ("environment/größe", "The environment name 'größe' is not a valid name."),
        ("environment/\u0661", "The environment name '\u0661' is not a valid name."),
        ("service/../prod", "The service name '..' is not a valid name."),
        ("service/orders/a.b", "The instance name 'a.b' is not a valid name."),
        ("pipeline/$HOME", "The service name '$HOME' is not a valid name."),
        ("component/~", "The component name '~' is not a valid name."),
    ],
)
def test_a_bad_name_in_an_address_is_refused_for_what_it_names(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        address.parse(text)

    assert (caught.value.message, caught.value.hint) == (message, NAME_HINT)


def test_a_name_may_have_a_hundred_characters() -> None:
    assert address.check_name("a" * 100) == "a" * 100


def test_a_longer_name_is_refused_with_its_length_and_only_its_beginning() -> None:
    with pytest.raises(Invalid) as caught:
        address.check_name("a" * 101, "service name")

    assert str(caught.value) == ("The service name 'aaaaaaaaaaaaaaaaaaaa...' has 101 characters; 100 are the most.")


def test_a_message_quotes_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(Invalid) as caught:
        address.parse("x" * 1_000_000)

    assert str(caught.value) == "'xxxxxxxxxxxxxxxxxxxx...' is not an address."


def test_addresses_sort_by_kind_then_by_name() -> None:
    texts = ["service/b/x", "service/a/y", "environment/z", "service/a/x", "component/c"]

    assert [str(found) for found in sorted(map(address.parse, texts))] == [
        "component/c",
        "environment/z",
        "service/a/x",
        "service/a/y",
        "service/b/x",
    ]
