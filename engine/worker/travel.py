"""A plan on its way to the machine that applies it, together with the lock file of its providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.fingerprint import file_digest
from engine.terraform import files as safely
from engine.terraform.preparation import LOCK_FILE
from engine.worker.keeping import Claim, plan_name, provider_lock_name

if TYPE_CHECKING:
    from pathlib import Path

    from engine.worker.ground import Ground
    from engine.worker.work import Work

_TEMPORARY = ".landform.tmp"


def keep(ground: Ground, work: Work) -> None:
    """Keeps the run's plan, which has just been made here. Raises Conflict when another worker has the run by now: what
    was made here would take the place of that one's plan. LandformError.
    """
    for name, path in _files(ground, work).items():
        if path.exists():
            ground.keeping.keep(name, path.read_bytes(), Claim(work.run_id, work.fence))


def bring(ground: Ground, work: Work) -> None:
    """Brings the run's plan here where another machine has made it, and the lock file of its providers into the
    workspace. What is not kept stays away: the fingerprint tells. Raises LandformError.
    """
    plan, lock = _files(ground, work).items()
    _fetch(ground, *plan, work.planned_with.get("plan file", ""))
    _fetch(ground, *lock, work.planned_with.get("provider lock", ""))


def _files(ground: Ground, work: Work) -> dict[str, Path]:
    return {
        plan_name(work.run_id): ground.plan_file(work.address, work.run_id),
        provider_lock_name(work.run_id): ground.root(work) / LOCK_FILE,
    }


def _fetch(ground: Ground, name: str, path: Path, wanted: str) -> None:
    """Writes what is kept under the name, where `path` does not hold the file with the `wanted` digest already."""
    if not wanted or (path.exists() and file_digest(path.read_bytes()) == wanted):
        return
    content = ground.keeping.fetch(name)
    if content is not None:
        safely.put(path.parent, path.name, content, path.parent / _TEMPORARY)
