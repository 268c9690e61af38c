"""Folders for what must not stay: only their owner can look into them, and they go even when their process dies."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from engine.external import scratch

_PREFIX = "private"


def folder(parent: Path) -> AbstractContextManager[Path]:
    """A new folder in `parent`, removed with all that is in it at the end of the block. Raises OSError."""
    return scratch.scratch(parent, _PREFIX)


def sweep(parent: Path) -> None:
    """Removes the folders in `parent` whose processes have died, as far as that can be done."""
    scratch.sweep(parent, _PREFIX)
