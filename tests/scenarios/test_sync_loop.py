"""`sync run --every`: it looks again and again, survives what fails, and ends between two looks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.repositories import Upstream
from tests.scenarios.test_template_sync import lab
from tests.scenarios.workers import LANDFORM
from tests.scenarios.world import World


def test_a_loop_takes_over_what_comes_and_ends_with_a_signal(world: World, tmp_path: Path) -> None:
    upstream = Upstream(tmp_path)
    upstream.commit(lab("v1"))
    world.do("template", "sync", "add", "environment/lab", upstream.url)
    loop = subprocess.Popen(
        [sys.executable, "-c", LANDFORM, "--home", str(world.home), *["sync", "run", "--every", "1s", "-o", "json"]],
        stdout=subprocess.PIPE,
        text=True,
    )
    with loop:
        looks = documents(loop)
        first = next(looks)
        upstream.bare.rename(tmp_path / "away")
        failed = next(look for look in looks if look[0]["status"] == "failed")
        (tmp_path / "away").rename(upstream.bare)
        recovered = next(look for look in looks if look[0]["status"] != "failed")
        loop.send_signal(signal.SIGTERM)
        for _ in looks:
            pass

    assert loop.returncode == 0
    assert (first[0]["status"], first[0]["message"]) == ("changed", "lab@1.0")
    assert failed[0]["message"].startswith("There is no repository")
    assert recovered[0]["status"] == "unchanged"


def documents(process: subprocess.Popen[str]) -> Iterator[list[Any]]:
    """The items of each JSON document that a process prints."""
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            yield json.loads("".join(lines))["items"]
            lines = []


@pytest.mark.parametrize("interval", ["0s", "60", "1d", "-1s", "s"])
def test_what_is_no_interval_is_refused(world: World, interval: str) -> None:
    found = world.run("sync", "run", "--every", interval, "-o", "json")

    assert found.code == 64
    assert found.error["message"].endswith("is not an interval like 60s, 5m or 1h.")
