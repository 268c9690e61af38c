"""Runs a program to its end: followed line by line, stopped when asked, gone with its children when run() returns."""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from engine.external import alive, launch
from engine.external.alive import Identity, group_alive, identity, is_alive
from engine.external.launch import Command, Process, capture
from engine.external.output import Output
from engine.external.stop import Stop

__all__ = ["Command", "Ended", "Reason", "Stop", "capture", "group_alive", "identity", "is_alive", "run"]

_CHUNK_BYTES = 1 << 16
_LONGEST_WAIT_S = 3600.0
_DRAIN_S = 0.5
# The write end of the guard's stdin lives only in this process. `done` means that all went well; its end without that
# means that we are gone, even by SIGKILL. Then the program is asked to stop, as we would have done, and whatever it
# leaves behind is ended. The same happens when a lease is no longer renewed, as when we are suspended: whoever takes us
# for dead then must be right. Only the guard asks, also for us (`ask`), because Terraform takes a second SIGINT as the
# order to drop everything. Its stdout is the end of the program's pipe that one reads from: without a reader the
# program would die of SIGPIPE at its next word, before it has written down what it made. In many containers nobody
# reaps, so a zombie counts as ended. Should we be killed before we have said which program it is, that is the other one
# which leads a group and has this pipe. It costs 1 ms of CPU a run, and with a lease 3 ms at each look.
_GUARD = """
grace=$1 words=$2 lease=$3 looks=$4 pause=$5 asked=
unnamed() {
    pipe=$(readlink "/proc/$$/fd/1") || return
    for folder in /proc/[0-9]*; do
        [ "$(readlink "$folder/fd/1")" = "$pipe" ] || continue
        if kill -s 0 -- "-${folder#/proc/}" && [ "$folder" != "/proc/$$" ]; then echo "${folder#/proc/}"; fi
    done
}
read -r pid || pid=$(unnamed)
[ -n "$pid" ] || exit 0
finish() {
    trap "" TERM
    cat <&1 >>"$words" &
    [ -n "$asked" ] || kill -s INT "$pid"
    n=0
    while kill -s 0 "$pid" && ! grep -q "^State:.Z" "/proc/$pid/status" && [ "$n" -lt "$1" ]; do
        sleep 1
        n=$((n + 1))
    done
    kill -s KILL -- "-$pid"
    exit 3
}
nap() {
    sleep "$1" &
    wait "$!"
}
watch() {
    trap 'kill -s KILL "$!"; exit 0' TERM
    if [ -n "$asked" ]; then nap "$grace" && finish 1; fi
    seen= same=0
    while [ "$same" -lt "$looks" ]; do
        nap "$pause"
        now=$(stat -c %y "$lease" || stat -f %Fm "$lease")
        if [ "$now" = "$seen" ]; then same=$((same + 1)); else seen=$now same=0; fi
    done
    finish "$grace"
}
while :; do
    if [ -n "$lease" ]; then watch & fi
    read -r word
    left=$?
    if [ -n "$lease" ]; then
        kill -s TERM "$!"
        wait "$!"
        [ "$?" -ne 3 ] || exit 3
    fi
    [ "$left" -eq 0 ] || finish "$grace"
    [ "$word" = ask ] || exit 0
    kill -s INT "$pid"
    asked=1
done
"""
_FINISHED = 3
"""The guard's exit code when it was the one that ended the program."""
_LOOKS = 4
"""How often the guard finds the lease unchanged before it acts; the look that saw the last change comes before."""


class Reason(StrEnum):
    """Why a program ended."""

    EXITED = "exited"
    """By itself."""
    CANCELLED = "cancelled"
    """After it was asked to, because of Stop or for want of a lease. The code still says whether it had finished its
    work before.
    """
    TIMED_OUT = "timed out"
    """After it was asked to, because its time was over."""
    KILLED = "killed"
    """By SIGKILL, ours after the grace or somebody else's: nobody can tell how far it came."""


@dataclass(frozen=True)
class Ended:
    """How a program ended. Its process group is gone too, but for `survivors`."""

    code: int
    """The exit code; minus the signal's number when a signal ended it."""
    reason: Reason
    duration_s: float
    survivors: tuple[int, ...] = ()
    """Processes of its group that even SIGKILL did not end (another user's, or stuck in the kernel)."""


def run(
    command: Command,
    *,
    stop: Stop,
    on_line: Callable[[str], None] | None = None,
    on_start: Callable[[Identity], None] | None = None,
    log: Path | None = None,
) -> Ended:
    """How the program ended. Returns when it and every process of its group are gone.

    `on_line` gets each line of its output, without terminal sequences and at most lines.LIMIT long; `log` gets the raw
    bytes as they come; `on_start` gets the program's identity before its first line. When one of them raises, the
    program is asked to stop, as by `stop`, and the error goes on to the caller once it has ended.
    Should this process end before the program, by SIGKILL or because the machine takes it, the program is asked to stop
    all the same and is gone, with its group, after the grace.
    Raises ExternalFailure when the program cannot be started or its log cannot be written.
    """
    begun = time.monotonic()
    if stop.requested:
        return Ended(-signal.SIGINT, Reason.CANCELLED, 0.0)
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(contextlib.closing(Output(log, on_line, command.last_words)))
        source, sink = stack.enter_context(_pipe())
        guard = stack.enter_context(_guard(command, source, command.last_words or log))
        typed = stack.enter_context(_input(command.typed))
        started = stack.enter_context(launch.start(command, sink, launch.STDOUT, stdin=typed))
        program = _Program(command, started, source, guard)
        try:
            sink.close()
            _tell(guard, program.process.pid)
            if on_start:
                on_start(alive.identity(program.process.pid))
            program.follow(stop, output)
        except BaseException:
            # whoever listens has failed; the program must not run on unattended
            program.ask(Reason.CANCELLED)
            output.mute()
            program.follow(stop, output)
            raise
        finally:
            survivors = program.finish()
        program.drain(output)
    reason = program.reason()
    if reason is Reason.EXITED and guard.returncode == _FINISHED:
        reason = Reason.CANCELLED
    return Ended(program.process.returncode, reason, time.monotonic() - begun, survivors)


