"""Where Terraform keeps state, and how it is read, written and unlocked there: a class for each place."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from engine.core import s3
from engine.core.snapshots import Snapshot
from engine.errors import Conflict, ExternalFailure, NotFound
from engine.external import alive, aws_s3
from engine.external.cipher import Tampered
from engine.terraform import at_rest, statefile
from engine.terraform import files as safely
from engine.terraform.at_rest import Rest
from engine.terraform.backend import (
    Backend,
    LockInfo,
    held,
    how_displaced,
    in_doubt,
    lock_info,
    require_none_displaced,
    require_same,
)
from engine.terraform.statefile import State

logger = logging.getLogger(__name__)
STATE_FILE = at_rest.STATE_FILE
LOCK_INFO_FILE = f".{STATE_FILE}.lock.info"
LOCK_SUFFIX = ".tflock"
_PUSH = "landform state"
"""What a lock says that push() has taken."""
_HOW_MISSING = (
    f"Find out where it went, put it back, and run again; {STATE_FILE}.backup, if it is there, is the state before. "
    "If it is lost for good, terraform import in that folder makes a new one."
)
_HOW_MISSING_S3 = (
    "Find out who removed it; landform state list says what was kept, landform state rollback puts it back."
)
_HOW_DAMAGED_S3 = "See what was kept before: landform state list. To go back to that: landform state rollback."
_HOW_DAMAGED = f"{_HOW_DAMAGED_S3} The state before it is also beside it, in {STATE_FILE}.backup."


def of(stored: Mapping[str, Any], run_env: Mapping[str, str], rest: Rest | None = None) -> Backend:
    """The backend of an instance, from Instance.backend; `run_env` is what its Terraform is given for credentials, and
    `rest` how a state lies on this machine: None in clear text.
    """
    if not stored:
        return Managed(rest)
    place = s3.S3(stored["bucket"], "", stored["region"], stored["endpoint"], stored.get("kms", ""))
    return S3(place, stored["key"], run_env, Managed(rest))


def chosen(setting: str, address: str) -> dict[str, Any]:
    """What Instance.backend holds for a new instance: {} for `managed`, else one key in S3 for each address."""
    if setting == "managed":
        return {}
    place = s3.parse(setting)
    key = f"{place.prefix}{address}/{STATE_FILE}"
    kept = {"kind": "s3", "bucket": place.bucket, "key": key, "region": place.region, "endpoint": place.endpoint}
    return {**kept, "kms": place.kms} if place.kms else kept


def are_one_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two of what chosen() gives may be the same object, however it is reached."""
    return bool(one and other) and (one["bucket"], one["key"]) == (other["bucket"], other["key"])


