"""Encryption of what leaves the home or lies in its store of states: the only user of `cryptography`."""

from __future__ import annotations

import hashlib
import hmac
import os

from engine.errors import ExternalFailure

_HEADER = b"LF1\0"
"""What sealed bytes begin with; another way to seal gets another one."""
_PURPOSE = b"landform: seal 1"
_NONCE_BYTES = 12


class Cipher:
    """Seals and opens with AES-256-GCM, under a key that is derived from the home's."""

    def __init__(self, key: bytes) -> None:
        """`key` is the home's secret; it is used for fingerprints too, so it never becomes the key itself."""
        self._key = hmac.new(key, _PURPOSE, hashlib.sha256).digest()

    def seal(self, plain: bytes, context: str) -> bytes:
        """The bytes, so that only open() with the same key and `context` gives them back."""
        # imported late: it takes 20 ms, and most commands seal nothing
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        return _HEADER + nonce + AESGCM(self._key).encrypt(nonce, plain, _bound(context))

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed under that `context`.

        Raises ExternalFailure when it was changed, was sealed for another context, or with another key.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not sealed.startswith(_HEADER):
            raise ExternalFailure(f"{context} cannot be read: it was not sealed by this version of Landform.")
        nonce, content = sealed[len(_HEADER) :][:_NONCE_BYTES], sealed[len(_HEADER) + _NONCE_BYTES :]
        try:
            return AESGCM(self._key).decrypt(nonce, content, _bound(context))
        except (InvalidTag, ValueError) as error:
            raise ExternalFailure(
                f"{context} cannot be read: it was changed, or sealed with another home's key.",
                hint="Compare the key of this home with that of the home that wrote it; see the setting key_file.",
            ) from error

    def check_value(self) -> bytes:
        """What tells whether two homes have the same key, and nothing about the key."""
        return hmac.new(self._key, b"landform: same key", hashlib.sha256).hexdigest().encode()


def _bound(context: str) -> bytes:
    return _HEADER + context.encode()
