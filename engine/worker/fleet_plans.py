"""Plans of one template version for many instances side by side, where nothing that they share is done twice."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.core import bundle
from engine.core.plans import Shape
from engine.core.previews import Fleet, Member, Preview, Seen
from engine.errors import Cancelled, LandformError
from engine.worker import speculation
from engine.worker.following import watch_nothing
from engine.worker.memory import Memory
from engine.worker.work import Work, wanted

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.external.process import Stop
    from engine.worker.ground import Ground


@dataclass(frozen=True)
class Crew:
    """How it is gone about."""

    parallel: int
    """Plans side by side."""
    stop: Stop
    watch: Callable[[str, Seen | None], None]
    """Called with an address when its plan begins, and again with what came of it."""


def preview(catalog: Catalog, ground: Ground, fleet: Fleet, crew: Crew) -> Preview:
    """What the version comes to for every instance of the fleet; nothing of them is touched.

    When it is stopped, what was planned by then, and whom it did not come to. What goes wrong with one instance is told
    of that one. Raises what cannot be the fault of any.
    """
    begun = time.monotonic()
    ids = [member.candidate.instance_id for member in fleet.members]
    found = list(_planned(_works(catalog, fleet), shared(catalog, ground, ids, crew.parallel), crew))
    seen = [each for each in found if isinstance(each, Seen)]
    return Preview(
        fleet.template,
        fleet.status,
        tuple(sorted((*fleet.unfit, *seen), key=lambda each: each.address)),
        fleet.left_out,
        tuple(sorted(each for each in found if isinstance(each, str))),
        crew.parallel,
        time.monotonic() - begun,
    )


def shared(catalog: Catalog, ground: Ground, instance_ids: Sequence[int], parallel: int) -> Ground:
    """The ground for plans of these instances, so many side by side, where what they have in common is found out once.

    It is for minutes: what changes meanwhile is not seen.
    """
    with catalog.read() as tx:
        lately = tx.newest_snapshots(instance_ids)
    # where as many plans as there are cores go on at once, threads of one that run side by side cost a sixth more
    tuning = {"GOMAXPROCS": str(max(1, (os.cpu_count() or 1) // parallel))}
    return replace(ground, memory=Memory(), tuning=tuning, harvest=replace(ground.harvest, lately=lately))


def _works(catalog: Catalog, fleet: Fleet) -> list[tuple[Member, Work]]:
    """What each of them needs; one that has gone meanwhile is left out."""
    members = {member.candidate.instance_id: member for member in fleet.members}
    with catalog.read() as tx:
        rows = tx.all_related(list(members), fleet.version_id)
        facts = bundle.from_json(rows[0].version.facts) if rows else None
        found = [(members[row.instance.id or 0], row) for row in rows]
        return [(member, wanted(row, member.inputs, facts)) for member, row in found]


def _planned(works: Iterable[tuple[Member, Work]], ground: Ground, crew: Crew) -> Iterable[Seen | str]:
    """What came of each, or the address of one that it did not come to."""
    with ThreadPoolExecutor(crew.parallel, thread_name_prefix="preview") as pool:
        return pool.map(lambda each: _seen(ground, crew, *each), works)


def _seen(ground: Ground, crew: Crew, member: Member, work: Work) -> Seen | str:
    candidate = member.candidate
    if crew.stop.requested:
        return candidate.address
    crew.watch(candidate.address, None)
    begun = time.monotonic()
    seen = Seen(candidate.address, candidate.environment, str(candidate.number), Shape.FAIL)
    try:
        plan = speculation.planned(ground, work, crew.stop, watch_nothing, guarded=True)
        shape, summary = plan.summary.shape, plan.summary
        seen = replace(seen, shape=shape, summary=summary, notes=plan.notes, refusals=plan.refusals)
    except LandformError as error:
        if isinstance(error, Cancelled) and crew.stop.requested:
            return candidate.address
        seen = replace(seen, message=str(error), hint=error.hint)
    seen = replace(seen, seconds=time.monotonic() - begun)
    crew.watch(candidate.address, seen)
    return seen
