"""The last state of an apply is kept, or its instance frozen, or its run holds it: nobody goes on with an older one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from engine.catalog import places
from engine.catalog.tables import Instance
from engine.catalog.worker_tables import StateVersion
from engine.core.runs import Status
from engine.errors import Conflict, ExternalFailure, LandformError, OutcomeUnknown
from engine.external.cipher import Cipher
from engine.external.contents import FolderStates, States
from engine.terraform.backends import Managed
from engine.terraform.trail import Trail
from engine.worker.harvest import Harvest, Look
from engine.worker.work import Work
from tests.catalog.world import World, now
from tests.worker.fickle import Fickle
from tests.worker.test_retries import WORK


@dataclass
class Site:
    """Run 1, which applies; its Terraform has written one state, and ended."""

    catalog: Fickle
    harvest: Harvest
    work: Work
    workspace: Path

    def write(self, serial: int) -> None:
        """Writes a state as Terraform would."""
        state = {"version": 4, "serial": serial, "lineage": "l", "outputs": {}, "resources": []}
        (self.workspace / "terraform.tfstate").write_text(json.dumps(state))

    def look(self) -> Look:
        return Look(self.harvest, self.work, Managed(), self.workspace, "")

    def finish(self, recovers: Callable[[], bool]) -> None:
        self.harvest.finish(self.work, self.look(), recovers)

    def come_back(self) -> bool:
        """The catalog can be reached again."""
        self.catalog.is_away = False
        return True

    def kept(self) -> list[StateVersion]:
        with self.catalog.read() as tx:
            return tx.states("environment/prod")

    def instance(self) -> Instance:
        with self.catalog.read() as tx:
            return tx.instance_by_id(self.work.instance_id)


@pytest.fixture
def site(tmp_path: Path, blank: Path) -> Iterator[Site]:
    shutil.copy(blank, tmp_path / "catalog.db")
    catalog = Fickle(places.url_of(tmp_path / "catalog.db"), now)
    world = World(catalog)
    instance = world.environment()
    run = world.run(instance, Status.APPLYING)
    (tmp_path / "prod/workspace").mkdir(parents=True)
    work = replace(WORK, run_id=run.id or 0, fence=run.fence, instance_id=instance.id or 0)
    harvest = Harvest(catalog, States(FolderStates(tmp_path / "states"), Cipher(b"k" * 32)))
    found = Site(catalog, harvest, work, tmp_path / "prod/workspace")
    found.write(1)
    yield found
    catalog.close()


def never() -> bool:
    return False


def test_the_last_state_waits_for_a_catalog_that_is_out_of_reach(site: Site) -> None:
    site.catalog.is_away = True

    site.finish(site.come_back)

    assert ([each.serial for each in site.kept()], site.instance().diverged) == ([1], "")


def test_a_state_that_the_store_does_not_take_freezes_the_instance(site: Site) -> None:
    (site.workspace.parent.parent / "states").write_text("")

    site.finish(site.come_back)

    assert site.kept() == []
    assert site.instance().diverged.startswith("Its state could not be kept after run 1: A state cannot be kept in ")


def test_an_apply_whose_state_could_neither_be_kept_nor_missed_is_of_unknown_outcome(site: Site) -> None:
    site.catalog.is_away = True

    with pytest.raises(OutcomeUnknown) as unknown:
        site.finish(never)

    text = "The state that terraform apply has left could not be kept: The catalog is away."
    assert unknown.value.message == text


def test_nothing_is_kept_for_a_run_that_another_worker_has(site: Site) -> None:
    site.work = replace(site.work, fence=site.work.fence - 1)

    with pytest.raises(Conflict):
        site.finish(site.come_back)

    assert (site.kept(), site.instance().diverged) == ([], "")


def test_a_state_whose_keeping_nobody_confirmed_is_still_remembered(site: Site) -> None:
    look = site.look()
    site.catalog.loses_answers = True
    with pytest.raises(ExternalFailure):
        look.take()
    site.catalog.loses_answers = False
    [kept] = site.kept()
    site.write(2)
    site.catalog.is_away = True

    with pytest.raises(LandformError):
        look.take()

    # should the process die now, state 2 has grown from what is the newest one that was kept
    assert kept.digest in (Trail(site.workspace.parent).read() or ())


def test_what_others_have_gone_on_without_is_nothing_to_go_on_with(site: Site) -> None:
    site.finish(never)
    site.write(2)
    newer = site.harvest.current(site.work, Managed(), site.workspace)
    Trail(site.workspace.parent).note("of a state that was the newest before")

    overtaken = site.harvest.current(site.work, Managed(), site.workspace)

    assert newer is not None
    assert overtaken is not None
    assert (newer.snapshot.serial, overtaken.snapshot.serial) == (2, 1)
