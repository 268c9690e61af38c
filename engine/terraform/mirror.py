"""The home's own folder of unpacked providers: each is there once, and prepared versions link to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from engine.terraform import files as safely
from engine.terraform import seal

_PLACES = "*/*/*/*/*"
"""HOST/NAMESPACE/TYPE/VERSION/PLATFORM, below a mirror as below the `providers` of a data folder."""


@dataclass(frozen=True)
class Package:
    """One provider for one platform."""

    source: str
    """`registry.terraform.io/hashicorp/aws`"""
    version: str
    platform: str
    """`linux_amd64`"""
    folder: Path

    def size_bytes(self) -> int:
        """How much it takes."""
        files = (path.lstat() for path in self.folder.rglob("*") if path.is_file())
        return sum(found.st_size for found in files)


class Mirror:
    """A folder laid out as Terraform's filesystem mirror. Only whoever holds the installers' lock may adopt."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def packages(self) -> list[Package]:
        """What is there, by source, version and platform."""
        return [_package(path, self._root) for path in sorted(self._root.glob(_PLACES)) if path.is_dir()]

    def adopt(self, data_dir: Path) -> None:
        """Moves the providers that an init fetched into the mirror, and puts links in their place.

        A provider gets there whole, by one rename: whoever is killed leaves it where it was, or there. One that the
        mirror has with other content stays where it is.
        """
        for path in _places(data_dir):
            kept = self._root / path.relative_to(data_dir / "providers")
            if path.is_symlink():
                is_ours = path.resolve() == kept.resolve()
            else:
                is_ours = self._take(path, kept)
            if is_ours:
                _link(path, kept)

    def _take(self, path: Path, kept: Path) -> bool:
        """Whether the mirror has the provider now, as it is here."""
        if os.path.lexists(kept):
            return _same(path, kept)
        safely.folder(kept.parent)
        path.rename(kept)
        # after the move: a folder that is closed cannot be moved
        seal.close(kept)
        return True


def used(data_dir: Path) -> list[Package]:
    """The providers that a data folder links to or holds."""
    return [_package(path, data_dir / "providers") for path in _places(data_dir)]


def _places(data_dir: Path) -> list[Path]:
    return sorted((data_dir / "providers").glob(_PLACES))


def _package(path: Path, root: Path) -> Package:
    *source, version, platform = path.relative_to(root).parts
    return Package("/".join(source), version, platform, path.resolve())


def _same(one: Path, other: Path) -> bool:
    try:
        return seal.holds_the_same(seal.of(one, ""), seal.of(other, ""))
    except OSError:
        return False


def _link(path: Path, kept: Path) -> None:
    """Relative, so that it survives that the home is copied or moved."""
    target = os.path.relpath(kept, path.parent)
    if path.is_symlink() and os.readlink(path) == target:
        return
    seal.discard(path)
    path.symlink_to(target)
