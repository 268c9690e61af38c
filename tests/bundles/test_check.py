"""Everything that is wrong with a bundle, found at once and at its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.bundles.load import check
from engine.bundles.scaffold import scaffold
from engine.core.bundle import PartName, Variable, from_json
from engine.core.versions import REGISTERED, TemplateKind
from engine.errors import Problem, Severity

MANIFEST = (
    b'infrastructure:\n  templates:\n    - file: "*"\n      rendering_engine: hcl\n      template_language: terraform\n'
)
JINJA = MANIFEST.replace(b"hcl", b"jinja")
ENVIRONMENT = scaffold(TemplateKind.ENVIRONMENT, "net")
SERVICE = scaffold(TemplateKind.SERVICE, "web", pipeline=True, compatible=("net:1",))
SCHEMA = """\
schema:
  format: {openapi: "3.0.0"}
  %s_input_type: "Input"
  types:
    Input:
      type: object
      properties:
        size:
          type: string
      required: [size]
"""


def environment(code: str, **more: bytes) -> dict[str, bytes]:
    """An environment template whose only input, `size`, is used in the first line of `use.tf`."""
    return {
        "schema/schema.yaml": (SCHEMA % "environment").encode(),
        "infrastructure/manifest.yaml": MANIFEST,
        "infrastructure/use.tf": b"locals { size = var.environment.inputs.size }\n",
        "infrastructure/main.tf": code.encode(),
    } | {f"infrastructure/{name}": content for name, content in more.items()}


def instance(code: str, name: str = "main.tf", manifest: bytes = MANIFEST) -> dict[str, bytes]:
    return {
        "schema/schema.yaml": (SCHEMA % "service").encode(),
        "instance_infrastructure/manifest.yaml": manifest,
        "instance_infrastructure/use.tf": b"locals { size = var.service_instance.inputs.size }\n",
        f"instance_infrastructure/{name}": code.encode(),
        ".template-registration.yaml": b"compatible_environments: [net:1]",
    }


def found(files: dict[str, bytes], kind: TemplateKind | None = None) -> list[str]:
    return [str(problem) for problem in check(files, kind).problems]


@pytest.mark.parametrize(
    ("kind", "engine", "pipeline"),
    [
        (TemplateKind.ENVIRONMENT, "hcl", False),
        (TemplateKind.ENVIRONMENT, "jinja", False),
        (TemplateKind.SERVICE, "hcl", False),
        (TemplateKind.SERVICE, "hcl", True),
        (TemplateKind.SERVICE, "jinja", True),
    ],
)
def test_a_new_bundle_passes_every_check(kind: TemplateKind, engine: str, pipeline: bool) -> None:
    compatible = ("net:1",) if kind is TemplateKind.SERVICE else ()

    checked = check(scaffold(kind, "web", engine, pipeline=pipeline, compatible=compatible), kind)

    assert checked.problems == ()
    assert checked.facts is not None
    assert checked.facts.kind is kind
    assert {part.engine for part in checked.facts.parts.values()} == (
        {"hcl", "jinja"} if pipeline and engine == "jinja" else {engine}
    )


def test_templates_may_use_the_filters_that_they_are_rendered_with() -> None:
    code = "locals {\n  size = {{ service_instance.inputs.size | hcl }}\n}\n"

    assert found(instance(code, "main.tf.j2", JINJA)) == []


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("{{ service.name | hlc }}", "No filter named 'hlc'."),
        ("{{ service.name | center(9) }}", "No filter named 'center'."),
        ("{{ lipsum() }}", "lipsum is not a name that templates are given."),
    ],
)
def test_what_templates_cannot_be_rendered_with_is_found_at_its_line(expression: str, message: str) -> None:
    assert found(instance(f"#\n# {expression}\n", "main.tf.j2", JINJA)) == [
        f"instance_infrastructure/main.tf.j2:2: {message}"
    ]


def test_facts_survive_the_catalog() -> None:
    facts = check(SERVICE).facts

    assert facts is not None
    assert from_json(facts.to_json()) == facts


def test_facts_say_what_travels_how() -> None:
    files = environment(
        "", **{"modules/net/main.tf": b"", "script.bin": b"\xff\x00", "x.tf.json": b"{}", ".terraform.lock.hcl": b""}
    )

    facts = check(files).facts

    assert facts is not None
    part = facts.parts[PartName.INFRASTRUCTURE]
    assert part.templates == ("main.tf", "use.tf")
    assert part.others == (".terraform.lock.hcl", "modules/net/main.tf", "script.bin", "x.tf.json")


def test_what_real_bundles_have_is_fine() -> None:
    code = """
