"""Outputs on their way downstream: as text, in Proton's order, and the sensitive ones under cover."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.core import jackson

MASK = "(sensitive)"


@dataclass(frozen=True, repr=False)
class Secret:
    """The text of a sensitive output: it prints as `(sensitive)` wherever it ends up by accident."""

    text: str

    def __repr__(self) -> str:
        return MASK

    @property
    def value(self) -> object:
        """What Terraform gets."""
        return self.text


@dataclass(frozen=True, repr=False)
class Resolved(Secret):
    """What a reference in an input stands for: it prints as that reference."""

    reference: str
    typed: object
    """The text as the type of the input has it: a number, for one."""

    def __repr__(self) -> str:
        return self.reference

    @property
    def value(self) -> object:
        """What Terraform gets."""
        return self.typed


def output_text(value: object) -> str:
    """An output as those downstream get it, who know only strings: a string as it is, all else as compact JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def outputs(values: Mapping[str, object]) -> dict[str, str | Secret]:
    """Output name -> text or Secret, in Proton's order; outputs that are null are left out."""
    known = {name: value for name, value in values.items() if value is not None}
    return {name: _output(known[name]) for name in jackson.ordered(known)}


def revealed(value: object) -> object:
    """The tree with every Secret replaced by its value: only for Terraform."""
    return _replaced(value, lambda secret: secret.value)


def masked(value: object) -> object:
    """The tree with every Secret replaced by `(sensitive)`, or by its reference: for people."""
    return _replaced(value, str)


def secrets(value: object) -> Iterator[Secret]:
    """Every Secret in the tree."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from secrets(item)


def _output(value: object) -> str | Secret:
    return value if isinstance(value, Secret) else output_text(value)


def _replaced(value: object, replace: Callable[[Secret], object]) -> object:
    if isinstance(value, Secret):
        return replace(value)
    if isinstance(value, Mapping):
        return {name: _replaced(item, replace) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_replaced(item, replace) for item in value]
    return value
