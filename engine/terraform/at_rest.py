"""A state in a workspace while no Terraform works with it: encrypted. The only place that opens it, and seals it again.

Where the state lies in clear text too, that one counts: it is the newer one, or the same. It is removed only when what
is sealed is safely on the disk, so whoever dies between any two steps loses nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.errors import Busy, LandformError
from engine.external import alive
from engine.external.cipher import Cipher, Tampered, is_sealed
from engine.terraform import files as safely
from engine.terraform import statefile

logger = logging.getLogger(__name__)
STATE_FILE = "terraform.tfstate"
SEALED_FILE = f"{STATE_FILE}.sealed"
MARKS = "opened"
"""The folder of a home where it is noted which states lie in clear text now."""
_NEW_FILE, _BACKUP_FILE = f"{STATE_FILE}.new", f"{STATE_FILE}.backup"
_TRIES, _PAUSE_S = 100, 0.05


@dataclass(frozen=True)
class Mark:
    """Who has a state in clear text, so that somebody else can seal it when that one has died."""

    address: str
    run_id: int
    """0 for nobody's."""
    token: str
    who: Mapping[str, Any] = field(default_factory=dict)
    """As external.alive.identity() has it."""
    pair: str = ""
    """Digest of what was opened, sealed and in clear text; "" when the state lay there in clear text."""


