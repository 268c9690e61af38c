"""schema.yaml: what is accepted, what is refused and where."""

from __future__ import annotations

import pytest

from engine.core import schema
from engine.core.located import parse
from engine.core.versions import TemplateKind
from engine.errors import Severity
from tests.core.schemas import schema_text, service_schema

FARGATE = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "Service"
  pipeline_input_type: "Pipeline"
  types:
    Service:
      type: object
      description: "Inputs of a service"
      properties:
        port:
          title: Port
          type: number
          description: "The port"
          default: 80
          minimum: 0
          maximum: 65535
        size: {type: string, enum: ["small", "large"], default: "small"}
        image: {type: string, minLength: 1, maxLength: 200, pattern: "^[a-z]", example: nginx}
      required: [image]
    Pipeline:
      type: object
      properties:
        dockerfile: {type: string, default: ""}
"""


def problems(types: str) -> list[str]:
    """What is wrong with the types of a service schema; their first line is line 5."""
    found, problems = schema.parse(parse(schema_text(types), "schema.yaml"), customer_managed=False)
    assert found is None
    return [str(problem) for problem in problems]


def whole(text: str, *, customer_managed: bool = False) -> list[str]:
    _, problems = schema.parse(parse(text, "schema.yaml"), customer_managed=customer_managed)
    return [str(problem) for problem in problems]


def test_a_usual_service_schema_is_accepted():
    found, problems = schema.parse(parse(FARGATE, "schema.yaml"), customer_managed=False)

    assert problems == ()
    assert found is not None
    assert (found.kind, found.type_name, found.pipeline_type_name) == (TemplateKind.SERVICE, "Service", "Pipeline")
    assert list(found.type["properties"]) == ["port", "size", "image"]
    assert found.pipeline_type == {"type": "object", "properties": {"dockerfile": {"type": "string", "default": ""}}}


@pytest.mark.parametrize(
    ("version", "messages"),
    [
        ('"3.0.0"', []),
        ('"3.0.3"', []),
        ("3.0.12", []),
        ("3.0", ['schema.yaml:2: schema.format.openapi: must be "3.0.0".']),
        ('"3.0.x"', ['schema.yaml:2: schema.format.openapi: must be "3.0.0".']),
        ('["3.0.0"]', ['schema.yaml:2: schema.format.openapi: must be "3.0.0".']),
    ],
)
def test_any_release_of_openapi_3_0_is_taken(version: str, messages: list[str]) -> None:
    text = "schema:\n  format: {openapi: %s}\n  service_input_type: A\n  types:\n    A: {type: object}\n"

    assert whole(text % version) == messages


def test_an_environment_schema_has_no_pipeline():
    text = FARGATE.replace("service_input_type", "environment_input_type").replace(
        '  pipeline_input_type: "Pipeline"', ""
    )

    found, problems = schema.parse(parse(text, "schema.yaml"), customer_managed=False)

    assert found is not None
    assert (found.kind, found.pipeline_type) == (TemplateKind.ENVIRONMENT, None)
    assert [str(problem) for problem in problems] == ["schema.yaml:21: schema.types.Pipeline: is not used."]
    assert problems[0].severity is Severity.WARNING


def test_a_type_without_inputs_is_accepted():
    assert service_schema("Inputs: {type: object}").type == {"type": "object"}
    assert service_schema("Inputs: {type: object, properties: {}}").type == {"type": "object", "properties": {}}


def test_every_keyword_of_the_specification_is_accepted():
    text = """
Inputs:
  type: object
  title: Inputs
  description: All of it
  minProperties: 0
  maxProperties: 20
  additionalProperties: {type: string}
  x-order: 1
  properties:
    s: {type: string, format: password, minLength: 1, maxLength: 9, pattern: "^a", nullable: true, example: ab}
    n: {type: number, minimum: 0, maximum: 9, exclusiveMinimum: true, exclusiveMaximum: false, multipleOf: 0.5}
    i: {type: integer, default: 0, deprecated: true, readOnly: false, writeOnly: false}
    b: {type: boolean, default: false}
    l: {type: array, items: {type: string}, minItems: 0, maxItems: 3, uniqueItems: true, default: []}
    o: {type: object, properties: {deep: {type: array, items: {type: object}}}, required: [deep]}
    c: {allOf: [{type: string}], oneOf: [{type: string}], anyOf: [{type: string}], not: {enum: [x]}}
    d: {type: object, externalDocs: {url: u}, xml: {name: n}, discriminator: {propertyName: p}}
