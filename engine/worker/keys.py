"""The keys of a home: its secret, the data keys beside it, and the proof that all machines have the same."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from engine.catalog.data_keys import CatalogKeys
from engine.core import kms
from engine.errors import Conflict, LandformError
from engine.external.aws import Access
from engine.external.aws_kms import Kms
from engine.external.cipher import Cipher
from engine.external.keyring import HomeMaster, KeyFile, Ring, Sources, is_open_to_others

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.settings import Settings

logger = logging.getLogger(__name__)
CHECK = "key-check"
"""The blob that tells which key the machines of a catalog have."""
_FILE = "key"
_BYTES = 32


def secret(settings: Settings) -> bytes:
    """The secret in the file that the settings name, else that of the home, which is made on first use.

    Raises LandformError when there is none, OSError.
    """
    file = _file(settings)
    if is_open_to_others(file):
        logger.warning("everybody on this machine can read the key: chmod 600 %s", file)
    if settings.key_file is None:
        return _key_of(settings.home)
    try:
        key = settings.key_file.read_bytes()
    except OSError as error:
        raise LandformError(f"The key file {settings.key_file} cannot be read: {error.strerror}.") from error
    if len(key) < _BYTES:
        raise LandformError(f"The key file {settings.key_file} has less than {_BYTES} bytes: it is no key.")
    return key


def ring(settings: Settings, catalog: Catalog, key: bytes, now: Callable[[], datetime]) -> Ring:
    """The data keys of the home, whose secret is `key`."""
    named = kms.parse(settings.kms_key) if settings.kms_key else kms.KmsKey("")
    file = _file(settings)
    sources = Sources(
        file=KeyFile(file.with_name(f"{file.name}s")),
        shelf=CatalogKeys(catalog),
        home=HomeMaster(Cipher(key)),
        kms=Kms(Access(region=named.region, endpoint=named.endpoint), named.key) if named.key else None,
        kms_of=lambda arn: Kms(Access(region=kms.region_of(arn), endpoint=named.endpoint), arn),
        is_shared=catalog.is_shared,
        kms_named=named.key,
    )
    return Ring(sources, now)


def require_same(catalog: Catalog, cipher: Cipher) -> None:
    """Raises Conflict when the machines that share the catalog have another key; the first one says which it is."""
    if not catalog.is_shared:
        return
    with catalog.read() as tx:
        known = tx.blob(CHECK)
    if known is None:
        with catalog.write() as tx:
            known = tx.blob(CHECK) or cipher.check_value()
            tx.put_blob(CHECK, known)
    if not secrets.compare_digest(known, cipher.check_value()):
        catalog.close()
        raise Conflict(
            f"The key of this home is not the one with which the catalog {catalog} was begun.",
            hint="All machines need the same: copy the file `key` from the home of the first one, and name it with "
            "LANDFORM_KEY_FILE.",
        )


def _file(settings: Settings) -> Path:
    return settings.key_file or settings.home / _FILE


def _key_of(home: Path) -> bytes:
    """The home's secret, made on first use; two processes that make it at once agree on one."""
    file = home / _FILE
    if not file.exists():
        with NamedTemporaryFile(dir=home, prefix=f".{_FILE}.") as mine:
            mine.write(secrets.token_bytes(_BYTES))
            mine.flush()
            os.fsync(mine.fileno())
            with suppress(FileExistsError):
                os.link(mine.name, file)
    return file.read_bytes()
