"""What the bundle worker does, survives and leaves: real Terraform."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terraform._shipped import (
    HOSTILE,
    TERRAFORM,
    Instance,
    ending,
    kill,
)

pytestmark = [pytest.mark.terraform, pytest.mark.skipif(not TERRAFORM, reason="there is no Terraform here")]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Instance]:
    instance = Instance(tmp_path / "workspace", "service/worker/v1")
    instance.give_inputs({"message": "tick", "interval_seconds": 3600, "restart": 0})
    yield instance
    shutil.rmtree(tmp_path / "lab", ignore_errors=True)


def heartbeat(job: Instance) -> dict[str, object]:
    beat: dict[str, object] = json.loads((job.content / "heartbeat.json").read_text())
    return beat


def test_a_job_has_beaten_once_when_the_apply_is_done(job: Instance) -> None:
    job.apply()

    beat = heartbeat(job)
    assert (beat["count"], beat["message"]) == (1, "tick")
    assert (job.content / "job.log").read_text() == f'{beat["at"]} 1 "tick"\n'
    assert job.planned() == set()
    assert job.outputs() == {
        "log_file": str(job.content / "job.log"),
        "heartbeat_file": str(job.content / "heartbeat.json"),
        "pid_file": str(job.content / "process.pid"),
    }


def test_destroying_a_job_leaves_no_process_and_no_folder(job: Instance) -> None:
    job.apply()

    with ending(job.pid):
        job.destroy()

    assert list(job.lab.iterdir()) == []


def test_a_new_message_is_taken_up_by_the_same_process(job: Instance) -> None:
    job.apply()
    pid = job.pid
    job.give_inputs({"message": "tock", "interval_seconds": 3600, "restart": 0})

    job.apply()

    assert json.loads((job.content / "job.json").read_text()) == {"interval_seconds": 3600, "message": "tock"}
    assert job.pid == pid


def test_a_job_counts_on_after_a_restart(job: Instance) -> None:
    job.apply()
    kill(job.pid)
    job.give_inputs({"message": "tock", "interval_seconds": 3600, "restart": 1})

    job.apply()

    assert (heartbeat(job)["count"], heartbeat(job)["message"]) == (2, "tock")


@pytest.mark.parametrize("message", HOSTILE)
def test_a_hostile_message_is_one_line_of_the_log(job: Instance, message: str) -> None:
    job.give_inputs({"message": message, "interval_seconds": 3600, "restart": 0})

    job.apply()

    (line,) = (job.content / "job.log").read_text().splitlines()
    assert json.loads(line.split(" ", 2)[2]) == message
    assert list(job.folder.parent.rglob("pwned")) == []


def test_a_job_that_was_started_but_not_written_down_is_destroyed(job: Instance) -> None:
    job.apply()
    job.forget("terraform_data.process")

    with ending(job.pid):
        job.destroy()

    assert list(job.lab.iterdir()) == []
