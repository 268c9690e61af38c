"""Whether inputs satisfy their type, and what they become with defaults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.located import parse
from engine.core.shapes import filled, properties
from engine.core.values import check
from tests.core.schemas import EMPTY, PROPERTY, input_types, takes, value_of


def wrong(property: str, value: str) -> list[str]:
    """What is said of the input `x`, both given as YAML."""
    type = {"type": "object", "properties": {"x": parse(property, "schema.yaml").value}}
    document = parse(f"spec:\n  x: {value}\n", "spec.yaml")
    return [str(problem) for problem in check(type, document.value["spec"], ("spec",), document)]


@pytest.mark.parametrize(
    ("property", "value", "sentence"),
    [
        ("{type: number}", "x", '"x" is not a number.'),
        ("{type: number}", "true", "true is not a number."),
        ("{type: number}", "'80'", '"80" is not a number.'),
        ("{type: number}", "", "is empty; a number is expected."),
        ("{type: integer}", "1.5", "1.5 is not a whole number."),
        ("{type: string}", "80", '80 is not a string. Write "80".'),
        ("{type: string}", "true", 'true is not a string. Write "true".'),
        ("{type: string}", "[a]", '["a"] is not a string.'),
        ("{type: boolean}", "yes", '"yes" is not true or false.'),
        ("{type: boolean}", "0", "0 is not true or false."),
        ("{type: array}", "a", '"a" is not a list.'),
        ("{type: object}", "[]", "[] is not a mapping of names to values."),
        ("{type: number, maximum: 65535}", "99999", "99999 is more than the maximum 65535."),
        ("{type: number, minimum: 1}", "0", "0 is less than the minimum 1."),
        ("{type: number, minimum: 1, exclusiveMinimum: true}", "1", "1 is not more than 1."),
        ("{type: number, maximum: 1, exclusiveMaximum: true}", "1.0", "1.0 is not less than 1."),
        ("{type: number, multipleOf: 0.1}", "0.35", "0.35 is not a multiple of 0.1."),
        ("{type: string, minLength: 2}", "a", "has 1 character; 2 at least."),
        ("{type: string, maxLength: 2}", "abc", "has 3 characters; 2 at most."),
        ("{type: string, pattern: '^[a-z]+$'}", "A1", '"A1" does not match the pattern ^[a-z]+$'),
        (
            "{type: string, pattern: a}",
            "a" * 1025,
            "has 1,025 characters; 1,024 are the most where a pattern is to be matched.",
        ),
        ("{type: string, enum: [small, medium]}", "xl", '"xl" is not one of small, medium.'),
        ("{type: string, enum: [small, medium]}", "smal", '"smal" is not one of small, medium. Did you mean "small"?'),
        ("{enum: [1]}", "true", "true is not one of 1."),
        ("{type: array, minItems: 1}", "[]", "has 0 items; 1 at least."),
        ("{type: array, maxItems: 1}", "[1, 2]", "has 2 items; 1 at most."),
        ("{type: array, uniqueItems: true}", "[1, 1.0]", "holds an item twice."),
        ("{type: object, minProperties: 1}", "{}", "has 0 properties; 1 at least."),
        ("{type: object, maxProperties: 0}", "{a: 1}", "has 1 property; 0 at most."),
        ("{not: {type: string}}", "a", '"a" is excluded.'),
        (
            "{anyOf: [{type: string}, {type: number}]}",
            "true",
            'fits none of the 2 alternatives: true is not a string. Write "true"; true is not a number.',
        ),
        (
            "{oneOf: [{type: number}, {type: integer}]}",
            "1",
            "fits 2 of the 2 alternatives; it must fit exactly one.",
        ),
        ("{allOf: [{type: number}, {minimum: 5}]}", "1", "1 is less than the minimum 5."),
        ("{type: string, maxLength: 5, format: password}", "[hunter2]", "the value is not a string."),
        ("{type: string, pattern: '^a$', format: password}", "hunter2", "the value does not match the pattern ^a$"),
    ],
    ids=lambda value: value[:40],
)
def test_a_wrong_value_is_described_with_its_line(property, value, sentence):
    assert wrong(property, value) == [f"spec.yaml:2: spec.x: {sentence}"]


@pytest.mark.parametrize(
    ("property", "value"),
    [
        ("{type: number}", "80"),
        ("{type: number}", "0.5"),
        ("{type: integer}", "1.0"),
        ("{type: number, minimum: 1, maximum: 1}", "1"),
        ("{type: number, multipleOf: 0.1}", "0.3"),
        ("{type: string, nullable: true}", "null"),
        ("{type: string, pattern: b}", "abc"),
        ("{enum: [1]}", "1.0"),
        ("{type: array, uniqueItems: true}", "[1, true, '1']"),
        ("{type: object}", "{any: [thing]}"),
        ("{type: object, additionalProperties: {type: number}}", "{any: 1}"),
        ("{type: object, properties: {a: {}}, additionalProperties: true}", "{any: 1}"),
        ("{oneOf: [{type: string}, {type: number}]}", "1"),
        ("{not: {type: string}}", "1"),
        ("{}", "null"),
    ],
)
def test_a_fitting_value_is_accepted(property, value):
    assert wrong(property, value) == []


def test_all_problems_of_a_spec_are_reported_at_once_each_with_its_line():
    type = {
        "type": "object",
        "required": ["image", "port"],
        "properties": {
            "port": {"type": "number", "maximum": 65535},
            "image": {"type": "string"},
            "servers": {
                "type": "array",
                "items": {"type": "object", "properties": {"size": {"type": "number"}}, "required": ["size"]},
            },
        },
    }
    spec = "    prot: 80\n    port: 99999\n    servers:\n    - {sise: 1}\n    - size: big\n"
    document = parse(f"instances:\n- name: a\n  spec:\n{spec}", "spec.yaml")

    found = check(type, document.value["instances"][0]["spec"], ("instances", 0, "spec"), document)

    assert [str(problem) for problem in found] == [
        'spec.yaml:4: instances[0].spec.prot: is not an input of this template. Did you mean "port"?',
        "spec.yaml:3: instances[0].spec.image: is required.",
        "spec.yaml:5: instances[0].spec.port: 99999 is more than the maximum 65535.",
        'spec.yaml:7: instances[0].spec.servers[0].sise: is not a known property. Did you mean "size"?',
        "spec.yaml:7: instances[0].spec.servers[0].size: is required.",
        'spec.yaml:8: instances[0].spec.servers[1].size: "big" is not a number.',
    ]


def test_no_long_value_is_repeated():
    found = wrong("{type: number}", "x" * 50_000)

    assert found == [f'spec.yaml:2: spec.x: "{"x" * 57}..." is not a number.']


def test_a_template_without_inputs_takes_none():
    found = check({"type": "object"}, {"a": 1}, ("spec",), EMPTY)

    assert [problem.message for problem in found] == ["is not an input of this template."]


def test_a_required_input_with_a_default_need_not_be_given():
    type = {"type": "object", "required": ["port"], "properties": {"port": {"type": "number", "default": 0}}}

    assert takes(type, {})


def test_names_of_all_alternatives_are_known():
    type = {
        "type": "object",
        "properties": {"a": {}},
        "allOf": [{"properties": {"b": {}}}],
        "anyOf": [{"required": ["c"], "properties": {"c": {}}}, {"required": ["d"], "properties": {"d": {}}}],
    }

    assert takes(type, {"a": 1, "b": 1, "d": 1})
    assert not takes(type, {"a": 1, "b": 1, "d": 1, "e": 1})
    assert not takes(type, {"a": 1, "b": 1})


def test_the_alternative_that_was_meant_is_the_one_whose_inside_is_judged():
    found = wrong(
        "{oneOf: [{type: string}, {type: object, properties: {port: {type: number}}}]}",
        "{port: x}",
    )

    assert found == ['spec.yaml:2: spec.x.port: "x" is not a number.']


def test_defaults_are_filled_in_the_order_of_the_schema_falsy_ones_too():
    type = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "default": ""},
            "b": {"type": "number", "default": 0},
            "c": {"type": "boolean", "default": False},
            "d": {"type": "string"},
            "e": {"type": "number", "default": 5},
        },
    }

    assert list(filled(type, {"e": 1, "b": 2}).items()) == [("a", ""), ("b", 2), ("c", False), ("e", 1)]


def test_defaults_inside_objects_are_filled_where_the_object_is_there():
    inner = {"type": "object", "properties": {"x": {"default": 1}, "y": {}}}
    type = {
        "type": "object",
        "properties": {
            "given": inner,
            "absent": inner,
            "defaulted": {**inner, "default": {"y": 2}},
            "many": {"type": "array", "items": inner},
            "named": {"type": "object", "additionalProperties": inner},
        },
    }

    assert filled(type, {"named": {"k": {}}, "many": [{}, {"x": 3}], "given": {}}) == {
        "given": {"x": 1},
        "defaulted": {"x": 1, "y": 2},
        "many": [{"x": 1}, {"x": 3}],
        "named": {"k": {"x": 1}},
    }


def test_defaults_of_a_part_behind_all_of_are_filled():
    type = {
        "type": "object",
        "properties": {"a": {"allOf": [{"default": 1}]}},
        "allOf": [{"properties": {"b": {"default": 2}}}],
    }

    assert filled(type, {}) == {"a": 1, "b": 2}


@PROPERTY
@given(st.data())
def test_filling_twice_is_filling_once_and_keeps_what_was_given(data):
    type = data.draw(input_types)
    value = data.draw(value_of(type))

    once = filled(type, value)

    assert filled(type, once) == once
    assert filled(type, value).keys() >= value.keys()
    assert [name for name in once if name in properties(type)] == [name for name in properties(type) if name in once]


@PROPERTY
@given(st.dictionaries(st.sampled_from("abc"), st.integers() | st.text(max_size=3), max_size=3))
def test_given_values_stay_as_they_are(value):
    type = {"type": "object", "properties": {"a": {"default": 1}, "b": {"type": "string"}}}

    assert {name: member for name, member in filled(type, value).items() if name in value} == value