"""

    found, problems = schema.parse(parse(schema_text(text), "schema.yaml"), customer_managed=False)

    assert found is not None
    assert problems == ()


@pytest.mark.parametrize("reference", ["#/Other", "#/types/Other", "#/components/schemas/Other"])
def test_a_reference_is_resolved_however_it_is_written(reference):
    found = service_schema(f"""
Inputs:
  type: object
  properties:
    one: {{$ref: "{reference}", description: The one, default: b}}
    many: {{type: array, items: {{$ref: "{reference}"}}}}
Other: {{type: string, enum: [a, b], description: Any}}
""")

    assert found.type["properties"] == {
        "one": {"type": "string", "enum": ["a", "b"], "description": "The one", "default": "b"},
        "many": {"type": "array", "items": {"type": "string", "enum": ["a", "b"], "description": "Any"}},
    }


@pytest.mark.parametrize(
    ("property", "problem"),
    [
        ("{type: strin}", '.type: must be one of string, number, integer, boolean, array, object, not "strin".'),
        ("{type: [string]}", '.type: must be one of string, number, integer, boolean, array, object, not ["string"].'),
        ("{minimun: 1}", '.minimun: is not a keyword of types. Did you mean "minimum"?'),
        ("{type: number, minimum: x}", '.minimum: must be a number, not "x".'),
        ("{type: number, minimum: true}", ".minimum: must be a number, not true."),
        ("{type: number, exclusiveMinimum: 3}", ".exclusiveMinimum: must be true or false, not 3."),
        ("{type: number, multipleOf: 0}", ".multipleOf: must be a number above 0, not 0."),
        ("{type: number, minimum: 9, maximum: 1}", ".minimum: 9 is more than maximum 1: nothing can satisfy both."),
        ("{type: string, minLength: -1}", ".minLength: must be a whole number from 0 up, not -1."),
        ("{type: string, maxLength: 1.5}", ".maxLength: must be a whole number from 0 up, not 1.5."),
        ("{type: string, pattern: 5}", ".pattern: must be text, not 5."),
        (
            '{type: string, pattern: "("}',
            '.pattern: "(" is not a regular expression: missing ), unterminated subpattern at position 0.',
        ),
        ("{type: string, enum: []}", ".enum: must be a list with at least one value, not []."),
        ("{type: string, enum: [80]}", '.enum[0]: 80 is not a string. Write "80".'),
        ("{type: string, enum: [a], default: b}", '.default: "b" is not one of a.'),
        ("{type: number, default: '80'}", '.default: "80" is not a number.'),
        ("{type: boolean, default: 'no'}", '.default: "no" is not true or false.'),
        ("{type: string, nullable: 'yes'}", '.nullable: must be true or false, not "yes".'),
        ("{type: object, properties: [a]}", '.properties: must be a mapping of names to types, not ["a"].'),
        ("{type: object, required: a}", '.required: must be a list of different names, not "a".'),
        ("{type: object, required: [a, a]}", '.required: must be a list of different names, not ["a", "a"].'),
        (
            "{type: object, properties: {port: {}}, required: [prot]}",
            '.required[0]: "prot" is not one of the properties. Did you mean "port"?',
        ),
        ("{type: array, items: [string]}", '.items: must be a mapping that describes a type, not ["string"].'),
        ("{allOf: []}", ".allOf: must be a list of types, not []."),
        ("{anyOf: [string]}", ".anyOf[0]: must be a mapping that describes a type."),
        ("{oneOf: [{typ: string}]}", '.oneOf[0].typ: is not a keyword of types. Did you mean "type"?'),
        ("string", ": must be a mapping that describes a type."),
        ('{$ref: "#/Inputz"}', '.$ref: There is no type "Inputz". Did you mean "Inputs"?'),
        ('{$ref: "other.yaml#/X"}', '.$ref: "other.yaml#/X" does not refer to a type of this file.'),
        ('{$ref: "#/A/properties/x"}', '.$ref: "#/A/properties/x" does not refer to a type of this file.'),
        ("{$ref: 5}", ".$ref: must be text, not 5."),
        ('{$ref: "#/Inputs"}', ".$ref: leads back to itself: Inputs -> Inputs."),
        (
            "{type: object, properties: {port: {type: number}}, default: {prot: 1}}",
            '.default.prot: is not a known property. Did you mean "port"?',
        ),
    ],
)
def test_a_wrong_property_is_refused_with_line_and_reason(property, problem):
    found = problems(f"Inputs:\n  type: object\n  properties:\n    x: {property}\n")

    assert found == [f"schema.yaml:8: schema.types.Inputs.properties.x{problem}"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ('"a b"', '["a b"]: "a b" cannot be a name in Terraform: letters, digits, _ and -, no digit or - first.'),
        ("9lives", '.9lives: "9lives" cannot be a name in Terraform: letters, digits, _ and -, no digit or - first.'),
        ("é", '["\\u00e9"]: "é" cannot be a name in Terraform: letters, digits, _ and -, no digit or - first.'),
        ("a" * 101, f".{'a' * 101}: has a name of 101 characters; 100 are the most."),
    ],
    ids=lambda value: value[:20],
)
def test_an_input_must_have_a_name_that_terraform_can_use(name, problem):
    assert problems(f"Inputs:\n  type: object\n  properties:\n    {name}: {{}}\n") == [
        f"schema.yaml:8: schema.types.Inputs.properties{problem}"
    ]


def test_a_cycle_of_references_is_named():
    found = problems("""
