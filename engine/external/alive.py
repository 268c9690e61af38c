"""Who a process is, whether it still runs, and the end of a group: /proc where there is one, `ps` elsewhere."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engine.external.launch import capture, signal_group

logger = logging.getLogger(__name__)

Identity = dict[str, str | int]
"""{"host", "boot_id", "pid", "started"}: enough to tell later whether the very same process still runs."""

_PROC = Path("/proc")
_DEAD = "ZX"
_SWEEP_S = ((signal.SIGTERM, 0.5), (signal.SIGKILL, 5.0))


@dataclass(frozen=True)
class Seen:
    """One row of the table of processes."""

    pid: int
    pgid: int
    state: str
    started: str
    """Ticks since boot from /proc, a date from `ps`; only good for comparing."""


def identity(pid: int | None = None) -> Identity:
    """A process, by default this one, as a record that outlives it; "started" is "" when it cannot be read."""
    pid = os.getpid() if pid is None else pid
    seen = look(pid)
    return {"host": os.uname().nodename, "boot_id": _boot_id(), "pid": pid, "started": seen.started if seen else ""}


def is_alive(who: Mapping[str, object]) -> bool | None:
    """Whether the process that identity() described still runs; None when that cannot be told from here."""
    if who.get("host") != os.uname().nodename:
        return None
    boot, _, namespace = str(who.get("boot_id", "")).partition("/")
    our_boot, _, our_namespace = _boot_id().partition("/")
    if boot != our_boot:
        return False
    pid = who.get("pid")
    if namespace != our_namespace or not isinstance(pid, int):
        return None
    return _is_same(pid, str(who.get("started", "")))


def members(pgid: int) -> tuple[int, ...]:
    """The processes of the group that are not zombies: nobody may be there to reap those."""
    try:
        os.killpg(pgid, 0)
    except ProcessLookupError:
        return ()
    except PermissionError:
        pass  # there is a member, of another user
    return tuple(seen.pid for seen in _table() if seen.pgid == pgid and seen.state not in _DEAD)


def group_alive(pgid: int) -> bool:
    """Whether the process group has a member that is not a zombie."""
    return bool(members(pgid))


def remains(who: Mapping[str, object]) -> tuple[int, ...] | None:
    """What still runs of the group that the process led, as far as it is not zombies; None when that cannot be told
    from here.
    """
    state, pid = is_alive(who), who.get("pid")
    if state is None or not isinstance(pid, int):
        return None
    seen = look(pid)
    is_reused = seen is not None and seen.started != str(who.get("started", ""))
    # a number is given to nobody else while a group has it as its name
    return () if who.get("boot_id") != _boot_id() or is_reused else members(pid)


def outlast(who: Mapping[str, object], patience_s: float) -> tuple[int, ...] | None:
    """What does not go of the group that the process led: it has so long to go by itself, then it is ended.

    It is not asked to stop: whoever guarded it has done so, and Terraform would take it for the second time. None when
    nothing can be told from here.
    """
    left = remains(who)
    if not left:
        return left
    pgid = int(str(who["pid"]))
    _wait_until_gone(pgid, patience_s)
    return sweep(pgid)


def sweep(pgid: int) -> tuple[int, ...]:
    """Ends what is left of the group; the process ids that would not go.

    Its leader is reaped, but a number is not given to a new process while a group has it as its name.
    """
    for number, patience_s in _SWEEP_S:
        if not members(pgid):
            return ()
        signal_group(pgid, number)
        _wait_until_gone(pgid, patience_s)
    survivors = members(pgid)
    if survivors:
        logger.warning("Processes could not be ended.", extra={"pgid": pgid, "pids": survivors})
    return survivors


def _wait_until_gone(pgid: int, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    pause_s = 0.001
    while members(pgid) and time.monotonic() < until:
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 0.02)


def look(pid: int) -> Seen | None:
    """The row of one process; None when there is none, or when it is hidden from us."""
    if not _PROC.joinpath("self").exists():
        return next(from_ps("-p", str(pid)), None)
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(errors="replace")
    except OSError:
        return None
    # the command's name stands in parentheses and may hold anything, parentheses and spaces too
    fields = text.rpartition(")")[2].split()
    return Seen(pid, int(fields[2]), fields[0], fields[19])


def from_ps(*which: str) -> Iterator[Seen]:
    """Rows as `ps` tells them, for systems without /proc."""
    argv = ("ps", *which, "-o", "pid=,pgid=,stat=,lstart=")
    code, text = capture(argv, {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, 10)
    for line in text.splitlines() if code == 0 else ():
        pid, pgid, state, started = line.split(None, 3)
        yield Seen(int(pid), int(pgid), state[0], " ".join(started.split()))


def _table() -> Iterator[Seen]:
    if not _PROC.joinpath("self").exists():
        yield from from_ps("-A")
        return
    for folder in os.listdir(_PROC):
        if folder.isdigit() and (seen := look(int(folder))):
            yield seen


def _is_same(pid: int, started: str) -> bool | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    seen = look(pid)
    if seen is None or not started:
        return None
    return seen.started == started and seen.state not in _DEAD


@cache
def _boot_id() -> str:
    """This boot of this machine, `/`, the namespace of process ids: numbers of another container mean nothing here."""
    try:
        boot = _PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return ""
