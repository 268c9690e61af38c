"""What Terraform says of a lock that it could not have: who holds it, and since when."""

from __future__ import annotations

import re
from collections.abc import Sequence

_LOCKED = "Error acquiring the state lock"
_FIELD = re.compile(r"^ *(ID|Operation|Who|Created): +(\S.*?) *$", re.MULTILINE)


def holder(errors: Sequence[str]) -> str:
    """`ada@laptop since 2026-05-04 03:02:01 UTC (OperationTypeApply, lock 1234)`, from the only error that Terraform
    had; "" when that is another one, or does not say.
    """
    if len(errors) != 1 or _LOCKED not in errors[0]:
        return ""
    told = dict(_FIELD.findall(errors[0].partition("Lock Info:")[2]))
    if not {"ID", "Who", "Created"} <= told.keys():
        return ""
    # Terraform writes the offset and its name
    since = told["Created"].removesuffix(" +0000 UTC")
    utc = " UTC" if since != told["Created"] else ""
    # our own lock does not say when
    when = "" if since.startswith("0001-") else f" since {re.sub(r'[.][0-9]+$', '', since)}{utc}"
    return f"{told['Who']}{when} ({told.get('Operation', 'unknown')}, lock {told['ID']})"
