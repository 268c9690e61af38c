"""The only place that makes rows of the reads ready for JSON, whatever database they come from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.core import approvals, campaigns, comparisons, drift, lifecycle, plans, rules
from engine.core.runs import Operation, Status, is_terminal, next_actions, waiting_on

Row = dict[str, Any]
_JSON = (
    *(
        "inputs",
        "outputs",
        "upstream",
        "stale",
        "run_env",
        "rules",
        "backend",
        "provisioning_repository",
        "inhabitants",
    ),
    *("tags", "service_tags", "environment_tags", "drift", "drift_ignored"),
    *(
        "summary",
        "fingerprint",
        "executor",
        "evidence",
        "proposal",
        "facts",
        "compatible",
        "component_sources",
        "verdict",
        "test_report",
    ),
    *("statuses", "identity", "labels", "after_run_ids", "detail", "minimums"),
    *("calendar", "wish", "manner", "refusals", "exceptions", "guards", "inputs_before", "approvers"),
)
_OF_DRIFT = ("drift", "drift_ignored", "read_at")
_CLAIMS = ("is_stale", "outdated", "recommended_minor", "requires_tests", "hibernates", "is_live")

_INSIDE = ("summary", "rules", "deprecated", "use_instead")
"""Columns of a run that are shown in other words."""


def shaped(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[Row]:
    """A dict for each row: JSON as Python has it, times as text, claims as booleans."""
    named = [(column, _converter(column)) for column in columns]
    return [
        {name: value if value is None else convert(value) for (name, convert), value in zip(named, row, strict=True)}
        for row in rows
    ]


def version(row: Row) -> Row:
    """The version; what is the number of a version elsewhere is a claim here."""
    return row | {"recommended": bool(row["recommended"])}


def listed(row: Row) -> Row:
    """An instance in a list: how far it has drifted, which may have been ignored until a moment ago, and no more."""
    now = datetime.fromisoformat(row["read_at"])
    level = drift.level_now(row["drift_level"], row["drift"], row["drift_ignored"], now)
    return {name: value for name, value in row.items() if name not in _OF_DRIFT} | {"drift_level": level}


def shown(row: Row) -> Row:
    """An instance by itself, with all that is known about its drift."""
    return listed(row) | {"drift": drifting(row)}


def drifting(row: Row) -> Row:
    """What is known about the drift of an instance: core.drift.view()."""
    found = drift.from_json(row["drift"]) if row["drift"] else None
    return drift.view(found, drift.ignored(row["drift_ignored"]), datetime.fromisoformat(row["read_at"]))


def service(row: Row) -> Row:
    """A service, with how its instances are counted and put in words."""
    statuses: dict[str, int] = dict(sorted(Counter(row["statuses"]).items()))
    counted = [f"{count} {status}" for status, count in statuses.items()]
    status = ", ".join(statuses if len(statuses) == 1 else counted)
    return row | {"instances": sum(statuses.values()), "statuses": statuses, "status": status}


def run(row: Row, default_ttl_s: float) -> Row:
    """The run with what follows from its status and from rules, and with its plan as a sentence and as counts.

    `default_ttl_s` as in core.approvals.expires_at().
    """
    status, summary = Status(row["status"]), plans.from_json(row["summary"]) if row["summary"] else None
    waits_for_others = status is Status.QUEUED and (row["behind"] or row["after_run_ids"])
    return {name: value for name, value in row.items() if name not in _INSIDE} | {
        "plan": summary.sentence() if summary else None,
        "changes": summary.counts() if summary else None,
        "shape": summary.shape.value if summary else None,
        "is_terminal": is_terminal(status),
        "approvals_needed": rules.from_json(row["rules"] or {}).approvals,
        "expires_at": _expires_at(row, default_ttl_s),
        "waiting_on": "another run" if waits_for_others else waiting_on(status),
        "warnings": _warnings(row),
        # what was superseded is not the last one of its instance any more, and so cannot be retried
        "next_actions": [] if row["superseded_by"] else list(next_actions(status)),
    }


_OF_HISTORY = ("inputs", "inputs_before", "instance_id", "before_id", "approvers", "exceptions")


def past(row: Row, default_ttl_s: float) -> Row:
    """As run(), in the history of an instance: which inputs it changed of what was deployed before, and whose yes made
    which exceptions.
    """
    known = {name: value for name, value in run(row, default_ttl_s).items() if name not in _OF_HISTORY}
    is_change = row["operation"] == Operation.DEPLOY and row["inputs_before"] is not None
    # inside of an array, one database has the text of an array and the other the array
    made = [json.loads(each) if isinstance(each, str) else each for each in row["exceptions"] or ()]
    return known | {
        "inputs_changed": comparisons.names(row["inputs_before"], row["inputs"]) if is_change else [],
        "approvers": row["approvers"] or [],
        "exceptions": sorted({name for each in made for name in each}),
    }


def _warnings(row: Row) -> list[str]:
    """What whoever deploys the version of the run is to be told."""
    if row["deprecated"] is None or row["operation"] != Operation.DEPLOY:
        return []
    return [lifecycle.warning(row["template"], row["deprecated"], row["use_instead"])]


def _expires_at(row: Row, default_ttl_s: float) -> str | None:
    """When the plan of a run that is not applied yet is void."""
    if row["planned_at"] is None or row["status"] not in (Status.PLANNED, Status.APPROVED):
        return None
    found = approvals.expires_at(
        datetime.fromisoformat(row["planned_at"]), rules.from_json(row["rules"] or {}), default_ttl_s
    )
    return _time(found) if found else None


def campaign(row: Row) -> Row:
    """The campaign, with its steps counted by status and what can be done with it."""
    status = campaigns.Status(row["status"])
    counts: dict[str, int] = dict(sorted(Counter(row["statuses"]).items()))
    return row | {
        "statuses": counts,
        "steps_in_all": sum(counts.values()),
        "steps_done": sum(count for name, count in counts.items() if name not in campaigns.NOT_DONE),
        "failures": counts.get(campaigns.StepStatus.FAILED, 0),
        "is_terminal": campaigns.is_terminal(status),
        "next_actions": list(campaigns.next_actions(status)),
    }


def step(row: Row) -> Row:
    """A step of a campaign, with what its run's plan comes to: a shape of core.plans, None before it is made."""
    summary = plans.from_json(row["summary"]) if row["summary"] else None
    known = {name: value for name, value in row.items() if name != "summary"}
    return known | {"shape": summary.shape.value if summary else None, "plan": summary.sentence() if summary else None}


