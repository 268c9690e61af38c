"""Files that mean something in a workspace: what Landform and Terraform write, which ones Terraform looks for."""

from __future__ import annotations

import re

from engine.errors import Problem

VALUES_FILE = "proton.auto.tfvars.json"
OVERRIDE_FILE = "landform_override.tf.json"
METADATA_FILE = ".proton/deployment-metadata.json"
JINJA_SUFFIX = ".tf.j2"
_VALUES = re.compile(r"terraform\.tfvars(\.json)?|.*\.auto\.tfvars(\.json)?")
_OVERRIDE = re.compile(r"([^/]*_)?override\.(tf|tofu)(\.json)?")
_MOVES_STATE = re.compile(rb"backend|cloud|\\u")
"""A block that says where state is kept, or an escape that may spell one."""


def plain(name: str) -> str:
    """The name that counts: some file systems do not tell upper case from lower, and x.tofu goes before x.tf."""
    return name.lower().removesuffix(".j2").replace(".tofu", ".tf")


def sets_values(name: str) -> bool:
    """Whether Terraform takes values of variables from the file unasked, in the place of Landform's."""
    return "/" not in name and _VALUES.fullmatch(plain(name)) is not None


def is_late_override(name: str) -> bool:
    """Whether Terraform lays the file over Landform's own override file: they count in the order of their names."""
    return name > OVERRIDE_FILE and _OVERRIDE.fullmatch(name) is not None


def state_move(content: bytes) -> int | None:
    """Where the bytes may say where state is kept, for code that is not parsed; None when they surely do not."""
    found = _MOVES_STATE.search(content)
    return found.start() if found else None


def state_problem(file: str, line: int, rule: str) -> Problem:
    """For a file of a bundle by which its state would be kept elsewhere."""
    message = f"says where state is kept, and would count after {OVERRIDE_FILE}."
    return Problem(file, line, "", message, rule, hint="Take the backend or cloud block out: Landform keeps the state.")
