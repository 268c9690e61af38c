"""Inputs as people are shown them."""

from __future__ import annotations

import pytest

from engine.core.inputs import Input, constraints, flattened, inputs, type_text


def test_inputs_come_in_the_order_of_the_schema_with_all_that_is_known():
    type = {
        "type": "object",
        "required": ["image", "port"],
        "properties": {
            "port": {"type": "number", "title": "Port", "default": 80, "minimum": 1, "maximum": 65535},
            "image": {"type": "string", "description": "What to run"},
            "debug": {"type": "boolean", "default": False},
        },
    }

    assert inputs(type) == (
        Input("port", "number", False, True, 80, "Port", "", "1 to 65535"),
        Input("image", "string", True, False, None, "", "What to run", ""),
        Input("debug", "boolean", False, True, False, "", "", ""),
    )


def test_what_is_inside_an_input_follows_it_under_a_dotted_name():
    port = {"type": "object", "required": ["port"], "properties": {"port": {"type": "integer", "maximum": 9}}}
    type = {
        "type": "object",
        "required": ["network"],
        "properties": {
            "network": {"type": "object", "properties": {"cidr": {"type": "string", "default": "x"}, "a.b": port}},
            "rules": {"type": "array", "items": port},
            "grid": {"type": "array", "items": {"type": "array", "items": port}},
            "pools": {"type": "object", "additionalProperties": port},
        },
    }

    assert [(found.name, found.type, found.required, found.default) for found in flattened(type)] == [
        ("network", "object", True, None),
        ("network.cidr", "string", False, "x"),
        ('network["a.b"]', "object", False, None),
        ('network["a.b"].port', "integer", True, None),
        ("rules", "list of object", False, None),
        ("rules[].port", "integer", True, None),
        ("grid", "list of list of object", False, None),
        ("grid[][].port", "integer", True, None),
        ("pools", "map of object", False, None),
        ("pools.*.port", "integer", True, None),
    ]


@pytest.mark.parametrize(
    ("type", "text"),
    [
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "array"}, "list"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, "list of list of number"),
        ({"type": "object", "properties": {"a": {}}}, "object"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map of number"),
        ({"allOf": [{"type": "string"}]}, "string"),
        ({"anyOf": [{"type": "string"}, {"type": "number"}]}, "string or number"),
        ({}, "any"),
    ],
)
def test_a_type_is_put_in_words(type, text):
    assert type_text(type) == text


@pytest.mark.parametrize(
    ("type", "text"),
    [
        ({"enum": ["a", "b", 1]}, "one of a, b, 1"),
        ({"minimum": 1}, "at least 1"),
        ({"maximum": 5}, "at most 5"),
        ({"minimum": 0, "exclusiveMinimum": True, "maximum": 1}, "more than 0, at most 1"),
        ({"minLength": 3, "maxLength": 10}, "3 to 10 characters"),
        ({"minItems": 1, "uniqueItems": True}, "at least 1 items; no item twice"),
        ({"multipleOf": 5}, "a multiple of 5"),
        ({"maxLength": 9, "pattern": "^a"}, "at most 9 characters; matches ^a"),
        ({}, ""),
    ],
)
def test_constraints_are_put_in_words(type, text):
    assert constraints(type) == text
