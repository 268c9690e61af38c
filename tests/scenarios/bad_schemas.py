"""Bundles whose schema cannot be used."""

from __future__ import annotations

from tests.scenarios.bad_input import Case, environment, service

_CHECK = "template check b"
_HEAD = """\
schema:
  format: {openapi: "3.0.0"}
  environment_input_type: Lab
  types:
"""
_KEYWORDS = """\
    Lab:
      type: objekt
      properties:
        zone: {type: string, minLenght: 3, maxLength: -1, enum: []}
        size: {type: integer, minimum: low, default: high}
        2nd: {type: string}
        wide: {type: integer, minimum: 5, maximum: 4}
        name: {type: string, pattern: "("}
        slow: {type: string, pattern: "(a+)+b"}
      required: zone
"""

def _types(text: str) -> dict[str, object]:
    return environment(schema=_HEAD + text)


CASES = (
    Case("a $ref that leads back to itself", _types("    Lab: {type: object, properties: {a: {$ref: '#/One'}}}\n    One: {type: object, properties: {b: {$ref: '#/Two'}}}\n    Two: {type: object, properties: {a: {$ref: '#/One'}}}\n"), _CHECK, FILL, FILL, FILL),
    Case("a $ref to no type", _types("    Lab: {type: object, properties: {zone: {$ref: '#/Zome'}, size: {$ref: 'https://x.example/y'}}}\n    Zone: {type: string}\n"), _CHECK, FILL, FILL, FILL),
    Case("keywords with everything wrong", _types(_KEYWORDS), _CHECK, FILL, FILL, FILL),
    Case("defaults that do not fit", _types("    Lab:\n      type: object\n      properties:\n        zone: {type: string, default: 1}\n        size: {type: integer, minimum: 3, default: 1}\n"), _CHECK, FILL, FILL, FILL),
    Case("a required input that does not exist", _types("    Lab:\n      type: object\n      required: [sise]\n      properties:\n        zone: {type: string}\n        size: {type: integer}\n"), _CHECK, FILL, FILL, FILL),
    Case("an input type that is not there", _types("    Lap:\n      type: object\n      properties:\n        zone: {type: string}\n        size: {type: integer}\n"), _CHECK, FILL, FILL, FILL),
    Case("an input type that is no object", _types("    Lab: {type: string}\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema of both kinds", environment(schema=_HEAD.replace("  types:", "  service_input_type: Lab\n  types:") + "    Lab: {type: object}\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema of the other kind", service(schema=_HEAD + "    Lab: {type: object}\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema with nothing in it", environment(schema="schema: {}\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema that is a list", environment(schema="- schema\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema with an unknown key and format", environment(schema="schema:\n  format: {openapi: 3.1.0}\n  enviroment_input_type: Lab\n  types: [Lab]\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema that is not YAML", environment(schema="schema:\n  types: {Lab: [\n"), _CHECK, FILL, FILL, FILL),
    Case("a schema in another encoding", environment(schema="schema: {}\n".encode("utf-16")), _CHECK, FILL, FILL, FILL),
    Case("a service schema with a pipeline and no folder", service(schema='schema:\n  format: {openapi: "3.0.0"}\n  service_input_type: Web\n  pipeline_input_type: Web\n  types:\n    Web: {type: object, properties: {port: {type: integer}, title: {type: string}}}\n'), _CHECK, FILL, FILL, FILL),
)
