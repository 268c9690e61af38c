"""A first bundle to start from: small, complete, and without a problem."""

from __future__ import annotations

from collections.abc import Sequence

from engine.bundles import registration
from engine.core.address import check_name
from engine.core.versions import TemplateKind
from engine.errors import Invalid

_ENGINES = ("hcl", "jinja")

_MANIFEST = """\
infrastructure:
  templates:
    - file: "*"
      rendering_engine: {engine}
      template_language: terraform
"""

_ENVIRONMENT_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  environment_input_type: "EnvironmentInput"
  types:
    EnvironmentInput:
      type: object
      description: "What a person decides about an environment"
      properties:
        owner:
          type: string
          description: "Who answers for this environment"
          default: "platform"
          minLength: 1
          maxLength: 64
        zones:
          type: integer
          description: "How many zones it spans"
          default: 2
          minimum: 1
          maximum: 3
"""

_SERVICE_SCHEMA = """\
schema:
  format:
    openapi: "3.0.0"
  service_input_type: "ServiceInput"
{pipeline_key}\
  types:
    ServiceInput:
      type: object
      description: "What a developer decides about a service instance"
      properties:
        size:
          type: string
          description: "How much it may use"
          enum: ["small", "medium", "large"]
          default: "small"
        port:
          type: integer
          description: "The port it listens on"
          default: 8080
          minimum: 1024
          maximum: 65535
{pipeline_type}\
"""

_PIPELINE_TYPE = """\
    PipelineInput:
      type: object
      description: "What a developer decides about the pipeline"
      properties:
        test_command:
          type: string
          description: "The command that runs the tests"
          default: "make test"
