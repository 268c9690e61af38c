"""How large a bundle may be, and which names its files may have: the only place for both."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
_COMPONENT_MAX = 255
_PATH_MAX = 1024


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes; the defaults are Proton's last published quotas, and ours where Proton had none."""

    archive_bytes: int = 10 * MIB
    """Compressed size of an archive."""
    file_bytes: int = 2 * MIB
    total_bytes: int = 100 * MIB
    """All files together, unpacked."""
    files: int = 5000
    """Files, and members of an archive."""
    ratio: int = 200
    """How many times larger than the archive its content may be."""
    ratio_from_bytes: int = MIB
    """Content smaller than this is never called a bomb: padding alone compresses very well."""


DEFAULT = Limits()


def size(count: int) -> str:
    """A number of bytes for people: `10 MiB`, `1.5 MiB`, `700 bytes`."""
    if count < MIB // 10:
        return f"{count:,} bytes"
    return f"{round(count / MIB, 1):g} MiB"


def wrong_path(path: str) -> str:
    """What is wrong with a file's path inside a bundle, as the end of a sentence; "" when nothing is."""
    parts = path.split("/")
    wrong = (
        (not path, "has no name"),
        (path.startswith("/"), "has an absolute path"),
        (".." in parts, 'has ".." in its path'),
        ("\\" in path, "has a backslash in its name"),
        (not path.isprintable(), "has a control character in its name"),
        (len(path.encode(errors="replace")) > _PATH_MAX, f"has a path longer than {_PATH_MAX:,} bytes"),
        (
            any(len(part.encode(errors="replace")) > _COMPONENT_MAX for part in parts),
            f"has a name longer than {_COMPONENT_MAX} bytes",
        ),
        (bool({"", "."} & set(parts)), "has an empty or dotted folder name in its path"),
    )
    return next((reason for is_wrong, reason in wrong if is_wrong), "")


def shown(path: str) -> str:
    """A path that is safe and short enough for a message: escapes for what cannot be printed."""
    text = path if path.isprintable() else path.encode("unicode_escape", errors="backslashreplace").decode("ascii")
    return text if len(text) <= 80 else f"{text[:77]}..."
