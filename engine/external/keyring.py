"""The data keys of a home: made, kept, found again, and wrapped by a master key where others are to have them too."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from engine.errors import ExternalFailure
from engine.external import durable
from engine.external.cipher import HOME, Cipher, DataKey, Head, NoKey

BY_KEY_FILE = "key file"
"""The master of data keys that the home's own key wraps, as a shared catalog has them."""
_SECRET_BYTES, _ID_BYTES = 32, 8
_HOW_TO_COPY = "Copy the file {} from the home in which it was made, or put it back from a backup."


@dataclass(frozen=True)
class Wrapped:
    """A data key that only its master key opens."""

    id: str
    master: str
    """BY_KEY_FILE, or the ARN of a key in KMS."""
    wrapped: bytes


@dataclass(frozen=True)
class Known:
    """A data key, without its secret."""

    id: str
    master: str
    """Who wraps it; "" for one that lies in a file as it is."""
    created_at: datetime


class Shelf(Protocol):
    """Where wrapped keys are kept for all machines."""

    def all(self) -> Sequence[tuple[Wrapped, datetime]]:
        """All of them, with when they were made, oldest first."""

    def add(self, key: Wrapped, *, first: bool) -> Wrapped:
        """Keeps the key; with `first` only where there is none of KMS yet, and that one is returned otherwise."""


class Master(Protocol):
    """What wraps data keys."""

    def new(self, key_id: str) -> tuple[Wrapped, bytes]:
        """A new data key, wrapped and as it is. Raises ExternalFailure."""

    def unwrapped(self, key: Wrapped) -> bytes:
        """The secret of a data key that it has wrapped. Raises ExternalFailure."""


@dataclass(frozen=True)
class HomeMaster:
    """The home's own key, which all machines of a shared catalog have."""

    cipher: Cipher
    """That of the home's own key."""

    def new(self, key_id: str) -> tuple[Wrapped, bytes]:
        """As Master.new()."""
        secret = secrets.token_bytes(_SECRET_BYTES)
        return Wrapped(key_id, BY_KEY_FILE, self.cipher.seal(secret, f"data key {key_id}")), secret

    def unwrapped(self, key: Wrapped) -> bytes:
        """As Master.unwrapped()."""
        return self.cipher.open(key.wrapped, f"data key {key.id}")


