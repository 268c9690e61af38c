"""The scheduled job of one instance: `publish` says what it does, `start`, `stop` and `remove` it, and `run`, the job.

What it does is in job.json, read before every beat: a new message or interval holds from the next beat on.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import daemon

JOB_FILE = "job.json"
HEARTBEAT_FILE = "heartbeat.json"
LOOK_S = 0.2
STDOUT = 1


@dataclass(frozen=True)
class Job:
    """What is done, and how often."""

    message: str
    interval_s: float


def publish(place: daemon.Place) -> None:
    """Writes down what the job does from now on: JOB_SPEC, a JSON object."""
    daemon.claim(place)
    daemon.write(place.folder / JOB_FILE, os.environ["JOB_SPEC"])


def start(place: daemon.Place) -> None:
    """Starts the job and returns when it has beaten for the first time."""
    daemon.claim(place)
    daemon.stop(place)
    heartbeat = place.folder / HEARTBEAT_FILE
    before = _count(heartbeat)
    process = daemon.start(place, [os.path.abspath(__file__), "run", str(place.folder)])
    daemon.wait_until_ready(place, process, lambda: _count(heartbeat) > before)
    print(f"Process {process.pid} does the job.")


def run(folder: Path, lock: int) -> None:
    """Beats until it is ended or its pid file is gone."""
    daemon.record(lock)
    last = float("-inf")
    while daemon.wanted(folder / daemon.PID_FILE, lock):
        job = _job(folder)
        if time.monotonic() - last >= job.interval_s:
            last = time.monotonic()
            _beat(folder, job)
        time.sleep(LOOK_S)


def _beat(folder: Path, job: Job) -> None:
    heartbeat = folder / HEARTBEAT_FILE
    count = _count(heartbeat) + 1
    at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    daemon.shorten(STDOUT)
    # One line a beat, whatever the message holds.
    print(at, count, json.dumps(job.message, ensure_ascii=False), flush=True)
    daemon.write(heartbeat, json.dumps({"count": count, "at": at, "message": job.message}) + "\n")


def _job(folder: Path) -> Job:
    spec = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
    return Job(str(spec["message"]), float(spec["interval_seconds"]))


def _count(heartbeat: Path) -> int:
    """How often the job has beaten, over all its processes."""
    try:
        return int(json.loads(heartbeat.read_text(encoding="utf-8"))["count"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return 0  # the first beat, or a file that somebody else wrote


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        daemon.main({"publish": publish, "start": start, "stop": daemon.stop, "remove": daemon.remove})
