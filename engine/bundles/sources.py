"""Where a bundle comes from: a folder, an archive, or an S3 object, as the user names it (git_source.py: or Git)."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from engine.bundles import pack
from engine.bundles.limits import DEFAULT, Limits, size
from engine.core.s3 import Object
from engine.errors import Invalid, NotFound

S3 = Callable[[Object], tuple[bytes, str]]
"""Object -> content and the version id it has ("" in a bucket without versions)."""
_OPTIONS = {"versionId", "region", "endpoint"}
_ENDINGS = (".tar.gz", ".tgz")
_HINT = "Name a folder, a .tar.gz file, s3://bucket/key, or git::ADDRESS//FOLDER?ref=BRANCH."


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
        raise Invalid(f"{text} cannot be read: only s3:// and git:: addresses are.", hint=_HINT)
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
    wanted, path = _object(text)
    if s3 is None:
        raise Invalid(f"{text} cannot be read: S3 is not available here.", hint=_HINT)
    content, version = s3(wanted)
    # whoever types it again gets the very same bundle
    options = {"versionId": version, "region": wanted.region, "endpoint": wanted.endpoint}
    query = urlencode({name: value for name, value in options.items() if value}, safe="/:")
    source = f"s3://{wanted.bucket}{path}" + (f"?{query}" if query else "")
    return Fetched(pack.rooted(pack.unpack(content, text, limits), text), source)


def _object(text: str) -> tuple[Object, str]:
    """The object, and its key as it was written, after a slash. Raises Invalid."""
    try:
        address = urlsplit(text)
    except ValueError as error:
        raise _no_object(text) from error
    options = parse_qs(address.query, keep_blank_values=True)
    key = unquote(address.path.removeprefix("/"))
    are_right = options.keys() <= _OPTIONS and all(len(values) == 1 and values[0] for values in options.values())
    if not address.netloc or not key or address.fragment or not are_right:
        raise _no_object(text)
    given = {name: values[0] for name, values in options.items()}
    region, endpoint = given.get("region", ""), given.get("endpoint", "")
    return Object(address.netloc, key, given.get("versionId", ""), region, endpoint), address.path


def _no_object(text: str) -> Invalid:
    hint = "Write s3://bucket/key.tar.gz; ?versionId=, region= and endpoint= may follow."
    return Invalid(f"{text} is not the address of an S3 object.", hint=hint)
