"""The SQL of what is read to tell who feeds whom, as statements.py has that of everything else."""

from __future__ import annotations

from engine.catalog.statements import NUMBER

INSTANCES = " ".join(
    (
        "SELECT i.address, i.kind, t.name || '@' ||",
        NUMBER.format("v"),
        "AS label, i.version_id, i.outputs, i.stale, e.address AS environment, s.name AS service,",
        "a.address AS attached FROM instance i JOIN version v ON v.id = i.version_id",
        "JOIN template t ON t.id = v.template_id LEFT JOIN service s ON s.id = i.service_id",
        "LEFT JOIN instance e ON e.id = i.environment_id LEFT JOIN instance a ON a.id = i.attached_id",
        "ORDER BY i.address",
    )
)
FACTS = "SELECT id, facts FROM version WHERE id IN (SELECT version_id FROM instance)"
"""Once for each version, however many instances are on it."""
VERSIONS = (
    "SELECT t.kind, t.name, v.major, v.minor, v.compatible, v.facts, v.schema_text FROM version v "
    "JOIN template t ON t.id = v.template_id WHERE t.kind <> 'component' AND v.status NOT IN ('failed', 'yanked') "
    "ORDER BY t.kind, t.name, v.major, v.minor"
)
