"""The only place that knows OpenTelemetry: what a run did when, for whoever collects traces; nothing without a setting.

Plan and apply may happen weeks and machines apart. The trace of a run is derived from the run, so both land in one; the
span of a later stage has a link to that of the plan.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engine.errors import LandformError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.sdk.trace.id_generator import IdGenerator
    from opentelemetry.trace import Link, Span
    from opentelemetry.trace import Tracer as OtelTracer

CONSOLE = "console"
_PATH = "/v1/traces"
_TIMEOUT_S = 5
_current: ContextVar[OtelTracer | None] = ContextVar("landform_tracer", default=None)
_wanted: ContextVar[tuple[int, int] | None] = ContextVar("landform_span_ids", default=None)
"""Trace and span of the next span that begins a stage."""


@dataclass(frozen=True)
class Stage:
    """A stretch of work on a run, from a claim until the run ends or waits for somebody."""

    key: str
    """What no other run has, the same on every machine."""
    name: str
    """`plan` (which may go on to apply) or `apply`."""
    attempt: int
    """Of the plan: a plan that was lost is made again."""

    @property
    def trace_id(self) -> int:
        """Of the whole run."""
        return _number(self.key, 16)

    @property
    def span_id(self) -> int:
        """Of this stage."""
        return _number(f"{self.key} {self.name} {self.attempt}", 8)


@dataclass(frozen=True)
class Tracer:
    """Makes the traces of runs."""

    provider: TracerProvider | None = None
    """None: nobody collects any."""

    @contextmanager
    def run(self, stage: Stage, about: Mapping[str, str | int]) -> Iterator[Callable[[str], None]]:
        """The span of a stage of a run, while it is entered; to be called with what it came to, if that is known."""
        if self.provider is None:
            yield _nothing
            return
        from opentelemetry.context import Context

        tracer = self.provider.get_tracer("landform")
        links = [_link(stage)] if stage.name != "plan" else []
        token = _wanted.set((stage.trace_id, stage.span_id))
        span = tracer.start_span("run", Context(), links=links, attributes=_named({**about, "stage": stage.name}))
        _wanted.reset(token)
        token_of_tracer = _current.set(tracer)
        try:
            with _entered(span):
                yield lambda outcome: span.set_attribute("landform.outcome", outcome)
        finally:
            _current.reset(token_of_tracer)

    def close(self) -> None:
        """Sends what has not been sent yet."""
        if self.provider is not None:
            self.provider.shutdown()


NOTHING = Tracer()


@contextmanager
def span(name: str) -> Iterator[None]:
    """A part of the stage that this thread is in, while it is entered; nothing outside of one."""
    tracer = _current.get()
    if tracer is None:
        yield
        return
    with _entered(tracer.start_span(name)):
        yield


def tracer(setting: str) -> Tracer:
    """What the setting `otel` asks for. Raises LandformError when the extra is missing."""
    if not setting:
        return NOTHING
    try:
        from opentelemetry.sdk.trace import export

        if setting == CONSOLE:
            return Tracer(provider(_to_stderr(), export.SimpleSpanProcessor))
        return Tracer(provider(_to_collector(setting), export.BatchSpanProcessor))
    except ImportError as error:
        hint = "Install the extra, as in: pip install 'landform[otel]'. Or leave the setting otel out."
        raise LandformError(f"Traces need a package that is not installed: {error.name}.", hint=hint) from error


def provider(exporter: SpanExporter, processor: Callable[[SpanExporter], SpanProcessor]) -> TracerProvider:
    """Where spans are made, and how they go to the exporter."""
    from importlib import metadata

    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    resource = Resource({"service.name": "landform", "service.version": metadata.version("landform")})
    made = TracerProvider(resource=resource, id_generator=_ids())
    made.add_span_processor(processor(exporter))
    return made


def _ids() -> IdGenerator:
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Derived(RandomIdGenerator):
        """Gives a stage the ids that are derived from its run, and other spans any."""

        def is_trace_id_random(self) -> bool:
            return False

        def generate_trace_id(self) -> int:
            wanted = _wanted.get()
            return wanted[0] if wanted else super().generate_trace_id()

        def generate_span_id(self) -> int:
            wanted = _wanted.get()
            return wanted[1] if wanted else super().generate_span_id()

    return Derived()


def _to_stderr() -> SpanExporter:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    return ConsoleSpanExporter(out=sys.stderr)


def _to_collector(address: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    has_path = urlsplit(address).path.strip("/")
    exporter: SpanExporter = OTLPSpanExporter(
        endpoint=address if has_path else address.rstrip("/") + _PATH, timeout=_TIMEOUT_S
    )
    return exporter


@contextmanager
def _entered(span: Span) -> Iterator[None]:
    """The span while it lasts. Of an error only the kind is kept: what it says may be about anything."""
    from opentelemetry.trace import Status, StatusCode, use_span

    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _link(stage: Stage) -> Link:
    from opentelemetry.trace import Link, SpanContext, TraceFlags

    plan = replace(stage, name="plan")
    return Link(SpanContext(stage.trace_id, plan.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)))


def _named(about: Mapping[str, str | int]) -> dict[str, str | int]:
    return {f"landform.{name}": value for name, value in about.items()}


def _number(text: str, size_bytes: int) -> int:
    """A number that the text always gives, and never 0, which is none to OpenTelemetry."""
    return int.from_bytes(sha256(text.encode()).digest()[:size_bytes]) or 1


def _nothing(_outcome: str) -> None:
    """For whoever traces nothing."""
