"""Terraform's own configuration, written from settings: the only place that says where providers come from."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ExternalFailure, Invalid
from engine.terraform import files as safely

FILE = "terraform.rc"
OWN_FILE = "terraform.own.rc"
"""What an operator adds: credentials, hosts, or a provider_installation block in place of ours."""
WITHOUT_FOLDER_FILE = "terraform.upstream.rc"
_HEADER = f"# Landform writes this file. What you put into {OWN_FILE} beside it is added at its end.\n"
_HAS_INSTALLATION = re.compile(r"^\s*provider_installation\b", re.MULTILINE)
_ESCAPES = {ord("\\"): "\\\\", ord('"'): '\\"', ord("$"): "\\u0024"}


@dataclass(frozen=True)
class Sources:
    """Where providers come from, besides the home's own folder of them."""

    mirror: Path | None = None
    """A folder laid out as a filesystem mirror. What it has is looked for nowhere else."""
    network: str = ""
    """A network mirror, in place of registries; "" for none."""
    offline: bool = False
    """Folders only."""

    def require(self) -> None:
        """Raises Invalid when the mirror is not there."""
        if self.mirror is not None and not self.mirror.is_dir():
            raise Invalid(
                f"The provider mirror {self.mirror} is not a folder.",
                hint="Make it available, or change provider_mirror: landform doctor says where it was named.",
            )


NOWHERE_SPECIAL = Sources()
"""From registries."""


def write(home: Path, sources: Sources = NOWHERE_SPECIAL) -> Path:
    """Our own Terraform configuration below the home, so that none of the user's is read. Returns its path.

    Raises ExternalFailure when it cannot be written.
    """
    _keep_what_was_filled_in(home)
    return _put(home, FILE, [safely.folder(home / "providers")], sources)


def write_without_folder(home: Path, sources: Sources) -> Path:
    """The same, where the home's own folder of providers is passed over. Returns its path."""
    return _put(home, WITHOUT_FOLDER_FILE, [], sources)


def seen(file: Path, home: Path) -> str:
    """What a configuration says, wherever the home lies; "" when nothing can be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").replace(f'"{str(home).translate(_ESCAPES)}', '"~')
    except OSError:
        return ""


def _put(home: Path, name: str, folders: list[Path], sources: Sources) -> Path:
    file = home / name
    content = "".join(_text(folders, sources, _own(home))).encode()
    if not safely.holds(home, name, content):
        # a name of its own: several processes may write at once, and each must write whole
        safely.put(home, name, content, home / f".{name}.{os.getpid()}.{threading.get_ident()}")
    return file


def _text(folders: list[Path], sources: Sources, own: str) -> Iterator[str]:
    yield _HEADER
    if not _HAS_INSTALLATION.search(own):
        yield "\nprovider_installation {\n"
        for folder in (*folders, *([sources.mirror] if sources.mirror else [])):
            yield f"  filesystem_mirror {{\n    path = {_quoted(str(folder))}\n  }}\n"
        if not sources.offline:
            yield from _upstream(sources)
        yield "}\n"
    yield f"\n{own}" if own else ""


def _upstream(sources: Sources) -> Iterator[str]:
    yield f"  network_mirror {{\n    url     = {_quoted(sources.network)}\n" if sources.network else "  direct {\n"
    excluded = ", ".join(map(_quoted, _providers(sources.mirror)))
    yield f"    exclude = [{excluded}]\n  }}\n"


def _providers(mirror: Path | None) -> list[str]:
    """The providers of a mirror, as `registry.terraform.io/hashicorp/aws`."""
    found = mirror.glob("*/*/*") if mirror else ()
    return sorted(path.relative_to(mirror).as_posix() for path in found if mirror and path.is_dir())


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _own(home: Path) -> str:
    try:
        return (home / OWN_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ExternalFailure(f"{home / OWN_FILE} cannot be read: {error}.") from error


def _keep_what_was_filled_in(home: Path) -> None:
    """Earlier versions left the file to the operator: what is in it must not be lost."""
    file = home / FILE
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if text.strip() and not text.startswith(_HEADER) and not (home / OWN_FILE).exists():
        file.rename(home / OWN_FILE)
