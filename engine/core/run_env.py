"""Variables that operators set for Terraform, as they are kept: the value itself, or the file that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from engine.core.bundle import Part

EnvValue: TypeAlias = "str | Mapping[str, str]"
"""The value, or {"file": path}: then nobody keeps the value, and who runs Terraform reads it."""
REGION = "aws_region"
"""The variable that bundles have for the region they work in."""


def from_file(path: str) -> dict[str, str]:
    """What stands for a value that lies in a file."""
    return {"file": path}


def plain(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Those that are kept as they are: name -> value."""
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def files(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Those that lie in files: name -> path."""
    return {name: value["file"] for name, value in variables.items() if not isinstance(value, str)}


def region(part: Part | None, env: Mapping[str, str]) -> dict[str, str]:
    """The region of the run for a bundle that declares `aws_region`, as most that were written for Proton do.

    {} where the region is not known, or there is no such variable.
    """
    known = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    declares = part is not None and part.variable(REGION) is not None
    return {f"TF_VAR_{REGION}": known} if known and declares else {}


def in_words(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Name -> what people are shown of it."""
    return {name: value if isinstance(value, str) else f"in {value['file']}" for name, value in variables.items()}
