"""Traces of runs: one trace a run, wherever and whenever its stages happen, and nothing unless it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from engine import tracing
from engine.errors import LandformError, OutcomeUnknown
from engine.tracing import CONSOLE, NOTHING, Stage, Tracer

PLAN = Stage("service/shop/blue 42 2026-05-04T03:02:01+00:00", "plan", 1)
APPLY = Stage(PLAN.key, "apply", 1)
ABOUT = {"run": 42, "address": "service/shop/blue", "template": "web@1.0", "worker": 7}


@dataclass(frozen=True)
class Traced:
    """A tracer, and what it has told."""

    tracer: Tracer
    exporter: InMemorySpanExporter

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        """Name -> the span that ended last."""
        return {span.name: span for span in self.exporter.get_finished_spans()}


@pytest.fixture
def traced() -> Iterator[Traced]:
    exporter = InMemorySpanExporter()
    provider: TracerProvider = tracing.provider(exporter, SimpleSpanProcessor)
    yield Traced(Tracer(provider), exporter)
    provider.shutdown()


def test_a_stage_is_a_span_that_says_what_it_came_to(traced: Traced) -> None:
    with traced.tracer.run(PLAN, ABOUT) as tell:
        tell("planned")

    assert dict(traced.spans["run"].attributes or {}) == {
        "landform.run": 42,
        "landform.address": "service/shop/blue",
        "landform.template": "web@1.0",
        "landform.worker": 7,
        "landform.stage": "plan",
        "landform.outcome": "planned",
    }


def test_phases_are_spans_inside(traced: Traced) -> None:
    with traced.tracer.run(PLAN, ABOUT), tracing.span("init"), tracing.span("deeper"):
        pass

    run, init, deeper = (traced.spans[name] for name in ("run", "init", "deeper"))
    assert init.parent is not None
    assert deeper.parent is not None
    assert (init.parent.span_id, deeper.parent.span_id) == (run.context.span_id, init.context.span_id)


def test_plan_and_apply_are_in_one_trace_and_the_apply_names_the_plan(traced: Traced) -> None:
    with traced.tracer.run(PLAN, ABOUT):
        pass
    plan = traced.spans["run"]
    with traced.tracer.run(APPLY, ABOUT):
        pass
    apply = traced.spans["run"]

    assert apply.context.trace_id == plan.context.trace_id
    assert apply.context.span_id != plan.context.span_id
    assert [(link.context.trace_id, link.context.span_id) for link in apply.links] == [
        (plan.context.trace_id, plan.context.span_id)
    ]
    assert list(plan.links) == []


def test_a_plan_that_is_made_again_is_another_span_of_the_same_trace() -> None:
    again = Stage(PLAN.key, "plan", 2)

    assert (again.trace_id, again.span_id == PLAN.span_id) == (PLAN.trace_id, False)


def test_two_runs_are_two_traces(traced: Traced) -> None:
    with traced.tracer.run(PLAN, ABOUT):
        pass
    first = traced.spans["run"]
    with traced.tracer.run(Stage("service/shop/blue 43 2026-05-04T03:02:01+00:00", "plan", 1), ABOUT):
        pass

    assert traced.spans["run"].context.trace_id != first.context.trace_id


def test_of_an_error_only_its_kind_is_told(traced: Traced) -> None:
    with pytest.raises(OutcomeUnknown), traced.tracer.run(APPLY, ABOUT), tracing.span("apply"):
        raise OutcomeUnknown("it is hunter2")

    span = traced.spans["apply"]
    assert (span.status.status_code, span.status.description, list(span.events)) == (
        StatusCode.ERROR,
        "OutcomeUnknown",
        [],
    )


def test_outside_of_a_run_there_is_nothing_to_trace(traced: Traced) -> None:
    with traced.tracer.run(PLAN, ABOUT):
        pass
    with tracing.span("plan"):
        pass

    assert list(traced.spans) == ["run"]


def test_without_a_setting_nothing_is_traced() -> None:
    with tracing.tracer("").run(PLAN, ABOUT) as tell, tracing.span("plan"):
        tell("planned")

    assert tracing.tracer("") is NOTHING


def test_traces_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    tracer = tracing.tracer(CONSOLE)
    with tracer.run(PLAN, ABOUT):
        pass
    tracer.close()

    shown = capsys.readouterr()
    assert (shown.out, '"landform.address": "service/shop/blue"' in shown.err) == ("", True)


@pytest.mark.parametrize(
    ("setting", "package"),
    [(CONSOLE, "opentelemetry.sdk.trace"), ("http://127.0.0.1:4318", "opentelemetry.exporter.otlp.proto.http")],
)
def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch, setting: str, package: str) -> None:
    # the import system's own way to say that a package is not there
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(LandformError) as caught:
        tracing.tracer(setting)

    assert caught.value.message.startswith("Traces need a package that is not installed: opentelemetry")
    assert caught.value.hint.startswith("Install the extra, as in: pip install 'landform[otel]'.")
