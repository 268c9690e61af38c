"""What is measured, by name, and how Prometheus reads it: its text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from engine.core.address import Kind
from engine.core.runs import ACTIVE, EXECUTING, Operation, Status, waiting_on
from engine.core.workers import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PHASE = {Status.PLANNING: "plan", Status.APPLYING: "apply"}
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True)
class Took:
    """How long something took, over all time."""

    count: int
    seconds: float


@dataclass(frozen=True)
class InstanceCount:
    """How many instances are alike."""

    kind: str
    status: str
    """Of their last run."""
    count: int
    stale: int
    diverged: int


@dataclass(frozen=True)
class Measured:
    """All that is measured of a catalog."""

    version: str
    """Of Landform."""
    runs: Mapping[tuple[str, str], int]
    """Operation and status -> how many."""
    waiting_s: Mapping[str, float]
    """Status -> for how long the run of it that has waited longest has done so."""
    plans: Took
    applies: Took
    workers: Mapping[str, int]
    """State -> how many."""
    instances: tuple[InstanceCount, ...]


@dataclass(frozen=True)
class Sample:
    """One number."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True)
class Metric:
    """Numbers of one name."""

    name: str
    kind: str
    """`gauge`, `counter` or `summary`."""
    about: str
    samples: tuple[Sample, ...]


def metrics(found: Measured) -> Iterator[Metric]:
    """All metrics, those that are zero included: a graph must not have to guess."""
    yield Metric("landform_build_info", "gauge", "Version of Landform.", (Sample(1, {"version": found.version}),))
    yield from _of_runs(found)
    yield from _of_instances(found.instances)
    workers = tuple(Sample(found.workers.get(state, 0), {"state": state.value}) for state in State)
    yield Metric("landform_workers", "gauge", "Workers, by state; those that ended are forgotten in time.", workers)
    lost = (Sample(found.workers.get(State.LOST, 0)),)
    yield Metric("landform_leases_lost_total", "counter", "Workers that others had to give up.", lost)


def _of_runs(found: Measured) -> Iterator[Metric]:
    runs = tuple(
        Sample(found.runs.get((operation, status), 0), {"operation": operation.value, "status": status.value})
        for operation in Operation
        for status in Status
    )
    yield Metric("landform_runs", "gauge", "Runs since the beginning, by where they stand now.", runs)
    executing = tuple(
        Sample(sum(found.runs.get((operation, status), 0) for operation in Operation), {"phase": _PHASE[status]})
        for status in sorted(EXECUTING, key=list(Status).index)
    )
    yield Metric("landform_runs_executing", "gauge", "Runs that somebody works on now, by phase.", executing)
    about = "For how long the run has waited that has waited longest, by what it waits for."
    yield Metric("landform_queue_age_seconds", "gauge", about, tuple(_ages(found.waiting_s)))
    about = "From the request until there was a plan, waiting in line included."
    yield Metric("landform_run_plan_seconds", "summary", about, _summary(found.plans))
    about = "From the beginning of an apply to its end."
    yield Metric("landform_run_apply_seconds", "summary", about, _summary(found.applies))


def _ages(waiting_s: Mapping[str, float]) -> Iterator[Sample]:
    for reason in dict.fromkeys(waiting_on(status) for status in Status if status in ACTIVE - EXECUTING):
        ages = (waiting_s.get(status, 0) for status in Status if waiting_on(status) == reason)
        yield Sample(max(ages), {"waiting_on": reason})


def _of_instances(found: tuple[InstanceCount, ...]) -> Iterator[Metric]:
    by_status = tuple(Sample(each.count, {"kind": each.kind, "status": each.status or "none"}) for each in found)
    yield Metric("landform_instances", "gauge", "Instances, by the status of their last run.", by_status)
    about = "Instances that have read outputs which are others by now."
    yield Metric("landform_instances_stale", "gauge", about, _by_kind({each: each.stale for each in found}))
    about = "Instances that are frozen because a state could not be kept."
    yield Metric("landform_instances_diverged", "gauge", about, _by_kind({each: each.diverged for each in found}))


def _by_kind(counts: Mapping[InstanceCount, int]) -> tuple[Sample, ...]:
    return tuple(
        Sample(sum(count for each, count in counts.items() if each.kind == kind), {"kind": kind.value}) for kind in Kind
    )


def _summary(took: Took) -> tuple[Sample, ...]:
    return Sample(took.seconds, suffix="_sum"), Sample(took.count, suffix="_count")


def text(found: Iterable[Metric]) -> str:
    """The metrics as Prometheus reads them."""
    return "".join(f"{line}\n" for metric in found for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    if not metric.samples:
        return
    yield f"# HELP {metric.name} {metric.about}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in sample.labels.items())
        yield f"{metric.name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {sample.value:.15g}"
