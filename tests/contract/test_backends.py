"""What every backend promises, under real Terraform: in the workspace, and in S3 as moto plays it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.core.snapshots import Snapshot
from engine.errors import Busy, Conflict, ExternalFailure
from engine.terraform import backends
from engine.terraform.backend import Backend
from engine.terraform.backends import LOCK_INFO_FILE, Managed
from tests.bucket import CREDENTIALS, Bucket, bucket

REAL = shutil.which("terraform")
pytestmark = [pytest.mark.terraform, pytest.mark.skipif(REAL is None, reason="terraform is not on PATH")]
CODE = """\
resource "terraform_data" "a" { input = "one" }
output "word" { value = terraform_data.a.output }
output "token" {
  value     = "hunter2"
  sensitive = true
}
"""
SLOW = """\
resource "terraform_data" "slow" {
  provisioner "local-exec" { command = "touch started; exec sleep 60" }
}
"""


@dataclass(frozen=True)
class Lab:
    """A workspace whose state lies in a backend."""

    backend: Backend
    folder: Path

    @property
    def env(self) -> dict[str, str]:
        ours = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        return {**CREDENTIALS, **ours}

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [str(REAL), *arguments]
        return subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)

    def write(self, code: str) -> None:
        (self.folder / "main.tf").write_text(code)
        (self.folder / "landform_override.tf.json").write_text(json.dumps(self.backend.override()))

    def deploy(self, code: str = CODE) -> Snapshot:
        self.write(code)
        for command in (("init",), ("apply", "-auto-approve")):
            done = self.terraform(*command, "-input=false", "-no-color")
            assert done.returncode == 0, done.stdout + done.stderr
        state = self.backend.pull(self.folder)
        assert state is not None
        return state.snapshot

    @contextmanager
    def applying(self) -> Iterator[subprocess.Popen[bytes]]:
        """A Terraform in the middle of an apply."""
        self.write(SLOW)
        assert self.terraform("init", "-input=false").returncode == 0
        argv = [str(REAL), "apply", "-auto-approve", "-input=false"]
        with subprocess.Popen(
            argv, cwd=self.folder, env=self.env, start_new_session=True, stdout=subprocess.DEVNULL
        ) as running:
            until((self.folder / "started").exists)
            yield running
            os.killpg(running.pid, signal.SIGKILL)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as found:
        yield found


@pytest.fixture(params=["managed", "s3"])
def lab(request: pytest.FixtureRequest, tmp_path: Path, s3: Bucket) -> Lab:
    setting = "managed" if request.param == "managed" else s3.address
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Lab(backends.of(backends.chosen(setting, f"service/{tmp_path.name}/prod"), CREDENTIALS), folder)


def test_before_the_first_apply_there_is_nothing(lab: Lab) -> None:
    assert lab.backend.pull(lab.folder) is None
    assert lab.backend.identity(lab.folder) is None
    assert lab.backend.outputs(lab.folder) == {}
    assert lab.backend.resources(lab.folder) == ()
    assert lab.backend.stamp(lab.folder) == ""
    assert lab.backend.lock(lab.folder) is None


def test_a_state_is_read_as_terraform_wrote_it(lab: Lab) -> None:
    found = lab.deploy()

    pulled = lab.terraform("state", "pull").stdout.encode()
    state = lab.backend.pull(lab.folder)
    assert state is not None
    assert json.loads(state.content) == json.loads(pulled)
    assert lab.backend.identity(lab.folder) == {"lineage": found.lineage, "serial": found.serial}
    assert lab.backend.resources(lab.folder) == ("terraform_data.a",)
    assert lab.backend.outputs(lab.folder) == {
        "token": {"type": "string", "sensitive": True, "value": "hunter2"},
        "word": {"type": "string", "sensitive": False, "value": "one"},
    }


def test_the_stamp_changes_with_the_state_and_only_then(lab: Lab) -> None:
    lab.deploy()
    before = lab.backend.stamp(lab.folder)
    same = lab.backend.stamp(lab.folder)

    # S3 tells times in seconds, but its ETag tells contents apart
    lab.deploy(CODE.replace("one", "another"))

    assert before == same != ""
    assert lab.backend.stamp(lab.folder) != before


def test_what_is_pushed_is_what_terraform_goes_on_with(lab: Lab) -> None:
    first = lab.deploy()
    state = lab.backend.pull(lab.folder)
    assert state is not None
    content = state.with_serial(first.serial + 5)

    lab.backend.push(lab.folder, content, first)

    assert json.loads(lab.terraform("state", "pull").stdout)["serial"] == first.serial + 5
    assert lab.terraform("plan", "-detailed-exitcode", "-input=false").returncode == 0
    assert lab.backend.lock(lab.folder) is None


def test_a_push_into_an_empty_place_makes_the_state(lab: Lab, tmp_path: Path) -> None:
    content = b'{"version": 4, "serial": 3, "lineage": "l", "outputs": {}, "resources": []}'

    lab.backend.push(lab.folder, content, None)

    assert lab.backend.identity(lab.folder) == {"lineage": "l", "serial": 3}


def test_a_state_that_somebody_has_changed_is_not_pushed_over(lab: Lab) -> None:
    seen = lab.deploy()
    now = lab.deploy(CODE.replace("one", "two"))

    with pytest.raises(Conflict) as caught:
        lab.backend.push(lab.folder, b"{}", seen)

    assert caught.value.message == f"{lab.backend.where(lab.folder)} has changed: it is {now}, and was {seen}."
    state = lab.backend.pull(lab.folder)
    assert state is not None
    assert state.snapshot == now
    assert lab.backend.lock(lab.folder) is None


def test_whoever_holds_the_state_is_seen_and_respected(lab: Lab) -> None:
    with lab.applying() as running:
        lock = lab.backend.lock(lab.folder)

        assert lock is not None
        assert (lock.host, lock.operation) == (os.uname().nodename, "OperationTypeApply")
        with pytest.raises(Busy, match=r"is locked by .* \(OperationTypeApply, lock "):
            lab.backend.push(lab.folder, b"{}", None)
        assert running.poll() is None


def test_a_terraform_that_ends_by_itself_leaves_no_lock(lab: Lab) -> None:
    lab.deploy()

    assert lab.backend.lock(lab.folder) is None


def test_a_lock_that_a_kill_has_left_is_broken_by_its_own_id_and_no_other(lab: Lab) -> None:
    with lab.applying() as running:
        taken = lab.backend.lock(lab.folder)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert taken is not None
    left = lab.backend.lock(lab.folder)

    # with `local` it has gone with its process, in S3 it stays
    assert left == (taken if lab.backend.is_shared else None)
    if lab.backend.is_shared:
        with pytest.raises(Conflict, match="and not by lock 1234"):
            lab.backend.unlock(lab.folder, "1234")
    lab.backend.unlock(lab.folder, taken.id)
    assert lab.backend.lock(lab.folder) is None
    assert lab.terraform("plan", "-input=false").returncode == 0


def test_what_is_in_its_place_is_all_that_is_asked_for(lab: Lab) -> None:
    lab.backend.require_in_place(lab.folder, lambda: False)

    lab.deploy()

    lab.backend.require_in_place(lab.folder, lambda: True)


def test_a_state_that_was_written_is_missed(lab: Lab) -> None:
    with pytest.raises(ExternalFailure) as caught:
        lab.backend.require_in_place(lab.folder, lambda: True)

    where = lab.backend.where(lab.folder)
    assert caught.value.message.startswith(f"{where}, which Terraform has written, is missing or empty: ")


def test_a_state_that_could_not_be_written_is_named(lab: Lab) -> None:
    (lab.folder / "errored.tfstate").write_text("{}")

    with pytest.raises(ExternalFailure, match=r"errored\.tfstate holds the state that Terraform could not write"):
        lab.backend.require_in_place(lab.folder, lambda: False)


def test_only_a_state_without_resources_may_go(lab: Lab) -> None:
    lab.deploy()

    with pytest.raises(ExternalFailure, match=r"its state still knows of terraform_data\.a"):
        lab.backend.require_nothing_left(lab.folder)
    assert lab.terraform("destroy", "-auto-approve").returncode == 0
    lab.backend.require_nothing_left(lab.folder)


def test_a_state_that_has_moved_is_taken_away_to_a_backup(lab: Lab, tmp_path: Path) -> None:
    lab.deploy()
    state = lab.backend.pull(lab.folder)
    assert state is not None

    lab.backend.retire(lab.folder, tmp_path / "backup.tfstate")

    assert lab.backend.pull(lab.folder) is None
    assert (tmp_path / "backup.tfstate").read_bytes() == state.content
    lab.backend.retire(lab.folder, tmp_path / "backup.tfstate")


def test_a_local_state_beside_one_in_s3_is_named(s3: Bucket, tmp_path: Path) -> None:
    backend = backends.of(backends.chosen(s3.address, "service/beside/prod"), CREDENTIALS)
    Managed().push(tmp_path, b'{"version": 4, "serial": 3, "lineage": "l"}', None)

    with pytest.raises(ExternalFailure, match=r"terraform\.tfstate holds a state: nothing is planned"):
        backend.require_in_place(tmp_path, lambda: False)


def test_a_local_lock_whose_holder_is_gone_is_none(tmp_path: Path) -> None:
    (tmp_path / LOCK_INFO_FILE).write_text('{"ID": "1", "Who": "ana@here"}')
    (tmp_path / "terraform.tfstate").touch()

    assert Managed().lock(tmp_path) is None


def test_a_bucket_that_does_not_answer_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    stored = backends.chosen("s3://states/x?region=us-east-1&endpoint=http://127.0.0.1:1", "environment/prod")

    with pytest.raises(ExternalFailure, match=r"^s3://states/x/environment/prod/terraform.tfstate cannot be read: "):
        backends.of(stored, CREDENTIALS).pull(tmp_path)
