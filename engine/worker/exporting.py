"""What an export needs beside the catalog: the plan as JSON, redacted, and what the apply came to for each resource."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from engine.core import export_plan
from engine.core.export import Outcome
from engine.core.plans import Action, Change
from engine.errors import ExternalFailure, NotFound
from engine.terraform import events
from engine.worker import plan_files
from engine.worker.keeping import plan_name
from engine.worker.redaction import Redaction
from engine.worker.scratch import Scratch, scratch
from engine.worker.work import load

if TYPE_CHECKING:
    from pathlib import Path

    from engine.catalog.catalog import Catalog
    from engine.worker.ground import Ground
    from engine.worker.work import Work

_STEPS: Mapping[Action, frozenset[str]] = {
    Action.REPLACE: frozenset({"create", "delete"}),
}
"""What Terraform must have completed where that is not the action itself."""


def plan_json(catalog: Catalog, ground: Ground, run_id: int) -> dict[str, object]:
    """The plan of a run as `terraform show -json` writes it, with all that is sensitive masked.

    Raises NotFound when it has none any more, Conflict or ExternalFailure when it cannot be read now.
    """
    with catalog.read() as tx:
        work = load(tx, tx.run(run_id))
    work = ground.entrusted.unsigned(work)
    plan = _plan(ground, work)
    public = [name for name, output in _environment_outputs(work).items() if not output["sensitive"]]
    redaction = Redaction((*export_plan.secrets(plan, public), *(work.secret_env or {}).values()))
    safe: dict[str, object] = json.loads(redaction.line(json.dumps(export_plan.masked(plan, run_id))))
    return safe


def outcomes(lines: Iterable[str], changes: Collection[Change]) -> dict[str, Outcome]:
    """Resource address -> what the apply came to there, from the events of a run; nothing of what was not begun."""
    begun: dict[str, set[str]] = defaultdict(set)
    done: dict[str, set[str]] = defaultdict(set)
    failed: set[str] = set()
    for line in lines:
        match events.parse(line):
            case events.ApplyErrored() as event:
                failed.add(event.address)
            case events.ApplyComplete() as event:
                done[event.address].add(event.action)
            case events.Applying() as event:
                begun[event.address].add(event.action)
    known = {change.address: change.action for change in changes}
    return {
        address: Outcome.FAILED if address in failed else _outcome(known.get(address), done[address])
        for address in {*begun, *done, *failed}
    }


def _outcome(action: Action | None, done: Collection[str]) -> Outcome:
    wanted = _STEPS.get(action, frozenset()) if action else frozenset()
    return Outcome.DONE if done and wanted <= set(done) else Outcome.UNFINISHED


def _plan(ground: Ground, work: Work) -> dict[str, object]:
    if work.part is None:
        raise NotFound(f"Run {work.run_id} has no plan.")
    with scratch(ground, work, work.part) as made:
        text = ground.terraform().show_plan_json(made.place, _plan_file(ground, work, made))
    try:
        plan = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExternalFailure(f"terraform show wrote no JSON that can be read: {type(error).__name__}.") from error
    if not isinstance(plan, dict):
        raise ExternalFailure("terraform show wrote no plan.")
    return plan


def _plan_file(ground: Ground, work: Work, made: Scratch) -> Path:
    """A copy of the run's plan, as it was made here; else of what another machine has kept of it."""
    content = ground.plan_file(work.address, work.run_id).content()
    if content is None:
        content = ground.keeping.fetch(plan_name(work.run_id))
    if content is None:
        raise NotFound(f"The plan of run {work.run_id} is not there.")
    return plan_files.opened(made.folder, content)


def _environment_outputs(work: Work) -> Mapping[str, Mapping[str, object]]:
    return work.environment.outputs if work.environment else {}
