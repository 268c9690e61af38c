"""What resources have left in a workspace is copied to where a plan is made beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.terraform import copies


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A workspace with code, a state, and what resources left there."""
    folder = tmp_path / "workspace"
    names = (
        "main.tf",
        "old/page.html",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        ".terraform.lock.hcl",
        "made.txt",
    )
    for name in (*names, "site/deep/index.html", "site/extra.auto.tfvars"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (folder / ".terraform").symlink_to(tmp_path)
    return folder


def found(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_only_what_nobody_else_brings_is_copied(source: Path, tmp_path: Path) -> None:
    assert copies.copy_rest(source, tmp_path / "copy", {"old/page.html"})

    assert found(tmp_path / "copy") == ["made.txt", "site/deep/index.html"]
    assert (tmp_path / "copy/site/deep/index.html").read_text() == "site/deep/index.html"


def test_links_and_pipes_stay_where_they_are(source: Path, tmp_path: Path) -> None:
    (source / "link").symlink_to("/etc/passwd")
    (source / "folder").symlink_to("/etc")
    os.mkfifo(source / "pipe")

    copies.copy_rest(source, tmp_path / "copy", {"old/page.html"})

    assert found(tmp_path / "copy") == ["made.txt", "site/deep/index.html"]


def test_a_workspace_that_is_not_there_has_nothing_to_copy(tmp_path: Path) -> None:
    assert copies.copy_rest(tmp_path / "nothing", tmp_path / "copy", ())
    assert not (tmp_path / "copy").exists()


def test_what_is_too_much_is_said(source: Path, tmp_path: Path) -> None:
    for number in range(1001):
        (source / f"{number}.txt").touch()

    assert not copies.copy_rest(source, tmp_path / "copy", ())
