"""Lists from a catalog of 100,000 instances and 1,000,000 runs, beside the same rows by a raw query.

Both open the file anew each time.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from engine.catalog.places import url_of
from engine.catalog.reads import Reads
from tests.bench.catalog_fill import filled
from tests.bench.pairs import in_turns, line

PAIRS = 30
PAGE = 50
ADDRESS = "service/service-00070/instance-03"
JOINS = (
    "FROM instance i JOIN version v ON v.id = i.version_id JOIN template t ON t.id = i.template_id"
    " JOIN version r ON r.id = t.recommended_id JOIN service s ON s.id = i.service_id"
    " JOIN instance e ON e.id = i.environment_id "
)
COLUMNS = (
    "i.address, i.kind, i.name, s.name, e.name, t.name, v.major, v.minor, r.major, r.minor, (SELECT max(n.minor)"
    " FROM version n WHERE n.template_id = v.template_id AND n.major = v.major AND n.status = 'published'), i.is_stale,"
    " i.stale, i.last_run_id, i.last_status, i.deployed_run_id, i.description, i.created_at, i.updated_at "
)
RUN_COLUMNS = (
    "id, address, operation, status, template, update_kind, auto_approve, reason, requested_by, approved_by,"
    " approval_reason, retry_of, summary, message, attempt, cancel_requested_at, created_at, planned_at, approved_at,"
    " applied_at, ended_at "
)
LIST = f"SELECT {COLUMNS}{JOINS}WHERE i.address > 'service/service-05000' ORDER BY i.address LIMIT 50"
OUTDATED = (
    f"SELECT {COLUMNS}{JOINS}WHERE i.address > 'service/service-05000'"
    " AND (v.major, v.minor) < (r.major, r.minor) ORDER BY i.address LIMIT 50"
)
HISTORY = f"SELECT {RUN_COLUMNS}FROM run WHERE address = '{ADDRESS}' ORDER BY id DESC LIMIT 50"


def main(path: Path | None = None) -> None:
    """Prints the measurements, of the catalog file at `path` if one is given; it is filled when it is not there."""
    with tempfile.TemporaryDirectory() as folder:
        measure(filled(path or Path(folder) / "catalog.db"))


def measure(path: Path) -> None:
    """Prints a line for each list."""
    reads = Reads(url_of(path))
    after = "service/service-05000"
    cases: tuple[tuple[str, Callable[[], list[object]], str], ...] = (
        ("catalog-list-page", lambda: [*reads.service_instances(after=after, limit=PAGE)], LIST),
        ("catalog-outdated-page", lambda: [*reads.service_instances(after=after, outdated=True, limit=PAGE)], OUTDATED),
        ("catalog-history-page", lambda: [*reads.history(ADDRESS, limit=PAGE)], HISTORY),
    )
    for name, ours, query in cases:
        theirs = partial(raw, path, query)
        assert len(ours()) == len(theirs()) > 0
        print(line(name, *in_turns((ours, theirs), PAIRS)))


def raw(path: Path, query: str) -> list[object]:
    """The rows as a script would fetch them."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