Inputs: {type: object, properties: {a: {$ref: "#/A"}}}
A: {type: object, properties: {b: {$ref: "#/B"}}}
B: {type: array, items: {$ref: "#/A"}}
""")

    assert found == ["schema.yaml:7: schema.types.B.items.$ref: leads back to itself: A -> B -> A."]


def test_keywords_beside_a_reference_that_would_be_ignored_are_refused():
    found = problems("""
Inputs: {type: object, properties: {a: {$ref: "#/A", minLength: 3}}}
A: {type: string}
""")

    assert found == ["schema.yaml:5: schema.types.Inputs.properties.a.minLength: means nothing beside $ref."]


def test_references_that_multiply_are_refused():
    levels = "\n".join(
        f'T{n}: {{type: object, properties: {{a: {{$ref: "#/T{n + 1}"}}, b: {{$ref: "#/T{n + 1}"}}}}}}'
        for n in range(30)
    )

    found = problems(f'Inputs: {{type: object, properties: {{x: {{$ref: "#/T0"}}}}}}\n{levels}\nT30: {{type: string}}')

    assert found[0].endswith(": has more than 10,000 parts or 50 levels, once every $ref in it is written out.")


def test_a_long_chain_of_references_is_refused():
    chain = "\n".join(f'T{n}: {{$ref: "#/T{n + 1}"}}' for n in range(200))

    found = problems(f"Inputs: {{type: object}}\n{chain}\nT200: {{type: string}}")

    assert found[0].endswith(": has more than 10,000 parts or 50 levels, once every $ref in it is written out.")


def test_a_keyword_of_another_type_is_worth_a_warning():
    found, problems = schema.parse(
        parse(schema_text("Inputs: {type: object, properties: {a: {type: number, maxLength: 3}}}"), "schema.yaml"),
        customer_managed=False,
    )

    assert found is not None
    assert [(str(problem), problem.severity) for problem in problems] == [
        (
            "schema.yaml:5: schema.types.Inputs.properties.a.maxLength: means nothing for type number.",
            Severity.WARNING,
        )
    ]


def test_alternatives_may_require_what_stands_beside_them():
    found = service_schema("""
Inputs:
  type: object
  properties: {image: {type: string}, path: {type: string}}
  anyOf: [{required: [image]}, {required: [path]}]
