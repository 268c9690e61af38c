"""Events in a file: one whole line each, whoever else writes."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.errors import ExternalFailure
from engine.external.event_file import append


def test_an_event_is_a_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    append(str(path), {"id": 1, "detail": {"name": "größe\n"}})
    append(str(path), {"id": 2})

    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == [1, 2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_who_write_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: append(str(path), {"id": number, "text": "x" * 9000}), range(24)))

    assert sorted(json.loads(line)["id"] for line in path.read_text().splitlines()) == list(range(24))


def test_half_a_line_that_a_dead_machine_left_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text('{"id": 1}\n{"id":')

    append(str(path), {"id": 2})

    assert path.read_text().splitlines() == ['{"id": 1}', '{"id":', '{"id": 2}']


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match=rf"^The file {tmp_path} cannot be written: Is a directory\.$"):
        append(str(tmp_path), {"id": 1})


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ExternalFailure, match=r"pipe cannot be written: it is something else\.$"):
        append(str(tmp_path / "pipe"), {"id": 1})
