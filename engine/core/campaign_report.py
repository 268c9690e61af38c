"""What a campaign did: JSON with a versioned schema for programs, and for tickets Markdown that nobody can abuse."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.core.campaigns import StepStatus, counted, manner_from_json
from engine.core.export_summary import LENGTH_MAX, code

SCHEMA = "landform.campaign-report/1"
Facts = Mapping[str, Any]
"""A campaign or a step as the reads of the catalog give it."""
_MESSAGE_MAX = 300
_CELL_MAX = 120
_RESERVE = 200
"""Characters for saying what did not fit."""
_HEADINGS = ("Instance", "Environment", "From", "To", "Plan", "Status", "Run", "Seconds", "Message")


def report(campaign: Facts, steps: Sequence[Facts]) -> dict[str, object]:
    """All that is known of a campaign; `steps` in order. Waves count from 1, times are ISO 8601 in UTC, None while they
    have not come.
    """
    numbers = sorted({int(step["wave"]) for step in steps})
    return {
        "schema": SCHEMA,
        "campaign": campaign["id"],
        "title": campaign["title"],
        "status": campaign["status"],
        "message": campaign["message"],
        "created_by": campaign["created_by"],
        "created_at": campaign["created_at"],
        "ended_at": campaign["ended_at"],
        "seconds": _seconds(campaign["created_at"], campaign["ended_at"]),
        "rollback_of": campaign["rollback_of"],
        "wish": campaign["wish"],
        "manner": campaign["manner"],
        "counts": _counts(steps),
        "waves": [_wave(number, [step for step in steps if step["wave"] == number]) for number in numbers],
        "failures": [
            {"address": step["address"], "run": step["run_id"], "message": step["message"]}
            for step in steps
            if step["status"] == StepStatus.FAILED
        ],
    }


def markdown(found: Facts) -> str:
    """A report() for a pull request or a ticket, at most LENGTH_MAX characters long; what does not fit is counted."""
    parts = ["\n".join(_head(found))]
    left = LENGTH_MAX - len(parts[0]) - _RESERVE
    for lines in _sections(found):
        kept = list(_fitting(lines, left))
        left -= sum(len(line) + 1 for line in kept)
        parts.append("\n".join(kept))
    return "\n".join(parts).rstrip("\n")


def _counts(steps: Iterable[Facts]) -> dict[str, int]:
    """Status -> how many steps, in the order of a step's life; those that nobody has are left out."""
    found = Counter(StepStatus(step["status"]) for step in steps)
    return {status.value: found[status] for status in StepStatus if found[status]}


def _wave(number: int, steps: Sequence[Facts]) -> dict[str, object]:
    return {"wave": number, "counts": _counts(steps), "steps": [_step(step) for step in steps]}


def _step(step: Facts) -> dict[str, object]:
    return {
        "address": step["address"],
        "environment": step["environment"],
        "from": step["template_before"],
        "to": step["template"],
        "run": step["run_id"],
        "run_status": step["run_status"],
        "shape": step["shape"],
        "status": step["status"],
        "started_at": step["started_at"],
        "ended_at": step["ended_at"],
        "seconds": _seconds(step["started_at"], step["ended_at"]),
        "message": step["message"],
    }


def _seconds(begun: str | None, ended: str | None) -> float | None:
    if begun is None or ended is None:
        return None
    return round((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds(), 3)


def _head(found: Facts) -> Iterator[str]:
    title = f" {code(found['title'])}" if found["title"] else ""
    yield f"### Landform: campaign {found['campaign']}{title} {_headline(found['status'])}"
    yield ""
    until = f", ended at {found['ended_at']}" if found["ended_at"] else ""
    of = f", taking back campaign {found['rollback_of']}" if found["rollback_of"] else ""
    yield f"Started by {code(found['created_by'])} at {found['created_at']}{until}{of}."
    yield f"Brings: {code(_wish(found['wish']))}"
    yield f"Order: {code(_manner(found['manner']))}"
    if found["message"]:
        yield ""
        yield f"> {code(found['message'], _MESSAGE_MAX)}"
    yield ""
    yield f"**{', '.join(f'{count} {status}' for status, count in found['counts'].items()) or 'no steps'}**"
    yield ""


_HEADLINES = {"running": "is running", "paused": "is paused"}


def _headline(status: str) -> str:
    return _HEADLINES.get(status, status if status in ("succeeded", "failed") else f"was {status}")


def _wish(wish: Facts) -> str:
    number = wish["number"] or (wish["kind"] or "")
    what = " ".join(filter(None, (wish["action"], number)))
    return f"{what} of {', '.join(wish['select'])}" if wish["select"] else what


def _manner(stored: Facts) -> str:
    manner = manner_from_json(stored)
    said = (
        f"canary of {manner.canary}" if manner.canary else "",
        f"batches of {manner.batch}" if manner.batch else "",
        f"{manner.concurrency} at once",
        f"{manner.pause_s:g} s between waves" if manner.pause_s else "",
        "a yes between waves" if manner.approve_waves else "",
        f"halts at {counted(manner.max_failures, 'failure')}",
        f"no plan goes beyond {manner.allow[-1].value}",
    )
    return ", ".join(filter(None, said))


def _sections(found: Facts) -> Iterator[list[str]]:
    """What failed comes first, so that it finds room."""
    if found["failures"]:
        yield ["#### Failures", "", *map(_failure, found["failures"]), ""]
    for wave in found["waves"]:
        counts = ", ".join(f"{count} {status}" for status, count in wave["counts"].items())
        rule = "|".join("---" for _ in _HEADINGS)
        heading = [f"#### Wave {wave['wave']}: {counts}", "", f"|{'|'.join(_HEADINGS)}|", f"|{rule}|"]
        yield [*heading, *map(_row, wave["steps"]), ""]


def _failure(failure: Facts) -> str:
    run = f" (run {failure['run']})" if failure["run"] else ""
    return f"- {code(failure['address'])}{run}: {code(failure['message'], _MESSAGE_MAX)}"


def _row(step: Facts) -> str:
    seconds = None if step["seconds"] is None else f"{step['seconds']:.0f}"
    members = ("address", "environment", "from", "to", "shape", "status", "run")
    cells = (*(step[name] for name in members), seconds, step["message"])
    return f"|{'|'.join(map(_cell, cells))}|"


def _cell(value: object) -> str:
    """A value as a cell; also in a code span, a bar would end it."""
    if value is None or value == "":
        return ""
    return re.sub(r"\\*\|", r"\\|", code(str(value), _CELL_MAX))


def _fitting(lines: Sequence[str], left: int) -> Iterator[str]:
    """The lines that fit in so many characters, and how many did not."""
    for number, line in enumerate(lines):
        left -= len(line) + 1
        if left < 0:
            yield f"... and {counted(len(lines) - number, 'line')} more: see the report as JSON."
            return
        yield line
