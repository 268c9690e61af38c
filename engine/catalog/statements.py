"""The SQL of the reads, in SQLite's words; where PostgreSQL says it otherwise, postgres.py translates.

A list picks its page first (`page`, from an index, in order) and joins afterwards, so that its cost depends on the
length of the page and not of the table. Conditions are put together from fixed texts; values are always parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.runs import ACTIVE

NUMBER = "{0}.major || '.' || {0}.minor"
RECOMMENDED = NUMBER.format("r")
BEHIND = "coalesce((v.major, v.minor) < (r.major, r.minor), false)"
"""Whether version v is lower than the recommended version r; a draft above it is not behind."""
_OFFERED = "n.status = 'published' AND n.minor >= coalesce(json_extract(t.minimums, '$.\"' || n.major || '\"'), 0)"
"""Whether version n of template t is one that everybody may use: neither taken back nor below the minimum."""

TEMPLATES = " ".join(
    (
        "SELECT t.kind, t.name, t.display_name, t.description, t.provisioning, t.pipeline_provisioning,",
        RECOMMENDED,
        "AS recommended, (SELECT count(*) FROM version v WHERE v.template_id = t.id) AS versions, t.minimums,",
        "t.requires_tests, t.created_at",
        "FROM template t LEFT JOIN version r ON r.id = t.recommended_id",
        "WHERE t.kind = :kind OR (CAST(:kind AS TEXT) IS NULL AND t.kind <> 'component') ORDER BY t.kind, t.name",
    )
)

_VERSION = (
    "SELECT t.kind AS kind, t.name AS template, t.name || '@' ||",
    NUMBER.format("v"),
    "AS label,",
    NUMBER.format("v"),
    "AS version, v.major, v.minor, v.status, v.message, v.description, v.source, v.bundle, v.compatible,",
    "coalesce(v.id = t.recommended_id, false) AS recommended,",
    "coalesce(v.minor = (SELECT max(n.minor) FROM version n WHERE n.template_id = v.template_id",
    f"AND n.major = v.major AND {_OFFERED}) AND v.status = 'published', false) AS recommended_minor,",
    "(SELECT count(*) FROM instance i WHERE i.version_id = v.id) AS instances, v.created_at, v.published_at",
)
_VERSION_FROM = (
    "FROM template t JOIN version v ON v.template_id = t.id",
    "WHERE t.name = :name AND (CAST(:kind AS TEXT) IS NULL OR t.kind = :kind)",
)
VERSIONS = " ".join((*_VERSION, *_VERSION_FROM, "ORDER BY t.kind, v.major, v.minor"))
VERSION = " ".join(
    (
        "SELECT * FROM (",
        *_VERSION,
        ", v.schema_text, v.facts, v.component_sources, v.verdict, v.test_report, t.guards",
        *_VERSION_FROM,
        ") AS found WHERE CASE WHEN CAST(:minor AS INTEGER) IS NOT NULL THEN major = :major AND minor = :minor",
        "WHEN CAST(:major AS INTEGER) IS NOT NULL THEN major = :major AND recommended_minor ELSE recommended END",
        "ORDER BY kind",
    )
)

_INSTANCE = (
    "SELECT i.address, i.kind, i.name, s.name AS service, e.name AS environment, t.name AS template,",
    NUMBER.format("v"),
    "AS version, (SELECT v.major || '.' || max(n.minor) FROM version n WHERE n.template_id = v.template_id",
    f"AND n.major = v.major AND {_OFFERED}) AS newest, v.status AS version_status, v.message AS version_message,",
    RECOMMENDED,
    "AS recommended,",
    BEHIND,
    "AS outdated, (SELECT x.address FROM instance x WHERE x.id = i.attached_id) AS attached,",
    "(SELECT x.address FROM instance x WHERE x.attached_id = i.id) AS component,",
    "(SELECT count(*) FROM instance x WHERE x.environment_id = i.id) AS instances, i.is_stale, i.stale,",
    "i.last_run_id, i.last_status AS status, i.deployed_run_id, i.diverged,",
    "i.ttl_s, i.expires_at, i.hibernated_at,",
    "i.drift_level, i.drift, i.drift_ignored, CURRENT_TIMESTAMP AS read_at,",
    "i.description, i.created_at, i.updated_at",
)
_INSTANCE_FROM = (
    "FROM page JOIN instance i ON i.id = page.id JOIN version v ON v.id = i.version_id",
    "JOIN template t ON t.id = i.template_id LEFT JOIN version r ON r.id = t.recommended_id",
    "LEFT JOIN service s ON s.id = i.service_id LEFT JOIN instance e ON e.id = i.environment_id",
    "ORDER BY i.address",
)
INSTANCE = " ".join(
    (
        "WITH page AS (SELECT id FROM instance WHERE address = :address)",
        *_INSTANCE,
        ", i.inputs, i.outputs, i.upstream, i.run_env, i.rules, i.backend, i.provisioning AS provisioning_repository,",
        "i.credentials, i.calendar, i.guards, i.tags, s.tags AS service_tags, e.tags AS environment_tags,",
        "(SELECT coalesce(json_group_array(x.address), '[]') FROM (SELECT address",
        "FROM instance WHERE environment_id = i.id ORDER BY address) AS x) AS inhabitants",
        *_INSTANCE_FROM,
    )
)
DRIFT = "SELECT address, drift, drift_ignored, CURRENT_TIMESTAMP AS read_at FROM instance ORDER BY address"

SERVICES = " ".join(
    (
        "WITH page AS (SELECT id FROM service WHERE name > :after AND (CAST(:name AS TEXT) IS NULL OR name = :name)",
        "ORDER BY name LIMIT :limit)",
        "SELECT s.name, t.name AS template, s.major, s.description, s.repository_connection, s.repository, s.branch,",
        "s.tags, s.created_at,",
        "coalesce(json_group_array(i.last_status) FILTER (WHERE i.kind = 'service'), '[]') AS statuses,",
        "max(i.last_status) FILTER (WHERE i.kind = 'pipeline') AS pipeline_status,",
        "count(*) FILTER (WHERE i.kind = 'service' AND i.is_stale) AS stale_instances,",
        "count(*) FILTER (WHERE i.kind = 'service' AND",
        BEHIND,
        ") AS outdated_instances",
        "FROM page JOIN service s ON s.id = page.id JOIN template t ON t.id = s.template_id",
        "LEFT JOIN version r ON r.id = t.recommended_id LEFT JOIN instance i ON i.service_id = s.id",
        "LEFT JOIN version v ON v.id = i.version_id GROUP BY s.id, t.name ORDER BY s.name",
    )
)

_ACTIVE = ", ".join(f"'{status.value}'" for status in sorted(ACTIVE))
_RUN = (
    "SELECT id, address, (SELECT e.name FROM instance e WHERE e.id = run.environment_id) AS environment,",
    "(SELECT e.rules FROM instance e WHERE e.id = run.environment_id) AS rules,",
    "CASE WHEN status = 'queued' THEN (SELECT max(a.id) FROM run a WHERE a.instance_id = run.instance_id",
    f"AND a.id < run.id AND a.status IN ({_ACTIVE})) END AS behind,",
    "operation, status, template, update_kind, auto_approve, reason, requested_by, approved_by,",
    "approval_reason, retry_of, supersedes, superseded_by, after_run_ids, priority, summary, message, worker_id,",
    # of a version that is deprecated: why, and what to use in its place
    "(SELECT v.message FROM version v WHERE v.id = run.version_id AND v.status = 'deprecated') AS deprecated,",
    "(SELECT coalesce((SELECT v.major || '.' || max(n.minor) FROM version n WHERE n.template_id = v.template_id",
    f"AND n.major = v.major AND {_OFFERED}), {RECOMMENDED}) FROM version v JOIN template t ON t.id = v.template_id",
    "LEFT JOIN version r ON r.id = t.recommended_id WHERE v.id = run.version_id AND v.status = 'deprecated')",
    "AS use_instead,",
    "attempt, cancel_requested_at, force_requested_at, cancelled_by, campaign_id, hibernates, created_at,",
    "planned_at, approved_at, applied_at, ended_at",
)
RUN = " ".join(
    (*_RUN, ", inputs, outputs, fingerprint, upstream, executor, evidence, proposal, refusals FROM run WHERE id = :id")
)

APPROVALS = "SELECT user_name, reason, exceptions, created_at FROM approval WHERE run_id = :id ORDER BY id"
WORKERS = (
    "SELECT w.id, w.name, w.kind, w.state, w.identity, w.labels, w.capacity, (SELECT count(*) FROM run r "
    "WHERE r.worker_id = w.id AND r.status IN ('applying', 'planning')) AS runs, w.version, w.started_at, w.beat_at, "
    "w.ended_at FROM worker w ORDER BY w.id DESC LIMIT :limit"
)
SYNCS = (
    "SELECT id, kind, name, repository, branch, path, revision, created_by, created_at FROM sync "
    "WHERE (CAST(:kind AS TEXT) IS NULL OR kind = :kind) AND (CAST(:name AS TEXT) IS NULL OR name = :name) "
    "ORDER BY kind, name"
)
ATTEMPTS = (
    "SELECT a.id, a.target, a.status, a.revision, a.message, a.started_at, a.ended_at FROM syncattempt a "
    "WHERE a.sync_id = :id AND a.id IN (SELECT max(id) FROM syncattempt WHERE sync_id = :id GROUP BY target) "
    "ORDER BY a.target"
)
BLOCKERS = (
    "SELECT id, service, instance, reason, created_by, created_at, resolved_reason, resolved_by, resolved_at "
    "FROM syncblocker WHERE service = :service ORDER BY id DESC"
)
_EVENTS = (
    "SELECT d.id, d.target, n.kind, n.resource, n.detail, d.state, d.attempts, d.message, n.uid, n.created_at,",
    "d.due_at, d.ended_at FROM delivery d JOIN notice n ON n.id = d.notice_id",
)
STATES = (
    "SELECT id, serial, lineage, run_id, resources, size_bytes, digest, note, created_at FROM stateversion "
    "WHERE address = :address ORDER BY id DESC LIMIT :limit"
)
RUN_COUNTS = (
    "SELECT operation, status, count(*) AS count, min(created_at) AS oldest_created_at, "
    "count(planned_at) AS plans, coalesce(CAST(sum(julianday(planned_at) - julianday(created_at)) "
    "AS DOUBLE PRECISION), 0) * 86400 AS plans_s, "
    "count(ended_at) FILTER (WHERE applied_at IS NOT NULL) AS applies, "
    "coalesce(CAST(sum(julianday(ended_at) - julianday(applied_at)) AS DOUBLE PRECISION), 0) * 86400 AS applies_s "
    "FROM run GROUP BY operation, status ORDER BY operation, status"
)
WORKER_COUNTS = "SELECT state, count(*) AS count FROM worker GROUP BY state ORDER BY state"

NAMES: Mapping[str, str] = {
    "template": "SELECT DISTINCT name FROM template WHERE kind <> 'component' AND name >= :first AND name < :last "
    "ORDER BY name LIMIT :limit",
    "version": "SELECT label FROM (SELECT t.name || '@' || v.major || '.' || v.minor AS label, t.name, v.major, "
    "v.minor FROM version v JOIN template t ON t.id = v.template_id) AS labels "
    "WHERE label >= :first AND label < :last ORDER BY name, major, minor LIMIT :limit",
    "environment": "SELECT substr(address, 13) FROM instance WHERE address >= 'environment/' || :first "
    "AND address < 'environment/' || :last ORDER BY address LIMIT :limit",
    "service": "SELECT name FROM service WHERE name >= :first AND name < :last ORDER BY name LIMIT :limit",
    "instance": "SELECT substr(address, 9) FROM instance WHERE address >= 'service/' || :first "
    "AND address < 'service/' || :last ORDER BY address LIMIT :limit",
    "component": "SELECT substr(address, 11) FROM instance WHERE address >= 'component/' || :first "
    "AND address < 'component/' || :last ORDER BY address LIMIT :limit",
    "address": "SELECT address FROM instance WHERE address >= :first AND address < :last ORDER BY address LIMIT :limit",
    # the newest are meant: nobody completes the number of an old run
    "run": "SELECT id FROM (SELECT CAST(id AS TEXT) AS id, id AS number FROM run ORDER BY number DESC LIMIT 1000) "
    "AS newest WHERE substr(id, 1, length(CAST(:first AS TEXT))) = :first ORDER BY number DESC LIMIT :limit",
}


def instances(conditions: list[str]) -> str:
    """A page of instances that meet all conditions on `i`, by address; :limit rows."""
    where = " AND ".join(conditions)
    page = ("WITH page AS (SELECT i.id FROM instance i WHERE", where, "ORDER BY i.address LIMIT :limit)")
    return " ".join((*page, *_INSTANCE, *_INSTANCE_FROM))


_BEFORE = (
    ", inputs, instance_id, (SELECT max(p.id) FROM run p WHERE p.instance_id = run.instance_id AND p.id < run.id",
    "AND p.operation = 'deploy' AND p.status = 'succeeded') AS before_id FROM run",
)
_HISTORY = (
    "SELECT page.*, p.template AS template_before, p.inputs AS inputs_before,",
    "coalesce(page.id = i.deployed_run_id, false) AS is_live,",
    "(SELECT json_group_array(a.user_name) FROM approval a WHERE a.run_id = page.id) AS approvers,",
    "(SELECT json_group_array(a.exceptions) FROM approval a WHERE a.run_id = page.id) AS exceptions",
    "FROM page LEFT JOIN run p ON p.id = page.before_id LEFT JOIN instance i ON i.id = page.instance_id",
    "ORDER BY page.id DESC",
)


def runs(conditions: list[str]) -> str:
    """Runs that meet all conditions, newest first; :limit rows."""
    where = ("WHERE", " AND ".join(conditions)) if conditions else ()
    return " ".join((*_RUN, "FROM run", *where, "ORDER BY id DESC LIMIT :limit"))


def history(conditions: list[str]) -> str:
    """As runs(), each with what was deployed before it, who has said yes to what, and whether it is what is there."""
    where = ("WHERE", " AND ".join(conditions)) if conditions else ()
    return " ".join(("WITH page AS (", *_RUN, *_BEFORE, *where, "ORDER BY id DESC LIMIT :limit)", *_HISTORY))


def events(conditions: list[str]) -> str:
    """Events on their way to those who hear of them, that meet all conditions on `d`, newest first; :limit rows."""
    where = ("WHERE", " AND ".join(conditions)) if conditions else ()
    return " ".join((*_EVENTS, *where, "ORDER BY d.id DESC LIMIT :limit"))


IS_BEHIND = (
    "i.version_id IN (SELECT v.id FROM version v JOIN template t ON t.id = v.template_id "
    "JOIN version r ON r.id = t.recommended_id WHERE (v.major, v.minor) < (r.major, r.minor))"
)
IS_ATTACHED = "i.attached_id = (SELECT x.id FROM instance x WHERE x.address = :attached)"
IN_ENVIRONMENT = "i.environment_id = (SELECT e.id FROM instance e WHERE e.address = :environment)"
