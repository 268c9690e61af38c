"""Bundles whose schema, manifest, code or layout cannot be used."""

from __future__ import annotations

from tests.scenarios.bad_input import Case, Content, environment, service
from tests.scenarios.world import MANIFEST

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
_CYCLE = """\
    Lab: {type: object, properties: {a: {$ref: '#/One'}}}
    One: {type: object, properties: {b: {$ref: '#/Two'}}}
    Two: {type: object, properties: {a: {$ref: '#/One'}}}
"""
_LOST = """\
    Lab: {type: object, properties: {zone: {$ref: '#/Zome'}, size: {$ref: 'https://x.example/y'}}}
    Zone: {type: string}
"""
_DEFAULTS = """\
    Lab:
      type: object
      properties:
        zone: {type: string, default: 1}
        size: {type: integer, minimum: 3, default: 1}
"""
_MEMBERS = """\
      type: object
      properties:
        zone: {type: string}
        size: {type: integer}
"""
_PIPELINE = """\
schema:
  format: {openapi: "3.0.0"}
  service_input_type: Web
  pipeline_input_type: Web
  types:
    Web: {type: object, required: [port, title], properties: {port: {type: integer}, title: {type: string}}}
"""
_CODEBUILD = """\
infrastructure:
  templates:
    - rendering_engine: codebuild
      settings:
        image: x
        provision: [make]
"""
_REGISTRATION = """\
compatible_environments: [lab, lab:1, lab:1, 'lab:0']
supported_component_source: []
supported_component_sources: [DIRECT]
"""


def _types(text: str) -> dict[str, Content]:
    return environment(schema=_HEAD + text)


_CHECK = "template check b"
_GOOD = """\
resource "terraform_data" "net" {
  input = [var.environment.inputs.zone, var.environment.inputs.size]
}
"""
_ENTRY = """\
    - file: "*"
      rendering_engine: hcl
      template_language: terraform
"""


def _code(text: str | bytes) -> dict[str, Content]:
    return environment(code=text)


def _manifest(text: str) -> dict[str, Content]:
    return environment(manifest=text)


