"""A folder or `.tar.gz` -> the files of a bundle, without trusting either, and back into one archive.

Nothing is ever extracted to disk: files travel as path -> content.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path, PurePosixPath

from engine.bundles import tar
from engine.bundles.limits import DEFAULT, MIB, Limits, shown, size, wrong_path
from engine.errors import Invalid, Problem

SCHEMA_FILE = "schema/schema.yaml"
_SKIPPED = (".git", ".terraform", "__pycache__", ".DS_Store", "*.tfstate*", "._*")
_EXPECTED = (
    "A bundle has schema/schema.yaml beside infrastructure/ (environment template) "
    "or instance_infrastructure/ (service template). Start one: landform template init"
)


def unpack(archive: bytes, name: str, limits: Limits = DEFAULT) -> dict[str, bytes]:
    """Path -> content of every file in the `.tar.gz`, as the archive names them (a leading `./` is dropped).

    Left out: `.git`, `.terraform`, Terraform's state, caches and what file managers leave behind.
    `name` is what messages call the archive. Raises Invalid with every member that is refused.
    """
    if len(archive) > limits.archive_bytes:
        raise Invalid(f"{name} has {size(len(archive))}; a bundle may have {size(limits.archive_bytes)}.")
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    try:
        for member in tar.members(_Stream(archive, limits).read, limits.file_bytes):
            _add(member, files, problems, limits)
    except tar.Damaged as error:
        problems.append(_problem(name, str(error), "damaged"))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        is_cut = isinstance(error, EOFError)
        problems.append(_problem(name, "is cut off" if is_cut else "is not a gzip archive, or is damaged", "damaged"))
    problems += _inside_files(files)
    if problems:
        raise Invalid(f"{name} cannot be used as a bundle:", problems=problems)
    return files


class _Stream:
    """The unpacked stream, which ends in Damaged when it grows beyond the limits."""

    def __init__(self, archive: bytes, limits: Limits) -> None:
        self._stream = gzip.GzipFile(fileobj=io.BytesIO(archive))
        # headers and padding are at most two blocks a member, and a few for long names
        self._most = limits.total_bytes + limits.files * 4096 + MIB
        self._bomb = max(len(archive) * limits.ratio, limits.ratio_from_bytes)
        self._limits = limits
        self._count = 0

    def read(self, count: int) -> bytes:
        found = self._stream.read(count)
        self._count += len(found)
        if self._count > self._bomb:
            raise tar.Damaged(f"grows to more than {self._limits.ratio} times its size")
        if self._count > self._most:
            raise tar.Damaged(f"holds more than {size(self._limits.total_bytes)}")
        return found


def _add(member: tar.Member, files: dict[str, bytes], problems: list[Problem], limits: Limits) -> None:
    path = member.name.removeprefix("./")
    if member.content is None and not member.refused:
        path = path.rstrip("/")
        if path in ("", "."):
            return
    reason = wrong_path(path)
    if not reason and any(map(_is_skipped, path.split("/"))):
        return
    reason = reason or member.refused or ("is in the archive twice" if path in files else "")
    # an archive of refused members must not fill the memory with their names
    if reason and len(problems) < limits.files:
        problems.append(_problem(path, reason, "member"))
    if reason or member.content is None:
        return
    if len(files) == limits.files:
        raise tar.Damaged(f"holds more than {limits.files:,} files")
    files[path] = member.content


def _inside_files(files: Mapping[str, bytes]) -> list[Problem]:
    return [
        _problem(path, f"lies in {shown(str(folder))}, which is a file", "member")
        for path in files
        for folder in PurePosixPath(path).parents
        if str(folder) in files
    ]


def _problem(file: str, reason: str, rule: str) -> Problem:
    return Problem(shown(file), 0, "", f"{reason}.", f"pack/{rule}")


def read_folder(folder: Path, limits: Limits = DEFAULT, name: str = "") -> dict[str, bytes]:
    """Path -> content of every file below the folder, without `.git`, `.terraform`, state and caches (as unpack()).

    `name` is what messages call the folder, where its path says nothing to people. Links are refused, never followed.
    Raises Invalid with every file that is refused.
    """
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    total = 0
    for path, file in _walk(folder, problems):
        reason = wrong_path(path)
        content = b"" if reason else _read(file, limits.file_bytes)
        if reason or isinstance(content, str):
            problems.append(_problem(path, reason or str(content), "member"))
            continue
        files[path] = content
        total += len(content)
        if len(files) > limits.files or total > limits.total_bytes:
            most = f"{limits.files:,} files" if len(files) > limits.files else size(limits.total_bytes)
            problems.append(_problem(name or str(folder), f"holds more than {most}", "size"))
            break
    if problems:
        raise Invalid(f"{name or folder} cannot be used as a bundle:", problems=problems)
    return files


def _walk(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    def unreadable(error: OSError) -> None:
        problems.append(_problem(str(error.filename), f"cannot be read: {error.strerror}", "member"))

    for here, folders, names in os.walk(folder, onerror=unreadable):
        place = Path(here)
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        links = [name for name in folders if (place / name).is_symlink()]
        for name in sorted([*links, *(name for name in names if not _is_skipped(name))]):
            yield (place / name).relative_to(folder).as_posix(), place / name


def _is_skipped(name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in _SKIPPED)


def _read(file: Path, most: int) -> bytes | str:
    """The content; or, as text, why it is refused."""
    try:
        kind = file.lstat()
        if stat.S_ISLNK(kind.st_mode):
            return "is a symbolic link"
        if not stat.S_ISREG(kind.st_mode):
            return "is not a regular file"
        # whoever swaps the file for a link or a pipe now must not be followed, nor waited for
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as stream:
            content = stream.read(most + 1)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return content if len(content) <= most else "is too large"


def rooted(files: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """The files of the one folder that holds `schema/schema.yaml`, named from there; all others are dropped.

    Raises Invalid when no folder does, or several do.
    """
    ending = f"/{SCHEMA_FILE}"
    roots = sorted(f"/{path}"[: -len(ending)].lstrip("/") for path in files if f"/{path}".endswith(ending))
    if not roots:
        raise Invalid(f"{name} holds no schema/schema.yaml.", hint=_EXPECTED)
    if len(roots) > 1:
        found = ", ".join(shown(root or ".") for root in roots[:10])
        raise Invalid(
            f"{name} holds {len(roots)} bundles, where one is expected: {found}.",
            hint="Name the folder of one of them.",
        )
    start = f"{roots[0]}/" if roots[0] else ""
    return {path.removeprefix(start): content for path, content in files.items() if path.startswith(start)}


def pack(files: Mapping[str, bytes]) -> bytes:
    """A `.tar.gz` that unpack() reads back; the same files give the same bytes."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(files):
            member = tarfile.TarInfo(path)
            member.size = len(files[path])
            archive.addfile(member, io.BytesIO(files[path]))
    return gzip.compress(plain.getvalue(), mtime=0)


def index(files: Mapping[str, bytes]) -> bytes:
    """One line a file, sorted by path: `<sha256 of the content> <size> <path>`. What the digest is made over."""
    lines = (f"{sha256(files[path]).hexdigest()} {len(files[path])} {path}\n" for path in sorted(files))
    return "".join(lines).encode()


def digest(files: Mapping[str, bytes]) -> str:
    """The bundle's identity, SHA-256 in hex: depends on paths and contents, not on how they travelled."""
    return sha256(index(files)).hexdigest()
