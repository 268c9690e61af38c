"""The SQL of what is read about campaigns, as statements.py has that of the rest. People count waves from 1."""

from __future__ import annotations

_CAMPAIGN = (
    "SELECT c.id, c.title, c.status, c.message, c.wave + 1 AS wave, c.forgiven, c.due_at, c.rollback_of, c.created_by,",
    "c.created_at, c.ended_at,",
    "(SELECT coalesce(json_group_array(s.status), '[]') FROM step s WHERE s.campaign_id = c.id) AS statuses",
)
CAMPAIGNS = " ".join(
    (
        *_CAMPAIGN,
        "FROM campaign c WHERE c.id < :before AND (CAST(:status AS TEXT) IS NULL OR c.status = :status)",
        "ORDER BY c.id DESC LIMIT :limit",
    )
)
CAMPAIGN = " ".join((*_CAMPAIGN, ", c.wish, c.manner FROM campaign c WHERE c.id = :id"))
STANDING = (
    "SELECT id, address, wave + 1 AS wave, status, message, run_id FROM step WHERE campaign_id = :id ORDER BY position"
)
STEPS = " ".join(
    (
        "SELECT s.id, s.address, s.wave + 1 AS wave, s.position, s.status, s.message, s.run_id, s.template_before,",
        "s.deployed_before, s.started_at, s.ended_at, r.template, r.status AS run_status, r.summary, r.operation,",
        "r.refusals, coalesce(e.name, CASE WHEN i.kind = 'environment' THEN i.name END, '') AS environment",
        "FROM step s LEFT JOIN run r ON r.id = s.run_id LEFT JOIN instance i ON i.id = s.instance_id",
        "LEFT JOIN instance e ON e.id = i.environment_id WHERE s.campaign_id = :id ORDER BY s.position",
    )
)