class Managed(Backend):
    """State in the instance's own workspace, through Terraform's `local` backend (design D6)."""

    kind = "local"
    is_shared = False
    look_again_s = 0.5

    def __init__(self, rest: Rest | None = None) -> None:
        """`rest` encrypts the state while no Terraform works with it; None leaves it in clear text."""
        self.rest = rest

    def override(self) -> dict[str, object]:
        """The same for all instances, so that one prepared version fits them all."""
        return {"terraform": {"backend": {"local": {}}}}

    def where(self, folder: Path) -> str:
        """As Backend.where()."""
        return str(folder / STATE_FILE)

    def pull(self, folder: Path) -> State | None:
        """As Backend.pull()."""
        path = folder / STATE_FILE
        try:
            content = self.rest.content(folder) if self.rest else path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ExternalFailure(statefile.unreadable(str(path), str(error)), hint=_HOW_DAMAGED) from error
        except Tampered as error:
            sealed = str(folder / at_rest.SEALED_FILE)
            raise statefile.Damaged(statefile.unreadable(sealed, error.message), hint=_HOW_DAMAGED_S3) from error
        return statefile.read(content, str(path), _HOW_DAMAGED) if content is not None else None

    def working(self, folder: Path, run_id: int) -> AbstractContextManager[None]:
        """As Backend.working()."""
        return self.rest.working(folder, run_id) if self.rest else nullcontext()

    def lay_open(self, folder: Path) -> None:
        """Puts the state in clear text where people find it. Raises NotFound when there is none, ExternalFailure."""
        if self.pull(folder) is None:
            raise NotFound(f"There is no state in {folder}.")
        if self.rest is not None:
            self.rest.lay_open(folder)

    def push(self, folder: Path, content: bytes, expected: Snapshot | None) -> None:
        """As Backend.push()."""
        if (holder := self.lock(folder)) is not None:
            raise held(self.where(folder), holder, outlives=False)
        require_same(self.pull(folder), expected, self.where(folder))
        if self.rest is not None:
            self.rest.put(folder, content)
            return
        safely.folder(folder)
        safely.put(folder, STATE_FILE, content, folder / ".landform.tmp")

    def stamp(self, folder: Path) -> str:
        """As Backend.stamp()."""
        return _stamp(folder / STATE_FILE) or _stamp(folder / at_rest.SEALED_FILE)

    def lock(self, folder: Path) -> LockInfo | None:
        """As Backend.lock(). What Terraform wrote down stays after a kill; the lock itself goes with its process."""
        try:
            info = lock_info((folder / LOCK_INFO_FILE).read_bytes())
        except OSError:
            return None
        return info if at_rest.is_locked(folder / STATE_FILE) else None

    def unlock(self, folder: Path, lock_id: str) -> None:
        """As Backend.unlock(): the system does so when the holder ends, and for nobody else."""
        holder = self.lock(folder)
        if holder is not None and holder.id == lock_id:
            raise held(self.where(folder), holder, outlives=False)

    def clear(self, folder: Path) -> None:
        """As Backend.clear(): a push() here takes none."""

    def require_in_place(self, folder: Path, was_written: Callable[[], bool]) -> None:
        """As Backend.require_in_place()."""
        require_none_displaced(folder, STATE_FILE)
        if self.pull(folder) is None and was_written():
            raise in_doubt(f"{folder / STATE_FILE}, which Terraform has written, is missing or empty", _HOW_MISSING)

    def retire(self, folder: Path, backup: Path) -> None:
        """As Backend.retire()."""
        try:
            if self.rest is not None:
                self.rest.retire(folder, backup)
                return
            (folder / STATE_FILE).replace(backup)
        except FileNotFoundError:
            return
        except OSError as error:
            raise safely.cannot("move", folder / STATE_FILE, error) from error


