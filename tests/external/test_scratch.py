"""Folders for a short while: nobody takes away what is in use, and nothing is left for ever."""

from __future__ import annotations

from pathlib import Path

from engine.external.scratch import scratch


def test_a_folder_is_gone_after_its_use(tmp_path: Path) -> None:
    with scratch(tmp_path / "tmp", "sync") as folder:
        (folder / "x").write_text("x", encoding="utf-8")

    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_a_process_left_that_died_is_swept_and_what_is_in_use_is_not(tmp_path: Path) -> None:
    left, other = tmp_path / "sync-left", tmp_path / "other"
    left.mkdir()
    other.mkdir()

    with scratch(tmp_path, "sync") as first, scratch(tmp_path, "sync") as second:
        found = set(tmp_path.iterdir())

    assert found == {first, second, other}
