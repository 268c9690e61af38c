"""The only place that starts programs: each in a session of its own, with an environment that is given whole."""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT
from typing import IO, TypeAlias

from engine.errors import ExternalFailure

__all__ = ["DEVNULL", "PIPE", "STDOUT", "Command", "Late", "Process", "TooMuch", "capture", "signal_group", "start"]

Process: TypeAlias = "subprocess.Popen[bytes]"
_CHUNK_BYTES = 1 << 16


class Late(ExternalFailure):
    """A small program that took longer than it may."""


class TooMuch(ExternalFailure):
    """A small program that said more than it may."""


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
    typed: bytes = b""
    """What it reads from its standard input, when process.run() runs it."""


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
        raise ExternalFailure(f"{command.argv[0]} cannot be started in {command.cwd}: {_why(error)}") from error


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def capture(
    argv: tuple[str, ...],
    env: Mapping[str, str],
    timeout_s: float,
    cwd: Path = Path("/"),
    *,
    bytes_max: float = math.inf,
    stdin: int = DEVNULL,
) -> tuple[int, str]:
    """Exit code and standard output of a small program; with its standard error too when the code is not 0.

    Raises ExternalFailure when it cannot be started, Late when it takes too long, TooMuch when it says more than
    `bytes_max`; it has been killed then.
    """
    with start(Command(argv, cwd, env, timeout_s, 0), PIPE, PIPE, stdin=stdin) as process:
        try:
            out, err = _said(process, time.monotonic() + timeout_s, bytes_max)
        except subprocess.TimeoutExpired:
            raise Late(f"{' '.join(argv)} did not end within {timeout_s:g} seconds.") from None
        finally:
            if process.poll() is None:
                signal_group(process.pid, signal.SIGKILL)
    said = out if process.returncode == 0 else out + err
    return process.returncode, said.decode("utf-8", errors="replace")


def _said(process: Process, until_s: float, bytes_max: float) -> tuple[bytearray, bytearray]:
    """What it says on its standard output and error until it ends. Raises TimeoutExpired, TooMuch."""
    assert process.stdout
    assert process.stderr
    said = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    with selectors.DefaultSelector() as selector:
        for pipe in said:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(0.0, until_s - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired(process.args, until_s)
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK_BYTES)
                said[key.fd] += chunk
                if not chunk:
                    selector.unregister(key.fd)
            if sum(map(len, said.values())) > bytes_max:
                raise TooMuch(f"{process.args!r} says more than {bytes_max:g} bytes.")
    process.wait(max(0.0, until_s - time.monotonic()))
    out, err = said.values()
    return out, err


def signal_group(pgid: int, number: signal.Signals) -> None:
    """Sends the signal to every process of the group that may be sent one."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)
