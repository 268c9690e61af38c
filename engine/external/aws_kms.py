"""Data keys that a key of AWS KMS makes and opens: the only place that knows that service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import ExternalFailure
from engine.external.aws import Access, AwsRefusal
from engine.external.keyring import Wrapped

_CONTEXT = {"landform": "data key"}
"""What KMS binds wrapped keys to, and writes into its own log: one that was wrapped for something else is refused."""
_HINTS = {
    "AccessDeniedException": "The credentials of Landform need kms:GenerateDataKey and kms:Decrypt for that key.",
    "DisabledException": "Somebody has disabled it: aws kms enable-key",
    "KMSInvalidStateException": "It is to be deleted, or was not completed: aws kms cancel-key-deletion, or aws kms "
    "describe-key.",
    "NotFoundException": "See those that are there: aws kms list-aliases. Region and endpoint stand after a ? in the "
    "setting kms_key.",
    "IncorrectKeyException": "It was wrapped with another key than the one that is said here.",
    "InvalidCiphertextException": "It was changed, or was wrapped for something else than Landform.",
    "InvalidKeyUsageException": "A symmetric key for encrypting and decrypting is needed.",
    "ExpiredTokenException": "Get new credentials, then try again.",
    "UnrecognizedClientException": "The credentials are not known there: check AWS_PROFILE or AWS_ACCESS_KEY_ID.",
}


@dataclass(frozen=True)
class Kms:
    """One key of KMS, as a keyring.Master."""

    access: Access
    key: str
    """Its ARN, id or alias."""

    def new(self, key_id: str) -> tuple[Wrapped, bytes]:
        """As Master.new(): KMS makes it, and keeps nothing of it."""
        answer = self._ask("cannot make a data key", "generate_data_key", KeySpec="AES_256")
        return Wrapped(key_id, str(answer["KeyId"]), bytes(answer["CiphertextBlob"])), bytes(answer["Plaintext"])

    def unwrapped(self, key: Wrapped) -> bytes:
        """As Master.unwrapped()."""
        answer = self._ask(f"cannot open the data key {key.id}", "decrypt", CiphertextBlob=key.wrapped)
        return bytes(answer["Plaintext"])

    def _ask(self, doing: str, method: str, **given: object) -> dict[str, Any]:
        text = f"The KMS key {self.key} {doing}"
        try:
            with self.access.asking("kms", text) as client:
                answer: dict[str, Any] = getattr(client, method)(KeyId=self.key, EncryptionContext=_CONTEXT, **given)
                return answer
        except AwsRefusal as error:
            hint = _HINTS.get(error.code, "")
            raise ExternalFailure(f"{text}: KMS answers {error.code or 'with an error'}.", hint=hint) from error