CASES = (
    Case("a $ref that leads back to itself", _types(_CYCLE), _CHECK),
    Case("a $ref to no type", _types(_LOST), _CHECK),
    Case("keywords with everything wrong", _types(_KEYWORDS), _CHECK),
    Case("defaults that do not fit", _types(_DEFAULTS), _CHECK),
    Case("a required input that does not exist", _types("    Lab:\n      required: [sise]\n" + _MEMBERS), _CHECK),
    Case("an input type that is not there", _types("    Lap:\n" + _MEMBERS), _CHECK),
    Case("an input type that is no object", _types("    Lab: {type: string}\n"), _CHECK),
    Case(
        "a schema of both kinds",
        environment(
            schema=_HEAD.replace("  types:", "  service_input_type: Lab\n  types:") + "    Lab: {type: object}\n"
        ),
        _CHECK,
    ),
    Case("a schema of the other kind", service(schema=_HEAD + "    Lab: {type: object}\n"), _CHECK),
    Case("a schema with nothing in it", environment(schema="schema: {}\n"), _CHECK),
    Case("a schema that is a list", environment(schema="- schema\n"), _CHECK),
    Case(
        "a schema with an unknown key and format",
        environment(schema="schema:\n  format: {openapi: 3.1.0}\n  enviroment_input_type: Lab\n  types: [Lab]\n"),
        _CHECK,
    ),
    Case("a schema that is not YAML", environment(schema="schema:\n  types: {Lab: [\n"), _CHECK),
    Case("a schema in another encoding", environment(schema="schema: {}\n".encode("utf-16")), _CHECK),
    Case("a service schema with a pipeline and no folder", service(schema=_PIPELINE), _CHECK),
    Case(
        "a manifest with an unknown engine and language",
        _manifest(MANIFEST.replace("hcl", "hlc").replace("terraform", "pulumi")),
        _CHECK,
    ),
    Case(
        "a manifest for CloudFormation",
        _manifest(MANIFEST.replace("hcl", "jinja").replace("terraform", "cloudformation")),
        _CHECK,
    ),
    Case("a manifest for CodeBuild", _manifest(_CODEBUILD), _CHECK),
    Case("a manifest with two entries", _manifest(MANIFEST + _ENTRY), _CHECK),
    Case("a manifest that names a missing file", _manifest(MANIFEST.replace("*", "mian.tf")), _CHECK),
    Case("a manifest with an unknown key", _manifest(MANIFEST + "      engine: hcl\n"), _CHECK),
    Case("a manifest that is empty", _manifest(""), _CHECK),
    Case("a manifest that is a list", _manifest("- infrastructure\n"), _CHECK),
    Case("a manifest without quotes around the star", _manifest(MANIFEST.replace('"*"', "*")), _CHECK),
    Case("no manifest", {path: text for path, text in environment().items() if "manifest" not in path}, _CHECK),
    Case("a block that is not closed", _code('resource "terraform_data" "net" {\n  input = 1\n'), _CHECK),
    Case("a string that is not closed", _code('\n\nlocals {\n  a = "b\n}\n'), _CHECK),
    Case("single quotes", _code("locals {\n  a = 'b'\n}\n"), _CHECK),
    Case("a value that is missing", _code("locals {\n  a =\n}\n"), _CHECK),
    Case("two arguments on one line", _code("locals { a = 1, b = 2 }\n"), _CHECK),
    Case("a heredoc that is not closed", _code("locals {\n  a = <<EOT\n  text\n}\n"), _CHECK),
    Case("code in another encoding", _code(b'locals {\n  a = "Z\xfcrich"\n}\n'), _CHECK),
    Case("a block with the wrong number of names", _code(_GOOD + 'resource "terraform_data" {\n}\n'), _CHECK),
    Case("an unknown input", _code(_GOOD + 'output "x" {\n  value = var.environment.inputs.zome\n}\n'), _CHECK),
    Case(
        "references that lead nowhere",
        _code(_GOOD + "locals {\n  a = var.environment.outputs.zone\n  b = var.service.name\n  c = var.region\n}\n"),
        _CHECK,
    ),
    Case(
        "a service that reads an environment's inputs",
        service(code="locals {\n  a = var.environment.inputs.zone\n  b = var.service_instance.inputs\n}\n"),
        _CHECK,
    ),
    Case(
        "variables that are declared by generated files",
        _code(_GOOD + 'variable "environment" {\n}\nvariable "proton_tags" {\n}\n'),
        _CHECK,
    ),
    Case(
        "files with the names of generated ones",
        {
            **environment(),
            "b/infrastructure/proton.environment.variables.tf": "",
            "b/infrastructure/landform_override.tf.json": "{}",
        },
        _CHECK,
    ),
    Case(
        "an output declared twice",
        {**environment(), "b/infrastructure/more.tf": 'output "zone" {\n  value = 1\n}\n'},
        _CHECK,
    ),
    Case(
        "modules that are not there",
        _code(_GOOD + 'module "a" {\n  source = "./modules/a"\n}\nmodule "b" {\n  source = "../../b"\n}\n'),
        _CHECK,
    ),
    Case(
        "a template that Jinja cannot read",
        {
            **environment(manifest=MANIFEST.replace("hcl", "jinja"), code=_GOOD),
            "b/infrastructure/more.tf.j2": "{% if environment.inputs.zone %}\n",
        },
        _CHECK,
    ),
    Case(
        "a template that reads what is not given",
        {
            **environment(manifest=MANIFEST.replace("hcl", "jinja"), code=_GOOD),
            "b/infrastructure/more.tf.j2": "# {{ environment.inputs.zome }}\n# {{ service.name }}\n",
        },
        _CHECK,
    ),
    Case("folders of both kinds", {**environment(code=_GOOD), "b/instance_infrastructure/main.tf": ""}, _CHECK),
    Case("a service registration with everything wrong", service(registration=_REGISTRATION), _CHECK),
    Case("a bundle of the kind that was not expected", environment(code=_GOOD), "template check b --kind service"),
    Case(
        "everything wrong in three files",
        environment(manifest="infrastructure: {}\n", code="locals {\n", schema="schema: 1\n"),
        _CHECK,
    ),
    Case("problems for programs", _code("locals {\n  a = 'b'\n}\n"), "template check b -o json"),
    Case("a broken bundle to render", _code("locals {\n"), "template render ./b"),
    Case("a broken bundle to compare", _code("locals {\n"), "template diff lab@1.0 ./b"),
    Case("a broken bundle of no kind to register", {"b/schema/schema.yaml": "schema: 1\n"}, "template register lake b"),
)
