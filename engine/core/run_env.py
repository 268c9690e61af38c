"""Variables that operators set for Terraform, as they are kept: the value itself, or the file that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

EnvValue: TypeAlias = "str | Mapping[str, str]"
"""The value, or {"file": path}: then nobody keeps the value, and who runs Terraform reads it."""


def from_file(path: str) -> dict[str, str]:
    """What stands for a value that lies in a file."""
    return {"file": path}


def plain(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Those that are kept as they are: name -> value."""
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def files(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Those that lie in files: name -> path."""
    return {name: value["file"] for name, value in variables.items() if not isinstance(value, str)}


def in_words(variables: Mapping[str, EnvValue]) -> dict[str, str]:
    """Name -> what people are shown of it."""
    return {name: value if isinstance(value, str) else f"in {value['file']}" for name, value in variables.items()}
