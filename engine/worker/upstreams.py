"""What an instance reads of others: recorded with its run, and judged when one of those has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.core import bundle, wiring
from engine.core.address import Kind
from engine.core.bundle import COMPONENT_OUTPUTS, PART_OF
from engine.worker.work import wanted

if TYPE_CHECKING:
    from engine.catalog.tables import Instance
    from engine.catalog.tx import Tx
    from engine.core.bundle import Part
    from engine.worker.work import Work

_INPUTS = f"{wiring.INSTANCES}[].inputs."
Fingerprints = dict[str, dict[str, str]]
"""Upstream address -> name of an output -> digest of its value."""


def read(work: Work, part: Part) -> dict[str, dict[str, str]]:
    """Upstream address -> {output name: digest} of what the code uses, of the instances that the run reads from."""
    if work.address.kind is Kind.PIPELINE:
        return _of_list(work, part)
    found = {}
    if work.environment is not None:
        found[str(work.environment.address)] = wiring.read(part, fingerprints(work.environment.outputs))
    if work.component is not None:
        component = fingerprints(work.component.outputs)
        found[str(work.component.address)] = wiring.read(part, component, COMPONENT_OUTPUTS)
    return found


def _of_list(work: Work, part: Part) -> Fingerprints:
    """As read(), of the instances that a pipeline is given: all of it where the code reads the list as a whole, as most
    does.
    """
    now, paths = current(work), {read.path for read in part.reads}
    if wiring.INSTANCES in paths:
        return {where: wiring.whole(found) for where, found in now.items()}
    reads_inputs = any(f"{path}.".startswith(_INPUTS) for path in paths)
    found: Fingerprints = {}
    for each in work.neighbours:
        where, home = str(each.instance.address), str(each.environment.address)
        inputs = {wiring.INPUTS: now[where][wiring.INPUTS]} if reads_inputs else {}
        found[where] = inputs | wiring.read(part, now[where], wiring.INSTANCE_OUTPUTS)
        found[home] = wiring.read(part, now[home], wiring.environment_map(part))
    return {where: reads for where, reads in found.items() if reads}


def current(work: Work) -> Fingerprints:
    """Upstream address -> name -> digest of everything that flows into the instance now, used or not."""
    found = {str(upstream.address): fingerprints(upstream.outputs) for upstream in work.upstreams}
    for each in work.neighbours:
        found[str(each.instance.address)] = _with_inputs(each.instance.outputs, each.inputs)
    return found


def judge(tx: Tx, reader: Instance) -> None:
    """Says whether what the instance read when it was deployed is still so."""
    stale = wiring.changed(*_then_and_now(tx, reader)) if reader.outputs is not None else []
    if stale != reader.stale:
        reader.stale = stale
        reader.is_stale = bool(stale)
        tx.save(reader)


def fingerprints(outputs: Mapping[str, Mapping[str, object]] | None) -> dict[str, str]:
    """Output name -> fingerprint of its value, of outputs as catalog.tables.Instance has them."""
    return {name: str(output["fingerprint"]) for name, output in (outputs or {}).items()}


def _then_and_now(tx: Tx, reader: Instance) -> tuple[Fingerprints, Fingerprints]:
    """Upstream address -> output name -> fingerprint, as the reader has read it and as it is."""
    if reader.kind == Kind.PIPELINE:
        return _of_pipeline(tx, reader)
    then, now = dict(reader.upstream), {}
    if reader.environment_id is not None:
        environment = tx.instance_by_id(reader.environment_id)
        now[environment.address] = fingerprints(environment.outputs)
    if reader.kind == Kind.SERVICE_INSTANCE:
        component = tx.component_of(reader)
        attached = {component.address: fingerprints(component.outputs)} if component and component.outputs else {}
        detached: Fingerprints = {where: {} for where in then if where.startswith(f"{Kind.COMPONENT.value}/")}
        now |= detached | attached
        part = bundle.from_json(tx.version_by_id(reader.version_id).facts).part(PART_OF[Kind.SERVICE_INSTANCE])
        unread = {where: wiring.read(part, {}, COMPONENT_OUTPUTS) for where in attached if part is not None}
        then = unread | then
    return then, now


def _of_pipeline(tx: Tx, pipeline: Instance) -> tuple[Fingerprints, Fingerprints]:
    return dict(pipeline.upstream), current(wanted(tx.related(pipeline.id or 0, pipeline.version_id), pipeline.inputs))


def _with_inputs(outputs: Mapping[str, Mapping[str, object]], inputs: Mapping[str, object]) -> dict[str, str]:
    text = json.dumps(inputs, sort_keys=True)
    return {**fingerprints(outputs), wiring.INPUTS: hashlib.sha256(text.encode()).hexdigest()}
