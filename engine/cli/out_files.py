"""Files that commands write secrets to, because somebody asked for them: readable for their owner only."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import LandformError


def write(path: Path, content: bytes) -> None:
    """Makes this the content of the file. Raises LandformError."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            # it may have been there before, and open to others
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
    except OSError as error:
        raise LandformError(
            f"{path} cannot be written: {error.strerror}.", hint="Choose another file with --out."
        ) from error
