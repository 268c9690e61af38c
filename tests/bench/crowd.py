"""Workers on one PostgreSQL with a simulated Terraform: what bench_dispatch and bench_memory look at."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import app, settings
from engine.actions import changes, services
from engine.actions.changes import Change, Consent
from engine.actions.desk import target_of
from engine.app import App
from engine.core import address
from engine.core.plans import AutoApprove
from engine.core.runs import Operation
from engine.core.versions import parse_ref
from tests import postgres
from tests.bench.fleet import LANDFORM, SERVICE, Fleet, publish
from tests.bench.pairs import ROOT, environment

ENVIRONMENT = "warm-up"
_ALL = Consent(AutoApprove.ALL)
_LOOK_EVERY_S = 0.02


@dataclass(frozen=True)
class Worker:
    """A process that carries out whatever comes, and what it says, one JSON object a line."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> list[dict[str, str]]:
        """What it has logged until now."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@dataclass(frozen=True)
class Crowd:
    """A catalog, its operator, and services with an instance each that can be deployed again and again."""

    fleet: Fleet
    operator: App
    names: Sequence[str]

    def take_s(self, seconds: float) -> None:
        """From now on a plan takes that long, and so does an apply."""
        (self.fleet.folder / "seconds").write_text(f"{seconds:g}\n")

    def started_at(self, name: str) -> float:
        """When the last Terraform of a service's instance began to plan."""
        where = address.service_instance(name, ENVIRONMENT)
        return (self.operator.phases.ground.workspace(where).root / "started").stat().st_mtime

    def submit(self, names: Sequence[str]) -> list[int]:
        """Records a run of each of these services, all in one transaction; the runs' numbers."""
        desk = self.operator.desk
        with desk.catalog.write() as tx:
            found = [tx.instance(address.service_instance(name, ENVIRONMENT)) for name in names]
            return [
                changes.submit(tx, desk, one, Change(Operation.DEPLOY, target_of(tx, one), one.inputs), _ALL)
                for one in found
            ]

    def executed(self) -> int:
        """How many runs are worked on now."""
        with self.operator.catalog.read() as tx:
            return len(tx.executing())

    def done(self, run_ids: Sequence[int]) -> float:
        """The moment at which the last of these runs ended; waits for it. All must have succeeded."""
        waiting = list(run_ids)
        while waiting:
            time.sleep(_LOOK_EVERY_S)
            with self.operator.catalog.read() as tx:
                last = tx.run(waiting[-1])
            if last.ended_at is not None:
                waiting.pop()
        with self.operator.catalog.read() as tx:
            runs = [tx.run(run_id) for run_id in run_ids]
        assert all(run.status == "succeeded" for run in runs), [run.message for run in runs]
        return max(run.ended_at.timestamp() for run in runs if run.ended_at)

    @contextmanager
    def workers(self, count: int, slots: int) -> Iterator[list[Worker]]:
        """That many workers, ready, with so many slots each; gone afterwards."""
        with ExitStack() as stack:
            made = [stack.enter_context(self._worker(slots)) for _ in range(count)]
            until(lambda: all("is ready" in worker.log.read_text() for worker in made))
            yield made

    @contextmanager
    def _worker(self, slots: int) -> Iterator[Worker]:
        log = Path(tempfile.mkstemp(dir=self.fleet.folder, prefix="worker-")[1])
        with log.open("ab") as out:
            environ = environment(**self.fleet.environ, LANDFORM_LOG_LEVEL="INFO", LANDFORM_LOG_FORMAT="json")
            argv = (LANDFORM, "worker", "run", "--parallel", str(slots))
            process = subprocess.Popen(argv, cwd=self.fleet.folder, env=environ, stdout=out, stderr=out)
        try:
            yield Worker(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


@contextmanager
def crowd(folder: Path, services_wanted: int) -> Iterator[Crowd]:
    """A catalog with that many services, all deployed."""
    shutil.copy(ROOT / "tests" / "bench" / "simulated.sh", folder / "terraform")
    (folder / "seconds").write_text("0\n")
    with postgres.own_server() as server, postgres.database(server.url) as url:
        fleet = Fleet(folder, {"LANDFORM_CATALOG": url, "LANDFORM_TERRAFORM": str(folder / "terraform")})
        publish(fleet)
        operator = app.build(settings.load(environment(**fleet.environ), folder))
        made = Crowd(fleet, operator, [f"job-{number:03}" for number in range(services_wanted)])
        try:
            _deploy(made)
            yield made
        finally:
            operator.close()


def _deploy(made: Crowd) -> None:
    desk, ref = made.operator.desk, parse_ref(SERVICE)
    wishes = [services.NewService(name, ref, environments=(ENVIRONMENT,)) for name in made.names]
    ids = [run_id for wish in wishes for run_id in services.create(desk, wish, _ALL)]
    with made.workers(1, os.cpu_count() or 1):
        made.done(ids)


def until(happened: Callable[[], bool]) -> None:
    """Returns as soon as it has happened."""
    while not happened():
        time.sleep(_LOOK_EVERY_S)
