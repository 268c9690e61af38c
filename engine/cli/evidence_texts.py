"""What people read about an interrupted run: what is known, what is not, and what can be decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.cli import texts
from engine.cli.display import printable
from engine.core.evidence import import_block

if TYPE_CHECKING:
    from engine.catalog.shapes import Row
    from engine.core.evidence import Evidence


def evidence(run: Row, found: Evidence) -> str:
    """All that was found out, and the choices."""
    first = f"Run {run['id']} ({run['operation']} {run['address']} with {run['template']}) was interrupted."
    lines = [first, *_facts(run, found), *_doubts(found), *_plan(found), "", *_choices(run["id"], found)]
    return printable("\n".join(lines))


def _facts(run: Row, found: Evidence) -> Iterator[str]:
    steps = found.steps
    rows = (
        ("how", run["message"].replace("\n", " ")),
        ("worker", found.worker),
        ("processes", found.processes),
        ("done with", ", ".join(map(str, steps.finished))),
        ("failed with", ", ".join(map(str, steps.failed))),
        ("begun, no more heard", ", ".join(map(str, steps.begun))),
        ("state before", found.states.before),
        ("state now", found.states.now),
        ("lock", found.states.lock),
    )
    return (f"  {name:<21} {text or '-'}" for name, text in rows)


def _doubts(found: Evidence) -> Iterator[str]:
    for address in found.missing:
        yield ""
        yield f"{address} was being made, or was made, and is in no state. It may exist: look, before it is made again."
        yield "If it does, take it over with --adopt, or put this into the bundle's code:"
        yield from (f"    {line}" for line in import_block(address).splitlines())
    for address in found.doubtful:
        yield ""
        yield f"{address} is in the state as if all were well, but nobody heard that it was finished: look at it."
    if not found.steps.is_known:
        yield ""
        yield "What its apply said last is not here: look from the home of its worker, else at what there is by hand."
    for note in found.notes:
        yield ""
        yield note


def _plan(found: Evidence) -> Iterator[str]:
    if found.plan is None:
        return
    yield ""
    yield f"What Terraform would do now: {found.plan.sentence()}"
    yield from map(texts.change, found.plan.changes)
    if found.is_clean:
        yield "That alone does not prove that the run succeeded: Terraform sees only what is in its state."


def _choices(run_id: int, found: Evidence) -> Iterator[str]:
    command = f"landform run recover {run_id}"
    yield "Decide what became of it:"
    yield f"  {command} --retry"
    yield "      try again with a new plan, to be approved"
    if found.missing:
        yield f"  {command} --adopt {found.missing[0]}=ID"
        yield "      take what exists into the state, then look again"
    yield f"  {command} --mark failed --reason TEXT"
    yield "      leave it as it is; the next change goes on from there"
    yield f"  {command} --mark succeeded --reason TEXT"
    yield "      what is there is what was wanted"
