"""A plan on its way to the machine that applies it, together with the lock file of its providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.fingerprint import file_digest
from engine.terraform import files as safely
from engine.terraform.preparation import LOCK_FILE
from engine.worker.keeping import Claim, plan_name, provider_lock_name

if TYPE_CHECKING:
    from engine.worker.ground import Ground
    from engine.worker.work import Work

_TEMPORARY = ".landform.tmp"


def keep(ground: Ground, work: Work) -> None:
    """Keeps the run's plan, which has just been made here. Raises Conflict when another worker has the run by now: what
    was made here would take the place of that one's plan. LandformError.
    """
    claim = Claim(work.run_id, work.fence)
    if (plan := ground.plan_file(work.address, work.run_id).content()) is not None:
        ground.keeping.keep(plan_name(work.run_id), plan, claim)
    if (lock := ground.provider_lock(work)) is not None:
        ground.keeping.keep(provider_lock_name(work.run_id), lock, claim)


def bring(ground: Ground, work: Work) -> None:
    """Brings the run's plan here where another machine has made it, and the lock file of its providers into the
    workspace. What is not kept stays away: the fingerprint tells. Raises LandformError.
    """
    plan, wanted = ground.plan_file(work.address, work.run_id), work.planned_with.get("plan file", "")
    if wanted and plan.digest() != wanted:
        content = ground.keeping.fetch(plan_name(work.run_id))
        if content is not None:
            plan.keep(content)
    _fetch_lock(ground, work, work.planned_with.get("provider lock", ""))


def _fetch_lock(ground: Ground, work: Work, wanted: str) -> None:
    """Writes the lock file of providers that is kept, where another one than the `wanted` one is here."""
    before = ground.provider_lock(work)
    if not wanted or (before is not None and file_digest(before) == wanted):
        return
    content = ground.keeping.fetch(provider_lock_name(work.run_id))
    if content is not None:
        root = ground.root(work)
        safely.put(root, LOCK_FILE, content, root / _TEMPORARY)
