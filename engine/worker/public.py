"""What of a run's values may be committed to a repository: no secrets, and nothing that stands for one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.core import dynamic
from engine.core.bundle import COMPONENT_OUTPUTS, ENVIRONMENT_OUTPUTS
from engine.errors import Conflict

if TYPE_CHECKING:
    from engine.core.bundle import Part
    from engine.worker.work import Neighbour, Upstream, Work

_HINT = "Let the code look it up itself, with a data source."


def public(work: Work, part: Part) -> Work:
    """The run's work without the sensitive outputs of others. Raises Conflict when the code reads one of them, or when
    an input is a reference: whoever resolved it would commit what it stands for.
    """
    _refuse_references(work)
    _refuse_reads(work.environment, part, ENVIRONMENT_OUTPUTS)
    _refuse_reads(work.component, part, COMPONENT_OUTPUTS)
    return replace(
        work,
        environment=_open(work.environment) if work.environment else None,
        component=_open(work.component) if work.component else None,
        neighbours=tuple(map(_opened, work.neighbours)),
    )


def _refuse_references(work: Work) -> None:
    inputs = [dict(work.inputs), *(dict(each.inputs) for each in work.neighbours)]
    if found := dynamic.found(inputs):
        names = ", ".join(reference.text for reference in found)
        raise Conflict(f"{names} cannot be resolved here: what it stands for would be committed.", hint=_HINT)


def _refuse_reads(upstream: Upstream | None, part: Part, map: str) -> None:
    hidden = upstream.outputs.keys() - _open(upstream).outputs.keys() if upstream else set()
    if upstream and (read := sorted(hidden & part.names_used(map))):
        names = f"output {read[0]}" if len(read) == 1 else f"outputs {', '.join(read)}"
        raise Conflict(
            f"The code reads the {names} of {upstream.address}, which must not be committed: sensitive.", hint=_HINT
        )


def _opened(each: Neighbour) -> Neighbour:
    return replace(each, instance=_open(each.instance), environment=_open(each.environment))


def _open(upstream: Upstream) -> Upstream:
    """The upstream, with what everybody may see of its outputs."""
    return replace(upstream, outputs={name: item for name, item in upstream.outputs.items() if not item["sensitive"]})
