"""The only place that says what the ending of a run means to whoever waited for it: the error, and so the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.core import guards
from engine.core.guards import refusals_from_json
from engine.core.runs import Status
from engine.errors import Busy, Cancelled, ExternalFailure, LandformError, OutcomeUnknown, Refused, Stale, Waiting

if TYPE_CHECKING:
    from engine.catalog.shapes import Row

CHANGES_FOUND = 2
"""The exit code of a plan that found changes, only under `--detailed-exitcode`. It is no error, so no class has it."""


def raise_for(runs: Sequence[Row]) -> None:
    """Raises the error of the worst ending; each kind has its exit code. Nothing when all have succeeded."""
    for status, kind, sentence, hint in _ENDINGS:
        found = [str(run["id"]) for run in runs if _ending(run) == status]
        if found:
            who = f"Run {found[0]}" if len(found) == 1 else f"Runs {', '.join(found)}"
            if status == _REFUSED:
                raise refused([run for run in runs if _ending(run) == status])
            raise kind(f"{who} {sentence}.", hint=hint.format(id=found[0], ids=" ".join(found)))


def _ending(run: Row) -> str:
    """The run's status; STALE for one that was discarded although somebody had said yes to it."""
    if run["behind"]:
        return _BEHIND
    if run["superseded_by"]:
        return _SUPERSEDED
    if is_refused(run):
        return _REFUSED
    return _STALE if run["status"] == Status.DISCARDED and run["approved_by"] else str(run["status"])


def is_refused(run: Row) -> bool:
    """Whether a guard refuses the run's plan, and nobody has made an exception yet."""
    waits = run["status"] == Status.PLANNED and not run.get("approvals")
    return waits and bool(guards.denied(refusals_from_json(run.get("refusals") or ())))


def refused(runs: Sequence[Row]) -> LandformError:
    """The error for runs whose plans guards refuse: which rules, which resources, and how to ask for an exception."""
    errors = [guards.unexcepted(run["id"], refusals_from_json(run["refusals"]), ()) for run in runs]
    found = [error for error in errors if error is not None]
    return Refused("\n".join(error.message for error in found), hint="\n".join(error.hint for error in found))


_STALE = "stale"
_BEHIND = "behind"
_SUPERSEDED = "superseded"
_REFUSED = "refused"
_ENDINGS: tuple[tuple[str, type[LandformError], str, str], ...] = (
    (
        Status.INTERRUPTED,
        OutcomeUnknown,
        "was cut off, and what it did is not known",
        "See what is known, and decide: landform run recover {id}",
    ),
    (
        Status.FAILED,
        ExternalFailure,
        "failed",
        "Terraform's own words, if it was started: landform run logs {id}. Then: landform run retry {id}",
    ),
    *(
        (status, Busy, "went to another process", "Follow it: landform run show {id}")
        for status in (Status.PLANNING, Status.APPLYING)
    ),
    (Status.CANCELLED, Cancelled, "stopped because you asked", "Start again: landform run retry {id}"),
    (_STALE, Stale, "came to nothing", "See why: landform run show {id}. Then: landform run retry {id}"),
    (_SUPERSEDED, Cancelled, "came to nothing: a newer run superseded it", "See which: landform run show {id}"),
    (Status.DISCARDED, Cancelled, "came to nothing: the plan was discarded", "Start again: landform run retry {id}"),
    (_REFUSED, Refused, "", ""),
    (
        Status.PLANNED,
        Waiting,
        "came to a plan that needs approval",
        "See it: landform run show {id}. Then: landform run approve {ids}",
    ),
    (
        Status.PROPOSED,
        Waiting,
        "came to a proposal that others have to carry out",
        "See where: landform run show {id}. Then: landform run notify {id} --status succeeded",
    ),
    (
        _BEHIND,
        Busy,
        "waits in line behind another run",
        "See why, and what to do: landform run explain {id}. Later: landform run apply {ids}",
    ),
    *(
        (
            status,
            Busy,
            "cannot begin yet",
            "See why, and what to do: landform run explain {id}. Later: landform run apply {ids}",
        )
        for status in (Status.QUEUED, Status.APPROVED)
    ),
)
