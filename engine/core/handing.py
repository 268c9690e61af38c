"""How secrets reach Terraform: in variables of its environment, and in no file."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core import dynamic, resolving
from engine.core.address import Kind
from engine.core.arns import Owner
from engine.core.bundle import Part
from engine.core.hcl_text import hcl
from engine.core.located import Json
from engine.core.namespace import Values
from engine.core.outputs import output_text, revealed, secrets
from engine.errors import Invalid

MOST_BYTES = 128 * 1024 - 1
"""What Linux takes of one variable, name and all."""
_PREFIX = "TF_VAR_"
_MEMBER = {
    Kind.ENVIRONMENT: "environment",
    Kind.SERVICE_INSTANCE: "service_instance",
    Kind.PIPELINE: "pipeline",
    Kind.COMPONENT: "service_instance",
}
"""The member of the namespace that holds the inputs."""


def inputs(part: Part, type: Json, given: Mapping[str, object], known: Mapping[str, str]) -> dict[str, object]:
    """The inputs as the namespace has them, references resolved.

    Where the bundle has a sensitive variable of its own for an input, the namespace keeps the reference.
    """
    own = _own(part, given)
    resolved = resolving.all_resolved(type, given, known)
    return {name: given[name] if name in own else value for name, value in resolved.items()}


def variables(part: Part, values: Values, owner: Owner, resolved: Mapping[str, object]) -> dict[str, str]:
    """Name -> value of what goes into Terraform's environment, **secrets in clear text**.

    That is each member of the namespace with a secret in it, which core.rendering.render() leaves out, and the bundle's
    own sensitive variables that have the name of an input; `resolved` are all inputs as resolving.resolved() has them.
    Raises Invalid for what is too large.
    """
    members = values.variables(owner).items()
    found = {name: hcl(revealed(value)) for name, value in members if any(secrets(value))}
    own = {name: _text(part, name, revealed(resolved[name])) for name in _own(part, resolved)}
    named = {f"{_PREFIX}{name}": text for name, text in {**found, **own}.items()}
    for name, text in named.items():
        _refuse_too_large(name, text)
    return named


def planned(plan: object, part: Part, kind: Kind, given: Mapping[str, object]) -> tuple[str, ...]:
    """What the references in the inputs stood for when a plan was made, from `terraform show -json` of it.

    What Terraform does not keep in plans, as it is ephemeral, is not among it.
    """
    own = _own(part, given)
    places = [path if path[0] in own else (_MEMBER[kind], "inputs", *path) for path, _ in dynamic.places(given)]
    values = [_at(plan, "variables", str(path[0]), "value", *path[1:]) for path in places]
    return tuple(dict.fromkeys(output_text(value) for value in values if value is not None))


def _at(tree: object, *path: str | int) -> object:
    """What is there; the text around it where that is not unfolded, None where nothing is."""
    for step in path:
        if isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
    return tree


def _own(part: Part, inputs: Mapping[str, object]) -> list[str]:
    """The inputs for which the bundle has a sensitive variable of its own."""
    declared = (part.variable(name) for name, value in inputs.items() if value is not None)
    return [variable.name for variable in declared if variable is not None and variable.sensitive]


def _text(part: Part, name: str, value: object) -> str:
    variable = part.variable(name)
    is_text = variable is not None and variable.is_text
    return value if is_text and isinstance(value, str) else hcl(value)


def _refuse_too_large(name: str, text: str) -> None:
    size = len(f"{name}={text}".encode())
    if size > MOST_BYTES:
        raise Invalid(
            f"The variable {name} would have {size:,} bytes; {MOST_BYTES:,} are the most for what holds a secret.",
            hint="Make the inputs or outputs in it smaller, or declare a sensitive variable with the name of the "
            "input in the template: then only that one is passed in the environment.",
        )