terraform {
  backend "s3" {}
}
provider "aws" {
  alias = "default"
}
variable "aws_region" {
  default = "us-east-1"
}
resource "aws_x" "y" {
  provider = aws.default
  region   = var.aws_region
  tags     = var.proton_tags
  vpc      = var.environment.outputs.anything
  policy   = can(var.service_instance.components.default) ? var.service_instance.components.default.outputs.Arn : null
  id       = var.environment.account_id
  name     = "${var.service.name}-${var.service.branch_name}"
}
"""
    assert found(instance(code) | {"README.md": b"", "spec/spec.yaml": b"::", "Makefile": b""}) == []


REFERENCES = {
    "misspelt input": ("var.service_instance.inputs.sise", 'The schema has no input "sise".', 'Did you mean "size"?'),
    "indexed input": ('var.service_instance.inputs["other"]', 'The schema has no input "other".', ""),
    "inputs of the environment": (
        "var.environment.inputs.size",
        "A service instance is not given environment.inputs.",
        "There is: environment.account_id, environment.name, environment.outputs.",
    ),
    "the pipeline's list": (
        "var.service_instances[0].name",
        "A service instance is not given service_instances.",
        'Did you mean "service_instance"?',
    ),
    "the pipeline": (
        "var.pipeline.inputs.x",
        "A service instance is not given pipeline.",
        "There is: environment, proton_tags, service, service_instance.",
    ),
    "misspelt member": ("var.service.nam", "A service instance is not given service.nam.", 'Did you mean "name"?'),
    "misspelt component": (
        "var.service_instance.components.defaul.name",
        "A service instance is not given service_instance.components.defaul.",
        'Did you mean "default"?',
    ),
    "guarded pipeline": (
        "try(var.pipeline.inputs.x, 1)",
        "A service instance is not given pipeline.",
        "There is: environment, proton_tags, service, service_instance.",
    ),
}


@pytest.mark.parametrize("case", REFERENCES)
def test_a_reference_that_leads_nowhere_is_named(case: str) -> None:
    expression, message, hint = REFERENCES[case]

    problems = check(instance(f"locals {{\n  x = {expression}\n}}\n")).problems

    assert [(p.file, p.line, p.message, p.severity) for p in problems] == [
        ("instance_infrastructure/main.tf", 2, message, Severity.ERROR)
    ]
    assert hint in problems[0].hint


@pytest.mark.parametrize(
    "expression",
    ["try(var.service_instance.inputs.maybe, 1)", "var.service_instance.inputs", "var.environment.outputs.any"],
)
def test_a_guarded_or_open_reference_is_fine(expression: str) -> None:
    assert found(instance(f"locals {{\n  x = {expression}\n}}\n")) == []


DYNAMIC = """resource "a" "b" {
  dynamic "c" {
    for_each = try(X, "") != "" ? [1] : []
    content {
      d = X
    }
  }
}
"""
GUARDED = {
    "can": "locals {\n  x = can(X) ? X : null\n}\n",
    "keys": 'locals {\n  x = contains(keys(MAP), "maybe") ? X : null\n}\n',
    "for_each": 'resource "a" "b" {\n  for_each = can(X) ? { a = X } : {}\n}\n',
    "dynamic": DYNAMIC,
    "lookup": 'locals {\n  x = lookup(MAP, "maybe", null) != null ? X.deep : null\n}\n',
    "another file": "locals {\n  x = X\n}\n",
}


@pytest.mark.parametrize("case", GUARDED)
@pytest.mark.parametrize("values", ["var.environment.outputs", "var.service_instance.inputs"])
def test_a_value_that_the_code_asks_for_may_be_absent_wherever_it_is_read(case: str, values: str) -> None:
    code = GUARDED[case].replace("MAP", values).replace("X", f"{values}.maybe")
    asked = f'locals {{\n  asked = try({values}.maybe, "")\n}}\n' if case == "another file" else ""

    checked = check(instance(code) | {"instance_infrastructure/asked.tf": asked.encode()})

    assert checked.problems == ()
    assert checked.facts is not None
    assert checked.facts.parts[PartName.INSTANCE].environment_outputs() == frozenset()


def test_a_guard_speaks_of_its_own_value_only() -> None:
    code = "locals {\n  x = try(var.environment.outputs, 1)\n  y = can(var.service_instance.inputs.a)\n}\n"
    more = b"locals {\n  z = [var.environment.outputs.b, var.service_instance.inputs.c]\n}\n"

    checked = check(instance(code) | {"instance_infrastructure/more.tf": more})

    assert [problem.field for problem in checked.problems] == ["var.service_instance.inputs.c"]
    assert checked.facts is not None
    assert checked.facts.parts[PartName.INSTANCE].environment_outputs() == {"b"}


def test_the_pipeline_has_its_own_namespace() -> None:
    code = b"""locals {
  a = var.pipeline.inputs.test_comand
  b = var.service_instances[0].inputs.sise
  c = var.service_instances[0].environment.outputs.any
  d = var.service_instance.name
  e = var.environment.name
}
"""
    assert found(SERVICE | {"pipeline_infrastructure/more.tf": code}) == [
        'pipeline_infrastructure/more.tf:2: var.pipeline.inputs.test_comand: The schema has no input "test_comand".',
        'pipeline_infrastructure/more.tf:3: var.service_instances[].inputs.sise: The schema has no input "sise".',
        "pipeline_infrastructure/more.tf:5: var.service_instance.name: A pipeline is not given service_instance.",
        "pipeline_infrastructure/more.tf:6: var.environment.name: A pipeline is not given environment.",
    ]


def test_jinja_expressions_are_checked_and_the_code_around_them_is_only_read() -> None:
    code = (
        "{{ service_instance.inputs.sise }}\n{{ pipeline.inputs.x }}\nx = var.service_instance.inputs.anything\n{% if x"
    )

    assert found(instance(code.removesuffix("{% if x"), "main.tf.j2", JINJA)) == [
        'instance_infrastructure/main.tf.j2:1: service_instance.inputs.sise: The schema has no input "sise".',
        "instance_infrastructure/main.tf.j2:2: pipeline.inputs.x: A service instance is not given pipeline.",
    ]
    assert found(instance(code, "main.tf.j2", JINJA))[0].startswith(
        "instance_infrastructure/main.tf.j2:4: unexpected end of template"
    )


CODE = {
    'variable "environment" {}': "1: The variable environment is declared by a file that Landform generates.",
    'variable "pipeline" {}': "1: The variable pipeline is declared by a file that Landform generates.",
    'variable "region" {}': "1: The variable region has no default.",
    'output "a" {}\noutput "a" {}': "2: The output a is declared in main.tf:1 already.",
    'resource "a" "b" {}\nresource "a" "b" {}': "2: The resource a.b is declared in main.tf:1 already.",
    'variable "a" {default = 1}\nvariable "a" {default = 1}': "2: The variable a is declared in main.tf:1 already.",
    f'output "{"x" * 101}" {{}}': f"1: The output {'x' * 77}... has 101 characters; 100 are the most.",
    "locals { a = var.regoin }": "1: var.regoin: There is no such variable.",
    'module "m" {\n source = "./net"\n}': "1: source: There is no Terraform file in ./net.",
    'module "m" {\n source = "../x"\n}': "1: source: The module ../x lies outside the folder that Terraform is given.",
    "locals {": '1: The "{" opened here is never closed.',
}


@pytest.mark.parametrize("code", CODE, ids=range(len(CODE)))
def test_a_mistake_in_the_code_is_named(code: str) -> None:
    assert found(environment(code + "\n")) == [f"infrastructure/main.tf:{CODE[code]}"]


@pytest.mark.parametrize(
    "name",
    [
        "proton.environment.variables.tf",
        "proton.auto.tfvars.json",
        "landform_override.tf.json",
        ".terraform/x",
        ".terraformrc",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "PROTON.auto.tfvars.json",
        "Proton.Environment.Variables.tf",
        "landform_override.tofu.json",
        ".Terraform/x",
        ".proton/deployment-metadata.json",
    ],
)
def test_a_file_with_the_name_of_a_generated_one_is_refused(name: str) -> None:
    assert found(environment("", **{name: b"{}" if name.endswith("json") else b""})) == [
        f"infrastructure/{name}: has the name of a file that Landform or Terraform writes."
    ]


@pytest.mark.parametrize(
    "name", ["terraform.tfvars", "terraform.tfvars.json", "zz.auto.tfvars", "zz.auto.tfvars.json", ".auto.tfvars"]
)
def test_values_of_the_bundles_own_are_left_out_and_named(name: str) -> None:
    checked = check(environment("", **{name: b'{"environment": {}}', "prod.tfvars": b"", "x/terraform.tfvars": b""}))

    assert [(str(problem), problem.rule, problem.severity) for problem in checked.problems] == [
        (
            f"infrastructure/{name}: is left out: it would give Terraform values in place of Landform's.",
            "manifest/left-out",
            Severity.WARNING,
        )
    ]
    assert checked.facts is not None
    assert checked.facts.parts[PartName.INFRASTRUCTURE].others == ("prod.tfvars", "x/terraform.tfvars")


LATE_BACKENDS = {
    "a backend": ("zz_override.tf", b'\nterraform {\n  backend "s3" {}\n}\n', 3),
    "a name that is no string": ("override.tf", b"terraform {\n  backend s3 {}\n}\n", 2),
    "a cloud": ("override.tf", b"terraform {\n  cloud {}\n}\n", 2),
    "JSON": ("override.tf.json", b'{"terraform": {\n"\\u0062ackend": {"s3": {}}}}', 1),
    "JSON in lists": ("override.tf.json", b'{"terraform": [[{\n"backend": [{"s3": {}}]}]]}', 2),
    "JSON with a name twice": ("override.tf.json", b'{"terraform": {\n"backend": {"s3": {}}}, "terraform": {}}', 2),
    "OpenTofu": ("override.tofu", b"terraform {\n  cloud {}\n}\n", 2),
}


@pytest.mark.parametrize("case", LATE_BACKENDS)
def test_an_override_that_moves_the_state_is_refused_at_its_line(case: str) -> None:
    name, content, line = LATE_BACKENDS[case]

    assert found(environment("", **{name: content})) == [
        f"infrastructure/{name}:{line}: says where state is kept, and would count after landform_override.tf.json."
    ]


def test_a_template_of_an_override_that_moves_the_state_is_refused() -> None:
    files = environment(
        "", **{"manifest.yaml": JINJA, "override.tf.j2": b"{% if 1 %}\nterraform {\n cloud {}\n}{% endif %}"}
    )

    assert found(files) == [
        "infrastructure/override.tf.j2:3: says where state is kept, and would count after landform_override.tf.json."
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("my_override.tf", b'# no backend\noutput "backend_url" {\n  value = "cloud"\n}\n'),
        ("a_override.tf", b'terraform {\n  backend "s3" {}\n}\n'),
        ("override.tf.json", b'{"//": "backend", "output": {"cloud": {"value": 1}}}'),
        ("override.tofu", b"# x\n"),
    ],
)
def test_an_override_may_name_a_backend_without_setting_one(name: str, content: bytes) -> None:
    assert found(environment("", **{name: content})) == []


def test_a_template_is_not_rendered_over_another_file() -> None:
    files = environment("", **{"manifest.yaml": JINJA, "main.tf.j2": b"", "proton.environment.variables.tf.j2": b""})

    assert found(files) == [
        "infrastructure/main.tf.j2: is rendered to main.tf, which is there already.",
        "infrastructure/proton.environment.variables.tf.j2: has the name of a file that Landform or Terraform writes.",
    ]


def test_override_files_may_declare_again_what_they_change() -> None:
    assert (
        found(
            environment(
                'output "a" {}\n',
                **{"main_override.tf": b'output "a" {}\n', "override.tf.json": b'{"output": {"a": {}}}'},
            )
        )
        == []
    )


def test_modules_of_the_bundle_are_checked_too() -> None:
    inner = b"""variable "environment" {
  default = 1
}
locals { x = var.environment.anything + var.typo }
module "deep" {
  source = "./deep"
}
"""
    code = 'module "net" {\n  source = "./modules/net"\n}\n'
    files = environment(
        code, **{"modules/net/main.tf": inner, "modules/net/deep/main.tf": b"locals {", "unused/main.tf": b"}"}
    )

    assert found(files) == [
        'infrastructure/modules/net/deep/main.tf:1: The "{" opened here is never closed.',
        "infrastructure/modules/net/main.tf:4: var.typo: There is no such variable.",
    ]


SCALE = """\
schema:
  format: {openapi: "3.0.0"}
  service_input_type: "Input"
  pipeline_input_type: "Builds"
  types:
    Input:
      type: object
      required: [size]
      properties:
        size: {type: string}
        mode: {type: string, default: fast}
        scale: {type: object, properties: {max: {type: integer, default: 3}}}
        limits: {type: object, default: {}, properties: {cpu: {type: integer}, ram: {type: integer, default: 1}}}
        tags: {type: object, default: {}, additionalProperties: {type: object, properties: {text: {type: string}}}}
        rules: {type: array, default: [], items: {type: object, properties: {port: {type: integer}}}}
    Builds:
      type: object
      properties:
        branch: {type: string}
