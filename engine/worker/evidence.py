"""Finds out what became of an interrupted run: ends what still runs, takes in what lies there, and plans afresh.

Nothing is decided here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import address, dynamic, fingerprint, wiring
from engine.core.evidence import Evidence, States
from engine.core.plans import Summary
from engine.core.runs import Operation, Status, what_to_do
from engine.errors import Busy, Cancelled, Conflict, LandformError
from engine.external import alive
from engine.external.process import Stop
from engine.worker import last_words, remains, upstreams
from engine.worker.following import Step, Watch, follow, watch_nothing
from engine.worker.harvest import watching
from engine.worker.journal import LAST_WORDS_FILE, recorded_process
from engine.worker.locks import Witness
from engine.worker.phases import summarised
from engine.worker.plan_files import PLAN_FILE
from engine.worker.remains import Left
from engine.worker.work import load

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.catalog.tables import Run
    from engine.catalog.tx import Tx
    from engine.core.bundle import Part
    from engine.external.process import Stop
    from engine.worker.ground import Ground
    from engine.worker.work import Work

_GUARD_S = 2.0
"""What a guard needs beside the grace, until the last process of its group is gone."""


@dataclass(frozen=True)
class Look:
    """How somebody looks."""

    stop: Stop
    watch: Watch = watch_nothing
    plans: bool = True
    """Whether Terraform is asked what it would do now; without, it takes milliseconds."""


@dataclass(frozen=True)
class Inquiry:
    """Looks at interrupted runs of one catalog, from this machine."""

    catalog: Catalog
    ground: Ground

    def evidence(self, run_id: int, look: Look) -> Evidence:
        """What is known of the run; recorded with it too.

        Raises NotFound, Conflict when it is not interrupted, Busy while something of it still runs or somebody else
        looks at it, Cancelled.
        """
        with self._alone(run_id) as scene:
            found = scene.evidence(look)
            with self.catalog.write() as tx:
                run = _interrupted(tx, run_id)
                run.evidence = found.to_json()
                tx.save(run)
        return found

    def adopt(self, run_id: int, ids: Mapping[str, str], look: Look) -> None:
        """Takes resources that exist into the state: address -> what the provider calls it.

        Only those that the run was making and that are in no state. Raises as evidence(), Conflict for another address,
        ExternalFailure when Terraform cannot import it.
        """
        with self._alone(run_id) as scene:
            missing = scene.evidence(Look(look.stop, look.watch, plans=False)).missing
            if unknown := sorted(ids.keys() - set(missing)):
                known = f"These are: {', '.join(missing)}." if missing else "Nothing is."
                raise Conflict(f"Run {run_id} was not making {', '.join(unknown)} when it was interrupted.", hint=known)
            scene.take_in(ids, look)

    def hear(self, run_id: int) -> None:
        """Takes what an interrupted run's Terraform said, when nobody listened any more, into the log: as it lies here,
        it may hold any secret. Does nothing while that Terraform still runs, or somebody looks. Raises LandformError.
        """
        with self.catalog.read() as tx:
            where = address.parse(tx.run(run_id).address)
        folder = self.ground.run_folder(where, run_id)
        who = recorded_process(folder)
        if (folder / LAST_WORDS_FILE).exists() and (who is None or alive.remains(who) == ()):
            with suppress(Busy), self._alone(run_id) as scene:
                scene.hear(Look(Stop(), plans=False))

    @contextmanager
    def _alone(self, run_id: int) -> Iterator[_Scene]:
        """The run, while nobody else on this machine looks at it."""
        with self.catalog.read() as tx:
            run = _interrupted(tx, run_id)
            scene = _Scene(self.catalog, self.ground, run, load(tx, run))
        number = os.open(scene.folder, os.O_RDONLY)
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield scene
        except BlockingIOError:
            raise Busy(f"Somebody is looking at run {run_id} just now.", hint="Try again in a moment.") from None
        finally:
            os.close(number)


@dataclass(frozen=True)
class _Scene:
    """One run, as it was left."""

    catalog: Catalog
    ground: Ground
    run: Run
    work: Work

    @property
    def folder(self) -> Path:
        return self.ground.run_folder(self.work.address, self.work.run_id)

    def evidence(self, look: Look) -> Evidence:
        processes = self._proof()
        left, plan, why = Left(States(), ("It has no Terraform: its outputs are its inputs.",)), None, ""
        if self.work.part is not None:
            self.hear(look)
            left = remains.state(self.ground, self.work)
            if look.plans and left.is_in_order:
                plan, why = self._plan(self.work.part, look)
        with self.catalog.read() as tx:
            now = tx.now().isoformat()
        steps = remains.steps(self.ground, self.run, self.work)
        notes = (*left.notes, why) if why else left.notes
        return Evidence(now, _worker(self.run), processes, steps, left.states, plan, notes)

    def take_in(self, ids: Mapping[str, str], look: Look) -> None:
        assert self.work.part is not None
        # what the import writes has grown from the state that is in place now, and must be known to
        work = self.ground.entrusted.resolved(self.work)
        self.ground.harvest.restore(work, self.ground.backend(work), self.ground.root(work))
        given = self.ground.values(work)
        with self.ground.journal(work, given, look.watch) as journal:
            step = Step(work, self.work.part, look.stop, journal)
            place = self.ground.prepare(step, given)
            backend, root = self.ground.backend(work), self.ground.root(work)
            try:
                with backend.working(root, work.run_id):
                    for address, identifier in ids.items():
                        with watching(backend, None, self._witness(work)):
                            follow(self.ground.terraform().import_(place, address, identifier), "import", step)
            finally:
                # of several, the first ones have been taken in whatever became of the others
                remains.state(self.ground, self.work)

    def _proof(self) -> str:
        """How it is known that nobody works on the run any more. Raises Busy when somebody does."""
        who = recorded_process(self.folder)
        if who is None:
            return "No Terraform of it is known of on this machine."
        survivors = alive.outlast(who, self.ground.settings.grace_s + _GUARD_S)
        if survivors:
            pids = ", ".join(map(str, survivors))
            raise Busy(
                f"Processes {pids} of run {self.work.run_id} still run, and cannot be ended.",
                hint=f"End them by hand, then: landform run recover {self.work.run_id}",
            )
        if survivors is None:
            return f"Terraform was process {who['pid']} of host {who['host']}, which cannot be looked at from here."
        if who["boot_id"] != alive.identity()["boot_id"]:
            return "The machine has been started anew since."
        return f"Terraform, process {who['pid']}, is gone, and so is all of its group."

    def hear(self, look: Look) -> None:
        """Takes what Terraform said when nobody listened any more into the log."""
        work, now = self.ground.entrusted.unsigned(self.work), upstreams.current(self.work)
        env, key = self.ground.entrusted.run_env(work), self.ground.key
        is_same_env = fingerprint.has_run_env(self.work.planned_with, env, key)
        try:
            # nobody knows the credentials any more that it had, nor what references stood for
            is_same = is_same_env and not self.ground.entrusted.credentials(work) and not dynamic.found(work.inputs)
            given, is_known = self.ground.values(work), is_same and not wiring.changed(self.run.upstream, now)
        except Conflict:
            # without the secrets that it was given nothing can be cleaned of them
            return
        with self.ground.journal(work, given, look.watch) as journal:
            last_words.take(journal, secrets_are_known=is_known)

    def _plan(self, part: Part, look: Look) -> tuple[Summary | None, str]:
        """What Terraform would do now, or why it cannot tell."""
        try:
            work = self.ground.entrusted.resolved(self.work)
            given = self.ground.values(work)
            with self.ground.journal(work, given, look.watch) as journal:
                step = Step(work, part, look.stop, journal, self.ground.patience)
                return self._planned(step), ""
        except Cancelled:
            raise
        except LandformError as error:
            return None, f"Terraform cannot tell what it would do now: {error.message}"

    def _witness(self, work: Work) -> Witness | None:
        """Sees to it that, should we be killed, whoever looks next may break the lock of what we have started."""
        ground = self.ground
        backend, book = ground.backend(work), replace(ground.locks(work), claim=None)
        return Witness(book, backend, ground.root(work), ground.now) if backend.is_shared else None

    def _planned(self, step: Step) -> Summary:
        ground, work, root = self.ground, step.work, self.ground.root(step.work)
        backend, place = ground.backend(work), ground.prepare(step, ground.values(work))
        # the plan holds every value in clear text, and nobody may apply it
        with ground.elsewhere() as folder, backend.working(root, work.run_id):
            command = ground.terraform().plan(place, folder / PLAN_FILE, destroy=work.operation is Operation.DESTROY)
            with watching(backend, None, self._witness(work)):
                came_to, collector = follow(command, "plan", step)
        return summarised(came_to, collector, step.journal)


def _interrupted(tx: Tx, run_id: int) -> Run:
    """The run. Raises NotFound, Conflict when it is not interrupted."""
    run = tx.run(run_id)
    if run.status != Status.INTERRUPTED:
        raise Conflict(
            f"Run {run_id} is not interrupted: it is {run.status}.", hint=what_to_do(run_id, Status(run.status))
        )
    return run


def _worker(run: Run) -> str:
    who = run.executor or {}
    home = f", home {who['home']}" if who.get("home") else ""
    return f"process {who['pid']} on host {who['host']}{home}" if who else ""
