"""What a plan is about that is made only to be looked at: nothing of it is recorded, and nobody can apply it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.address import Address
from engine.core.runs import Operation


@dataclass(frozen=True)
class Draft:
    """What would be deployed or destroyed."""

    address: Address
    operation: Operation
    version_id: int
    template: str
    """The version in words, `web@1.2`."""
    inputs: Mapping[str, object]
    """Without defaults."""
    environment: Address | None = None
    """Where something that does not exist yet would live; None for an environment, and for what exists."""
    is_new: bool = False
    """Whether nothing has the address yet."""
