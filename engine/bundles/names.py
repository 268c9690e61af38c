"""Proton's namespace as bundle code writes it: paths such as `environment.outputs.vpc_id`, found in any text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ROOTS = ("environment", "service", "service_instance", "service_instances", "pipeline", "component", "proton_tags")
"""The variables that Landform generates."""
_STEPS = r"(?:\.[A-Za-z_][\w-]*|\.\d+|\.\*|\[\s*\"[^\"\]\n]*\"\s*\]|\[[^\[\]\"\n]*\])*"
_REFERENCE = re.compile(rf"(?<![\w.-])var\.({'|'.join(sorted(ROOTS, reverse=True))})(?![\w-])({_STEPS})")
_STEP = re.compile(r"\.([A-Za-z_][\w-]*)|\[\s*\"([^\"\]\n]*)\"\s*\]|(\.\d+|\.\*|\[[^\[\]\"\n]*\])")


@dataclass(frozen=True)
class Use:
    """A reference to a variable: where it is, what follows `var.`, and whether its absence is provided for."""

    at: int
    """Position in the text, in characters."""
    path: str
    """`environment.outputs.vpc_id`, `service_instances[].name`, or just the name of a variable of the bundle's own."""
    guarded: bool = False


def path(steps: Sequence[str | None]) -> str:
    """The path of a reference from the steps after `var.`; None stands for an index that is not a name.

    Elements of `service_instances` are written `service_instances[]`; any other index ends the path, as what follows
    depends on values.
    """
    if not steps or steps[0] is None:
        return ""
    root, rest = steps[0], list(steps[1:])
    if root == "service_instances" and rest:
        root, rest = "service_instances[]", rest[1:]
    names = [root]
    for step in rest:
        if step is None:
            break
        names.append(step)
    return ".".join(names)


def scan(text: str) -> Iterator[Use]:
    """References found without a parser, for text that is not HCL yet; comments are left out."""
    for found in _REFERENCE.finditer(blanked(text)):
        steps = [match[1] or match[2] for match in _STEP.finditer(found[2])]
        yield Use(found.start(), path([found[1], *steps]))


def blanked(text: str) -> str:
    """The text with its comments overwritten by spaces, everything else where it was."""
    return _COMMENT.sub(lambda match: match[0] if match[1] else re.sub(r"[^\n]", " ", match[0]), text)


# a string first, so that "http://x" is none; strings may hold ${...} with strings, which end the match early: harmless
_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