def worker(row: Row) -> Row:
    """The worker, with where it runs in two columns."""
    where = {"host": row["identity"].get("host"), "pid": row["identity"].get("pid")}
    return {name: value for name, value in row.items() if name != "identity"} | where


def event(row: Row) -> Row:
    """The event, with the status that it tells of."""
    return row | {"status": row["detail"]["status"]}


def run_counts(rows: Sequence[Row], workers: Sequence[Row]) -> Row:
    """Rows of the statements RUN_COUNTS and WORKER_COUNTS, as Reads.run_counts() gives them."""
    waiting = [row["oldest_created_at"] for row in rows if row["status"] == Status.QUEUED]
    return {
        "runs": [{name: row[name] for name in ("operation", "status", "count")} for row in rows],
        "oldest_queued_at": min(waiting, default=None),
        "plans": _total(rows, "plans"),
        "applies": _total(rows, "applies"),
        "workers": {row["state"]: row["count"] for row in workers},
    }


def _total(rows: Sequence[Row], phase: str) -> Row:
    # what the two databases make of the same times differs in the last bits
    seconds = round(sum(row[f"{phase}_s"] for row in rows), 3)
    return {"count": sum(row[phase] for row in rows), "seconds": seconds}


def _converter(column: str) -> Callable[[Any], object]:
    if column.endswith("_at"):
        return _time
    if column in _JSON:
        return _json
    return bool if column in _CLAIMS else _as_it_is


def _time(stored: str | datetime) -> str:
    """ISO 8601 in UTC, without a fraction that is zero."""
    if isinstance(stored, datetime):
        stored = stored.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return stored.replace(" ", "T").removesuffix(".000000") + "Z"


def _json(stored: object) -> object:
    """PostgreSQL's driver has read it already."""
    return json.loads(stored) if isinstance(stored, str) else stored


def _as_it_is(value: object) -> object:
    return value
