"""A catalog as a company has it after years: thousands of instances, each with its history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.catalog.catalog import Catalog
from engine.catalog.places import url_of
from engine.core.versions import TemplateKind, VersionStatus

ENVIRONMENTS = 50
TEMPLATES = 20
MAJORS = 3
MINORS = 4
WHEN = "2026-01-02 03:04:05.000000"


@dataclass(frozen=True)
class Size:
    """How much there is; the environments count as instances."""

    services: int
    instances: int
    runs: int


LARGE = Size(services=10_000, instances=100_000, runs=1_000_000)


def filled(path: Path, size: Size = LARGE) -> Path:
    """A catalog file of that size at `path`; one that is there already is used again."""
    if path.exists():
        return path
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    _templates(draft)
    with closing(sqlite3.connect(draft)) as connection, connection:
        _fill(connection, size)
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return draft.rename(path)


def _templates(path: Path) -> None:
    catalog = Catalog(url_of(path), lambda: datetime(2026, 1, 2, tzinfo=UTC))
    with catalog.write() as tx:
        for number in range(TEMPLATES):
            kind = TemplateKind.SERVICE if number else TemplateKind.ENVIRONMENT
            template = tx.add_template(kind.value, f"template-{number:02}")
            for major in range(1, MAJORS + 1):
                for minor in range(MINORS):
                    which = major if minor else None
                    tx.publish(tx.register_version(template, which, status=VersionStatus.DRAFT.value))
    catalog.close()


def _fill(connection: sqlite3.Connection, size: Size) -> None:
    connection.executemany(
        "INSERT INTO service (id, name, template_id, major, description, repository_connection, repository, branch,"
        " pipeline_inputs, created_at) VALUES (?, ?, ?, 3, '', '', '', '', NULL, ?)",
        (
            (number, f"service-{number:05}", 2 + number % (TEMPLATES - 1), WHEN)
            for number in range(1, size.services + 1)
        ),
    )
    connection.executemany(
        "INSERT INTO instance (id, address, kind, name, service_id, environment_id, template_id, version_id,"
        " description, inputs, outputs, upstream, stale, is_stale, run_env, last_run_id, last_status, deployed_run_id,"
        " created_at, updated_at) VALUES"
        " (?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, '{}', ?, ?, '{}', ?, 'succeeded', ?, ?, ?)",
        _instances(size),
    )
    connection.executemany(
        "INSERT INTO run (id, instance_id, address, operation, status, version_id, template, inputs, update_kind,"
        " auto_approve, reason, requested_by, approved_by, approval_reason, retry_of, summary, fingerprint, upstream,"
        " outputs, message, executor, fence, attempt, cancel_requested_at, created_at, planned_at, approved_at,"
        " applied_at, ended_at) VALUES (?, ?, ?, 'deploy', ?, ?, 'template-01@3.3', ?, '', 'none', '', 'ana', 'ben',"
        " '', NULL, ?, '{}', '{}', ?, '', NULL, 2, 1, NULL, ?, ?, ?, ?, ?)",
        _runs(size),
    )


def _instances(size: Size) -> Iterator[tuple[object, ...]]:
    inputs, outputs = '{"port": 8080, "size": "small"}', '{"url": {"sensitive": false, "type": "string", "value": "x"}}'
    for number in range(1, size.instances + 1):
        run = size.runs - size.instances + number
        last = (run, run, WHEN, WHEN)
        if number <= ENVIRONMENTS:
            name = f"environment-{number:02}"
            place = (f"environment/{name}", "environment", name, None, None, 1, MAJORS * MINORS)
        else:
            turn = number // size.services
            service, environment = 1 + number % size.services, 1 + (number + turn) % ENVIRONMENTS
            name = f"instance-{turn:02}"
            template = 2 + service % (TEMPLATES - 1)
            place = (
                *(f"service/service-{service:05}/{name}", "service", name, service, environment, template),
                _version(template, number),
            )
        stale = number % 100 == 0
        reasons = '["environment/environment-01 vpc_id"]' if stale else "[]"
        yield (number, *place, inputs, outputs, reasons, stale, *last)


def _version(template: int, number: int) -> int:
    """Nine of ten are on the recommended version, the others anywhere."""
    offset = number // 10 % (MAJORS * MINORS) if number % 10 == 0 else MAJORS * MINORS - 1
    return (template - 1) * MAJORS * MINORS + offset + 1


def _runs(size: Size) -> Iterator[tuple[object, ...]]:
    change = '{"address": "terraform_data.site", "action": "update", "reason": ""}'
    summary = '{"changes": [' + change + '], "outputs": [], "drift": []}'
    addresses = {values[0]: (values[1], values[7]) for values in _instances(size)}
    for number in range(1, size.runs + 1):
        instance = 1 + (number - 1) % size.instances
        address, version = addresses[instance]
        status = "failed" if number % 50 == 0 else "succeeded"
        yield (number, instance, address, status, version, '{"port": 8080}', summary, '{"url": {}}', *([WHEN] * 5))
