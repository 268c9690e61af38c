"""Somebody sits at a terminal: the plan is shown, and the answer counts."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.scenarios import slow, workers
from tests.scenarios.world import World

pytestmark = pytest.mark.terraform
CTRL_C = "\x03"
"""Stands for the signal: the terminal of the test is not the one that controls the process."""


def at_a_terminal(world: World, answer: str, *arguments: object) -> tuple[int, str, str]:
    """Types a command line, and the answer once it is asked for: exit code, stdout, what the terminal showed."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", workers.LANDFORM, "--home", str(world.home), *map(str, arguments)]
    process = subprocess.Popen(argv, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True)
    os.close(theirs)
    shown = _read_until(ours, b"[later]: ")
    if answer == CTRL_C:
        _interrupt(process)
    else:
        os.write(ours, answer.encode())
    shown += _read_until(ours, None)
    out, _ = process.communicate()
    os.close(ours)
    return process.returncode, out, shown.decode()


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Presses Ctrl-C, and again where nothing came of it: Python can miss a signal just before it waits for input."""
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)


def _read_until(terminal: int, mark: bytes | None) -> bytes:
    shown = b""
    while mark is None or mark not in shown:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            # the other side has closed it
            return shown
        if not chunk:
            return shown
        shown += chunk
    return shown


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [("y\n", 0, "succeeded"), ("no\n", 7, "discarded"), ("later\n", 3, "planned"), ("\n", 3, "planned")],
)
def test_the_answer_decides_what_becomes_of_the_plan(deployed: World, answer: str, code: int, status: str) -> None:
    ended, out, shown = at_a_terminal(deployed, answer, "instance", "update", "orders/prod", "--set", "port=81")

    assert (ended, deployed.row("run", "show", 3)["status"]) == (code, status)
    assert status in out
    assert "port  = 80 -> 81" in shown


def test_ctrl_c_at_the_question_lets_the_plan_wait(deployed: World) -> None:
    code, _, shown = at_a_terminal(deployed, CTRL_C, "instance", "update", "orders/prod", "--set", "port=81")

    assert (code, deployed.row("run", "show", 3)["status"]) == (3, "planned")
    assert "Waiting: Run 3 came to a plan that needs approval." in shown


def test_ctrl_c_says_what_the_next_one_does_then_asks_then_kills(deployed: World) -> None:
    slow.publish(deployed)
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-c", workers.LANDFORM, "--home", str(deployed.home), *slow.CREATE, "--auto-approve"]
    landform = subprocess.Popen(argv, stdin=theirs, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    workers.until((deployed.home / slow.WORKSPACE / "started").exists)

    with slow.frozen(deployed):
        landform.send_signal(signal.SIGINT)
        first = _read_until(ours, b"kills it.")
        landform.send_signal(signal.SIGINT)
        second = _read_until(ours, b"kills it.")
        landform.send_signal(signal.SIGINT)
        third = _read_until(ours, None)

    assert landform.wait() == 10
    assert b"Still going. Ctrl-C again asks Terraform to stop; a third kills it." in first
    assert b"Asking Terraform to stop; Ctrl-C again kills it." in second
    assert b"Killing Terraform. Its state is kept." in third
    os.close(ours)


@pytest.mark.parametrize(
    ("answer", "status"), [("f\nit broke\n", "failed"), ("later\n", "interrupted"), ("\n", "interrupted")]
)
def test_the_answer_decides_what_became_of_an_interrupted_run(deployed: World, answer: str, status: str) -> None:
    slow.publish(deployed)
    with slow.applying(deployed) as landform:
        slow.lose(deployed, landform)

    code, _, shown = at_a_terminal(deployed, answer, "run", "recover", 3)

    assert (code, deployed.row("run", "show", 3)["status"]) == (0, status)
    assert "Decide what became of it:" in shown
