"""Files that are there whole, or as they were before, and on the disk once they are written, whatever dies."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def write(path: Path, content: bytes) -> None:
    """Makes this the content of the file, which only its owner can read. Raises OSError."""
    with NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)
            raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Puts the names in the folder on the disk: else one may be that of the former file after the machine has crashed.

    Raises OSError.
    """
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
