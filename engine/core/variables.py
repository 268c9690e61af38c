"""The variables files of section 2.4: which variables the bundle's code finds declared, kind by kind."""

from __future__ import annotations

from collections.abc import Collection

from engine.core.address import Kind

TAGS = """
variable "proton_tags" {
  type    = map(string)
  default = null
}
"""

_ENVIRONMENT = (
    """\
variable "environment" {
  type = object({
    inputs = any
    name   = string
  })
  default = null
}
"""
    + TAGS
)

_SERVICE_INSTANCE = (
    """\
variable "environment" {
  type = object({
    account_id = string
    name       = string
    outputs    = map(string)
  })
  default = null
}

variable "service" {
  type = object({
    name                      = string
    branch_name               = string
    repository_connection_arn = string
    repository_id             = string
  })
}

variable "service_instance" {
  type = object({
    name       = string
    inputs     = any
    components = map(any)
  })
  default = null
}
"""
    + TAGS
)

_PIPELINE = (
    """\
variable "service_instances" {
  type = list(
    object({
      name    = string
      inputs  = any
      outputs = map(string)
      environment = object({
        account_id = string
        name       = string
        outputs    = map(string)
      })
    })
  )
}

variable "service" {
  type = object({
    name                      = string
    branch_name               = string
    repository_connection_arn = string
    repository_id             = string
  })
  default = null
}

variable "pipeline" {
  type = object({
    inputs = any
  })
  default = null
}
"""
    + TAGS
)

# the odd indentation is Proton's
_COMPONENT = """\
variable "component" {
  type = object({
    name = string
  })
}

variable "environment" {
  type = object({
    account_id = string
    name       = string
    outputs    = map(string)
  })
}

variable "service" {
   type = object({
     name = string
   })
   default = null
}

variable "service_instance" {
  type = object({
    name   = string
    inputs = map(string)
  })
  default = null
}"""

_TEXTS = {
    Kind.ENVIRONMENT: _ENVIRONMENT,
    Kind.SERVICE_INSTANCE: _SERVICE_INSTANCE,
    Kind.PIPELINE: _PIPELINE,
    Kind.COMPONENT: _COMPONENT.replace("inputs = map(string)", "inputs = any") + "\n" + TAGS,
}


def text(kind: Kind, *, exact: bool = False, sensitive: Collection[str] = ()) -> str:
    """The variables file of a kind, without header; `sensitive` are the variables that Terraform must not show.

    `exact` matters to components only: Proton's file, which turned their inputs into strings and knew no tags.
    """
    found = _COMPONENT if exact and kind is Kind.COMPONENT else _TEXTS[kind]
    for name in sensitive:
        block = f'variable "{name}" {{\n'
        found = found.replace(block, f"{block}  sensitive = true\n")
    return found


def file_name(kind: Kind) -> str:
    """The name of a kind's variables file."""
    return f"proton.{kind.noun.replace(' ', '_')}.variables.tf"
