"""Guards on the plan of a run: the plan is read at most once, and only for guards that need more than its summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core import configurations, export_plan, guard_checks, plan_facts, policies
from engine.core.guards import Refusal
from engine.core.plan_facts import PlanFacts, Untold
from engine.core.plans import Summary
from engine.errors import ExternalFailure, LandformError
from engine.external import rego
from engine.external.launch import TooMuch
from engine.worker.redaction import Redaction

if TYPE_CHECKING:
    from engine.terraform.cli import Place
    from engine.worker.ground import Ground
    from engine.worker.work import Work

PLAN_BYTES_MAX = 64 << 20
_SENTENCE_MAX = 2000


def needs_plan(work: Work) -> bool:
    """Whether the summary of a plan is not enough for the guards in force."""
    return any(guarded.guards.needs_plan for guarded in work.guards)


def refusals(
    ground: Ground, work: Work, place: Place, plan: Path, summary: Summary | None = None
) -> tuple[Refusal, ...]:
    """How a plan breaks the guards of its environment and its template, without secrets; () where there are none.

    `plan` is the plan's file in clear text, and `place` where Terraform made it. `summary` is all that Terraform has
    told of the plan; None where that is not complete. Raises LandformError when they cannot be evaluated.
    """
    if not work.guards:
        return ()
    try:
        if summary is not None and not needs_plan(work):
            return _shown(_broken(work, PlanFacts(summary)), _redaction(ground, work))
        return _of_plan(ground, work, place, _shown_plan(ground, place, plan), summary)
    except LandformError as error:
        raise ExternalFailure(f"The guards could not be evaluated: {error.message}", hint=error.hint) from error
    except RecursionError:
        raise ExternalFailure("The guards could not be evaluated: the plan is nested too deeply.") from None


def _of_plan(
    ground: Ground, work: Work, place: Place, plan: Mapping[str, Any], summary: Summary | None
) -> tuple[Refusal, ...]:
    tree = export_plan.masked(plan, work.run_id)
    facts = plan_facts.read(tree, summary or plan_facts.destroyed(tree), _region(place.env), _untold(work, place))
    # a provider may repeat elsewhere what Terraform knows to be sensitive in one place
    outputs = work.environment.outputs if work.environment else {}
    public = [name for name, output in outputs.items() if not output["sensitive"]]
    hidden = _redaction(ground, work, export_plan.secrets(plan, public))
    return _shown((*_broken(work, facts), *_said(ground, work, tree, hidden)), hidden)


def _broken(work: Work, facts: PlanFacts) -> tuple[Refusal, ...]:
    return tuple(each for guarded in work.guards for each in guard_checks.refusals(guarded, facts))


def _said(ground: Ground, work: Work, tree: Mapping[str, object], hidden: Redaction) -> Iterable[Refusal]:
    """What policies in Rego say of the plan."""
    with_rego = [guarded for guarded in work.guards if guarded.guards.rego]
    if not with_rego:
        return ()
    safe = hidden.value(tree)
    said: list[Refusal] = []
    for guarded in with_rego:
        files = guarded.guards.rego
        modules = {policy.file: policy.text for policy in files}
        with ground.elsewhere() as folder:
            found = rego.documents(rego.Question(modules, policies.packages(files), safe), folder)
        said += policies.refusals(guarded.guards, found, guarded.source)
    return guard_checks.shortened(said)


def _shown_plan(ground: Ground, place: Place, plan: Path) -> dict[str, Any]:
    """The plan as JSON, **with secrets**. Raises ExternalFailure."""
    try:
        text = ground.terraform().show_plan_json(place, plan, bytes_max=PLAN_BYTES_MAX)
    except TooMuch:
        raise ExternalFailure(f"The plan has more than {PLAN_BYTES_MAX >> 20} MiB as JSON.") from None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ExternalFailure("What Terraform shows of the plan cannot be read.")
    return found


def _untold(work: Work, place: Place) -> Untold:
    """What only the code says of what the guards ask for."""
    if not any(each.guards.regions or not each.guards.local_exec for each in work.guards):
        return Untold()
    code = dict(_code(place))
    # what configurations of modules say is never told from a plan
    root = {name: content for name, content in code.items() if "/" not in name}
    return Untold(configurations.is_worked_out(root, "region"), configurations.provisioners_of_removed(code))


def _code(place: Place) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of code that was planned, those of modules from elsewhere included."""
    modules = Path(place.env["TF_DATA_DIR"]) / "modules"
    for folder in (place.folder, modules):
        for path in folder.rglob("*"):
            if path.name.endswith(configurations.CODE) and path.is_file():
                inside = path.relative_to(folder).as_posix()
                yield (inside if folder != modules else f"{modules.name}/{inside}"), path.read_bytes()


def _region(env: Mapping[str, str]) -> str:
    return env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or ""


def _redaction(ground: Ground, work: Work, secrets: Iterable[str] = ()) -> Redaction:
    return Redaction((*secrets, *ground.secrets(work, ground.values(work))))


def _shown(found: Iterable[Refusal], hidden: Redaction) -> tuple[Refusal, ...]:
    """The refusals without secrets: keys in addresses can be anything, and policies say what they like."""
    return tuple(
        replace(each, address=_text(each.address, hidden), sentence=_text(each.sentence, hidden)) for each in found
    )


def _text(text: str, hidden: Redaction) -> str:
    # what is no text could not be kept
    return hidden.text(text.encode("utf-8", "replace").decode())[:_SENTENCE_MAX]
