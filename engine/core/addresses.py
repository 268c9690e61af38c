"""Addresses in Terraform's code, without the keys of instances, and where `moved` and `removed` blocks take them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from engine.core.bundle import Part, Removed, Resource

_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^"\]]*)\]')
_STEPS_MAX = 100
"""`moved` blocks that are followed from one address."""


def plain(address: str) -> str:
    """The address without the keys of instances: `module.net.aws_vpc.main` for `module.net[0].aws_vpc.main["a"]`."""
    return _KEY.sub("", address)


def is_module(address: str) -> bool:
    """Whether it is a module call."""
    return _in_module(address) == ""


def is_managed(address: str) -> bool:
    """Whether Terraform makes and destroys it: no module, no data source, nothing ephemeral."""
    return not _in_module(address).startswith(("data.", "ephemeral.")) and not is_module(address)


def _in_module(address: str) -> str:
    """The address inside the innermost module; "" for a module."""
    steps = address.split(".")
    while steps[0] == "module":
        steps = steps[2:] or [""]
    return ".".join(steps)


def _around(address: str) -> Iterator[str]:
    """The address, and the modules around it, innermost first."""
    yield address
    steps = address.split(".")
    modules = 0
    while steps[modules : modules + 1] == ["module"]:
        modules += 2
    for end in range(modules, 0, -2):
        if end < len(steps):
            yield ".".join(steps[:end])


@dataclass(frozen=True)
class Addresses:
    """What a part declares, by address."""

    part: Part

    @cached_property
    def resources(self) -> Mapping[str, Resource]:
        """Everything once, `repeated` where any file says so."""
        found: dict[str, Resource] = {}
        for resource in self.part.resources:
            first = found.setdefault(resource.address, resource)
            found[resource.address] = replace(first, repeated=first.repeated or resource.repeated)
        return found

    @cached_property
    def closed(self) -> frozenset[str]:
        """The modules that come from elsewhere: what they make is not known."""
        local = ("./", "../")
        named = self.resources.items()
        return frozenset(name for name, found in named if is_module(name) and not found.source.startswith(local))

    def holds(self, address: str) -> bool:
        """Whether it is there, or may be: inside a module from elsewhere."""
        return address in self.resources or any(name in self.closed for name in _around(address))

    def destination(self, address: str) -> str:
        """Where the `moved` blocks take an address that is not there any more; the address itself when nowhere."""
        for _ in range(_STEPS_MAX):
            origin = next((name for name in _around(address) if name in self._moves), None)
            if origin is None or address in self.resources:
                break
            address = self._moves[origin] + address[len(origin) :]
        return address

    def removal(self, address: str) -> Removed | None:
        """The `removed` block that takes the address, or a module around it, out of the code; None without one."""
        return next((self._removals[name] for name in _around(address) if name in self._removals), None)

    def is_keyed(self, old: str, new: str) -> bool:
        """Whether a `moved` block says which of several what had the address `old` becomes, or the reverse."""
        return (old, new) in self._keyed

    @cached_property
    def _moves(self) -> Mapping[str, str]:
        pairs = ((plain(block.origin), plain(block.target)) for block in self.part.moved)
        return {origin: target for origin, target in pairs if origin and origin != target}

    @cached_property
    def _keyed(self) -> frozenset[tuple[str, str]]:
        found = ((block, plain(block.origin), plain(block.target)) for block in self.part.moved)
        return frozenset(
            (origin, target) for block, origin, target in found if (block.origin, block.target) != (origin, target)
        )

    @cached_property
    def _removals(self) -> Mapping[str, Removed]:
        return {plain(block.address): block for block in self.part.removed}
