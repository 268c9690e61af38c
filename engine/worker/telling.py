"""What log lines and traces are about while a run is worked on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine import logs, tracing
from engine.core.runs import Status
from engine.tracing import Stage, Tracer

if TYPE_CHECKING:
    from engine.catalog.tables import Run

logger = logging.getLogger(__name__)


@contextmanager
def about(run: Run, tracer: Tracer) -> Iterator[Callable[[str], None]]:
    """Everything that this thread logs and traces is about the run, which has just been claimed; to be called with its
    status in the end.
    """
    assert run.id is not None
    key = f"{run.address} {run.id} {run.created_at.isoformat()}"
    stage = Stage(key, "plan" if run.status == Status.PLANNING else "apply", run.attempt)
    worker = {} if run.worker_id is None else {"worker": run.worker_id}
    facts: dict[str, str | int] = {"run": run.id, "address": run.address, **worker}
    traced = {**facts, "template": run.template, "operation": run.operation}
    with logs.bound(**facts), tracer.run(stage, traced) as trace:

        def tell(status: str) -> None:
            trace(status)
            logger.info("work on a run is over", extra={"status": str(status)})

        logger.info("work on a run has begun", extra={"stage": stage.name, "attempt": stage.attempt})
        yield tell


@contextmanager
def phase(name: str) -> Iterator[None]:
    """The same, and about a phase of the run: `init`, `plan` or `apply`."""
    with logs.bound(phase=name), tracing.span(name):
        yield