class KeyFile:
    """Data keys of one machine: a file that only its owner can read, a JSON object a line, the newest last."""

    def __init__(self, path: Path) -> None:
        """`path` is made with the first key."""
        self.path = path

    def all(self) -> tuple[tuple[DataKey, datetime], ...]:
        """All of them, with when they were made. Raises ExternalFailure when the file cannot be read."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise ExternalFailure(f"The data keys in {self.path} cannot be read: {error}.") from error
        return tuple(self._read(line, number) for number, line in enumerate(lines, 1))

    def add(self, key: DataKey, created_at: datetime) -> None:
        """Keeps the key for good: it is there once this returns. Raises ExternalFailure."""
        told = {"id": key.id, "secret": base64.b64encode(key.secret).decode(), "created_at": created_at.isoformat()}
        try:
            with self._alone():
                before = self.path.read_bytes() if self.path.exists() else b""
                # people may have edited it, and left out the end of the last line
                ended = before if before.endswith(b"\n") or not before else before + b"\n"
                durable.write(self.path, ended + json.dumps(told).encode() + b"\n")
        except OSError as error:
            raise ExternalFailure(f"A data key cannot be written to {self.path}: {error.strerror}.") from error

    def _read(self, line: str, number: int) -> tuple[DataKey, datetime]:
        try:
            found = json.loads(line)
            secret = base64.b64decode(found["secret"], validate=True)
            if len(secret) != _SECRET_BYTES:
                raise ValueError("of another length")
            return DataKey(str(found["id"]), secret), datetime.fromisoformat(found["created_at"])
        except (ValueError, LookupError, TypeError):
            hint = "Put the file back from a backup: what its keys have sealed cannot be read without them."
            # from None: the error holds the line, and with it a secret
            raise ExternalFailure(f"Line {number} of {self.path} is no data key.", hint=hint) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        number = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            yield
        finally:
            os.close(number)


@dataclass(frozen=True)
class Sources:
    """Where the keys of one home come from."""

    file: KeyFile
    shelf: Shelf
    home: Master
    kms: Master | None
    """None where no key of KMS is named: what one has wrapped before is opened by `kms_of` all the same."""
    kms_of: Callable[[str], Master]
    """The ARN of a key in KMS -> that key."""
    is_shared: bool
    """Whether machines share the catalog."""
    kms_named: str = ""
    """What the settings call that key."""


class Ring:
    """All data keys of a home. A secret that KMS has unwrapped is kept in memory for as long as the process lives."""

    def __init__(self, sources: Sources, now: Callable[[], datetime]) -> None:
        self._from, self._now = sources, now
        self._opened: dict[tuple[str, str], DataKey] = {}
        """By id and wrapped form: an id alone may be claimed by anything that was sealed."""

    def newest(self) -> DataKey | None:
        """As Keys.newest(). With KMS the first one is made now; else there is none before rotate() was called."""
        if self._from.kms is not None:
            found = self._last_wrapped(by_kms=True)
            return self._unwrapped(found) if found else self._made(self._from.kms, first=True)
        if self._from.is_shared:
            found = self._last_wrapped(by_kms=False)
            return self._unwrapped(found) if found else None
        in_file = self._from.file.all()
        return in_file[-1][0] if in_file else None

    def rotate(self) -> DataKey:
        """A new key, which seals from now on, in every process. Raises ExternalFailure."""
        master = self._from.kms or (self._from.home if self._from.is_shared else None)
        if master is not None:
            return self._made(master, first=False)
        key = DataKey(_new_id(), secrets.token_bytes(_SECRET_BYTES))
        self._from.file.add(key, self._now())
        return key

    def opening(self, head: Head) -> DataKey:
        """As Keys.opening()."""
        found = self._opened.get((head["key"], head.get("wrapped", "")))
        return found or (self._enclosed(head) if "wrapped" in head else self._in_file(head["key"]))

    def known(self) -> list[Known]:
        """All keys, oldest first, without that of the home. Raises ExternalFailure."""
        in_file = [Known(key.id, "", created_at) for key, created_at in self._from.file.all()]
        wrapped = [Known(key.id, key.master, created_at) for key, created_at in self._from.shelf.all()]
        return sorted(in_file + wrapped, key=lambda key: key.created_at)

    def _last_wrapped(self, *, by_kms: bool) -> Wrapped | None:
        found = [key for key, _ in self._from.shelf.all() if (key.master != BY_KEY_FILE) is by_kms]
        return found[-1] if found else None

    def _made(self, master: Master, *, first: bool) -> DataKey:
        mine, secret = master.new(_new_id())
        kept = self._from.shelf.add(mine, first=first)
        if kept.id != mine.id:
            # another process was faster
            return self._unwrapped(kept)
        return self._remembered(kept, secret)

    def _unwrapped(self, key: Wrapped) -> DataKey:
        found = self._opened.get((key.id, _text(key.wrapped)))
        return found or self._remembered(key, self._master(key.master).unwrapped(key))

    def _remembered(self, key: Wrapped, secret: bytes) -> DataKey:
        envelope = {"master": key.master, "wrapped": _text(key.wrapped)}
        return self._opened.setdefault((key.id, envelope["wrapped"]), DataKey(key.id, secret, envelope))

    def _enclosed(self, head: Head) -> DataKey:
        """A key that came along with what it has sealed: readable also where the catalog was lost."""
        try:
            wrapped = base64.b64decode(head["wrapped"], validate=True)
        except ValueError:
            text = f"The data key {head['key']} is damaged, which came along with what it sealed."
            raise NoKey(text) from None
        master = head.get("master", "")
        if master not in self._masters():
            # whoever can write files must not be able to name a key of their own
            raise NoKey(
                f"The data key {head['key']} was wrapped with {master}, which this home has nothing to do with.",
                hint="If that is right, name that key with the setting kms_key, by its ARN.",
            )
        return self._unwrapped(Wrapped(head["key"], master, wrapped))

    def _masters(self) -> set[str]:
        return {BY_KEY_FILE, self._from.kms_named, *(key.master for key, _ in self._from.shelf.all())} - {""}

    def _master(self, name: str) -> Master:
        return self._from.home if name == BY_KEY_FILE else self._from.kms_of(name)

    def _in_file(self, key_id: str) -> DataKey:
        found = next((key for key, _ in self._from.file.all() if key.id == key_id), None)
        if found is None:
            path = self._from.file.path
            text = f"The data key {key_id} is not in {path}: what it has sealed cannot be read."
            raise NoKey(text, hint=_HOW_TO_COPY.format(path.name))
        return self._opened.setdefault((key_id, ""), found)


def is_open_to_others(path: Path) -> bool:
    """Whether everybody on this machine can read the file; False where there is none."""
    with suppress(OSError):
        return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    return False


def _text(wrapped: bytes) -> str:
    return base64.b64encode(wrapped).decode()


def _new_id() -> str:
    found = secrets.token_hex(_ID_BYTES)
    assert found != HOME
    return found
