"""One Python process that creates an environment and services in it: python -m tests.bench.one_process NAME COUNT.

Prints JSON: the CPU milliseconds of its own, before and while it worked, and those of the programs it started.
"""

from __future__ import annotations

import json
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from engine import app, settings
from engine.actions import environments, services
from engine.actions.changes import Consent
from engine.app import App
from engine.core.plans import AutoApprove
from engine.core.versions import parse_ref
from engine.terraform.events import Event
from tests.bench.fleet import ENVIRONMENT, SERVICE

CONSENT = Consent(AutoApprove.SAFE)


def main(name: str, services_wanted: int) -> None:
    """Creates them; every run must succeed."""
    landform = app.build(settings.load())
    started_ms = _cpu_ms(resource.RUSAGE_SELF)
    wish = environments.NewEnvironment(name, parse_ref(ENVIRONMENT))
    _carry_out(landform, environments.create(landform.desk, wish, CONSENT))
    with ThreadPoolExecutor(landform.settings.parallel) as pool:
        names = [f"{name}-{number:02}" for number in range(services_wanted)]
        list(pool.map(partial(_service, landform, name), names))
    own_ms = _cpu_ms(resource.RUSAGE_SELF) - started_ms
    print(json.dumps({"start": started_ms, "own": own_ms, "terraform": _cpu_ms(resource.RUSAGE_CHILDREN)}))


def _service(landform: App, environment: str, name: str) -> None:
    wish = services.NewService(name, parse_ref(SERVICE), environments=(environment,))
    _carry_out(landform, services.create(landform.desk, wish, CONSENT))


def _carry_out(landform: App, run_ids: list[int]) -> None:
    for run_id in run_ids:
        run = landform.executor.execute(run_id, app.stop(), _watch)
        assert run.status == "succeeded", run.message


def _watch(_phase: str, _event: Event | None) -> None:
    """Nobody looks on."""


def _cpu_ms(who: int) -> float:
    usage = resource.getrusage(who)
    return (usage.ru_utime + usage.ru_stime) * 1000


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
