"""Promises about templates: one of a name and kind, found by what people call it, gone only when nothing needs it."""

from __future__ import annotations

import pytest

from engine.catalog.tables import Template
from engine.core.versions import TemplateKind, TemplateRef, parse_ref
from engine.errors import Conflict, NotFound
from tests.catalog.world import NOW, World, at_once


def test_a_template_is_found_by_its_name_with_or_without_its_kind(world: World) -> None:
    template = world.template("web")

    with world.catalog.read() as tx:
        found = [tx.find_template(parse_ref(text)) for text in ("web", "service/web", "web@1.0")]

    assert found == [template, template, template]
    assert (template.created_at, template.highest, template.recommended_id) == (NOW, {}, None)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("service", "A service template web exists already."),
        ("environment", "An environment template web exists already."),
    ],
)
def test_a_second_template_of_the_name_is_refused(world: World, kind: str, message: str) -> None:
    world.template("web", kind)

    with pytest.raises(Conflict) as refused:
        world.template("web", kind)

    assert refused.value.message == message
    assert refused.value.hint == f"See it: landform template show {kind}/web"


def test_of_many_threads_that_make_a_template_one_does(world: World) -> None:
    answers = at_once(lambda: world.template("web"))

    assert [type(answer) for answer in answers].count(Template) == 1
    assert [type(answer) for answer in answers].count(Conflict) == 7


def test_a_name_of_both_kinds_must_say_which(world: World) -> None:
    world.template("web", "service")
    world.template("web", "environment")

    with pytest.raises(Conflict) as refused, world.catalog.read() as tx:
        tx.find_template(TemplateRef("web"))

    assert refused.value.message == "There is an environment template and a service template web."
    assert refused.value.hint == "Say which: environment/web or service/web."


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("wob", "There is no template wob.", "Did you mean web? See them all: landform template list"),
        ("zzz", "There is no template zzz.", "See them all: landform template list"),
        (
            "environment/web",
            "web is a service template, not an environment template.",
            "See those that are: landform template list --kind environment",
        ),
    ],
)
def test_a_name_that_nothing_has_is_not_found_and_the_nearest_is_named(
    world: World, text: str, message: str, hint: str
) -> None:
    world.template("web")

    with pytest.raises(NotFound) as refused, world.catalog.read() as tx:
        tx.find_template(parse_ref(text))

    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_templates_are_listed_by_kind_and_name(world: World) -> None:
    for name, kind in (("b", "service"), ("a", "service"), ("c", "environment")):
        world.template(name, kind)

    with world.catalog.read() as tx:
        every = [row.name for row in tx.templates()]
        services = [row.name for row in tx.templates(TemplateKind.SERVICE)]

    assert every == ["c", "a", "b"]
    assert services == ["a", "b"]


def test_what_a_template_says_about_itself_can_be_changed(world: World) -> None:
    template = world.template()

    with world.catalog.write() as tx:
        tx.update_template(template, description="A web service.", display_name="Web")

    with world.catalog.read() as tx:
        found = tx.find_template(parse_ref("web"))
    assert (found.description, found.display_name) == ("A web service.", "Web")


def test_a_template_with_versions_stays_and_they_are_named(world: World) -> None:
    template = world.template()
    world.version(template)
    world.version(template, 1, failed=True)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_template(template)

    assert refused.value.message == "Service template web has versions 1.0, 1.1."
    assert refused.value.hint == "Delete them first: landform template delete web@1.0 web@1.1"


def test_a_template_that_a_service_was_made_from_stays(world: World) -> None:
    template = world.template()
    with world.catalog.write() as tx:
        tx.add_service("orders", template.id or 0, 1)

    with pytest.raises(Conflict) as refused, world.catalog.write() as tx:
        tx.remove_template(template)

    assert refused.value.message == "Service template web is in use by orders."


def test_a_template_without_versions_can_be_removed(world: World) -> None:
    template = world.template()

    with world.catalog.write() as tx:
        tx.remove_template(template)

    with world.catalog.read() as tx:
        assert tx.templates() == []