class S3(Backend):
    """State in S3, through Terraform's `s3` backend with its lock file: for teams that share it with other tools."""

    kind = "s3"
    is_shared = True
    look_again_s = 5.0

    def __init__(self, place: s3.S3, key: str, run_env: Mapping[str, str], here: Managed) -> None:
        """`here` is the place on this machine, where no state must be."""
        self._here = here
        self._key = key
        self._place = aws_s3.at(place, run_env)

    def override(self) -> dict[str, object]:
        """Where, and how; credentials are in the environment of the runs."""
        block: dict[str, object] = {"bucket": self._place.bucket, "key": self._key, "encrypt": True}
        block["use_lockfile"] = True
        if self._place.region:
            block["region"] = self._place.region
        if self._place.kms:
            block["kms_key_id"] = self._place.kms
        if self._place.endpoint:
            # not Amazon's: it knows no accounts, and need not know its checksums
            skipped = ("credentials_validation", "requesting_account_id", "metadata_api_check", "region_validation")
            block |= {f"skip_{name}": True for name in (*skipped, "s3_checksum")}
            block |= {"endpoints": {"s3": self._place.endpoint}, "use_path_style": True}
        return {"terraform": {"backend": {"s3": block}}}

    def where(self, folder: Path) -> str:
        """As Backend.where()."""
        return f"s3://{self._place.bucket}/{self._key}"

    def pull(self, folder: Path) -> State | None:
        """As Backend.pull()."""
        content = self._place.get(self._key)
        return statefile.read(content, self.where(folder), _HOW_DAMAGED_S3) if content else None

    def push(self, folder: Path, content: bytes, expected: Snapshot | None) -> None:
        """As Backend.push(), under a lock that Terraform respects."""
        self.clear(folder)
        lock_id = self._locked(folder)
        try:
            require_same(self.pull(folder), expected, self.where(folder))
            self._place.put(self._key, content)
        finally:
            self.unlock(folder, lock_id)

    def _locked(self, folder: Path) -> str:
        """The id of a lock that is ours from now on. Raises Busy while somebody holds the state."""
        lock_id = secrets.token_hex(16)
        mine = {"ID": lock_id, "Operation": _PUSH, "Who": f"landform@{os.uname().nodename}"}
        # the time is left open: clocks of machines differ, and nobody breaks a lock for its age
        rest = {"Info": json.dumps(alive.identity()), "Version": "", "Created": "0001-01-01T00:00:00Z"}
        text = json.dumps({**mine, **rest, "Path": self._key})
        if not self._place.put(self._key + LOCK_SUFFIX, text.encode(), anew=True):
            holder = self.lock(folder)
            # S3 is asked again where an answer was lost, and then finds what the first try has written
            if holder is None or holder.id != lock_id:
                raise held(self.where(folder), holder, outlives=True)
        return lock_id

    def working(self, folder: Path, run_id: int) -> AbstractContextManager[None]:
        """As Backend.working(): nothing is to be done."""
        return nullcontext()

    def stamp(self, folder: Path) -> str:
        """As Backend.stamp()."""
        return self._place.stamp(self._key)

    def lock(self, folder: Path) -> LockInfo | None:
        """As Backend.lock(): the object stays until somebody removes it, whatever became of the holder."""
        content = self._place.get(self._key + LOCK_SUFFIX)
        return lock_info(content) if content is not None else None

    def unlock(self, folder: Path, lock_id: str) -> None:
        """As Backend.unlock()."""
        holder = self.lock(folder)
        if holder is not None and holder.id != lock_id:
            raise Conflict(
                f"{self.where(folder)} is locked by {holder.who} since {holder.created}, and not by lock {lock_id}.",
                hint="Find out what they do; it is theirs to unlock.",
            )
        if holder is not None:
            self._place.delete(self._key + LOCK_SUFFIX)

    def clear(self, folder: Path) -> None:
        """As Backend.clear()."""
        holder = self.lock(folder)
        if holder is not None and holder.operation == _PUSH and _has_died(holder.info):
            logger.warning("a lock that a killed Landform left is removed", extra={"lock": holder.id})
            self.unlock(folder, holder.id)

    def require_in_place(self, folder: Path, was_written: Callable[[], bool]) -> None:
        """As Backend.require_in_place()."""
        require_none_displaced(folder, self.where(folder))
        if self._here.pull(folder) is not None:
            raise in_doubt(f"{folder / STATE_FILE} holds a state", how_displaced(self.where(folder)))
        if self.pull(folder) is None and was_written():
            raise in_doubt(f"{self.where(folder)}, which Terraform has written, is missing or empty", _HOW_MISSING_S3)

    def retire(self, folder: Path, backup: Path) -> None:
        """As Backend.retire()."""
        content = self._place.get(self._key)
        if content is not None:
            if self._here.rest is not None:
                self._here.rest.write(backup, content)
            else:
                safely.put(backup.parent, backup.name, content, backup.with_suffix(".tmp"))
            self._place.delete(self._key)


def _has_died(info: str) -> bool:
    """Whether the process that a lock names is gone for certain."""
    try:
        who = json.loads(info)
    except ValueError:
        return False
    return isinstance(who, dict) and alive.is_alive(who) is False


def _stamp(path: Path) -> str:
    try:
        seen = os.stat(path)
    except OSError:
        return ""
    return f"{seen.st_mtime_ns} {seen.st_size} {seen.st_ino}" if seen.st_size else ""
