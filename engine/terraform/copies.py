"""Copies what resources have left in a workspace, so that a plan made elsewhere finds it too."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path

from engine.terraform.workspace import READ_BY_TERRAFORM

_TERRAFORMS_OWN = (".terraform", "terraform.tfstate", "errored.tfstate")
"""How the names begin of what Terraform keeps there itself."""
_FILES_MAX = 1000
_BYTES_MAX = 100 << 20


def copy_rest(source: Path, target: Path, known: Container[str]) -> bool:
    """Copies the plain files below `source` that are not `known` by name, nor read or written by Terraform itself.

    Whether all were copied: those that go away meanwhile, links, and what is too much are left out.
    """
    count = size_bytes = 0
    complete = True
    for name, found in _files(source, ""):
        if name in known or name.endswith(READ_BY_TERRAFORM):
            continue
        count, size_bytes = count + 1, size_bytes + found.st_size
        if count > _FILES_MAX or size_bytes > _BYTES_MAX:
            return False
        complete = _copied(source / name, target / name) and complete
    return complete


def _copied(source: Path, target: Path) -> bool:
    with suppress(OSError):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
        return True
    return False


def _files(root: Path, place: str) -> Iterator[tuple[str, os.stat_result]]:
    """Name below the root, and status, of every plain file; what cannot be looked into is passed over."""
    with suppress(OSError), os.scandir(root / place) as entries:
        for entry in entries:
            name = f"{place}/{entry.name}" if place else entry.name
            if name.startswith(_TERRAFORMS_OWN):
                continue
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                yield from _files(root, name)
            elif stat.S_ISREG(found.st_mode):
                yield name, found