"""

_TERRAFORM = """\
terraform {
  required_version = ">= 1.4"
}
"""

_ENVIRONMENT_MAIN = """\
# Landform declares var.environment: its name, and inputs as the schema describes them.
resource "terraform_data" "network" {
  input = {
    name  = var.environment.name
    owner = var.environment.inputs.owner
    zones = var.environment.inputs.zones
  }
}
"""

_ENVIRONMENT_JINJA = """\
{# Rendered before Terraform runs, with the names that Terraform code finds below var. #}
{% for zone in range(environment.inputs.zones) %}
resource "terraform_data" "zone_{{ zone }}" {
  input = "${var.environment.name}-{{ zone }}"
}
{% endfor %}
resource "terraform_data" "network" {
  input = {
    name  = var.environment.name
    owner = var.environment.inputs.owner
  }
}
"""

_ENVIRONMENT_OUTPUTS = """\
# Services in this environment read outputs as var.environment.outputs.<name>.
output "network_id" {
  description = "The network that services join"
  value       = terraform_data.network.id
}
"""

_INSTANCE_MAIN = """\
# Landform declares var.service, var.service_instance and var.environment.
resource "terraform_data" "instance" {
  input = {
    name    = "${var.service.name}-${var.service_instance.name}"
    size    = var.service_instance.inputs.size
    port    = var.service_instance.inputs.port
    network = lookup(var.environment.outputs, "network_id", "none")
  }
}
"""

_INSTANCE_JINJA = """\
{# Rendered before Terraform runs, with the names that Terraform code finds below var. #}
resource "terraform_data" "instance" {
  input = {
    name    = "${var.service.name}-${var.service_instance.name}"
    port    = var.service_instance.inputs.port
    network = lookup(var.environment.outputs, "network_id", "none")
  }
}
{% if service_instance.inputs.size != "small" %}
resource "terraform_data" "extra" {
  input = var.service_instance.inputs.size
}
{% endif %}
"""

_INSTANCE_OUTPUTS = """\
# People see outputs with: landform instance show <service>/<instance>
output "instance_id" {
  description = "The instance"
  value       = terraform_data.instance.id
}
"""

_PIPELINE_MAIN = """\
# Landform declares var.service, var.pipeline and var.service_instances, a list.
resource "terraform_data" "pipeline" {
  input = {
    name    = var.service.name
    test    = var.pipeline.inputs.test_command
    targets = [for instance in var.service_instances : instance.name]
  }
}
"""

_PIPELINE_OUTPUTS = """\
output "pipeline_id" {
  description = "The pipeline"
  value       = terraform_data.pipeline.id
}
"""

_README = """\
# {name}

{article} template for Landform.

| file | what it is for |
|---|---|
| `schema/schema.yaml` | the inputs: their types, defaults and limits |
{rows}

Check it after every change: `landform template check .`
"""


def scaffold(
    kind: TemplateKind, name: str, engine: str = "hcl", *, pipeline: bool = False, compatible: Sequence[str] = ()
) -> dict[str, bytes]:
    """The files of a new bundle that passes check(), with a warning only where a service has nothing `compatible`.

    `engine` is `hcl` or `jinja`; `pipeline` adds pipeline infrastructure to a service template; `compatible` names the
    environment templates it runs in, as `name:major`. Raises Invalid.
    """
    check_name(name, "template name")
    if engine not in _ENGINES:
        raise Invalid(f"{engine!r} is not a rendering engine.", hint=f"Known: {', '.join(_ENGINES)}.")
    if pipeline and kind is TemplateKind.ENVIRONMENT:
        raise Invalid("An environment template has no pipeline.", hint="Leave --pipeline out.")
    files = _service(engine, pipeline) if kind is TemplateKind.SERVICE else _environment(engine)
    if compatible:
        files[registration.NAME] = "compatible_environments:\n" + "".join(f"  - {each}\n" for each in compatible)
        if problems := registration.parse({path: text.encode() for path, text in files.items()})[1]:
            raise Invalid("The bundle cannot name these environment templates:", problems=problems)
    files["README.md"] = _readme(kind, name, files)
    return {path: files[path].encode() for path in sorted(files)}


def _environment(engine: str) -> dict[str, str]:
    main = _ENVIRONMENT_JINJA if engine == "jinja" else _ENVIRONMENT_MAIN
    part = _part("infrastructure", engine, main, _ENVIRONMENT_OUTPUTS)
    return {"schema/schema.yaml": _ENVIRONMENT_SCHEMA, **part}


def _service(engine: str, pipeline: bool) -> dict[str, str]:
    main = _INSTANCE_JINJA if engine == "jinja" else _INSTANCE_MAIN
    schema = _SERVICE_SCHEMA.format(
        pipeline_key='  pipeline_input_type: "PipelineInput"\n' if pipeline else "",
        pipeline_type=_PIPELINE_TYPE if pipeline else "",
    )
    files = {"schema/schema.yaml": schema, **_part("instance_infrastructure", engine, main, _INSTANCE_OUTPUTS)}
    if pipeline:
        files |= _part("pipeline_infrastructure", "hcl", _PIPELINE_MAIN, _PIPELINE_OUTPUTS)
    return files


def _part(folder: str, engine: str, main: str, outputs: str) -> dict[str, str]:
    return {
        f"{folder}/manifest.yaml": _MANIFEST.format(engine=engine),
        f"{folder}/terraform.tf": _TERRAFORM,
        f"{folder}/main.tf{'.j2' if engine == 'jinja' else ''}": main,
        f"{folder}/outputs.tf": outputs,
    }


def _readme(kind: TemplateKind, name: str, files: dict[str, str]) -> str:
    purposes = {
        "manifest.yaml": "how the files beside it are rendered",
        "outputs.tf": "what others may read",
        ".template-registration.yaml": "the environment templates that it fits",
    }
    rows = [
        f"| `{path}` | {purposes.get(path.split('/')[-1], 'Terraform code')} |"
        for path in sorted(files)
        if path != "schema/schema.yaml"
    ]
    article = "An environment" if kind is TemplateKind.ENVIRONMENT else "A service"
    return _README.format(name=name, article=article, rows="\n".join(rows))