@dataclass(frozen=True)
class Rest:
    """The state of one instance on this machine. `folder` is always the one in which its Terraform runs."""

    cipher: Cipher
    address: str
    marks: Path
    """The folder MARKS of the home."""

    @property
    def context(self) -> str:
        """What its sealed files are bound to."""
        return f"workspaces/{self.address}"

    def content(self, folder: Path) -> bytes | None:
        """The state's bytes; None when there is none. Raises OSError, ExternalFailure: Tampered when it was changed."""
        clear = _bytes(folder / STATE_FILE)
        if _says_something(clear):
            return clear
        sealed = _bytes(folder / SEALED_FILE)
        # Terraform empties the file before it writes: one that is empty says nothing
        return clear if sealed is None else self.cipher.open(sealed, self.context)

    @contextmanager
    def working(self, folder: Path, run_id: int) -> Iterator[None]:
        """While the block runs, Terraform finds the state, in clear text. Raises LandformError before that."""
        token = self.begin(folder, run_id)
        try:
            yield
        finally:
            try:
                self.end(folder, token)
            except LandformError as error:
                # whatever Terraform has done is done; whoever works here next tries again
                logger.warning("a state stays in clear text: %s", error.message, extra={"address": self.address})

    def end(self, folder: Path, token: str) -> None:
        """Seals the state, unless somebody else works with it by now. Raises LandformError."""
        if not folder.exists():
            self._mark_file.unlink(missing_ok=True)
            return
        with self._alone(folder):
            mark = _mark(self._mark_file)
            if mark is not None and mark.token == token and self.settle(folder, mark.pair):
                self._mark_file.unlink(missing_ok=True)

    def settle(self, folder: Path, known: str = "") -> bool:
        """Leaves nothing of the state in clear text; `known` is the Mark.pair of whoever opened it.

        False when a Terraform holds it now. One that is damaged is left to people. Raises LandformError.
        """
        path = folder / STATE_FILE
        if is_locked(path):
            return False
        try:
            content = _bytes(path)
            if content and _says_something(content):
                statefile.parse(content)
                self._seal(folder / SEALED_FILE, content, known)
            elif not (folder / SEALED_FILE).exists():
                # the backup may be all that there is
                return True
            for name in (STATE_FILE, _BACKUP_FILE, _NEW_FILE):
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise safely.cannot("seal", path, error) from error
        except (ValueError, RecursionError) as error:
            logger.warning("a damaged state stays as it is: %s", error, extra={"address": self.address})
        return True

    def renew(self, folder: Path) -> bool:
        """Seals the state with the newest key. False when somebody works with it now: who does, will. LandformError."""
        with self._alone(folder):
            mark = _mark(self._mark_file)
            if mark is not None and alive.is_alive(mark.who) is not False:
                return False
            if _says_something(_bytes(folder / STATE_FILE)):
                # beside a sealed one, and nobody's: people have laid it open, and the next run seals it
                return not (mark is None and (folder / SEALED_FILE).exists()) and self.settle(folder)
            return self.renew_file(folder / SEALED_FILE)

    def renew_file(self, path: Path) -> bool:
        """Seals a state that has been put aside with the newest key, also one that lies there in clear text.

        Raises LandformError, Tampered among them.
        """
        content = _bytes(path)
        if content is not None and self.cipher.key_of(content) != self.cipher.newest():
            self.write(path, self.opened(content))
        return True

    def opened(self, content: bytes) -> bytes:
        """What a file of this instance holds, sealed or not. Raises ExternalFailure."""
        return self.cipher.open(content, self.context) if is_sealed(content) else content

    def lay_open(self, folder: Path) -> None:
        """Puts the state in clear text where Terraform looks for it, until the next run. Raises LandformError."""
        with self._alone(folder):
            content = self.content(folder)
            # what a process has left that died: from now on it is left there on purpose
            self._mark_file.unlink(missing_ok=True)
            if content:
                safely.put(folder, STATE_FILE, content, folder / _NEW_FILE)

    def put(self, folder: Path, content: bytes) -> None:
        """Makes the bytes the state, in one step. Raises LandformError."""
        safely.folder(folder)
        with self._alone(folder):
            self.write(folder / SEALED_FILE, content)
            # that is the step, where one lies there in clear text
            for name in (STATE_FILE, _BACKUP_FILE, _NEW_FILE):
                (folder / name).unlink(missing_ok=True)

    def retire(self, folder: Path, backup: Path) -> None:
        """Takes the state away, to `backup`, sealed; that there is none is fine. Raises OSError, LandformError."""
        with suppress(FileNotFoundError), self._alone(folder):
            try:
                content = self.content(folder)
            except Tampered:
                (folder / SEALED_FILE).replace(backup)
                return
            if content is not None:
                self.write(backup, content)
            # last of all the one that counts
            for name in (_BACKUP_FILE, _NEW_FILE, SEALED_FILE, STATE_FILE):
                (folder / name).unlink(missing_ok=True)

    def write(self, path: Path, content: bytes) -> None:
        """Writes the content to the path, sealed: it is on the disk once this returns. Raises LandformError."""
        sealed = self.cipher.seal(content, self.context)
        safely.put(path.parent, path.name, sealed, path.with_name(f"{path.name}.new"), durable=True)

    @property
    def _mark_file(self) -> Path:
        return self.marks / quote(self.address, safe="")

    def begin(self, folder: Path, run_id: int) -> str:
        """Puts the state in clear text where Terraform looks for it; the token for end(). Raises LandformError."""
        token = secrets.token_hex(8)
        safely.folder(folder)
        with self._alone(folder):
            sealed = None if _says_something(_bytes(folder / STATE_FILE)) else _bytes(folder / SEALED_FILE)
            content = b"" if sealed is None else self.cipher.open(sealed, self.context)
            pair = "" if sealed is None else _pair(sealed, content)
            text = json.dumps(asdict(Mark(self.address, run_id, token, alive.identity(), pair)))
            name = self._mark_file.name
            safely.put(safely.folder(self.marks), name, text.encode(), self.marks / f".{name}")
            if content:
                safely.put(folder, STATE_FILE, content, folder / _NEW_FILE)
        return token

    def _seal(self, path: Path, content: bytes, known: str) -> None:
        """Seals the content, unless that is there already, sealed with the newest key."""
        before = _bytes(path)
        is_there = before is not None and known == _pair(before, content)
        if before is None or not is_there or self.cipher.key_of(before) != self.cipher.newest():
            self.write(path, content)

    @contextmanager
    def _alone(self, folder: Path) -> Iterator[None]:
        """Nobody else opens or seals this state meanwhile: a matter of milliseconds.

        Raises FileNotFoundError when there is no folder, Busy when somebody does not come to an end.
        """
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for _ in range(_TRIES):
                with suppress(BlockingIOError):
                    fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                time.sleep(_PAUSE_S)
            else:
                raise Busy(f"Somebody else seals the state in {folder}, and does not come to an end.")
            yield
        finally:
            os.close(number)


def of(cipher: Cipher, address: str, home: Path) -> Rest:
    """How the state of an instance lies in a home."""
    return Rest(cipher, address, home / MARKS)


def marks(folder: Path) -> list[Mark]:
    """The states that lie in clear text on this machine."""
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    return [mark for mark in map(_mark, found) if mark is not None]


def is_locked(path: Path) -> bool:
    """Whether another process holds the lock that Terraform takes on a state file."""
    try:
        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _mark(path: Path) -> Mark | None:
    """What is noted there; None when nothing is."""
    try:
        return Mark(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _says_something(content: bytes | None) -> bool:
    """Whether it is more than the empty file that Terraform writes into."""
    return content is not None and len(content) > 0 and not content.isspace()


def _pair(sealed: bytes, content: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(sealed).digest() + content).hexdigest()


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
