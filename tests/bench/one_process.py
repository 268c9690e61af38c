"""One Python process that creates an environment and services in it.

python -m tests.bench.one_process NAME COUNT [--record]; with --record it leaves the services' runs to a worker.
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


def main(name: str, services_wanted: int, *, records: bool) -> None:
    """Creates them; every run must succeed."""
    landform = app.build(settings.load())
    started_ms = _cpu_ms(resource.RUSAGE_SELF)
    wish = environments.NewEnvironment(name, parse_ref(ENVIRONMENT))
    _carry_out(landform, environments.create(landform.desk, wish, CONSENT))
    with ThreadPoolExecutor(landform.settings.parallel) as pool:
        names = [f"{name}-{number:02}" for number in range(services_wanted)]
        list(pool.map(partial(_recorded if records else _service, landform, name), names))
    own_ms = _cpu_ms(resource.RUSAGE_SELF) - started_ms
    print(json.dumps({"start": started_ms, "own": own_ms, "terraform": _cpu_ms(resource.RUSAGE_CHILDREN)}))


def _service(landform: App, environment: str, name: str) -> None:
    _carry_out(landform, _recorded(landform, environment, name))


def _recorded(landform: App, environment: str, name: str) -> list[int]:
    wish = services.NewService(name, parse_ref(SERVICE), environments=(environment,))
    return services.create(landform.desk, wish, CONSENT)


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
    main(sys.argv[1], int(sys.argv[2]), records="--record" in sys.argv)
