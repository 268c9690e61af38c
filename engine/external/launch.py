"""The only place that starts programs: each in a session of its own, with an environment that is given whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from typing import IO, TypeAlias

from engine.errors import ExternalFailure

__all__ = ["DEVNULL", "PIPE", "STDOUT", "Command", "Process", "capture", "signal_group", "start"]

Process: TypeAlias = "subprocess.Popen[bytes]"


@dataclass(frozen=True)
class Command:
    """A program to run, and how long it may take."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """Complete: nothing of our own environment is added."""
    timeout_s: float
    """After this it is asked to stop."""
    grace_s: float
    """How long it may take to stop when asked; then it is killed with all its children."""
    last_words: Path | None = None
    """Gets what it says after we have gone, raw; None for nowhere."""
    lease: Path | None = None
    """A file that somebody touches as long as the program may run; None for as long as it likes."""
    lease_s: float = 0
    """When the file has not been touched for this long (at most; not less than four fifths of it), the program is asked
    to stop, even if we are suspended ourselves. Time in which the whole machine sleeps does not count.
    """


def start(command: Command, stdout: IO[bytes] | int, stderr: int, *, stdin: int = DEVNULL) -> Process:
    """The program, started. Raises ExternalFailure when it cannot be."""
    try:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
            umask=0o077,
        )
    except (OSError, ValueError) as error:
        raise ExternalFailure(f"{command.argv[0]} cannot be started in {command.cwd}: {error}") from error


def capture(argv: tuple[str, ...], env: Mapping[str, str], timeout_s: float, cwd: Path = Path("/")) -> tuple[int, str]:
    """Exit code and standard output of a small program; with its standard error too when the code is not 0.

    Raises ExternalFailure when it cannot be started or takes too long.
    """
    with start(Command(argv, cwd, env, timeout_s, 0), PIPE, PIPE) as process:
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise ExternalFailure(f"{' '.join(argv)} did not end within {timeout_s:g} seconds.") from None
        finally:
            if process.poll() is None:
                signal_group(process.pid, signal.SIGKILL)
    said = out if process.returncode == 0 else out + err
    return process.returncode, said.decode("utf-8", errors="replace")


def signal_group(pgid: int, number: signal.Signals) -> None:
    """Sends the signal to every process of the group that may be sent one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)
