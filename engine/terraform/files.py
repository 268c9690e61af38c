"""Files below a folder that others may have meddled with: names are checked, links not followed, writes are whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path, PurePosixPath

from engine.errors import ExternalFailure, Invalid, Problem, Refused
from engine.external.durable import sync

_NAME_BYTES_MAX = 255
_TERRAFORMS_OWN = ("terraform.tfstate", ".terraform.tfstate")
"""How the names of state files and what goes with them begin."""


def check_names(names: Iterable[str]) -> None:
    """Raises Invalid with every name that wrong_name() refuses or that is a file and a folder at once."""
    known = set(names)
    reasons = {name: wrong_name(name) or _clash(name, known) for name in sorted(known)}
    problems = [Problem(repr(name), 0, "", why, rule="workspace/name") for name, why in reasons.items() if why]
    if problems:
        raise Invalid("Files with these names cannot be written:", problems=problems)


def wrong_name(name: str) -> str:
    """What is wrong with the name of a file; "" when nothing is."""
    parts = name.split("/")
    if not all(part.strip(".") for part in parts) or "\\" in name or not name.isprintable():
        return "is not a plain path below the folder."
    if any(len(part.encode("utf-8", "replace")) > _NAME_BYTES_MAX for part in parts):
        return f"has a part of more than {_NAME_BYTES_MAX} bytes."
    if parts[0] == ".terraform" or name.startswith(_TERRAFORMS_OWN):
        return "is a file that Terraform writes itself."
    return ""


def put(root: Path, name: str, content: bytes, temporary: Path, *, durable: bool = False) -> None:
    """Writes `root/name` by way of `temporary`, on the same file system: it is there whole, or as it was before.

    With `durable` also after the machine has failed, once this returns. Folders are made as needed. Raises Refused when
    a link is in the way, ExternalFailure when it cannot be written.
    """
    target = checked(root, name)
    folder(target.parent)
    try:
        temporary.unlink(missing_ok=True)
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(target)
        if durable:
            sync(target.parent)
    except OSError as error:
        raise cannot("write", target, error) from error


def fill(root: Path, files: Mapping[str, bytes]) -> None:
    """Makes the folder, which nobody else knows of, with these files; that takes a third of what put() takes.

    Raises Invalid for names that leave it, ExternalFailure when it cannot be written.
    """
    check_names(files)
    try:
        root.mkdir(mode=0o700)
        for name in sorted({name.rpartition("/")[0] for name in files} - {""}):
            (root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, content in files.items():
            number = os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(content)
    except OSError as error:
        raise cannot("write", root, error) from error


def holds(root: Path, name: str, content: bytes) -> bool:
    """Whether `root/name` is a file with this content that nobody but its owner can read. Raises Refused for a link."""
    path = checked(root, name)
    try:
        # a pipe put in its place must not make us wait for a writer
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        status = os.fstat(number)
        is_ours = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o600
        return is_ours and status.st_size == len(content) and os.read(number, len(content) + 1) == content
    finally:
        os.close(number)


def discard(root: Path, name: str) -> None:
    """Removes `root/name`, and the folders below `root` that are empty then; that it is not there is fine.

    Raises Refused when a link is in the way, ExternalFailure when it cannot be removed.
    """
    path = checked(root, name)
    if path.is_dir():
        # what was a file is a folder by now, of files with names of their own
        return
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return
    except OSError as error:
        raise cannot("remove", path, error) from error
    _prune(root, path)


def folder(path: Path) -> Path:
    """The folder, made with its parents for its owner alone when it is not there.

    Raises Refused when it is a link, ExternalFailure when it cannot be made.
    """
    if os.path.islink(path):
        raise refused(path)
    if os.path.isdir(path):
        return path
    if not path.parent.exists():
        folder(path.parent)
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise cannot("make", path, error) from error
    return path


def checked(root: Path, name: str) -> Path:
    """`root/name`. Raises Refused when `root` or anything on the way, or the file itself, is a link."""
    # as text: paths as objects took most of the time of a write that changes nothing
    for place in accumulate((str(root), *name.split("/")), os.path.join):
        if os.path.islink(place):
            raise refused(Path(place))
    return root / name


def refused(path: Path) -> Refused:
    """What to raise for a link."""
    return Refused(
        f"{path} is a symbolic link, and Landform does not follow links in its workspaces.",
        hint="Find out who put it there, then remove it and run again.",
    )


def cannot(do: str, path: Path, error: OSError) -> ExternalFailure:
    """What to raise when the system says no."""
    return ExternalFailure(f"Cannot {do} {path}: {error.strerror or error}.")


def _clash(name: str, known: set[str]) -> str:
    parents = (str(parent) for parent in PurePosixPath(name).parents)
    taken = next((parent for parent in parents if parent in known), "")
    return f"needs a folder {taken}, which is a file." if taken else ""


def _prune(root: Path, path: Path) -> None:
    for parent in _between(root, path):
        try:
            parent.rmdir()
        except OSError:
            # something else is in it: it stays, and so do those above it
            return


def _between(root: Path, path: Path) -> Iterator[Path]:
    parent = path.parent
    while parent != root:
        yield parent
        parent = parent.parent