class _Program:
    """A started program, followed by one thread until its end."""

    def __init__(self, command: Command, process: Process, source: IO[bytes], guard: Process) -> None:
        self.process = process
        self._guard = guard
        self._pipe = source.fileno()
        self._grace_s = command.grace_s
        self._due = time.monotonic() + command.timeout_s
        self._asked: Reason | None = None
        self._killed = False

    def follow(self, stop: Stop, output: Output) -> None:
        """Returns when the program has ended. It is not reaped then, so its process id still belongs to it."""
        with stop.attached() as wake, _end_of(self.process) as ended, selectors.DefaultSelector() as selector:
            for source in (self._pipe, wake, ended):
                selector.register(source, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(self._advance(stop))}
                if ended in ready:
                    return
                if wake in ready:
                    os.read(wake, _CHUNK_BYTES)
                if self._pipe in ready and not self._read(output):
                    selector.unregister(self._pipe)

    def ask(self, why: Reason) -> None:
        """One SIGINT, to the program only: Terraform takes a second one as the order to drop everything."""
        if self._asked is None:
            self._asked = why
            self._due = time.monotonic() + self._grace_s
            if not _tell(self._guard, "ask"):
                self.process.send_signal(signal.SIGINT)

    def finish(self) -> tuple[int, ...]:
        """Reaps the program, killing it first if it still runs, and ends what is left of its group: the survivors."""
        if self.process.poll() is None:
            launch.signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait()
        return alive.sweep(self.process.pid)

    def drain(self, output: Output) -> None:
        """Takes what is left in the pipe. A daemon that left the group may hold it open, so none is waited for."""
        until = time.monotonic() + _DRAIN_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            while selector.select(0) and self._read(output) and time.monotonic() < until:
                pass
        output.end()

    def reason(self) -> Reason:
        if self.process.returncode == -signal.SIGKILL:
            return Reason.KILLED
        return self._asked or Reason.EXITED

    def _advance(self, stop: Stop) -> float | None:
        """Does what is due; the seconds until something will be, None for never."""
        if stop.requested:
            self.ask(Reason.CANCELLED)
        elif time.monotonic() >= self._due:
            self.ask(Reason.TIMED_OUT)
        if self._asked and not self._killed and (stop.forced or time.monotonic() >= self._due):
            self._killed = True
            launch.signal_group(self.process.pid, signal.SIGKILL)
        return None if self._killed else min(max(0.0, self._due - time.monotonic()), _LONGEST_WAIT_S)

    def _read(self, output: Output) -> bool:
        """Whether there may be more to read."""
        chunk = os.read(self._pipe, _CHUNK_BYTES)
        output.take(chunk)
        return bool(chunk)


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The end to read from, and the end to write to."""
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as source, open(writer, "wb", buffering=0) as sink:
        yield source, sink


@contextlib.contextmanager
def _input(typed: bytes) -> Iterator[int]:
    """A file descriptor to read that from: of a file without a name, as a pipe holds only so much at once."""
    if not typed:
        yield launch.DEVNULL
        return
    with TemporaryFile(buffering=0) as file:
        file.write(typed)
        file.seek(0)
        yield file.fileno()


@contextlib.contextmanager
def _guard(command: Command, source: IO[bytes], words: Path | None) -> Iterator[Process]:
    grace_s = math.ceil(min(command.grace_s, 10**9))
    lease = "" if command.lease is None else os.path.abspath(command.lease)
    arguments = (grace_s, os.path.abspath(words or os.devnull), lease, _LOOKS, f"{command.lease_s / (_LOOKS + 1):g}")
    argv = ("/bin/sh", "-c", _GUARD, "guard", *map(str, arguments))
    guarding = Command(argv, Path("/"), {"PATH": "/usr/bin:/bin"}, math.inf, 0)
    with launch.start(guarding, source, launch.DEVNULL, stdin=launch.PIPE) as guard:
        try:
            yield guard
        finally:
            _tell(guard, "done")


def _tell(guard: Process, word: object) -> bool:
    """Whether there was somebody to be told."""
    assert guard.stdin
    try:
        guard.stdin.write(f"{word}\n".encode())
    except BrokenPipeError:
        return False
    return True


@contextlib.contextmanager
def _end_of(process: Process) -> Iterator[int]:
    """A file descriptor that becomes readable when the process has ended."""
    fd = _pidfd(process.pid)
    fd = _fd_of_waiter(process) if fd is None else fd
    try:
        yield fd
    finally:
        os.close(fd)


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, an old kernel, or a sandbox that forbids it
        return None


def _fd_of_waiter(process: Process) -> int:
    reader, writer = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(writer)

    threading.Thread(target=wait, daemon=True).start()
    return reader