""")

    assert found.type["anyOf"] == [{"required": ["image"]}, {"required": ["path"]}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["schema.yaml: is not a schema: a mapping that begins with schema: is expected."]),
        ("- a", ["schema.yaml:1: is not a schema: a mapping that begins with schema: is expected."]),
        (
            "schemas: {}",
            [
                "schema.yaml:1: schema: is required: a mapping with "
                "format, environment_input_type, service_input_type, pipeline_input_type, types.",
                'schema.yaml:1: schemas: is not a known key. Did you mean "schema"?',
            ],
        ),
        (
            "schema:\n  format: {openapi: 3.1.0, version: 1}\n  enviroment_input_type: A\n  types: {A: {type: object}}",
            [
                "schema.yaml:1: schema: needs environment_input_type or service_input_type, "
                "the name of the type that holds the inputs.",
                'schema.yaml:2: schema.format.openapi: must be "3.0.0".',
                "schema.yaml:2: schema.format.version: is not a known key.",
                "schema.yaml:3: schema.enviroment_input_type: is not a known key. "
                'Did you mean "environment_input_type"?',
            ],
        ),
        (
            "schema:\n  environment_input_type: A\n  service_input_type: A\n  pipeline_input_type: B\n",
            [
                "schema.yaml:1: schema.format: is required: a mapping with openapi.",
                "schema.yaml:1: schema.types: is required: a mapping of type names to types.",
                "schema.yaml:3: schema.service_input_type: cannot stand beside environment_input_type: "
                "a template is one or the other.",
                "schema.yaml:4: schema.pipeline_input_type: is for service templates only.",
            ],
        ),
        (
            'schema:\n  format: {openapi: "3.0.0"}\n  service_input_type: a\n'
            "  types:\n    A: {type: object}\n    B: x\n",
            [
                'schema.yaml:3: schema.service_input_type: There is no type "a". Did you mean "A"?',
                "schema.yaml:6: schema.types.B: must be a mapping that describes a type.",
            ],
        ),
        (
            "schema: {}\n",
            [
                "schema.yaml:1: schema: is required: a mapping with "
                "format, environment_input_type, service_input_type, pipeline_input_type, types.",
            ],
        ),
        (
            "schema:\n  format: {}\n  service_input_type: A\n  types: {A: {type: object}}\n",
            ["schema.yaml:2: schema.format: is required: a mapping with openapi."],
        ),
        (
            'schema:\n  format: {openapi: "3.0.0"}\n  service_input_type: [A]\n  types: {}\n',
            ['schema.yaml:3: schema.service_input_type: must be the name of a type, not ["A"].'],
        ),
        (
            'schema:\n  format: {openapi: "3.0.0"}\n  service_input_type: A\n  types:\n    A: {type: string}\n',
            ["schema.yaml:5: schema.types.A: must have type: object, as service_input_type names it."],
        ),
    ],
)
def test_everything_wrong_around_the_types_is_reported_at_once(text, expected):
    assert whole(text) == expected


CUSTOMER = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Outputs
  types:
    Outputs:
      type: object
      properties:
        vpc_id: {type: string}
"""


def test_a_customer_managed_environment_takes_strings():
    assert whole(CUSTOMER, customer_managed=True) == []


def test_a_customer_managed_environment_takes_nothing_but_strings_without_defaults():
    text = CUSTOMER + "        port: {type: number}\n        zone: {type: string, default: a}\n"

    assert whole(text, customer_managed=True) == [
        "schema.yaml:9: schema.types.Outputs.properties.port.type: "
        "must be string: without infrastructure, inputs become outputs.",
        "schema.yaml:10: schema.types.Outputs.properties.zone.default: "
        "must not be there: without infrastructure, inputs become outputs.",
    ]


def test_a_service_template_needs_infrastructure():
    text = CUSTOMER.replace("environment_input_type", "service_input_type")

    assert whole(text, customer_managed=True) == [
        "schema.yaml:3: schema.service_input_type: A service template needs infrastructure; this bundle has none."
    ]
