"""What inputs that are references need of a template version: a way to Terraform on which nobody sees the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.core import dynamic
from engine.core.address import Kind
from engine.core.bundle import PART_OF
from engine.core.located import dotted
from engine.errors import Invalid, Problem

if TYPE_CHECKING:
    from engine.actions.desk import Target

_RULE = "reference"


def refuse_shown(target: Target, kind: Kind, inputs: Mapping[str, object]) -> None:
    """Raises Invalid when the version would show what a reference in the inputs stands for, naming all of them."""
    places = list(dynamic.places(inputs))
    if not places:
        return
    part = target.facts.part(PART_OF[kind])
    if part is None:
        message = "is a reference: only Terraform is given what it stands for."
        raise Invalid(
            f"{target.label} has no infrastructure: its inputs become its outputs.",
            problems=[Problem("", 0, dotted(path), message, _RULE) for path, _ in places],
        )
    named = dict.fromkeys(str(path[0]) for path, _ in places)
    found = [variable for name in named if (variable := part.variable(name)) and not variable.sensitive]
    if found:
        raise Invalid(
            f"{target.label} would show what references in the inputs stand for:",
            hint="Publish a version of the template with sensitive = true in these variables.",
            problems=[
                Problem(
                    f"{part.name.value}/{each.file}",
                    each.line,
                    "",
                    f"The variable {each.name} has the name of an input that is a reference, and is not sensitive.",
                    _RULE,
                )
                for each in found
            ],
        )
