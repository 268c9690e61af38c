"""Bundles whose manifest, code or layout cannot be used."""

from __future__ import annotations

from tests.scenarios.bad_input import Case, environment, service
from tests.scenarios.world import ENVIRONMENT_CODE, MANIFEST

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

def _code(text: str) -> dict[str, object]:
    return environment(code=text)


def _manifest(text: str) -> dict[str, object]:
    return environment(manifest=text)


CASES = (
    Case("a manifest with an unknown engine and language", _manifest(MANIFEST.replace("hcl", "hlc").replace("terraform", "pulumi")), _CHECK, FILL, FILL, FILL),
    Case("a manifest for CloudFormation", _manifest(MANIFEST.replace("hcl", "jinja").replace("terraform", "cloudformation")), _CHECK, FILL, FILL, FILL),
    Case("a manifest for CodeBuild", _manifest('infrastructure:\n  templates:\n    - rendering_engine: codebuild\n      settings:\n        image: x\n        provision: [make]\n'), _CHECK, FILL, FILL, FILL),
    Case("a manifest with two entries", _manifest(MANIFEST + _ENTRY), _CHECK, FILL, FILL, FILL),
    Case("a manifest that names a missing file", _manifest(MANIFEST.replace("*", "mian.tf")), _CHECK, FILL, FILL, FILL),
    Case("a manifest with an unknown key", _manifest(MANIFEST + "      engine: hcl\n"), _CHECK, FILL, FILL, FILL),
    Case("a manifest that is empty", _manifest(""), _CHECK, FILL, FILL, FILL),
    Case("a manifest that is a list", _manifest("- infrastructure\n"), _CHECK, FILL, FILL, FILL),
    Case("a manifest without quotes around the star", _manifest(MANIFEST.replace('"*"', "*")), _CHECK, FILL, FILL, FILL),
    Case("no manifest", {path: text for path, text in environment().items() if "manifest" not in path}, _CHECK, FILL, FILL, FILL),
    Case("a block that is not closed", _code('resource "terraform_data" "net" {\n  input = 1\n'), _CHECK, FILL, FILL, FILL),
    Case("a string that is not closed", _code('\n\nlocals {\n  a = "b\n}\n'), _CHECK, FILL, FILL, FILL),
    Case("single quotes", _code("locals {\n  a = 'b'\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("a value that is missing", _code("locals {\n  a =\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("two arguments on one line", _code('locals { a = 1, b = 2 }\n'), _CHECK, FILL, FILL, FILL),
    Case("a heredoc that is not closed", _code("locals {\n  a = <<EOT\n  text\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("code in another encoding", _code(b"locals {\n  a = \"Z\xfcrich\"\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("a block with the wrong number of names", _code(_GOOD + 'resource "terraform_data" {\n}\n'), _CHECK, FILL, FILL, FILL),
    Case("an unknown input", _code(_GOOD + "output \"x\" {\n  value = var.environment.inputs.zome\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("references that lead nowhere", _code(_GOOD + "locals {\n  a = var.environment.outputs.zone\n  b = var.service.name\n  c = var.region\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("a service that reads an environment's inputs", service(code="locals {\n  a = var.environment.inputs.zone\n  b = var.service_instance.inputs\n}\n"), _CHECK, FILL, FILL, FILL),
    Case("variables that are declared by generated files", _code(_GOOD + 'variable "environment" {\n}\nvariable "proton_tags" {\n}\n'), _CHECK, FILL, FILL, FILL),
    Case("files with the names of generated ones", {**environment(), "b/infrastructure/proton.environment.variables.tf": "", "b/infrastructure/landform_override.tf.json": "{}"}, _CHECK, FILL, FILL, FILL),
    Case("an output declared twice", {**environment(), "b/infrastructure/more.tf": 'output "zone" {\n  value = 1\n}\n'}, _CHECK, FILL, FILL, FILL),
    Case("modules that are not there", _code(_GOOD + 'module "a" {\n  source = "./modules/a"\n}\nmodule "b" {\n  source = "../../b"\n}\n'), _CHECK, FILL, FILL, FILL),
    Case("a template that Jinja cannot read", {**environment(manifest=MANIFEST.replace("hcl", "jinja"), code=_GOOD), "b/infrastructure/more.tf.j2": "{% if environment.inputs.zone %}\n"}, _CHECK, FILL, FILL, FILL),
    Case("a template that reads what is not given", {**environment(manifest=MANIFEST.replace("hcl", "jinja"), code=_GOOD), "b/infrastructure/more.tf.j2": "# {{ environment.inputs.zome }}\n# {{ service.name }}\n"}, _CHECK, FILL, FILL, FILL),
    Case("folders of both kinds", {**environment(code=_GOOD), "b/instance_infrastructure/main.tf": ""}, _CHECK, FILL, FILL, FILL),
    Case("a service registration with everything wrong", service(registration="compatible_environments: [lab, lab:1, lab:1, 'lab:0']\nsupported_component_source: []\nsupported_component_sources: [DIRECT]\n"), _CHECK, FILL, FILL, FILL),
    Case("a bundle of the kind that was not expected", environment(code=_GOOD), "template check b --kind service", FILL, FILL, FILL),
    Case("everything wrong in three files", environment(manifest="infrastructure: {}\n", code="locals {\n", schema="schema: 1\n"), _CHECK, FILL, FILL, FILL),
    Case("problems for programs", _code("locals {\n  a = 'b'\n}\n"), "template check b -o json", FILL, FILL, FILL),
    Case("a broken bundle to render", _code("locals {\n"), "template render b", FILL, FILL),
    Case("a broken bundle to compare", _code("locals {\n"), "template diff lab@1.0 b", FILL, FILL),
    Case("a broken bundle of no kind to register", {"b/schema/schema.yaml": "schema: 1\n"}, "template register lake b", FILL, FILL),
)
