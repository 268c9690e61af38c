"""The folder of one environment: `make` makes LAB_FOLDER, `clear` removes it and the empty folders in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def make(folder: Path) -> None:
    """Makes the folder and what it lies in; one that is there already is kept as it is."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)


def clear(folder: Path) -> None:
    """Removes the folder. Files in it were made by others: then it stays, and says so."""
    if not folder.is_dir():
        return
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.is_symlink() and not any(inner.iterdir()):
            inner.rmdir()
    left = sorted(path.name for path in folder.iterdir())
    if left:
        print(f"Left {folder} in place: it still holds {', '.join(left)}.")
    else:
        folder.rmdir()


if __name__ == "__main__":
    try:
        {"make": make, "clear": clear}[sys.argv[1]](Path(os.environ["LAB_FOLDER"]))
    except OSError as error:
        sys.exit(str(error))
