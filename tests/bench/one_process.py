"""One Python process that creates an environment and services in it: python -m tests.bench.one_process NAME COUNT.

Prints JSON: the CPU milliseconds of its own, before and while it worked, and those of the programs it started.
"""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor

from engine import app, settings
from engine.actions import environments, services
from engine.actions.changes import Consent
from engine.app import App
from engine.core.plans import AutoApprove
from engine.core.versions import parse_ref
from engine.terraform.events import Event
from tests.bench.fleet import ENVIRONMENT, SERVICE

CONSENT = Consent(AutoApprove.SAFE)


def main(name: str, count: int) -> None:
    """Creates them; every run must succeed."""
    landform = app.build(settings.load())
    started_ms = _cpu_ms(resource.RUSAGE_SELF)
    wish = environments.NewEnvironment(name, parse_ref(ENVIRONMENT))
    _carry_out(landform, environments.create(landform.desk, wish, CONSENT))
    _carry_out(landform, [_service(landform, f"{name}-{number:02}", name) for number in range(count)])
    own_ms = _cpu_ms(resource.RUSAGE_SELF) - started_ms
    print(json.dumps({"start": started_ms, "own": own_ms, "terraform": _cpu_ms(resource.RUSAGE_CHILDREN)}))


def _service(landform: App, name: str, environment: str) -> int:
    wish = services.NewService(name, parse_ref(SERVICE), environments=(environment,))
    return services.create(landform.desk, wish, CONSENT)[0]


def _carry_out(landform: App, run_ids: list[int]) -> None:
    stop = app.stop()

    def one(run_id: int) -> None:
        run = landform.executor.execute(run_id, stop, _watch)
        assert run.status == "succeeded", run.message

    with ThreadPoolExecutor(landform.settings.parallel) as pool:
        list(pool.map(one, run_ids))


def _watch(_phase: str, _event: Event | None) -> None:
    """Nobody looks on."""


def _cpu_ms(who: int) -> float:
    usage = resource.getrusage(who)
    return (usage.ru_utime + usage.ru_stime) * 1000


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
