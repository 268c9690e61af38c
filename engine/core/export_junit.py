"""A run as a JUnit report, which every pipeline can show: a case for each phase, and one for each resource."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from engine.core.export import MARK, Outcome, Story
from engine.core.plans import Change
from engine.core.runs import Status

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, however it is written."""
_PASSED, _FAILURE, _ERROR, _SKIPPED = "passed", "failure", "error", "skipped"
_ENDINGS = {
    Status.QUEUED: _SKIPPED,
    Status.PLANNING: _SKIPPED,
    Status.PROPOSED: _SKIPPED,
    Status.PLANNED: _SKIPPED,
    Status.APPROVED: _SKIPPED,
    Status.APPLYING: _SKIPPED,
    Status.SUCCEEDED: _PASSED,
    Status.FAILED: _FAILURE,
    # by the time of an apply it is stale; without a plan nobody wanted one
    Status.DISCARDED: _FAILURE,
    Status.CANCELLED: _ERROR,
    Status.INTERRUPTED: _ERROR,
}
"""What the phase that a run ended in came to."""
_OUTCOMES = {
    Outcome.DONE: (_PASSED, ""),
    Outcome.FAILED: (_FAILURE, "Terraform could not do it."),
    Outcome.UNFINISHED: (_ERROR, "It was begun, and what became of it is not known."),
}


@dataclass(frozen=True)
class _Case:
    """One test case."""

    name: str
    verdict: str
    message: str = ""
    time_s: float | None = None


def report(story: Story) -> str:
    """The report, valid XML whatever the names in it are."""
    cases = [*_phases(story), *(_resource(story, change) for change in story.changes)]
    counts = {kind: sum(case.verdict == kind for case in cases) for kind in (_FAILURE, _ERROR, _SKIPPED)}
    totals = {"tests": len(cases), "failures": counts[_FAILURE], "errors": counts[_ERROR], "skipped": counts[_SKIPPED]}
    name = f"{story.address} ({story.title})"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {MARK} {story.run_id} -->",
        f"<testsuites{_attributes({'name': 'landform', **totals})}>",
        f"  <testsuite{_attributes({'name': name, **totals})}>",
        *(line for case in cases for line in _lines(story, case)),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _phases(story: Story) -> Iterator[_Case]:
    verdict = _ENDINGS[story.status]
    is_planned = story.summary is not None
    if not story.has_applied:
        # with a plan, the plan is no failure, whatever became of it afterwards
        yield _Case("plan", _PASSED if is_planned else verdict, "" if is_planned else story.message or _state(story))
        return
    yield _Case("plan", _PASSED)
    yield _Case("apply", verdict, "" if verdict == _PASSED else story.message or _state(story), story.apply_s)


def _resource(story: Story, change: Change) -> _Case:
    name = f"{change.action.value} {change.address}"
    outcome = story.outcomes.get(change.address)
    if outcome is not None:
        return _Case(name, *_OUTCOMES[outcome])
    if story.has_applied and story.status is Status.SUCCEEDED:
        return _Case(name, _PASSED)
    why = "The apply did not get to it." if story.has_applied else f"Not applied: {_state(story)}"
    return _Case(name, _SKIPPED, why)


def _state(story: Story) -> str:
    return f"the run is {story.status.value}."


def _lines(story: Story, case: _Case) -> Iterator[str]:
    given: dict[str, object] = {"classname": story.address, "name": case.name}
    if case.time_s is not None:
        given["time"] = f"{case.time_s:.3f}"
    if case.verdict == _PASSED:
        yield f"    <testcase{_attributes(given)}/>"
        return
    first, _, rest = case.message.partition("\n")
    yield f"    <testcase{_attributes(given)}>"
    yield f"      <{case.verdict}{_attributes({'message': first})}>{_text(rest)}</{case.verdict}>"
    yield "    </testcase>"


def _attributes(given: dict[str, object]) -> str:
    # a line end in an attribute would come back as a space
    return "".join(f' {name}="{_text(str(value)).replace(chr(10), "&#10;")}"' for name, value in given.items())


def _text(text: str) -> str:
    return escape(_FORBIDDEN.sub("\ufffd", text))
