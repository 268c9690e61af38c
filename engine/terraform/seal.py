"""What a folder held when it was made, and whether it still does: for folders that many read and nobody may write."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Seen:
    """How a file or a link was found."""

    stamp: str
    """What changes whenever somebody writes it, and also when it is merely copied to another place."""
    digest: str
    """Of what it holds; of a link, where it leads."""


_LINK = "-> "
Seal = Mapping[str, Seen]
"""Every file and link below a folder, by its path below it."""


def of(folder: Path, apart_from: str) -> Seal:
    """The seal of the folder, without the file `apart_from` in it. Raises OSError when it cannot be read."""
    return {name: Seen(_stamp(folder / name), _digest(folder / name)) for name in _names(folder, apart_from)}


def is_untouched(folder: Path, seal: Seal, apart_from: str) -> bool:
    """Whether nobody has written into the folder: looks at stamps only, so that it can be asked before every use."""
    try:
        # as text: paths as objects took half of the time
        found = {name: _stamp(os.path.join(folder, name)) for name in _names(folder, apart_from)}
    except OSError:
        return False
    return found == {name: seen.stamp for name, seen in seal.items()}


def holds_the_same(one: Seal, other: Seal) -> bool:
    """Whether both stand for the same content, wherever it lies."""
    return {name: seen.digest for name, seen in one.items()} == {name: seen.digest for name, seen in other.items()}


def links_lead_somewhere(folder: Path, seal: Seal) -> bool:
    """Whether what its links lead to is there; the folder is untouched as long as they say the same."""
    links = (name for name, seen in seal.items() if seen.digest.startswith(_LINK))
    return all(os.path.exists(os.path.join(folder, name)) for name in links)


def close(folder: Path) -> None:
    """Takes from everybody the right to write below the folder and in it; what links lead to is left alone."""
    for here, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = os.path.join(here, name)
            if not os.path.islink(path):
                # a provider is a program, and stays one
                os.chmod(path, stat.S_IMODE(os.lstat(path).st_mode) & 0o500 | 0o400)
        os.chmod(here, 0o500)


def reopen(folder: Path) -> None:
    """Lets the owner of the folder remove what is in it again, at any depth, as far as that can be done."""
    for here, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(here, 0o700)


def discard(folder: Path) -> None:
    """Removes the folder, closed or not, or what is in its place, as far as that can be done."""
    if folder.is_symlink() or not folder.is_dir():
        with contextlib.suppress(OSError):
            folder.unlink(missing_ok=True)
        return
    reopen(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _names(folder: Path, apart_from: str) -> Iterator[str]:
    for here, folders, names in os.walk(folder, onerror=_raise):
        below = os.path.relpath(here, folder)
        links = [name for name in folders if os.path.islink(os.path.join(here, name))]
        found = (name if below == "." else f"{below}/{name}" for name in (*names, *links))
        yield from (name for name in found if name != apart_from)


def _raise(error: OSError) -> None:
    raise error


def _stamp(path: Path | str) -> str:
    seen = os.lstat(path)
    # the time of the last change cannot be set back by whoever changes a file, unlike that of the last write
    return f"{seen.st_mode:o}-{seen.st_size}-{seen.st_mtime_ns}-{seen.st_ctime_ns}-{seen.st_ino}"


def _digest(path: Path) -> str:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return f"{_LINK}{os.readlink(path)}"
    if not stat.S_ISREG(mode):
        return f"neither file nor link: {mode:o}"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
