"""Values as expressions of Terraform's language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.core import jackson

_SHORT_ESCAPES = {r"\b": r"\u0008", r"\f": r"\u000c"}


def hcl(value: object) -> str:
    """`value` as an HCL expression on one line; nothing in it can end a string or start an interpolation.

    It is JSON as well. Raises Invalid for a number that Terraform cannot be given.
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{hcl(str(name))}: {hcl(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(hcl, value)) + "]"
    if not isinstance(value, str):
        # what may not be used says so when it is to become text
        return jackson.scalar(value if value is None or isinstance(value, bool | int | float) else str(value))
    # HCL has no \b and \f, and `$${` depends on what is before it: numbered escapes mean the same everywhere
    text = re.sub(r"\\.", lambda escape: _SHORT_ESCAPES.get(escape[0], escape[0]), jackson.quoted(value))
    return text.replace("${", r"\u0024{").replace("%{", r"\u0025{")
