"""What a part declares with the modules of its own in it: addresses as Terraform's state has them, without keys."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.bundles.code import ModuleCall, Parsed
from engine.bundles.jinja_code import SUFFIX
from engine.core.bundle import Moved, Removed, Resource

_CALLS_MAX = 2000
"""Calls of modules in a part that are followed; a few files could make millions of them."""
_BLOCKS_MAX = 20_000
"""Blocks of a part that are kept, those of a module once for each call."""


@dataclass(frozen=True)
class Declared:
    """All that a part declares. Files are named relative to the part."""

    resources: tuple[Resource, ...]
    moved: tuple[Moved, ...]
    removed: tuple[Removed, ...]
    unread: tuple[str, ...]
    """Files that declare what is not here."""


@dataclass(frozen=True)
class _Module:
    prefix: str
    """`module.net.`; "" for the root."""
    folders: tuple[str, ...]
    """Its own, and of each module around it."""
    files: tuple[Parsed, ...]


def declared(root: tuple[Parsed, ...], modules: Mapping[str, tuple[Parsed, ...]]) -> Declared:
    """What the files of the root declare, and below them those of each module, once for each call."""
    found, left_out = _modules(root, modules)
    return Declared(
        tuple(
            sorted(
                replace(one, address=module.prefix + one.address) for module, file in found for one in file.resources
            )
        ),
        tuple(sorted(_moved(block, module) for module, file in found for block in file.moved)),
        tuple(
            sorted(
                replace(block, address=module.prefix + block.address)
                for module, file in found
                for block in file.removed
            )
        ),
        tuple(sorted({*(file.file for _, file in found if _is_unread(file)), *left_out})),
    )


def _modules(
    root: tuple[Parsed, ...], modules: Mapping[str, tuple[Parsed, ...]]
) -> tuple[list[tuple[_Module, Parsed]], list[str]]:
    """Every file in the place of each of its modules, and the files that were left out or not followed."""
    waiting, done, blocks, left_out = [_Module("", (), root)], 0, 0, list[str]()
    found: list[tuple[_Module, Parsed]] = []
    while waiting:
        module = waiting.pop()
        for file in module.files:
            blocks += len(file.resources) + len(file.moved) + len(file.removed)
            if blocks > _BLOCKS_MAX:
                left_out.append(file.file)
            else:
                found.append((module, file))
        for call in (call for file in module.files for call in file.modules):
            done += 1
            if done > _CALLS_MAX:
                left_out.append(call.file)
            else:
                waiting += _inner(module, call, modules)
    return found, left_out


def _inner(module: _Module, call: ModuleCall, modules: Mapping[str, tuple[Parsed, ...]]) -> Iterator[_Module]:
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(call.file), call.source))
    # Terraform refuses a module that calls itself
    if folder in modules and folder not in module.folders:
        yield _Module(f"{module.prefix}module.{call.name}.", (*module.folders, folder), modules[folder])


def _moved(block: Moved, module: _Module) -> Moved:
    return replace(block, origin=module.prefix + block.origin, target=module.prefix + block.target)


def _is_unread(file: Parsed) -> bool:
    return not file.is_complete or file.file.endswith(SUFFIX)
