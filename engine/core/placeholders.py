"""Stand-ins for outputs that nobody knows yet, so that what reads them can be planned before they are there.

What is planned with one is never applied: there is no run and no plan file to apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

Type: TypeAlias = object
"""As Terraform writes a type in JSON: `"string"`, `["list", "string"]`, `["object", {"id": "string"}]`."""
TEXT = "string"
_COLLECTIONS = ("list", "set")


@dataclass(frozen=True, order=True)
class Placeholder:
    """An output that is not known yet."""

    name: str
    type: Type = TEXT

    @property
    def value(self) -> object:
        """What stands in for it. Texts look like `<name>`; a number is 1 and a boolean true, which bear no mark."""
        return _value(self.type, self.name)

    def to_json(self) -> dict[str, object]:
        """The placeholder as a result shows it."""
        return {"name": self.name, "type": self.type, "value": self.value}


def placeholders(names: Iterable[str], types: Mapping[str, Type]) -> tuple[Placeholder, ...]:
    """One for each name, in order; those without a known type are texts."""
    return tuple(Placeholder(name, types.get(name, TEXT)) for name in sorted(set(names)))


def _value(type: Type, label: str) -> object:
    match type:
        case "number":
            return 1
        case "bool":
            return True
        case [kind, inner] if kind in _COLLECTIONS:
            return [_value(inner, label)]
        case ["map", inner]:
            return {f"<{label}>": _value(inner, label)}
        case ["tuple", [*inner]]:
            return [_value(each, f"{label}.{at}") for at, each in enumerate(inner)]
        case ["object", dict(members)]:
            return {str(name): _value(each, f"{label}.{name}") for name, each in members.items()}
    return f"<{label}>"
