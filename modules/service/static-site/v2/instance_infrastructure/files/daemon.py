"""One background process for one folder: started, found again after a crash, stopped, cleared away.

Terraform's `local-exec` calls the scripts beside this file as `python3 -EsB SCRIPT COMMAND`, with JOB_FOLDER, JOB_OWNER
and JOB_LOG in the environment. The process outlives Terraform: it has its own session, no open pipe to Terraform, no
variable of its environment, and `/` as working directory.

A process is known by a lock that it holds on its pid file for as long as it lives, and by its start time: a pid that
went to another program is never signalled. It ends by itself when its pid file is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Sequence

OWNER_FILE = "owner"
PID_FILE = "process.pid"
LOG_MAX_BYTES = 1024 * 1024
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0
POLL_S = 0.01


class Refused(Exception):
    """What was asked cannot be done; the message is for the person who reads the run's log."""


@dataclass(frozen=True)
class Place:
    """The folder of one instance, and what it takes to know that it is that instance's."""

    folder: Path
    owner: str
    log: Path

    @property
    def pid_file(self) -> Path:
        return self.folder / PID_FILE


def main(commands: Mapping[str, Callable[[Place], None]]) -> None:
    """Does the command named on the command line; a refusal becomes one sentence and exit code 1."""
    os.umask(0o077)
    try:
        environ = os.environ
        commands[sys.argv[1]](Place(Path(environ["JOB_FOLDER"]), environ["JOB_OWNER"], Path(environ["JOB_LOG"])))
    except (Refused, OSError) as error:
        sys.exit(str(error))


def claim(place: Place) -> None:
    """Makes the folder, or finds it as this instance left it. Raises Refused when it is somebody else's."""
    place.folder.mkdir(parents=True, exist_ok=True)
    owner = _owner(place)
    if owner == place.owner:
        return
    if owner or any(entry.name != OWNER_FILE for entry in place.folder.iterdir()):
        raise Refused(f"{place.folder} holds files of something else. Move them away, then run again.")
    (place.folder / OWNER_FILE).write_text(place.owner, encoding="utf-8")


def start(place: Place, command: Sequence[str], keep: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """The process `command`, a Python script and its arguments, on its own in this folder, where none runs.

    Its last argument is the locked pid file, in which it must record() itself. `keep` are the descriptors it inherits.
    """
    lock = os.open(place.pid_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # The lock is taken here and inherited: there is no moment at which the process runs and cannot be found.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        place.log.parent.mkdir(parents=True, exist_ok=True)
        with place.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-EsB", "-X", "utf8", *command, str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath},
                pass_fds=(lock, *keep),
                start_new_session=True,
            )
    finally:
        os.close(lock)


def wait_until_ready(place: Place, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    """Returns when `ready` says so. Raises Refused, leaving no process, when that does not happen."""
    if _until(lambda: process.poll() is not None or ready(), START_TIMEOUT_S) and process.poll() is None:
        return
    process.kill()
    ended = process.wait()
    place.pid_file.unlink()
    words = _last_words(place.log)
    reason = "was not ready in time" if ended == -signal.SIGKILL else f"ended at once with exit code {ended}"
    raise Refused(f"The process of {place.folder} {reason}. {words}")


def stop(place: Place) -> None:
    """Ends the process of this folder, if there is one, and returns when it has gone. Raises Refused when it stays."""
    if not place.pid_file.exists() or _owner(place) != place.owner:
        return
    lock = os.open(place.pid_file, os.O_RDWR)
    try:
        _end(place, lock)
    finally:
        os.close(lock)
    place.pid_file.unlink()


def remove(place: Place) -> None:
    """Leaves nothing of this instance: no process, no folder, no log. What belongs to others stays."""
    if place.folder.is_dir():
        _clear(place)
    if place.log.exists():
        place.log.unlink()


def record(lock: int) -> None:
    """Writes into the pid file who holds it: the process that calls this."""
    os.pwrite(lock, f"{os.getpid()}\n{_born(os.getpid())}\n".encode(), 0)


def wanted(pid_file: Path, lock: int) -> bool:
    """Whether the pid file is still the one that the calling process holds."""
    try:
        return os.path.samestat(pid_file.stat(), os.fstat(lock))
    except FileNotFoundError:
        return False


def shorten(log: int) -> None:
    """Begins the log anew once it has grown too long for a folder that nobody looks after."""
    if os.fstat(log).st_size > LOG_MAX_BYTES:
        os.ftruncate(log, 0)


def write(file: Path, text: str) -> None:
    """Puts the text into the file, so that a reader sees the old text or the new one, never a part."""
    draft = file.with_name(file.name + ".new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)


def _owner(place: Place) -> str:
    file = place.folder / OWNER_FILE
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _clear(place: Place) -> None:
    entries = list(place.folder.iterdir())
    if entries and _owner(place) != place.owner:
        print(f"Left {place.folder} alone: it holds files of something else.")
        return
    stop(place)
    # The owner goes last: what a crash leaves half removed must still be known as ours.
    for entry in sorted(place.folder.iterdir(), key=lambda entry: entry.name == OWNER_FILE):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    place.folder.rmdir()


def _end(place: Place, lock: int) -> None:
    if not _until(lambda: _free(lock) or _recorded(lock) is not None, STOP_TIMEOUT_S):
        raise Refused(f"Somebody holds {place.pid_file} and does not say who.")
    for number in (signal.SIGTERM, signal.SIGKILL):
        holder = _recorded(lock)
        if _free(lock) or holder is None:
            return
        pid, born = holder
        if _born(pid) != born:
            raise Refused(f"Process {pid} of {place.folder} runs on another machine or in another container.")
        with contextlib.suppress(ProcessLookupError):  # it may end between the look and the signal
            os.kill(pid, number)
        _until(lambda: _free(lock), STOP_TIMEOUT_S)
    if not _free(lock):
        raise Refused(f"The process of {place.folder} does not end.")


def _free(lock: int) -> bool:
    """Whether no process holds the pid file. A shared lock, so that two who ask do not see each other."""
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True


def _recorded(lock: int) -> tuple[int, str] | None:
    """(pid, start) as record() wrote them; None while nothing is written."""
    pid, _, born = os.pread(lock, 100, 0).decode().rstrip("\n").partition("\n")
    return (int(pid), born) if pid else None


def _born(pid: int) -> str:
    """When the process started, in the kernel's own count; "" where there is no /proc to ask, or no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _until(done: Callable[[], bool], seconds: float) -> bool:
    """Whether `done` came true in that time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _last_words(log: Path) -> str:
    text = log.read_bytes()[-2000:].decode("utf-8", "replace").strip()
    return f"Its last words:\n{text}" if text else "It said nothing."
