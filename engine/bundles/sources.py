"""Where a bundle comes from: a folder, an archive, or an S3 object, as the user names it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from engine.bundles import pack
from engine.bundles.limits import DEFAULT, Limits, size
from engine.errors import Invalid, NotFound

S3 = Callable[[str, str, str | None], tuple[bytes, str]]
"""bucket, key, version id (None: the newest) -> content and the version id it has ("" in a bucket without versions)."""
_ENDINGS = (".tar.gz", ".tgz")
_HINT = "Name a folder, a .tar.gz file or s3://bucket/key."


@dataclass(frozen=True)
class Fetched:
    """The files of one bundle, named from its root."""

    files: dict[str, bytes]
    source: str
    """Where they came from; an S3 object with the version it had."""


def fetch(text: str, s3: S3 | None, limits: Limits = DEFAULT) -> Fetched:
    """The bundle that `text` names. `s3` reads objects; None where that is not offered.

    Raises NotFound when there is nothing, Invalid with every problem when it cannot be a bundle.
    """
    if not text:
        raise Invalid("No bundle was named.", hint=_HINT)
    if text.startswith("s3://"):
        return _from_s3(text, s3, limits)
    if "://" in text:
        raise Invalid(f"{text} cannot be read: only s3:// addresses are.", hint=_HINT)
    path = Path(text).expanduser()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise NotFound(f"There is no {text}.", hint=_HINT) from error
    if stat.S_ISDIR(mode):
        return Fetched(pack.rooted(pack.read_folder(path, limits), text), text)
    if not stat.S_ISREG(mode) or not text.endswith(_ENDINGS):
        raise Invalid(f"{text} is neither a folder nor a .tar.gz file.", hint=_HINT)
    return Fetched(pack.rooted(pack.unpack(_read(path, limits), text, limits), text), text)


def _read(path: Path, limits: Limits) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(limits.archive_bytes + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > limits.archive_bytes:
        raise Invalid(f"{path} is larger than {size(limits.archive_bytes)}, which a bundle may have.")
    return content


def _from_s3(text: str, s3: S3 | None, limits: Limits) -> Fetched:
    try:
        address = urlsplit(text)
    except ValueError as error:
        raise Invalid(f"{text} is not the address of an S3 object.", hint="Write s3://bucket/key.tar.gz.") from error
    bucket, key = address.netloc, unquote(address.path.removeprefix("/"))
    versions = parse_qs(address.query).get("versionId", [])
    if not bucket or not key or address.fragment or len(versions) > 1:
        raise Invalid(f"{text} is not the address of an S3 object.", hint="Write s3://bucket/key.tar.gz.")
    if s3 is None:
        raise Invalid(f"{text} cannot be read: S3 is not available here.", hint=_HINT)
    content, version = s3(bucket, key, versions[0] if versions else None)
    source = f"s3://{bucket}{address.path}" + (f"?{urlencode({'versionId': version})}" if version else "")
    return Fetched(pack.rooted(pack.unpack(content, text, limits), text), source)
