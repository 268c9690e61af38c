"""What is measured of a catalog: counts and ages over all that is in it. Looks at every run and instance."""

from __future__ import annotations

from datetime import datetime

from engine.catalog.reads import Reads
from engine.core.metrics import InstanceCount, Measured, Took
from engine.core.runs import ACTIVE, EXECUTING

_WAITING = ", ".join(f"'{status.value}'" for status in sorted(ACTIVE - EXECUTING))
_OLDEST = " ".join(
    (
        "SELECT status, min(coalesce(approved_at, planned_at, created_at)) AS since_at FROM run",
        f"WHERE status IN ({_WAITING}) GROUP BY status",
    )
)
_INSTANCES = (
    "SELECT kind, last_status AS status, count(*) AS count, sum(CASE WHEN is_stale THEN 1 ELSE 0 END) AS stale_ones, "
    "sum(CASE WHEN diverged <> '' THEN 1 ELSE 0 END) AS diverged FROM instance GROUP BY kind, last_status "
    "ORDER BY kind, last_status"
)


class Measures(Reads):
    """The catalog of an URL, measured. Where there is no catalog yet, everything is zero."""

    def measured(self, now: datetime, version: str) -> Measured:
        """Everything, as it is now. Raises as any of the reads."""
        counts = self.run_counts()
        since = {row["status"]: datetime.fromisoformat(row["since_at"]) for row in self._rows(_OLDEST)}
        return Measured(
            version,
            runs={(row["operation"], row["status"]): row["count"] for row in counts["runs"]},
            # what another machine has just written may come from a clock that is ahead
            waiting_s={status: max(0.0, (now - begun).total_seconds()) for status, begun in since.items()},
            plans=Took(**counts["plans"]),
            applies=Took(**counts["applies"]),
            workers=counts["workers"],
            instances=tuple(
                InstanceCount(row["kind"], row["status"], row["count"], row["stale_ones"], row["diverged"])
                for row in self._rows(_INSTANCES)
            ),
        )
