"""Where the contents of states are kept, encrypted, and bundles, each under the digest of what it holds."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol

from engine.errors import ExternalFailure
from engine.external import aws_s3, durable
from engine.external.cipher import Cipher


class Contents(Protocol):
    """A store of encrypted contents."""

    def put(self, digest: str, sealed: bytes) -> None:
        """Keeps the content for good: it is there once this returns. Raises ExternalFailure."""

    def replace(self, digest: str, sealed: bytes) -> None:
        """The same content, sealed anew, in the place of what is there. Raises ExternalFailure."""

    def get(self, digest: str) -> bytes | None:
        """The content; None when it is not here. Raises ExternalFailure."""


class FolderStates:
    """Files of a folder, readable for their owner only."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when something is first put."""
        self._folder = folder

    def put(self, digest: str, sealed: bytes) -> None:
        """As Contents.put()."""
        target = self._path(digest)
        try:
            for folder in (self._folder, target.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, prefix=".new-") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
                with suppress(FileExistsError):
                    os.link(file.name, target)
        except OSError as error:
            raise ExternalFailure(f"A state cannot be kept in {self._folder}: {error.strerror}.") from error

    def replace(self, digest: str, sealed: bytes) -> None:
        """As Contents.replace()."""
        try:
            durable.write(self._path(digest), sealed)
        except OSError as error:
            raise ExternalFailure(f"{self._path(digest)} cannot be written: {error.strerror}.") from error

    def get(self, digest: str) -> bytes | None:
        """As Contents.get()."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ExternalFailure(f"{self._path(digest)} cannot be read: {error.strerror}.") from error

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


class S3States:
    """Objects below a prefix of a bucket, reached with the credentials of whoever runs Landform."""

    def __init__(self, place: aws_s3.Place) -> None:
        self._place = place

    def put(self, digest: str, sealed: bytes) -> None:
        """As Contents.put()."""
        self._place.put(digest, sealed)

    def replace(self, digest: str, sealed: bytes) -> None:
        """As Contents.replace()."""
        self._place.put(digest, sealed)

    def get(self, digest: str) -> bytes | None:
        """As Contents.get()."""
        return self._place.get(digest)


class S3Bundles:
    """Bundles as archives below a prefix of a bucket, for all machines; reached as S3States."""

    def __init__(self, place: aws_s3.Place) -> None:
        self._place = place

    def keep(self, name: str, content: bytes) -> None:
        """Keeps the content for good. Whoever dies before it is recorded leaves an object that the next one uses."""
        # put anew only where it is not there, or was changed: a bucket keeps every version
        if self._place.get(_archive(name)) != content:
            self._place.put(_archive(name), content)

    def fetch(self, name: str) -> bytes | None:
        """What was kept; None when nothing was. Raises ExternalFailure."""
        return self._place.get(_archive(name))


def _archive(name: str) -> str:
    return f"{name}.tar.gz"


@dataclass(frozen=True)
class States:
    """Contents of states, in clear text for whoever has the home's key."""

    contents: Contents
    cipher: Cipher

    def put(self, content: bytes) -> str:
        """The digest under which get() gives the content back. Raises ExternalFailure."""
        digest = hashlib.sha256(content).hexdigest()
        self.contents.put(digest, self.cipher.seal(content, f"states/{digest}"))
        return digest

    def get(self, digest: str) -> bytes:
        """The content. Raises ExternalFailure when it is not there, or not what was put."""
        sealed = self.contents.get(digest)
        if sealed is None:
            raise ExternalFailure(
                f"The state {digest[:12]} is not in the store of states.",
                hint="See where it is looked for: landform doctor, state_store.",
            )
        return self.cipher.open(sealed, f"states/{digest}")
