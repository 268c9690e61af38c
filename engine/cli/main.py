"""The console script `landform`: its first page at once, everything else by way of click."""

from __future__ import annotations

import gc
import sys

from engine.cli import first_page

_MANY = 100_000
"""Allocations between two looks for garbage: what is imported is none, and to look takes a tenth of the start."""


def main(argv: list[str] | None = None) -> int:
    """Runs one command line; the exit code. Never raises, whatever the user typed."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["--help"], ["-h"]) and _shown(first_page.text()):
        return 0
    from engine.cli import root

    return root.run(arguments)


def entry() -> None:
    """The console script."""
    gc.set_threshold(_MANY)
    sys.exit(main())


def _shown(page: str) -> bool:
    """Whether stdout took the page; click knows what to do when it did not."""
    if sys.stdout is None:  # it was closed before we came
        return False
    try:
        sys.stdout.write(f"{page}\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True