"""
SCALE_GUARD = "Guard it with try(), give it a default, or make it required."


def optional(code: str, name: str = "main.tf", pipeline: str = "") -> list[tuple[str, str, Severity, str]]:
    """Place, message, severity and hint of each warning about an input that may be absent."""
    files = {
        "schema/schema.yaml": SCALE.encode(),
        "instance_infrastructure/manifest.yaml": JINJA if name.endswith(".j2") else MANIFEST,
        f"instance_infrastructure/{name}": code.encode(),
        "pipeline_infrastructure/manifest.yaml": MANIFEST,
        "pipeline_infrastructure/main.tf": pipeline.encode(),
    }
    return [
        (f"{problem.file}:{problem.line}", problem.message, problem.severity, problem.hint)
        for problem in check(files).problems
        if problem.rule == "hcl/optional-input"
    ]


@pytest.mark.parametrize(
    ("read", "absent"),
    [
        ("service_instance.inputs.scale", "scale"),
        ("service_instance.inputs.scale.max", "scale"),
        ('service_instance.inputs["scale"]', "scale"),
        ("service_instance.inputs.limits.cpu", "limits.cpu"),
    ],
)
def test_a_read_of_an_input_that_may_be_absent_is_a_warning_at_its_line(read: str, absent: str) -> None:
    assert optional(f"\nlocals {{ x = var.{read} }}\n") == [
        ("instance_infrastructure/main.tf:2", f"{absent} may be absent.", Severity.WARNING, SCALE_GUARD)
    ]


def test_a_pipeline_is_warned_about_its_own_inputs_and_those_of_instances() -> None:
    code = "locals { x = [var.pipeline.inputs.branch, var.service_instances[*].inputs.scale] }\n"

    assert [(place, message) for place, message, *_ in optional("", pipeline=code)] == [
        ("pipeline_infrastructure/main.tf:1", "branch may be absent."),
        ("pipeline_infrastructure/main.tf:1", "scale may be absent."),
    ]


def test_a_jinja_expression_that_reads_what_may_be_absent_is_told_of_its_own_guards() -> None:
    code = "# {{ service_instance.inputs.scale.max }}\n# {{ service_instance.inputs.limits.cpu | default(1) }}\n"

    assert optional(code, "main.tf.j2") == [
        (
            "instance_infrastructure/main.tf.j2:1",
            "scale may be absent.",
            Severity.WARNING,
            "Guard it with the filter default or `is defined`, give it a default, or make it required.",
        )
    ]


@pytest.mark.parametrize(
    "code",
    [
        "locals { x = [var.service_instance.inputs.size, var.service_instance.inputs.mode] }",
        "locals { x = var.service_instance.inputs.limits.ram }",
        "locals { x = var.service_instance.inputs.tags.team.text }",
        "locals { x = var.service_instance.inputs.rules[0].port }",
        "locals { x = [for rule in var.service_instance.inputs.rules : rule.port] }",
        "locals { x = var.service_instance.inputs }",
        "locals { x = try(var.service_instance.inputs.scale.max, 1) }",
        "locals { x = can(var.service_instance.inputs.scale) ? var.service_instance.inputs.scale.max : 1 }",
        'locals { x = lookup(var.service_instance.inputs, "scale", null) }',
    ],
)
def test_a_read_of_what_is_there_or_provided_for_gives_no_warning(code: str) -> None:
    assert optional(code + "\n") == []


def test_an_input_that_nobody_reads_is_a_warning_at_its_line() -> None:
    files = environment("") | {"infrastructure/use.tf": b""}

    problem = check(files).problems[0]

    assert (
        str(problem)
        == 'schema/schema.yaml:8: schema.types.Input.properties.size: The input "size" is not used by any code.'
    )
    assert problem.severity is Severity.WARNING
    assert check(files).errors == ()


@pytest.mark.parametrize(
    "code",
    [
        "locals { x = var.environment.inputs }",
        "locals { x = var.environment }",
        "locals { x = try(var.environment.inputs.size, 1) }",
        "locals {",
    ],
)
def test_an_input_may_be_read_as_part_of_its_map_or_in_code_that_is_broken(code: str) -> None:
    files = environment(code + "\n") | {"infrastructure/use.tf": b""}

    assert [problem for problem in found(files) if "not used" in problem] == []


def test_only_the_named_file_is_used() -> None:
    manifest = MANIFEST.replace(b'"*"', b"main.tf")
    files = environment(
        "locals { size = var.environment.inputs.size }\n",
        **{"manifest.yaml": manifest, "use.tf": b"}", "a.tf.json": b"["},
    )

    assert found(files) == [
        "infrastructure/a.tf.json: is left out: the manifest names main.tf only.",
        "infrastructure/use.tf: is left out: the manifest names main.tf only.",
    ]


def test_templates_that_will_not_be_rendered_are_named() -> None:
    assert found(environment("", **{"x.tf.j2": b""})) == ["infrastructure/x.tf.j2: is not rendered."]
    assert found(environment("", **{"manifest.yaml": JINJA, "modules/x.tf.j2": b""})) == [
        "infrastructure/modules/x.tf.j2: is not rendered: only files beside the manifest are."
    ]


def without(files: dict[str, bytes], start: str) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if not path.startswith(start)}


def test_the_folders_must_fit_the_kind() -> None:
    assert found(without(SERVICE, "pipeline_")) == [
        "pipeline_infrastructure/: is missing, but the schema has a pipeline_input_type."
    ]
    assert found(without(SERVICE, "instance_")) == [
        "instance_infrastructure/: is missing: a service template needs it."
    ]
    assert "pipeline_infrastructure/: is there, but the schema has no pipeline_input_type." in found(
        SERVICE | {"schema/schema.yaml": (SCHEMA % "service").encode()}
    )
    assert (
        "instance_infrastructure/: does not belong to an environment template; it belongs to a service template."
        in found(ENVIRONMENT | {"instance_infrastructure/manifest.yaml": MANIFEST})
    )
    assert found(without(ENVIRONMENT, "infrastructure/manifest")) == ["infrastructure/manifest.yaml: is missing."]


def test_a_bundle_of_the_wrong_kind_is_refused() -> None:
    problems = found(ENVIRONMENT, TemplateKind.SERVICE)

    assert "infrastructure/: does not belong to a service template; it belongs to an environment template." in problems
    expected = "The schema is that of an environment template, but the bundle is a service template."
    assert f"schema/schema.yaml: schema: {expected}" in problems


def test_an_environment_of_a_schema_alone_is_customer_managed() -> None:
    checked = check({"schema/schema.yaml": (SCHEMA % "environment").encode()})

    assert checked.problems == ()
    assert checked.facts is not None
    assert checked.facts.customer_managed


def test_nothing_at_all_says_what_is_expected() -> None:
    assert found({}) == [
        "There is neither infrastructure/ nor instance_infrastructure/.",
        "schema/schema.yaml: is missing.",
    ]
    assert check({"schema/schema.yml": b""}).problems[1].hint == "Rename schema/schema.yml to schema/schema.yaml."


def test_everything_is_found_at_once() -> None:
    files = {
        "schema/schema.yaml": b"schema:\n  format: {openapi: '2.0'}\n  service_input_type: X\n"
        b"  pipeline_input_type: X\n",
        ".template-registration.yaml": b"compatible_environment: [a:1]\n",
        "instance_infrastructure/manifest.yaml": MANIFEST.replace(b"hcl", b"hlc"),
        "instance_infrastructure/main.tf": b"locals {\n  x = var.service.nam\n",
        "instance_infrastructure/other.tf": b"locals { x = var.service.nam }\n",
    }

    places = {(problem.file, problem.line) for problem in check(files).problems}

    assert {
        ("schema/schema.yaml", 2),
        (".template-registration.yaml", 1),
        ("instance_infrastructure/manifest.yaml", 4),
        ("instance_infrastructure/main.tf", 1),
        ("instance_infrastructure/other.tf", 1),
        ("pipeline_infrastructure/", 0),
    } <= places


STRANGE = """resource "a" "b" {
  é = can(var.environment.outputs.maybe) ? var.service_instance.inputs.sise : "var.pipeline.x"
}
"""


def test_code_that_only_terraform_can_read_is_a_warning_and_what_it_reads_is_kept() -> None:
    asked: list[bytes] = []

    def confirm(code: bytes) -> bool:
        asked.append(code)
        return True

    checked = check(instance(STRANGE), None, confirm)

    assert asked == [STRANGE.encode()]
    assert [(str(problem), problem.rule, problem.severity, problem.hint) for problem in checked.problems] == [
        (
            "instance_infrastructure/main.tf:2: could not be read by Landform: references in it are not checked.",
            "hcl/not-read",
            Severity.WARNING,
            "Terraform can read it. To have it checked, write this line otherwise: é is not expected here.",
        )
    ]
    assert checked.facts is not None
    part = checked.facts.parts[PartName.INSTANCE]
    assert (part.environment_outputs_used(), part.environment_outputs()) == ({"maybe"}, frozenset())


def test_code_that_cannot_be_read_guards_nothing_elsewhere() -> None:
    more = {"instance_infrastructure/more.tf": b"locals { x = var.environment.outputs.maybe }\n"}

    checked = check(instance(STRANGE) | more, None, lambda code: True)

    assert checked.facts is not None
    assert checked.facts.parts[PartName.INSTANCE].environment_outputs() == {"maybe"}


def test_code_that_nobody_can_read_or_that_is_too_deep_is_an_error() -> None:
    deep = "locals {\n  a = " + "[" * 2000 + "]" * 2000 + "\n}\n"

    assert [problem.rule for problem in check(instance(STRANGE), None, lambda code: False).errors] == ["hcl/syntax"]
    assert [problem.rule for problem in check(instance(STRANGE)).errors] == ["hcl/syntax"]
    assert [problem.message for problem in check(instance(deep), None, lambda code: True).errors] == [
        "The code is nested too deeply."
    ]


def test_an_override_that_cannot_be_read_may_not_speak_of_a_backend() -> None:
    files = environment("", **{"override.tf": b'terraform {\n  backend "s3" {\n    \xc3\xa9 = 1\n  }\n}\n'})

    assert [str(problem) for problem in check(files, None, lambda code: True).errors] == [
        "infrastructure/override.tf:2: says where state is kept, and would count after landform_override.tf.json."
    ]


def manifest(entry: str) -> list[tuple[int, str, str]]:
    text = f"infrastructure:\n  templates:\n    - {entry}\n".encode()
    return [(p.line, p.field, p.message) for p in check(environment("", **{"manifest.yaml": text})).problems]


ENTRY = "infrastructure.templates[0]"
ENTRIES = {
    "{file: '*', rendering_engine: hcl, template_language: terraform}": [],
    "{file: '*.tf', rendering_engine: hcl, template_language: terraform}": [],
    "{file: '*', rendering_engine: jinja, template_language: terraform}": [],
    "{file: '*', rendering_engine: hlc, template_language: terraform}": [
        (3, f"{ENTRY}.rendering_engine", 'must be hcl or jinja, not "hlc".')
    ],
    "{file: '*', rendering_engine: hcl, template_language: hcl}": [
        (3, f"{ENTRY}.template_language", 'must be terraform, not "hcl".')
    ],
    "{rendering_engine: hcl}": [(3, f"{ENTRY}.file", "is missing."), (3, f"{ENTRY}.template_language", "is missing.")],
    "{file: 'man.tf', rendering_engine: hcl, template_language: terraform}": [
        (3, f"{ENTRY}.file", 'There is no file "man.tf" beside the manifest.')
    ],
    "{file: manifest.yaml, rendering_engine: hcl, template_language: terraform}": [
        (3, f"{ENTRY}.file", "manifest.yaml is not a Terraform file: its name must end in .tf.")
    ],
    "{file: [x], rendering_engine: hcl, template_language: terraform}": [(3, f"{ENTRY}.file", "must be a text.")],
    "{file: c.yaml, rendering_engine: jinja, template_language: cloudformation}": [
        (3, f"{ENTRY}.template_language", "CloudFormation templates are not offered: Landform runs Terraform.")
    ],
    "{rendering_engine: codebuild, settings: {provision: []}}": [
        (3, f"{ENTRY}.rendering_engine", "CodeBuild provisioning is not offered: Landform runs Terraform itself.")
    ],
    "{file: '*', rendering_engine: hcl, template_language: terraform, settings: {}}": [
        (3, f"{ENTRY}.settings", "belongs to CodeBuild provisioning only.")
    ],
    "{fil: '*', file: '*', rendering_engine: hcl, template_language: terraform}": [
        (3, f"{ENTRY}.fil", "is not a key that a manifest has here.")
    ],
    "text": [(3, ENTRY, "must be a mapping.")],
    "{}\n    - {}": [(2, "infrastructure.templates", "must have exactly one entry; it has 2.")],
}


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_a_manifest_is_checked_field_by_field(entry: str) -> None:
    assert manifest(entry) == ENTRIES[entry]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be a mapping."),
        ("infrastructure: 1", "infrastructure: must be a mapping."),
        ("infrastructure: {}", "infrastructure.templates: is missing."),
        ("infrastructure: {templates: 1}", "infrastructure.templates: must be a list."),
        ("infrastructure: {templates: []}", "infrastructure.templates: must have exactly one entry; it has 0."),
    ],
)
def test_a_manifest_of_another_shape_is_refused(text: str, message: str) -> None:
    assert found(environment("", **{"manifest.yaml": text.encode()})) == [f"infrastructure/manifest.yaml:1: {message}"]


def test_a_refused_engine_says_what_to_do() -> None:
    text = MANIFEST.replace(b"terraform", b"cloudformation")

    assert check(environment("", **{"manifest.yaml": text})).problems[0].hint == (
        'Port it to Terraform and write file: "*", rendering_engine: hcl, template_language: terraform.'
    )


def test_compatible_environments_are_read_from_either_file() -> None:
    yaml = b"compatible_environments:\n  - net:1\n  - lab:12\nsupported_component_sources: [DIRECTLY_DEFINED]\n"

    both = check(SERVICE | {".template-registration.yaml": yaml, ".compatible-envs": b"old:1"})
    old = check(without(SERVICE, ".template") | {".compatible-envs": b"net:1\nlab:2\n"})

    assert (both.compatible, both.component_sources, both.problems) == (("net:1", "lab:12"), ("DIRECTLY_DEFINED",), ())
    assert (old.compatible, old.component_sources, old.problems) == (("net:1", "lab:2"), (), ())


REGISTRATIONS = {
    "compatible_environment: [a:1]": [
        "1: compatible_environment: is not a key of this file.",
        "0: compatible_environments: is missing.",
    ],
    "compatible_environments: []": ["1: compatible_environments: must be a list with at least one entry."],
    "compatible_environments:\n  - net\n  - net:0\n  - a:1\n  - a:1": [
        '2: compatible_environments[0]: "net" does not name an environment template.',
        '3: compatible_environments[1]: "net:0" does not name an environment template.',
        "5: compatible_environments[3]: a:1 is listed twice.",
    ],
    f"compatible_environments: [{', '.join(f'e{n}:1' for n in range(11))}]": [
        "1: compatible_environments: has 11 entries; 10 are the most."
    ],
    "compatible_environments: [a:1]\nsupported_component_sources: [X]": [
        '2: supported_component_sources[0]: "X" is not a source of components.'
    ],
    "- a:1": ["1: must be a mapping."],
}


@pytest.mark.parametrize("text", REGISTRATIONS, ids=range(len(REGISTRATIONS)))
def test_a_registration_file_is_checked_entry_by_entry(text: str) -> None:
    problems = found(SERVICE | {".template-registration.yaml": text.encode()})

    expected = [f".template-registration.yaml:{line}".replace(":0: ", ":1: ") for line in REGISTRATIONS[text]]
    assert sorted(problems) == sorted(expected)


def test_a_service_that_names_no_environment_templates_is_warned_about_once() -> None:
    problems = check(scaffold(TemplateKind.SERVICE, "web", pipeline=True)).problems

    assert problems == (
        Problem(
            ".template-registration.yaml",
            0,
            "compatible_environments",
            "The bundle does not say which environment templates it runs in.",
            "registration/missing",
            Severity.WARNING,
            "Write compatible_environments: [NAME:MAJOR] into the file, or register it with --compatible NAME:MAJOR.",
        ),
    )


def test_the_older_registration_file_is_checked_line_by_line() -> None:
    unregistered = without(SERVICE, ".template")

    assert found(unregistered | {".compatible-envs": b"net:1\n\nnet\n"}) == [
        '.compatible-envs:3: "net" does not name an environment template.'
    ]
    assert found(unregistered | {".compatible-envs": b""}) == [
        ".compatible-envs: must list 1 to 10 environment templates; it lists 0."
    ]


CHUNKS = st.sampled_from(
    [
        b"schema:",
        b"\n  ",
        b"format: {openapi: '3.0.0'}",
        b"types:",
        b"service_input_type: X",
        b"X:",
        b"- ",
        b"[",
        b"{",
        b"}",
        b"&a ",
        b"*a",
        b"type: object",
        b"infrastructure",
        b"templates",
        b"\x00",
        b"\xff",
        b'"',
        b": ",
        b"|",
        b"!!x ",
        b"$ref: '#/X'",
    ]
)
BYTES = st.lists(CHUNKS, max_size=12).map(b"".join) | st.binary(max_size=80)
PLACES = st.sampled_from(
    [
        "schema/schema.yaml",
        "infrastructure/manifest.yaml",
        "infrastructure/main.tf",
        "instance_infrastructure/main.tf.j2",
        "instance_infrastructure/x.tf.json",
        "pipeline_infrastructure/manifest.yaml",
        ".template-registration.yaml",
        ".compatible-envs",
        "infrastructure/modules/x.tf",
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(PLACES, BYTES, max_size=5), st.sampled_from([None, *REGISTERED]), st.booleans())
def test_any_bytes_are_checked_without_an_exception(
    files: dict[str, bytes], kind: TemplateKind | None, based: bool
) -> None:
    checked = check((SERVICE | files) if based else files, kind)

    assert list(checked.problems) == sorted(checked.problems)


def test_a_bundle_is_checked_in_well_under_a_second() -> None:
    check(SERVICE)
    resource = b"""resource "aws_x" "y%d" {
  a = "${var.service.name}"
  b = { c = [1, 2, var.service_instance.inputs.size] }
}
"""
    files = SERVICE | {
        f"instance_infrastructure/f{n}.tf": b"".join(resource % (100 * n + i) for i in range(30)) for n in range(3)
    }
    before = time.process_time()

    assert check(files).problems == ()

    assert time.process_time() - before < 1


OWN_VARIABLES = """\
variable "size" {
  default   = null
  sensitive = true
}

variable "logins" {
  type      = list(object({ name = string })) # each
  default   = []
  ephemeral = true
}
"""


def test_a_sensitive_variable_with_the_name_of_an_input_uses_that_input() -> None:
    files = environment(
        OWN_VARIABLES, **{"x_override.tf.json": b'{"variable": {"logins": {"sensitive": true, "default": []}}}'}
    )
    del files["infrastructure/use.tf"]

    checked = check(files)

    assert checked.problems == ()
    assert checked.facts is not None
    assert checked.facts.parts[PartName.INFRASTRUCTURE].variables == (
        Variable("logins", "main.tf", 6, sensitive=True, ephemeral=True, is_text=False),
        Variable("size", "main.tf", 1, sensitive=True),
    )
