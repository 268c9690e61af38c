"""The members of a tar archive, read strictly: the only place that knows tar headers.

The standard library's reader is meant to be lenient: it ends quietly at a damaged header, follows sparse maps, and
older versions need quadratic time for hostile PAX headers. A bundle needs files, folders and long names, no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

_BLOCK = 512
_HEADER_MAX = 64 * 1024
_FILE, _FOLDER, _PAX, _PAX_GLOBAL, _LONG_NAME = "0", "5", "x", "g", "L"
_REFUSED = {
    "1": "is a hard link",
    "2": "is a symbolic link",
    "3": "is a device",
    "4": "is a device",
    "6": "is a named pipe",
    "K": "is a symbolic link",
    "S": "is a sparse file",
}
_PAX_HARMLESS = re.compile(
    r"path|[acm]time|LIBARCHIVE\.creationtime|[ug](id|name)|comment|(SCHILY|LIBARCHIVE)\.xattr\..*"
    r"|SCHILY\.(dev|ino|nlink|fflags)"
)
_OCTAL = re.compile(rb"[ \0]*([0-7]*)[ \0]*")


class Damaged(Exception):
    """The archive cannot be read on; str() says why, as the end of a sentence about the archive."""


@dataclass(frozen=True)
class Member:
    """One entry: a file with its content, a folder, or something that is refused."""

    name: str
    content: bytes | None
    """None for a folder or a refused member."""
    refused: str = ""
    """Why it cannot be part of a bundle, as the end of a sentence; "" when it can."""


@dataclass(frozen=True)
class _Header:
    name: str
    size: int
    type: str


@dataclass(frozen=True)
class _Extension:
    """What the extension headers before a member say about it."""

    name: str | None = None
    refused: str = ""


def members(read: Callable[[int], bytes], file_bytes: int) -> Iterator[Member]:
    """The members, in order. `read(n)` gives exactly n bytes, fewer only at the end.

    A file larger than `file_bytes` comes refused and its content is skipped. Raises Damaged.
    """
    extension = _Extension()
    while True:
        block = _exactly(read, _BLOCK)
        if not any(block):
            return _end(read, extension)
        header = _header(block)
        if header.type in (_PAX, _PAX_GLOBAL, _LONG_NAME):
            extension = _extended(extension, header, _payload(read, header))
            continue
        yield _member(read, header, extension, file_bytes)
        extension = _Extension()


def _end(read: Callable[[int], bytes], extension: _Extension) -> None:
    if extension != _Extension():
        raise Damaged("ends in the middle of a member")
    while rest := read(64 * _BLOCK):
        if any(rest):
            raise Damaged("has data after its end")


def _exactly(read: Callable[[int], bytes], count: int) -> bytes:
    found = read(count)
    if len(found) < count:
        raise Damaged("is cut off")
    return found


def _header(block: bytes) -> _Header:
    if _octal(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise Damaged("is not a tar archive, or is damaged")
    size = _octal(block[124:136])
    if size is None:
        raise Damaged("holds a member without a size")
    name = _text(block[:100])
    # GNU tar keeps times where the standard has the rest of a long path
    prefix = "" if block[257:265] == b"ustar  \0" else _text(block[345:500])
    kind = chr(block[156]) if block[156] else _FILE
    return _Header(f"{prefix}/{name}" if prefix else name, size, kind)


def _octal(field: bytes) -> int | None:
    match = _OCTAL.fullmatch(field)
    return int(match[1] or b"0", 8) if match else None


def _text(field: bytes) -> str:
    # surrogates are not printable: a name that is not UTF-8 is refused like any other odd one
    return field.split(b"\0", 1)[0].decode("utf-8", errors="surrogateescape")


def _payload(read: Callable[[int], bytes], header: _Header) -> bytes:
    if header.size > _HEADER_MAX:
        raise Damaged(f"has an extension header of {header.size:,} bytes")
    return _padded(read, header.size)


def _padded(read: Callable[[int], bytes], size: int) -> bytes:
    return _exactly(read, -(-size // _BLOCK) * _BLOCK)[:size]


def _skip(read: Callable[[int], bytes], size: int) -> None:
    for _ in range(-(-size // _BLOCK)):
        _exactly(read, _BLOCK)


def _extended(extension: _Extension, header: _Header, payload: bytes) -> _Extension:
    if header.type == _LONG_NAME:
        return replace(extension, name=_text(payload))
    records = dict(_records(payload))
    odd = next((key for key in records if not _PAX_HARMLESS.fullmatch(key)), None)
    if odd is not None:
        return replace(extension, refused=f"has a PAX header that bundles do not need: {ascii(odd)[1:-1][:40]}")
    if header.type == _PAX_GLOBAL:
        return extension
    return replace(extension, name=records.get("path", extension.name))


def _records(payload: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(payload):
        space = payload.find(b" ", at, at + 8)
        length = int(payload[at:space]) if space > at and payload[at:space].isdigit() else 0
        record = payload[space + 1 : at + length]
        if at + length > len(payload) or not record.endswith(b"\n") or b"=" not in record:
            raise Damaged("has a PAX header that cannot be read")
        key, _, value = record[:-1].partition(b"=")
        yield key.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape")
        at += length


def _member(read: Callable[[int], bytes], header: _Header, extension: _Extension, file_bytes: int) -> Member:
    name = extension.name if extension.name is not None else header.name
    is_folder = header.type == _FOLDER or (header.type == _FILE and name.endswith("/"))
    refused = extension.refused or _REFUSED.get(header.type, "")
    if not refused and header.type not in (_FILE, _FOLDER):
        refused = f"is of a kind that bundles do not need: {header.type!a}"
    if not refused and header.size > file_bytes:
        refused = "is too large"
    if is_folder and header.size:
        raise Damaged("holds a folder with content")
    if refused or is_folder:
        # links and devices carry no content, whatever their size says
        _skip(read, 0 if header.type in "12346" else header.size)
        return Member(name, None, refused)
    return Member(name, _padded(read, header.size), "")
