"""A private folder goes with its process, however that ends, and nobody removes it before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from engine.external import private

_DYING = """
import os, signal, sys
from pathlib import Path
from engine.external import private

with private.folder(Path(sys.argv[1])) as folder:
    (folder / "plan").write_text("hunter2")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_private_folder_is_its_owners_and_goes_with_the_block(tmp_path: Path) -> None:
    with private.folder(tmp_path) as folder:
        (folder / "plan").write_text("hunter2")
        mode = folder.stat().st_mode & 0o777
        private.sweep(tmp_path)
        stays = (folder / "plan").exists()

    assert (mode, stays, list(tmp_path.iterdir())) == (0o700, True, [])


def test_what_a_killed_process_has_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    subprocess.run([sys.executable, "-c", _DYING, str(tmp_path)], check=False)
    left = len(list(tmp_path.iterdir()))

    private.sweep(tmp_path)

    assert (left, [path.name for path in tmp_path.iterdir()]) == (2, ["other"])


def test_there_may_be_nothing_to_sweep(tmp_path: Path) -> None:
    private.sweep(tmp_path / "not there")
