"""Whether a new minor version asks nothing new of anybody."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.core.compatibility import breaks
from engine.core.located import parse
from tests.core.schemas import PROPERTY, changed, input_types, of, service_schema, takes, value_of


def findings(old: str, new: str) -> list[str]:
    """What is said of a change of the properties, given as YAML."""
    before, after = (of(parse(text, "schema.yaml").value) for text in (old, new))
    return [found.sentence for found in breaks(before, after)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{properties: {}}", "{properties: {a: {type: string}}}"),
        ("{properties: {}}", "{properties: {a: {type: string, default: ''}}, required: [a]}"),
        ("{properties: {a: {}}, required: [a]}", "{properties: {a: {}}}"),
        ("{properties: {a: {type: integer}}}", "{properties: {a: {type: number}}}"),
        ("{properties: {a: {type: string, enum: [x]}}}", "{properties: {a: {type: string, enum: [y, x]}}}"),
        ("{properties: {a: {type: string, enum: [x]}}}", "{properties: {a: {type: string}}}"),
        ("{properties: {a: {minimum: 2, maximum: 3}}}", "{properties: {a: {minimum: 1, maximum: 4}}}"),
        ("{properties: {a: {minimum: 2, exclusiveMinimum: true}}}", "{properties: {a: {minimum: 2}}}"),
        ("{properties: {a: {minLength: 2, maxLength: 3}}}", "{properties: {a: {maxLength: 4}}}"),
        ("{properties: {a: {multipleOf: 10}}}", "{properties: {a: {multipleOf: 5}}}"),
        ("{properties: {a: {pattern: x}}}", "{properties: {a: {}}}"),
        ("{properties: {a: {default: 1, title: A}}}", "{properties: {a: {default: 2, title: B, description: C}}}"),
        ("{properties: {a: {type: string}}}", "{properties: {a: {type: string, nullable: true}}}"),
        ("{properties: {a: {anyOf: [{title: x}]}}}", "{properties: {a: {anyOf: [{title: y}]}}}"),
        (
            "{properties: {a: {type: object, properties: {b: {}}}}}",
            "{properties: {a: {type: object, properties: {b: {}, c: {}}}}}",
        ),
    ],
)
def test_a_loosened_schema_is_compatible(old, new):
    assert findings(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "{properties: {}}",
            "{properties: {a: {}}, required: [a]}",
            'Input "a" is new and required and has no default.',
        ),
        (
            "{properties: {a: {}}}",
            "{properties: {a: {}}, required: [a]}",
            'Input "a" is now required and has no default.',
        ),
        (
            "{properties: {a: {default: 1}}, required: [a]}",
            "{properties: {a: {}}, required: [a]}",
            'Input "a" is now required and has no default.',
        ),
        ("{properties: {a: {}}}", "{properties: {}}", 'Input "a" was removed.'),
        ("{properties: {a: {}}}", "{}", 'Input "a" was removed.'),
        (
            "{properties: {a: {type: number}}}",
            "{properties: {a: {type: integer}}}",
            'Input "a" was of type number and is now of type integer.',
        ),
        (
            "{properties: {a: {}}}",
            "{properties: {a: {type: string}}}",
            'Input "a" was of type any and is now of type string.',
        ),
        ("{properties: {a: {enum: [x, y]}}}", "{properties: {a: {enum: [y]}}}", 'Input "a" no longer takes "x".'),
        ("{properties: {a: {}}}", "{properties: {a: {enum: [y]}}}", 'Input "a" now takes one of a few values only.'),
        (
            "{properties: {a: {minimum: 1}}}",
            "{properties: {a: {minimum: 2}}}",
            'Input "a" has a higher minimum (2) than before (1).',
        ),
        (
            "{properties: {a: {maximum: 2}}}",
            "{properties: {a: {maximum: 2, exclusiveMaximum: true}}}",
            'Input "a" has a lower maximum (2, itself excluded) than before (2).',
        ),
        (
            "{properties: {a: {}}}",
            "{properties: {a: {maximum: 2}}}",
            'Input "a" has a lower maximum (2) than before (none).',
        ),
        (
            "{properties: {a: {maxLength: 3}}}",
            "{properties: {a: {minLength: 1, maxLength: 2}}}",
            'Input "a" is limited more tightly: minLength 1 (before: none), maxLength 2 (before: 3).',
        ),
        ("{properties: {a: {pattern: x}}}", "{properties: {a: {pattern: y}}}", 'Input "a" has another pattern: "y".'),
        ("{properties: {a: {}}}", "{properties: {a: {pattern: y}}}", 'Input "a" has a new pattern: "y".'),
        (
            "{properties: {a: {multipleOf: 5}}}",
            "{properties: {a: {multipleOf: 10}}}",
            'Input "a" must now be a multiple of 10.',
        ),
        ("{properties: {a: {}}}", "{properties: {a: {uniqueItems: true}}}", 'Input "a" no longer takes an item twice.'),
        (
            "{properties: {a: {type: string, nullable: true}}}",
            "{properties: {a: {type: string}}}",
            'Input "a" can no longer be null.',
        ),
        (
            "{properties: {a: {anyOf: [{minimum: 1}]}}}",
            "{properties: {a: {anyOf: [{minimum: 0}]}}}",
            'Input "a" has changed in anyOf; whether it takes less than before cannot be told.',
        ),
        (
            "{properties: {a: {type: object, properties: {b: {type: string}}}}}",
            "{properties: {a: {type: object, properties: {b: {type: number}}}}}",
            'Input "a.b" was of type string and is now of type number.',
        ),
        (
            "{properties: {a: {type: array, items: {type: string}}}}",
            "{properties: {a: {type: array, items: {type: string, maxLength: 1}}}}",
            'Input "a[]" is limited more tightly: maxLength 1 (before: none).',
        ),
        (
            "{properties: {a: {type: object}}}",
            "{properties: {a: {type: object, properties: {b: {}}}}}",
            'Input "a" no longer takes names other than its properties.',
        ),
        (
            "{additionalProperties: true}",
            "{additionalProperties: {type: string}}",
            'Input "*" was of type any and is now of type string.',
        ),
        (
            "{maxProperties: 0}",
            "{maxProperties: 0, properties: {b: {default: 1}}}",
            "Inputs as a whole: the type has other defaults inside, which maxProperties may then refuse.",
        ),
        (
            "{maxProperties: 1, properties: {a: {}}}",
            "{maxProperties: 1, properties: {a: {}, b: {default: 1}}}",
            "Inputs as a whole: the type has other defaults inside, which maxProperties may then refuse.",
        ),
    ],
)
def test_a_tightened_schema_is_incompatible(old, new, sentence):
    assert findings(old, new) == [sentence]


def test_everything_incompatible_is_reported_at_once():
    assert findings(
        "{properties: {a: {type: string}, b: {}}}",
        "{properties: {a: {type: number, minimum: 1}, c: {}}, required: [c]}",
    ) == [
        'Input "a" was of type string and is now of type number.',
        'Input "a" has a higher minimum (1) than before (none).',
        'Input "b" was removed.',
        'Input "c" is new and required and has no default.',
    ]


def test_a_pipeline_neither_comes_nor_goes_within_a_major():
    types = "Inputs: {type: object}\nPipeline: {type: object}"
    without, having = service_schema("Inputs: {type: object}"), service_schema(types, pipeline="Pipeline")

    assert [found.sentence for found in breaks(without, having)] == [
        "The pipeline's inputs (pipeline_input_type) were added."
    ]
    assert [found.sentence for found in breaks(having, without)] == [
        "The pipeline's inputs (pipeline_input_type) were removed."
    ]


def test_inputs_of_the_pipeline_are_compared_too():
    old = service_schema("Inputs: {type: object}\nP: {type: object, properties: {a: {}}}", pipeline="P")
    new = service_schema("Inputs: {type: object}\nQ: {type: object}", pipeline="Q")

    assert [found.sentence for found in breaks(old, new)] == ['Pipeline input "a" was removed.']


@PROPERTY
@given(input_types)
def test_a_schema_is_compatible_with_itself(type):
    assert breaks(of(type), of(type)) == []


@PROPERTY
@given(st.data())
def test_what_an_old_schema_takes_a_compatible_one_takes_too(data):
    old = data.draw(input_types)
    new = data.draw(changed(old))
    assume(breaks(of(old), of(new)) == [])
    value = data.draw(value_of(old))
    assume(takes(old, value))

    assert takes(new, value)
