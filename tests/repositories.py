"""A bare repository on disk, and a working copy that pushes to it: what a team's Git host would be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{role}_NAME": "Ana" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "ana@example.org" for role in ("AUTHOR", "COMMITTER")},
}


class Upstream:
    """A repository with a branch `main`, and somebody who works on it."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "upstream.git"
        self.work = folder / "upstream"
        self.url = f"file://{self.bare}"
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(folder, "clone", "-q", str(self.bare), str(self.work))
        git(self.work, "checkout", "-q", "-b", "main")

    def commit(self, files: Mapping[str, str | None], branch: str = "main") -> str:
        """Writes files (None removes one), commits them and pushes the branch; the commit."""
        git(self.work, "checkout", "-q", "-B", branch)
        for path, text in files.items():
            place = self.work / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                place.unlink()
            else:
                place.write_text(text, encoding="utf-8")
        return self.push(branch)

    def push(self, branch: str = "main") -> str:
        """Commits what lies in the working copy, and pushes the branch; the commit."""
        git(self.work, "add", "--all", "--force")
        git(self.work, "commit", "-q", "--allow-empty", "-m", "Change")
        git(self.work, "push", "-q", "origin", branch)
        return git(self.work, "rev-parse", "HEAD")

    def show(self, branch: str, path: str) -> str:
        """What a file says in a branch of the bare repository."""
        return git(self.bare, "show", f"{branch}:{path}")


def git(folder: Path, *arguments: str, text: str = "") -> str:
    """What git prints, which reads the text; it must succeed."""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, env=_ENV, check=False, capture_output=True, text=True, input=text)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
