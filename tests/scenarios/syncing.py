"""What a home knows when a look at a branch was cut off in the middle."""

from __future__ import annotations

from engine import app, settings
from engine.core.syncs import Kind, Status
from tests.scenarios.world import World


def forget_the_end(world: World, kind: Kind, name: str, target: str) -> None:
    """As if the process had died after it had done its work, and before it noted what came of it."""
    opened = app.build(settings.load(home=str(world.home)))
    with opened.catalog.write() as tx:
        row = tx.last_attempt(tx.sync(kind, name), target)
        assert row is not None
        row.status, row.message, row.ended_at = Status.IN_PROGRESS.value, "", None
        tx.save(row)
    opened.close()
