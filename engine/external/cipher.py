"""Encryption of what leaves the home or lies in it for long: the only user of `cryptography`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from engine.errors import ExternalFailure

HOME = "home"
"""What the home's own key is called among data keys."""
_BY_HOME = b"LF1\0"
"""What bytes begin with that the home's own key has sealed; another way to seal gets another one."""
_BY_DATA_KEY = b"LF2\0"
"""The same for a data key: two bytes with the length of a JSON object follow, and that, which says which key it was."""
_PURPOSE = b"landform: seal 1"
_NONCE_BYTES, _LENGTH_BYTES = 12, 2
Head = Mapping[str, str]
"""{"key": id} of a data key and, where it travels along, {"master", "wrapped"}."""


class Tampered(ExternalFailure):
    """What was sealed is not any more what it was."""


class NoKey(ExternalFailure):
    """The key that sealed something is not to be had here."""


@dataclass(frozen=True)
class DataKey:
    """A key that values are encrypted with."""

    id: str
    secret: bytes = field(repr=False)
    """32 bytes."""
    envelope: Mapping[str, str] = field(default_factory=dict)
    """What of it stands at the head of all that it seals: enough for whoever has the master key to have it too."""


class Keys(Protocol):
    """The data keys of a home."""

    def newest(self) -> DataKey | None:
        """The one to seal with; None means the home's own key. Raises ExternalFailure."""

    def opening(self, head: Head) -> DataKey:
        """The one that sealed what has this head. Raises ExternalFailure when it is not to be had."""


class Cipher:
    """Seals with the newest data key and opens with whichever it was, by AES-256-GCM; without data keys, under a key
    that is derived from the home's.
    """

    def __init__(self, key: bytes, keys: Keys | None = None) -> None:
        """`key` is the home's secret; it is used for fingerprints too, so it never becomes the key itself."""
        self._key = hmac.new(key, _PURPOSE, hashlib.sha256).digest()
        self._keys = keys

    def seal(self, plain: bytes, context: str) -> bytes:
        """The bytes, so that only open() with the same keys and `context` gives them back. Raises ExternalFailure when
        a data key is not to be had.
        """
        return self._sealed(self._newest(), plain, context)

    def seal_for_others(self, plain: bytes, context: str) -> bytes:
        """As seal(), for homes that have the same key and nothing else of this one."""
        found = self._newest()
        return self._sealed(found if found and found.envelope else None, plain, context)

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed under that `context`.

        Raises Tampered when it was changed, was sealed for another context, or by another home's key; ExternalFailure
        when the key is not to be had.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not is_sealed(sealed):
            raise Tampered(f"{context} cannot be read: it was not sealed by this version of Landform.")
        size = _head_bytes(sealed)
        head, nonce, content = sealed[:size], sealed[size:][:_NONCE_BYTES], sealed[size + _NONCE_BYTES :]
        try:
            return AESGCM(self._opening(head, context)).decrypt(nonce, content, head + context.encode())
        except (InvalidTag, ValueError) as error:
            _changed(context, error)

    def key_of(self, sealed: bytes) -> str:
        """The id of the data key that sealed it, HOME for the home's own; "" for what is in clear text."""
        if not is_sealed(sealed):
            return ""
        try:
            return _told(sealed[: _head_bytes(sealed)]).get("key", HOME)
        except ValueError:
            return "?"

    def newest(self) -> str:
        """What key_of() says of what is sealed now. Raises ExternalFailure."""
        found = self._newest()
        return found.id if found else HOME

    def opens_elsewhere(self, sealed: bytes) -> bool:
        """Whether a home that has the same key, and nothing else of this one, may be able to open it."""
        return sealed.startswith(_BY_HOME) or b'"wrapped"' in sealed[: _head_bytes(sealed)]

    def check_value(self) -> bytes:
        """What tells whether two homes have the same key, and nothing about the key."""
        return hmac.new(self._key, b"landform: same key", hashlib.sha256).hexdigest().encode()

    def _newest(self) -> DataKey | None:
        return self._keys.newest() if self._keys else None

    def _sealed(self, key: DataKey | None, plain: bytes, context: str) -> bytes:
        # imported late: it takes 20 ms, and most commands seal nothing
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head = _head(key) if key else _BY_HOME
        nonce = os.urandom(_NONCE_BYTES)
        cipher = AESGCM(key.secret if key else self._key)
        return head + nonce + cipher.encrypt(nonce, plain, head + context.encode())

    def _opening(self, head: bytes, context: str) -> bytes:
        if head.startswith(_BY_HOME):
            return self._key
        try:
            told = _told(head)
        except ValueError as error:
            _changed(context, error)
        if self._keys is None:
            raise NoKey(f"{context} cannot be read: it was sealed with data key {told.get('key')}.")
        return self._keys.opening(told).secret


def is_sealed(content: bytes) -> bool:
    """Whether the bytes are what a Cipher has made."""
    return content.startswith((_BY_HOME, _BY_DATA_KEY))


def _head(key: DataKey) -> bytes:
    text = json.dumps({"key": key.id, **key.envelope}).encode()
    return _BY_DATA_KEY + len(text).to_bytes(_LENGTH_BYTES, "big") + text


def _head_bytes(sealed: bytes) -> int:
    if sealed.startswith(_BY_HOME):
        return len(_BY_HOME)
    start = len(_BY_DATA_KEY) + _LENGTH_BYTES
    return start + int.from_bytes(sealed[len(_BY_DATA_KEY) : start], "big")


def _told(head: bytes) -> dict[str, str]:
    """What a head says; nothing for that of the home's own key. Raises ValueError when it is damaged."""
    if head.startswith(_BY_HOME):
        return {}
    try:
        found = json.loads(head[len(_BY_DATA_KEY) + _LENGTH_BYTES :])
    except RecursionError as error:
        raise ValueError("it is too deep") from error
    if not isinstance(found, dict) or not isinstance(found.get("key"), str):
        raise ValueError("it names no key")
    return {str(name): str(value) for name, value in found.items()}


def _changed(context: str, error: Exception) -> NoReturn:
    raise Tampered(
        f"{context} cannot be read: it was changed, or sealed with another home's key.",
        hint="Compare the key of this home with that of the home that wrote it; see the setting key_file.",
    ) from error
